"""Whether the desk may trade at all."""

from decimal import Decimal

import pytest
from interlock.gate.app import build
from interlock.gate.config import GateConfig
from interlock.model.values import Side, TradingState
from interlock.testkit.cells import cell_of, react
from interlock.testkit.decisions import (
    desk,
    features,
    policy,
    reconciled,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import SECOND, tick
from interlock.testkit.rules import store_of
from interlock.wire.base import root_ids
from interlock.wire.market import FeedCondition, FeedStatusChanged

from tests.unit.gate.asking import (
    NOW,
    SIGNER,
    AwayStore,
    ask,
    codes,
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
