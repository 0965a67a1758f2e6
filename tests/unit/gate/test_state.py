"""Whether the desk may trade at all."""

from decimal import Decimal

import pytest
from interlock.gate.app import build
from interlock.gate.config import GateConfig
from interlock.gate.core import ready
from interlock.gate.counting import scope_of
from interlock.model.counting import Counted
from interlock.model.values import Side, TradingState
from interlock.testkit.cells import cell_of, finish, react
from interlock.testkit.decisions import (
    desk,
    features,
    policy,
    reconciled,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import DESK, SECOND, ids, tick
from interlock.testkit.rules import store_of
from interlock.wire.base import root_ids
from interlock.wire.build import build_of
from interlock.wire.market import FeedCondition, FeedStatusChanged
from interlock.wire.orders import VenueLinkChanged
from interlock.wire.system import SwitchChanged, TripLevel
from msgspec.structs import replace

from tests.unit.gate.asking import (
    NOW,
    SIGNER,
    AwayStore,
    answers,
    ask,
    codes,
    failure_of,
    gate_cell,
    held,
    priced,
    rules_of,
    stand,
    store,
)


def feed_status(condition: str) -> FeedStatusChanged:
    message_id, decision_id = root_ids(FeedStatusChanged, condition)
    return FeedStatusChanged(
        message_id=message_id, decision_id=decision_id, ts_event=0, desk="d",
        instrument_id="SPY", condition=FeedCondition(condition), detail="", dropped=False,
    )  # fmt: skip


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCE_ONLY])
def test_a_desk_that_is_not_active_takes_no_risk(state):
    cell = gate_cell(store=(kept := store()))
    stand(cell, kept, trading(state, 2))
    assert codes(cell) == ["state.trading"]


def test_reduce_only_lets_reducing_orders_through():
    cell = held(gate_cell(store=(kept := store())), 10)
    stand(cell, kept, trading(TradingState.REDUCE_ONLY, 2))
    assert codes(cell, wanted(NOW, side=Side.SELL, reduce_only=True)) == []


def test_i7_a_halted_gate_approves_only_what_reduces():
    cell = held(gate_cell(store=(kept := store())), 10)
    stand(cell, kept, trading(TradingState.HALTED, 2))
    assert codes(cell) == ["state.trading"]
    too_much = wanted(NOW, message_id="1", side=Side.SELL, quantity=Decimal(11), reduce_only=True)
    assert codes(cell, too_much) == ["permission.short", "position.reduce_only"]
    assert codes(cell, wanted(NOW, message_id="2", side=Side.SELL, reduce_only=True)) == []


def test_i9_a_gate_without_limits_prices_or_policy_still_lets_a_position_be_closed():
    cell = cell_of(build(desk(), GateConfig(), "", rules_of(AwayStore()), SIGNER))
    held(cell, 10)
    assert codes(cell, wanted(NOW, side=Side.SELL, reduce_only=True)) == []


@pytest.mark.parametrize("condition", ["stale", "gap", "jump", "crossed"])
def test_a_price_that_the_feed_doubts_is_no_reference_until_the_feed_is_well(condition):
    cell = gate_cell()
    react(cell, feed_status(condition), 0)
    assert codes(cell) == ["price.quality"]
    react(cell, feed_status("ok"), 0)
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


def test_i14_an_older_epoch_does_not_lift_a_halt():
    cell = gate_cell(store=(kept := store()))
    stand(cell, kept, trading(TradingState.HALTED, 5))
    react(cell, trading(TradingState.ACTIVE, 4), 0)
    assert codes(cell) == ["state.trading"]
    stand(cell, kept, trading(TradingState.ACTIVE, 6))
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


@pytest.mark.parametrize("breaks", [None, ["position SPY: ours 1, theirs 2"]])
def test_i13_until_reconciled_without_a_break_nothing_is_approved(breaks):
    cell = gate_cell(heard=False)
    for message in (trading(), policy(3), tick(NOW), priced(), features(NOW, 1.0)):
        react(cell, message, 0)
    if breaks is not None:
        react(cell, reconciled(breaks), 0)
    assert codes(cell) == ["state.reconciled"]
    react(cell, reconciled(), 0)
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


def test_i9_a_break_in_one_instrument_denies_new_risk_in_that_one_only():
    cell = gate_cell()
    react(cell, replace(reconciled(["position SPY: 1, not 2"]), instruments=["SPY"]), 0)
    assert codes(cell) == ["state.reconciled"]
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND, instrument_id="GOOG")) == []
    blocked = replace(reconciled(["cash"]), instruments=["SPY"], account_breaks=["cash"])
    react(cell, blocked, 0)
    other = wanted(NOW + 2, ts_market=NOW * SECOND, instrument_id="GOOG")
    assert codes(cell, other) == ["state.reconciled"]


def test_i9_a_break_of_cash_denies_new_risk_everywhere_until_it_is_taken_over():
    cell = gate_cell()
    cash = "cash USD: ours 100, theirs 600"
    word = replace(reconciled([cash]), account_breaks=[cash], cash_breaks={"USD": Decimal(500)})
    react(cell, word, 0)
    for n, name in enumerate(("SPY", "GOOG")):
        intent = wanted(NOW + n, ts_market=NOW * SECOND, instrument_id=name)
        assert codes(cell, intent) == ["state.reconciled"]
    react(cell, replace(reconciled(), cash={"USD": Decimal(600)}), 0)
    assert codes(cell, wanted(NOW + 2, ts_market=NOW * SECOND)) == []


def test_i9_no_news_from_the_venue_denies_new_risk():
    cell = gate_cell()
    message_id, decision_id = root_ids(VenueLinkChanged, 1)
    link = VenueLinkChanged(
        message_id=message_id, decision_id=decision_id, ts_event=0, desk=DESK, account="paper",
        venue="paper", up=False, reason="cut",
    )  # fmt: skip
    react(cell, link, 0)
    assert codes(cell) == ["state.venue_link"]
    react(cell, replace(link, up=True), 0)
    assert codes(cell, wanted(NOW + 1, ts_market=NOW * SECOND)) == []


def test_i9_a_policy_store_that_is_away_denies_new_risk_and_lets_reducing_orders_out():
    cell = held(gate_cell(store=AwayStore()), 10)
    answer = ask(cell, wanted(NOW))
    assert [(one.code, one.observed) for one in answer.failures] == [
        ("state.policy_store", "no answer about params")
    ]
    assert codes(cell, wanted(99, side=Side.SELL, reduce_only=True)) == []


@pytest.mark.parametrize("stored", [None, 2, 4])
def test_i6_a_store_with_another_version_denies(stored):
    standing = [] if stored is None else [policy(stored)]
    cell = gate_cell(store=store_of(*standing, trading()))
    assert codes(cell) == ["state.policy_store"]


@pytest.mark.parametrize("version", [0, 2, 4])
def test_i6_an_intent_decided_under_another_policy_is_denied(version):
    assert codes(gate_cell(), wanted(NOW, policy_version=version)) == ["version.policy"]


# The switch, the counters, the cool-down.


def switched(pressed: bool) -> SwitchChanged:
    return SwitchChanged(
        **ids("switch", pressed), ts_event=0, pressed=pressed, way="file", by="", reason="fire",
        seen_at=0, last_submit_at=0, cancelled_at=0, cancelled=0,
    )  # fmt: skip


def test_i7_while_execs_switch_is_pressed_only_what_reduces_is_approved():
    cell = held(gate_cell(), 10)
    react(cell, switched(pressed=True), 0)
    assert failure_of(cell) == ("state.switch", "pressed: fire", "not pressed")
    out = wanted(1, side=Side.SELL, reduce_only=True, ts_market=NOW * SECOND)
    assert codes(cell, out) == []
    react(cell, switched(pressed=False), 0)
    assert codes(cell, wanted(2, instrument_id="GOOG", ts_market=NOW * SECOND)) == []


def test_i5_a_store_that_counts_otherwise_denies():
    cell = gate_cell(store=(kept := store()))
    other = Counted(member="somebody's", amounts={"approvals": 1, "notional_micros": 5})
    finish(kept.count(DESK, scope_of(NOW * SECOND), [other], epoch=1))
    assert codes(cell) == ["state.counters"]


@pytest.mark.parametrize("epoch", [0, 2])
def test_i14_a_store_of_another_epoch_denies(epoch):
    kept = store_of(policy(3), trading(epoch=epoch))
    assert codes(gate_cell(store=kept)) == ["state.policy_store"]


@pytest.mark.parametrize(
    ("seconds", "rested", "found"),
    [
        (0, 0, []),
        (30, 30, []),
        (30, 29.999, ["state.cooldown"]),
        (30, -1, ["state.cooldown"]),
    ],
)
def test_an_instrument_rests_after_a_fill_and_another_need_not(seconds, rested, found):
    cell = gate_cell(cooldown_seconds=seconds)
    held(cell, 1, ts_event=round((NOW - rested) * SECOND))
    assert codes(cell) == found
    assert codes(cell, wanted(1, instrument_id="GOOG", ts_market=NOW * SECOND)) == []


# Builds.


def test_i9_an_intent_without_a_build_is_denied_and_trips_nothing():
    (denial,) = answers(gate_cell(), wanted(NOW, build=""))
    assert [failure.code for failure in denial.failures] == ["version.build"]


def test_a_sender_of_another_build_halts_the_desk():
    cell = gate_cell()
    trip, denial = answers(cell, wanted(NOW, build=f"{build_of()}x"))
    assert (trip.code, trip.level) == ("version.skew", TripLevel.HALT)
    assert [failure.code for failure in denial.failures] == ["version.skew"]
    assert codes(cell, wanted(1, ts_market=NOW * SECOND)) == ["state.trading"]


def test_an_approval_carries_the_gates_build():
    assert ask(gate_cell(), wanted(NOW)).build == build_of()


@pytest.mark.parametrize(
    ("age", "found"), [(0, []), (60, []), (60.001, ["age.features"]), (-0.001, ["age.features"])]
)
def test_features_are_fresh_and_not_from_the_future(age, found):
    cell = gate_cell()
    cell.state.book.features.clear()
    react(cell, features(NOW, 1.0, ts_event=round((NOW - age) * SECOND)), 0)
    assert codes(cell) == found


def test_i9_without_features_an_intent_waits_and_is_denied_then():
    cell = gate_cell(heard=False)
    for message in (trading(), policy(3), tick(NOW), priced(), reconciled()):
        react(cell, message, 0)
    assert not ready(cell.state, wanted(NOW))
    assert codes(cell) == ["age.features"]
