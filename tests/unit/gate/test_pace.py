"""How fast, how often, and not with oneself."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.gate.tempo import MINUTE, SECOND, is_full, tempo
from interlock.model.values import Side, TradingState
from interlock.testkit.cells import react
from interlock.testkit.decisions import trading, wanted
from interlock.wire.orders import SubmitOrder
from interlock.wire.system import SafetyTripped, TripLevel
from msgspec.structs import replace

from tests.unit.gate.asking import (
    NOW,
    answers,
    codes,
    gate_cell,
    held,
    limit_order,
    stand,
    store,
    working,
)


def one_more(n, **more):
    return wanted(n, quantity=Decimal(1), ts_market=NOW * SECOND, **more)


def several(cell, count, now=NOW, first=0):
    return [codes(cell, one_more(first + n), now) for n in range(count)]


@pytest.mark.parametrize(
    ("name", "code", "window"),
    [("max_orders_per_second", "rate.second", 1), ("max_orders_per_minute", "rate.minute", 60)],
)
def test_approvals_in_a_window_are_bounded_and_the_window_moves_on(name, code, window):
    ages = {"max_reference_age_seconds": 100, "max_intent_age_seconds": 100}
    cell = gate_cell(max_features_age_seconds=200, **ages, **{name: 3})
    assert several(cell, 5) == [[]] * 3 + [[code]] * 2
    just_before = NOW + window - 0.001
    assert several(cell, 1, just_before, 10) == [[code]]
    assert several(cell, 1, NOW + window, 20) == [[]]


def test_a_clock_that_goes_back_opens_no_window():
    ages = {"max_reference_age_seconds": 100, "max_intent_age_seconds": 100}
    cell = gate_cell(max_orders_per_second=1, **ages)
    assert several(cell, 1, NOW + 5) == [[]]
    assert several(cell, 1, NOW, 1) == [["rate.second"]]
    assert several(cell, 1, NOW + 5.5, 2) == [["rate.second"]]


def test_denied_attempts_count_towards_the_halt_and_the_gate_halts_itself_at_once():
    cell = gate_cell(halt_orders_per_minute=3)
    bad = [wanted(n, quantity=Decimal(-1), ts_market=NOW * SECOND) for n in range(3)]
    assert [codes(cell, intent) for intent in bad] == [["size.number"]] * 3
    trip, denial = answers(cell, one_more(10))
    assert isinstance(trip, SafetyTripped)
    assert (trip.code, trip.level, trip.about) == ("rate.runaway", TripLevel.HALT, "")
    assert (trip.observed, trip.limit) == ("4", "3")
    assert [failure.code for failure in denial.failures] == ["rate.runaway"]
    assert cell.state.stands is TradingState.HALTED
    (again,) = answers(cell, one_more(11))
    assert [failure.code for failure in again.failures] == ["state.trading", "rate.runaway"]
    assert codes(cell, one_more(12), NOW + 61)[0] == "state.trading"


def test_a_trip_holds_until_policy_was_as_strict_and_then_policy_decides():
    cell = gate_cell(store=(kept := store()), halt_orders_per_minute=1)
    several(cell, 2)
    stand(cell, kept, trading(TradingState.ACTIVE, 2))
    assert cell.state.stands is TradingState.HALTED, "this change was no answer to the trip"
    stand(cell, kept, trading(TradingState.HALTED, 3))
    stand(cell, kept, trading(TradingState.ACTIVE, 4))
    assert cell.state.stands is TradingState.ACTIVE


def test_a_trip_heard_again_trips_nothing():
    cell = gate_cell(store=(kept := store()), halt_orders_per_minute=1)
    several(cell, 1)
    trip, _ = answers(cell, one_more(5))
    stand(cell, kept, trading(TradingState.HALTED, 2))
    stand(cell, kept, trading(TradingState.ACTIVE, 3))
    react(cell, trip, 0)
    assert cell.state.stands is TradingState.ACTIVE


@pytest.mark.parametrize("level", [TripLevel.HALT, TripLevel.REDUCE])
def test_the_gate_obeys_what_another_service_found(level):
    other = SafetyTripped(
        message_id="t", decision_id="d", ts_event=0, desk="params", service="ledger",
        code="journal", level=level, observed="a hole", limit="none",
    )  # fmt: skip
    cell = gate_cell()
    react(cell, other, 0)
    assert codes(cell) == ["state.trading"]
    assert codes(held(cell, 10), one_more(1, side=Side.SELL, reduce_only=True)) == []


def test_i8_a_strategy_that_repeats_itself_is_disabled_until_a_person_enables_it():
    cell = gate_cell(store=(kept := store()), max_entries_without_person=2)
    assert several(cell, 2) == [[]] * 2
    trip, denial = answers(cell, one_more(5))
    assert (trip.code, trip.level, trip.about) == ("repeat.entries", TripLevel.DISABLE, "threshold")
    assert [failure.code for failure in denial.failures] == ["repeat.entries"]
    (again,) = answers(cell, one_more(6))
    assert [failure.code for failure in again.failures] == ["permission.strategy", "repeat.entries"]
    assert codes(cell, one_more(7, strategy="other")) == []
    stand(cell, kept, standing_of(2, disabled=["threshold"]))
    assert codes(cell, one_more(8)) == ["permission.strategy", "repeat.entries"]
    stand(cell, kept, standing_of(3))
    assert codes(cell, one_more(9)) == []


def test_a_standing_that_does_not_know_of_the_trip_yet_enables_nothing():
    cell = gate_cell(store=(kept := store()), max_entries_without_person=1)
    several(cell, 2)
    stand(cell, kept, standing_of(2))
    assert codes(cell, one_more(5)) == ["permission.strategy", "repeat.entries"]


def test_what_reduces_is_no_entry():
    cell = held(gate_cell(max_entries_without_person=1), 10)
    for n in range(3):
        assert codes(cell, one_more(n, side=Side.SELL, reduce_only=True)) == []
    assert codes(cell, one_more(9, instrument_id="GOOG")) == []


def standing_of(epoch, **more):
    return replace(trading(TradingState.ACTIVE, epoch), **more)


@pytest.mark.parametrize(
    ("side", "resting", "price", "found"),
    [
        (Side.BUY, "100.10", "100.09", []),
        (Side.BUY, "100.10", "100.10", ["self_match.order"]),
        (Side.BUY, "100.10", None, ["self_match.order"]),
        (Side.BUY, None, "100.00", ["self_match.order"]),
        (Side.SELL, "99.90", "99.91", []),
        (Side.SELL, "99.90", "99.90", ["self_match.order"]),
    ],
)
def test_an_order_must_not_meet_an_own_one(side, resting, price, found):
    cell = gate_cell(allow_short=True)
    other = Side.SELL if side is Side.BUY else Side.BUY
    working(cell, 1, 5, other, limit_price=None if resting is None else Decimal(resting))
    more = {"side": side, "ts_market": NOW * SECOND}
    asked = wanted(2, **more) if price is None else limit_order(price, 2, **more)
    assert codes(cell, asked) == found
    assert codes(cell, one_more(3, side=side, instrument_id="GOOG")) == []


@given(st.lists(st.integers(0, 10_000), max_size=50), st.integers(1, 5))
def test_no_window_ever_holds_more_than_its_limit(steps, limit):
    """Approve whenever the window is not full; count what fell into it on a clock of any kind."""
    kept, approved = tempo(limit, 1), []
    for step in steps:
        moment = step * SECOND // 100
        now = max(moment, kept.latest)
        if not is_full(kept.approvals, limit, SECOND, now):
            kept.approve(moment, "")
            approved.append(now)
    for moment in approved:
        assert sum(1 for other in approved if moment - SECOND < other <= moment) <= limit
    assert MINUTE == 60 * SECOND


def test_only_approvals_are_signed():
    cell = gate_cell(max_orders_per_second=1)
    (order,) = answers(cell, one_more(1))
    assert isinstance(order, SubmitOrder)
