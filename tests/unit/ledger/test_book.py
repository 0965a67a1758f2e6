"""Positions, cash and what the ledger says about them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.ports import WriteDown
from interlock.ledger.state import State, evolve, opening, realised_pnl
from interlock.model.values import Side
from interlock.testkit.desk_messages import ACCOUNT, DAY, SECOND, START, bar, fill, judged, tick
from interlock.wire import codec
from interlock.wire.accounts import AccountUpdated, PositionChanged
from interlock.wire.base import Message

CONFIG = LedgerConfig()


def fresh(config: LedgerConfig = CONFIG) -> State:
    return opening(ACCOUNT, "USD", START, config)


def hear(state: State, *messages: Message) -> list[Message]:
    """Fold `messages` and return what the ledger said, own messages taken in as the loop does."""
    said = list[Message]()
    for message in messages:
        evolve(state, message)
        for answer in decide(state, message, 0):
            if isinstance(answer, Message):
                evolve(state, answer)
                said.append(answer)
    return said


def account(state: State, n: int) -> AccountUpdated:
    (said,) = hear(state, tick(n))
    assert isinstance(said, AccountUpdated)
    return said


quantities = st.integers(1, 1_000).map(Decimal)
prices = st.decimals("0.01", "5000", places=2)
fees = st.decimals("0", "5", places=4)
steps = st.lists(
    st.tuples(st.sampled_from(Side), quantities, prices, fees, prices), min_size=1, max_size=25
)


@given(steps)
def test_equity_is_start_plus_realised_plus_unrealised_at_every_prefix(steps):
    state = fresh()
    for n, (side, quantity, price, fee, mark) in enumerate(steps):
        hear(state, fill(n, side, quantity, price, fee=fee), bar(n, float(mark)))
        said = account(state, n)
        whole = START + said.realised_pnl + said.unrealised_pnl
        # Three numbers rounded to 1e-8, and average prices to 28 digits.
        assert abs(said.equity - whole) <= Decimal("1e-6")
        worth = sum((line.quantity * line.mark for line in said.positions), Decimal(0))
        assert abs(said.equity - said.cash - worth) <= Decimal("1e-6")


@given(steps, st.data())
def test_a_trade_counts_once_however_often_and_late_it_is_told(steps, data):
    fills = [fill(n, side, q, p, fee=fee) for n, (side, q, p, fee, _) in enumerate(steps)]
    once, often = fresh(), fresh()
    hear(once, *fills)
    for n, first in enumerate(fills):
        hear(often, first)
        hear(often, data.draw(st.sampled_from(fills[: n + 1])))
    assert often.positions == once.positions
    assert (often.cash, often.fees) == (once.cash, once.fees)


def test_the_same_trade_under_another_message_id_is_not_said_again():
    state = fresh()
    again = fill(2, trade_id="trade-1")
    assert len(hear(state, fill(1))) == 1
    assert hear(state, again) == []
    assert state.positions["SPY"].quantity == 10


def test_a_repeated_decision_is_the_same_to_the_byte():
    state = fresh()
    first = hear(state, fill(1))
    hear(state, fill(2, Side.SELL, 4, 110))
    (repeated,) = [said for said in decide(state, fill(1), 0) if isinstance(said, Message)]
    assert codec.encode(repeated) == codec.encode(first[0])


def test_what_is_said_is_written_down_first():
    state = fresh()
    evolve(state, fill(1))
    write, said = decide(state, fill(1), 0)
    assert isinstance(write, WriteDown)
    assert write.message is said


def test_a_position_names_what_it_cost_and_what_it_brought():
    state = fresh()
    (opened,) = hear(state, fill(1, Side.BUY, 10, 100))
    (closed,) = hear(state, fill(2, Side.SELL, 4, 110))
    assert isinstance(opened, PositionChanged)
    assert isinstance(closed, PositionChanged)
    assert (opened.entry_px, opened.exit_px) == (Decimal(100), None)
    assert (closed.entry_px, closed.exit_px) == (Decimal(100), Decimal(110))
    assert closed.quantity == 6
    assert closed.realised_pnl == 4 * 10 - 1
    assert closed.intent_id == "intent-2"
    assert closed.decision_id == fill(2).decision_id


def test_a_fill_of_another_account_is_not_ours():
    state = fresh()
    assert hear(state, fill(1, account="somebody-else")) == []
    assert state.cash == START


def test_the_window_looks_back_half_an_hour_of_desk_time():
    state = fresh()
    hear(state, fill(0, Side.BUY, 100, 100, fee=Decimal(0)))
    values = {}
    for minute, price in [(0, 100), (10, 90), (30, 95), (40, 95), (41, 97)]:
        hear(state, bar(minute, float(price)))
        values[minute] = account(state, minute * 60).window_pnl
    assert values == {0: 0, 10: -1000, 30: -500, 40: 500, 41: 700}


def test_a_second_replay_does_not_look_back_into_the_first():
    state = fresh()
    hear(state, fill(0, Side.BUY, 100, 100), tick(1, ts_desk=10_000 * SECOND), bar(1, 50.0))
    (said,) = hear(state, tick(2, ts_desk=5 * SECOND))
    assert isinstance(said, AccountUpdated)
    assert said.window_pnl == 0


def test_the_day_begins_at_the_last_mark_before_it():
    state = opening(ACCOUNT, "USD", START, CONFIG, day_starts_at_utc_hour=4)
    hear(state, fill(0, Side.BUY, 100, 100, fee=Decimal(0)))
    last_night = DAY + 4 * 3_600 * SECOND - 1
    moments = [(100, DAY), (90, last_night), (80, last_night + 1), (85, last_night + 2)]
    said = []
    for n, (price, ts_event) in enumerate(moments):
        hear(state, bar(n, float(price)))
        told = hear(state, tick(n, ts_event=ts_event))
        said += [one for one in told if isinstance(one, AccountUpdated)]
    assert [a.day_pnl for a in said] == [0, -1000, -1000, -500]
    assert said[-1].equity_at_day_start == START - 1000
    assert [a.day for a in said] == [0, 0, 1, 1]
    assert [a.equity_at_week_start for a in said] == [START] * 4
    assert [a.week_pnl for a in said] == [0, -1000, -2000, -1500]
    falls = [0, 100 / 30, 200 / 30, 150 / 30]
    assert [a.drawdown_5d_pct for a in said] == pytest.approx(falls)


def test_i5_a_clock_that_goes_back_over_midnight_begins_no_day_anew():
    """A day's loss would be forgotten with it."""
    state = fresh()
    hear(state, fill(0, Side.BUY, 100, 100, fee=Decimal(0)))
    said = []
    for n, (price, days) in enumerate([(100, 9), (90, 9), (90, 8), (80, 7), (80, 9)]):
        hear(state, bar(n, float(price)))
        said += hear(state, tick(n, ts_event=days * DAY + DAY // 2))
    assert {a.day for a in said} == {9}
    assert [a.day_pnl for a in said] == [0, -1000, -1000, -2000, -2000]


def test_losses_in_a_row_are_of_closed_trades_and_end_with_a_profit():
    state = fresh()
    rows = []
    for n, price in enumerate([90, 95, 110, 80]):
        bought = fill(10 * n, Side.BUY, 10, 100, fee=Decimal(0))
        sold = fill(10 * n + 1, Side.SELL, 10, price, fee=Decimal(0))
        hear(state, tick(10 * n), bought)
        open_trade = account(state, 10 * n + 2).losses_in_row
        hear(state, sold)
        rows.append((open_trade, account(state, 10 * n + 3).losses_in_row))
    assert rows == [(0, 1), (1, 2), (2, 0), (0, 1)]


def test_a_price_that_is_none_marks_nothing():
    state = fresh()
    hear(state, fill(0), bar(0, 100.0), bar(1, float("nan")), bar(2, 0.0), bar(3, float("inf")))
    assert account(state, 4).positions[0].mark == 100


def test_a_position_without_a_bar_is_worth_its_cost():
    state = fresh()
    hear(state, fill(0, fee=Decimal(0)))
    assert account(state, 1).equity == START


def test_a_closed_position_is_not_listed_and_zero_is_written_one_way():
    state = fresh()
    hear(state, fill(0, Side.SELL, 3, 10, fee=Decimal(0)), fill(1, Side.BUY, 3, 10, fee=Decimal(0)))
    said = account(state, 2)
    assert said.positions == []
    assert str(said.unrealised_pnl) == str(said.realised_pnl) == str(said.window_pnl) == "0"
    assert realised_pnl(state) == 0


def test_audit_rows_are_kept_within_their_bound():
    state = fresh(LedgerConfig(audit_rows_kept=3))
    hear(state, *[judged(n) for n in range(5)])
    assert [row.ts_event // SECOND for row in state.audit] == [2, 3, 4]
