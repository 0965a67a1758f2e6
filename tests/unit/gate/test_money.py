"""What may be lost, what may be spent, and what an intent must promise."""

from decimal import Decimal

import pytest
from interlock.gate.config import EdgeLimits
from interlock.gate.controls.table import BY_CODE
from interlock.model.instrument import Instrument
from interlock.model.values import Side, TradingState
from interlock.testkit.cells import react
from interlock.testkit.decisions import policy, reconciled, trading, wanted
from interlock.testkit.desk_messages import DAY, SECOND, fill, tick
from interlock.wire.system import TripLevel

from tests.unit.gate.asking import (
    EQUITY,
    NOW,
    answers,
    codes,
    failure_of,
    gate_cell,
    held,
    limit_order,
    priced,
    stand,
    store,
    working,
)

NO_LOSS = dict.fromkeys(
    ("max_daily_loss_pct", "max_weekly_loss_pct", "max_drawdown_5d_pct"), Decimal(90)
)
FAR = {"max_reference_age_seconds": 10**6, "max_intent_age_seconds": 10**6}
WIDE = {"default": {"max_order_quantity": Decimal(10**6), "max_order_notional": Decimal(10**8),
                    "min_order_notional": Decimal(0), "max_position_notional": Decimal(10**8)},
        "max_gross_notional": Decimal(10**8), "max_gross_pct": Decimal(1_000),
        "max_net_pct": Decimal(1_000), "max_sector_pct": Decimal(1_000),
        "bucket": dict.fromkeys(
            ("max_gross_pct", "max_name_pct", "max_order_pct"), Decimal(1_000)
        )}  # fmt: skip


# Losses.


def losing(cell, amount):
    """Let an open position of 100 GOOG lose `amount` at the market, nothing of it realised."""
    held(cell, 100, "GOOG")
    react(cell, priced("GOOG", 100.0 - amount / 100), 0)
    return cell


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max_daily_loss_pct", "loss.day"),
        ("max_weekly_loss_pct", "loss.week"),
        ("max_drawdown_5d_pct", "loss.drawdown"),
    ],
)
@pytest.mark.parametrize(("loss", "fails"), [(600, False), (601, True)])
def test_a_loss_that_is_only_on_paper_counts(name, code, loss, fails):
    cell = losing(gate_cell(**WIDE, **(NO_LOSS | {name: Decimal(2)})), loss)
    assert codes(cell) == ([code] if fails else [])


def test_a_loss_trips_the_desk_to_reducing_orders_only_and_once():
    cell = losing(gate_cell(**WIDE), 700)
    trip, denial = answers(cell, wanted(NOW))
    assert (trip.code, trip.level) == ("loss.day", TripLevel.REDUCE)
    assert (trip.observed, trip.limit) == ("2.3333 %", "2 %")
    assert [failure.code for failure in denial.failures] == ["loss.day"]
    assert cell.state.stands is TradingState.REDUCE_ONLY
    assert len(answers(cell, wanted(1, ts_market=NOW * SECOND))) == 1
    more = {"quantity": Decimal(100), "reduce_only": True, "ts_market": NOW * SECOND}
    out = wanted(2, instrument_id="GOOG", side=Side.SELL, **more)
    assert codes(cell, out) == []


def test_a_trip_to_reducing_holds_over_a_change_that_was_on_its_way():
    cell = losing(gate_cell(store=(kept := store()), **WIDE), 700)
    answers(cell, wanted(NOW))
    stand(cell, kept, trading(TradingState.ACTIVE, 2))
    assert cell.state.stands is TradingState.REDUCE_ONLY
    stand(cell, kept, trading(TradingState.REDUCE_ONLY, 3))
    stand(cell, kept, trading(TradingState.ACTIVE, 4))
    assert cell.state.stands is TradingState.ACTIVE


def later(cell, days, n):
    react(cell, tick(n, ts_event=NOW * SECOND + days * DAY), 0)


def test_a_day_forgets_the_days_loss_and_a_week_remembers_it():
    limits = NO_LOSS | {"max_daily_loss_pct": Decimal(2), "max_weekly_loss_pct": Decimal(3)}
    cell = losing(gate_cell(**WIDE, **FAR, max_features_age_seconds=10**6, **limits), 700)
    later(cell, 0, 1)
    later(cell, 1, 2)
    soon = NOW + 1
    assert codes(cell, now=soon) == []
    react(cell, priced("GOOG", 90.5, NOW + 1), 0)
    assert codes(cell, wanted(1), soon)[:1] == ["loss.week"]


def test_a_clock_that_jumps_back_over_midnight_and_on_again_forgets_no_loss():
    cell = losing(gate_cell(**WIDE, **NO_LOSS | {"max_daily_loss_pct": Decimal(2)}), 700)
    later(cell, -1, 1)
    assert codes(cell) == ["loss.day"]
    later(cell, 0, 2)
    assert codes(cell, wanted(1, ts_market=NOW * SECOND))[-1] == "loss.day"


def test_a_high_is_remembered_after_its_drawdown_has_tripped_the_desk():
    limits = NO_LOSS | {"max_drawdown_5d_pct": Decimal(2)}
    cell = losing(gate_cell(store=(kept := store()), **WIDE, **limits), 700)
    later(cell, 1, 1)
    answers(cell, wanted(NOW))
    stand(cell, kept, trading(TradingState.REDUCE_ONLY, 2))
    stand(cell, kept, trading(TradingState.ACTIVE, 3))
    assert codes(cell, wanted(1, ts_market=NOW * SECOND)) == ["loss.drawdown"]


def round_trip(cell, n, price):
    held(cell, 10, n=n)
    held(cell, -10, n=n + 1, price=Decimal(price), last_px=Decimal(price), trade_id=f"out-{n}")


def test_trades_that_lose_in_a_row_stop_new_ones():
    cell = gate_cell(max_consecutive_losses=2)
    round_trip(cell, 1, 99)
    assert codes(cell, wanted(1, ts_market=NOW * SECOND)) == []
    round_trip(gate := gate_cell(max_consecutive_losses=2), 1, 99)
    round_trip(gate, 3, 99)
    assert codes(gate) == ["loss.in_row"]
    assert BY_CODE["loss.in_row"].level == "reduce"


def test_i9_before_the_first_trading_day_nothing_is_known_of_losses():
    cell = gate_cell(heard=False)
    for message in (trading(), reconciled(), policy(3), priced()):
        react(cell, message, 0)
    assert "loss.account" in codes(cell)


def test_i9_a_fill_without_a_rate_makes_the_account_unknown():
    euro = Instrument(
        instrument_id="SAP", venue="paper", currency="EUR", bucket="core", sector="technology"
    )
    cell = gate_cell(of={"instruments": (euro,)})
    react(cell, fill(1, instrument_id="SAP"), 0)
    found = codes(cell, wanted(NOW, instrument_id="SAP", currency="EUR"))
    assert {"position.currency", "loss.account"} <= set(found)


# Cash.


@pytest.mark.parametrize(("quantity", "found"), [(298, []), (299, ["cash.power"])])
def test_an_order_leaves_the_least_cash_at_its_worst_price_with_its_fee(quantity, found):
    """100.5 at the edge of the collar, and 10 bps of it."""
    cell = gate_cell(fee_bps=Decimal(10), min_cash=Decimal(1), **WIDE)
    assert codes(cell, wanted(NOW, quantity=Decimal(quantity))) == (
        found if quantity * 100.5 * 1.001 > EQUITY - 1 else []
    )


def test_what_is_on_order_is_reserved_and_what_ended_is_free_again():
    cell = gate_cell(**WIDE)
    working(cell, 1, 200, limit_price=Decimal(100))
    asked = limit_order(100, 11, quantity=Decimal(100), ts_market=NOW * SECOND)
    assert codes(cell, asked) == []
    more = limit_order(100, 12, quantity=Decimal(1), ts_market=NOW * SECOND)
    assert failure_of(cell, more) == ("cash.power", "-100.0", "at least 0")


def test_what_a_short_sale_brings_in_buys_nothing():
    cell = held(gate_cell(allow_short=True, **WIDE), -200, "GOOG")
    assert cell.state.book.cash == 50_000
    assert cell.state.book.buying_power == 10_000
    assert codes(cell, limit_order(100, 1, quantity=Decimal(100), ts_market=NOW * SECOND)) == []
    more = limit_order(100, 2, quantity=Decimal(1), ts_market=NOW * SECOND)
    assert codes(cell, more) == ["cash.power"]


@pytest.mark.parametrize(("quantity", "found"), [(150, []), (151, ["cash.power"])])
def test_a_short_position_needs_cash_for_what_it_would_owe(quantity, found):
    cell = held(gate_cell(allow_short=True, **WIDE), -150, "GOOG")
    assert codes(cell, limit_order(100, side=Side.SELL, quantity=Decimal(quantity))) == found


def test_i5_the_days_approvals_are_added_up_once_each_and_begin_anew_with_the_day():
    cell = gate_cell(max_day_notional=Decimal(2_500))
    first = limit_order(100, 1, ts_market=NOW * SECOND)
    assert codes(cell, first) == []
    react(cell, first, NOW * SECOND)
    assert codes(cell, limit_order(100, 2, ts_market=NOW * SECOND)) == []
    assert cell.state.book.day_notional == 2_000
    third = limit_order(100, 3, ts_market=NOW * SECOND)
    assert failure_of(cell, third) == ("cash.day", "3000", "2500")
    later(cell, -1, 1)
    assert cell.state.book.day_notional == 2_000
    later(cell, 1, 2)
    assert cell.state.book.day_notional == 0


def test_i5_an_approval_taken_in_again_counts_once():
    cell = gate_cell()
    (order,) = answers(cell, wanted(NOW))
    before = cell.state.book.day_notional
    cell.recover(order, own=True)
    assert cell.state.book.day_notional == before > 0
    assert cell.state.tempo.entries == {"threshold": 1}


# Edge.

EDGE = EdgeLimits(min_p_win=0.45, min_reward_risk=1.8, min_expected_value_pct=0.0)
GOOD = {"p_win": 0.45, "reward_risk": 1.8, "expected_value_pct": 0.0}


def test_an_intent_that_claims_as_much_as_is_asked_passes():
    assert codes(gate_cell(edge=EDGE), wanted(NOW, **GOOD)) == []
    assert codes(gate_cell(edge=EDGE), wanted(NOW, **GOOD | {"p_win": 1.0})) == []


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "code", "value"),
    [
        *[("p_win", "edge.p_win", v) for v in (None, 0.449, 1.001, 45.0, -1.0, NAN, INF)],
        *[("reward_risk", "edge.reward_risk", v) for v in (None, 1.79, -2.0, NAN, INF)],
        *[("expected_value_pct", "edge.expected_value", v) for v in (None, -0.01, NAN, INF)],
    ],
)
def test_an_intent_that_claims_less_or_no_number_is_denied(name, code, value):
    assert codes(gate_cell(edge=EDGE), wanted(NOW, **GOOD | {name: value})) == [code]


@pytest.mark.parametrize("name", GOOD)
def test_i9_a_claim_on_a_desk_that_asks_for_none_is_denied(name):
    (code,) = codes(gate_cell(), wanted(NOW, **{name: GOOD[name]}))
    assert code.startswith("edge.")
