"""Trading days, losses on marks, and the fall from a high."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.equity import (
    DRAWDOWN_DAYS,
    EquityMarks,
    loss_pct,
    trading_day,
    trading_week,
)
from interlock.model.position import Position, apply_fill
from interlock.model.values import Side

HOUR = 3_600 * 10**9


def marks(*mornings: tuple[int, int]) -> EquityMarks:
    taken = EquityMarks(equity=Decimal(30_000))
    for day, equity in mornings:
        taken.mark(day, Decimal(equity))
    return taken


def test_a_day_begins_at_its_hour_and_a_week_on_monday():
    assert [trading_day(hour * HOUR, 4) for hour in (3, 4, 27, 28)] == [-1, 0, 0, 1]
    assert trading_day(0, 0) == 0
    assert trading_week(19_722) + 1 == trading_week(19_723) == trading_week(19_729)


def test_before_the_first_mark_there_is_no_day():
    nothing = marks()
    assert nothing.day is None
    assert (nothing.day_pnl, nothing.week_pnl, nothing.drawdown_pct) == (0, 0, 0)


def test_losses_are_since_the_last_mark_before_day_and_week():
    taken = marks((19_723, 100), (19_723, 90), (19_724, 95), (19_724, 92))
    assert (taken.equity_at_day_start, taken.equity_at_week_start) == (90, 100)
    assert (taken.day_pnl, taken.week_pnl) == (2, -8)
    taken.mark(19_730, Decimal(80))
    assert (taken.day_pnl, taken.week_pnl) == (-12, -12)


def test_a_clock_that_jumps_back_over_midnight_starts_no_day_and_resets_nothing():
    taken = marks((19_724, 100), (19_724, 90))
    assert not taken.mark(19_723, Decimal(80))
    assert not taken.mark(19_724, Decimal(70))
    assert (taken.day, taken.equity_at_day_start, taken.day_pnl) == (19_724, 100, -30)
    assert list(taken.highs) == [(19_724, 100)]


def test_a_drawdown_is_from_the_highest_mark_and_outlives_its_own_alarm():
    taken = marks((1, 100), (1, 120), (2, 110), (3, 90))
    assert taken.drawdown_pct == 25
    assert taken.mark(4, Decimal(90))
    assert taken.drawdown_pct == 25


def test_a_high_is_forgotten_with_its_day():
    taken = marks((1, 200), *[(day, 100) for day in range(2, 1 + DRAWDOWN_DAYS)])
    assert taken.drawdown_pct == 50
    taken.mark(1 + DRAWDOWN_DAYS, Decimal(100))
    assert taken.drawdown_pct == 0


def test_an_account_without_money_has_lost_everything():
    assert loss_pct(Decimal(-1), Decimal(0)) == 100
    assert loss_pct(Decimal(0), Decimal(0)) == 0
    assert loss_pct(Decimal(101), Decimal(100)) == 0


def trade(taken: EquityMarks, *fills: tuple[Side, int, int], fee: int = 0) -> int:
    position = Position(instrument_id="SPY")
    for side, quantity, price in fills:
        after = apply_fill(position, side, Decimal(quantity), Decimal(price), Decimal(fee))
        taken.fill(position, after)
        position = after
    return taken.losses_in_row


B, S = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("fills", "losses"),
    [
        ([(B, 10, 100)], 0),
        ([(B, 10, 100), (S, 5, 90)], 0),
        ([(B, 10, 100), (S, 5, 90), (S, 5, 90)], 1),
        ([(B, 10, 100), (S, 5, 90), (S, 5, 110)], 0),
        ([(B, 10, 100), (S, 20, 90), (B, 10, 95)], 2),
        ([(B, 10, 100), (S, 20, 90), (B, 10, 85)], 0),
        ([(S, 10, 100), (B, 10, 101)], 1),
    ],
)
def test_a_trade_counts_when_its_position_is_closed(fills, losses):
    assert trade(marks((1, 100)), *fills) == losses


def test_fees_make_a_loss_and_nothing_won_or_lost_changes_nothing():
    taken = marks((1, 100))
    assert trade(taken, (B, 1, 100), (S, 1, 100)) == 0
    assert trade(taken, (B, 1, 100), (S, 1, 100), fee=1) == 1


def test_a_new_day_starts_with_no_losses_in_a_row():
    taken = marks((1, 100))
    trade(taken, (B, 1, 100), (S, 1, 90))
    taken.mark(2, Decimal(90))
    assert taken.losses_in_row == 0


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 1_000)), min_size=1, max_size=60))
def test_no_order_of_days_makes_the_day_go_back_or_the_drawdown_leave_0_to_100(steps):
    taken, last = marks(), -1
    for day, equity in steps:
        new = taken.mark(day, Decimal(equity))
        assert taken.day is not None
        assert new is (taken.day > last)
        assert taken.day >= last
        assert 0 <= taken.drawdown_pct <= 100
        assert taken.high >= equity
        last = taken.day
