"""One approval per intent, for ever."""

import pytest
from interlock.gate.core import ready
from interlock.model.values import TradingState
from interlock.testkit.cells import begin, react
from interlock.testkit.decisions import (
    INSTRUMENTS,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import SECOND
from interlock.wire.orders import (
    SubmitOrder,
)

from tests.unit.gate.asking import (
    NOW,
    ask,
    codes,
    gate_cell,
    priced,
    stand,
    store,
)


def test_i1_an_intent_delivered_again_is_answered_once():
    cell = gate_cell()
    intent = wanted(NOW)
    assert isinstance(ask(cell, intent), SubmitOrder)
    assert react(cell, intent, NOW * SECOND) == []


def test_i1_another_message_with_the_id_of_an_approved_intent_is_denied():
    cell = gate_cell()
    ask(cell, wanted(NOW))
    assert codes(cell, wanted(NOW, message_id="another")) == ["duplicate.intent"]


def test_i1_an_approval_is_remembered_over_a_restart():
    order = ask(gate_cell(), wanted(NOW))
    again = gate_cell()
    again.recover(order, own=True)
    begin(again, 0)
    assert react(again, wanted(NOW), NOW * SECOND) == []
    assert codes(again, wanted(NOW, message_id="another")) == ["duplicate.intent"]


def test_i17_a_denial_delivered_again_after_a_restart_does_not_become_an_approval():
    halted = gate_cell(store=(kept := store()))
    stand(halted, kept, trading(TradingState.HALTED, 2))
    denial = ask(halted, wanted(NOW))
    again = gate_cell()
    again.recover(denial, own=True)
    assert react(again, wanted(NOW), NOW * SECOND) == []
    assert again.state.book.working == {}


def test_a_denied_intent_may_be_asked_again_under_a_message_of_its_own():
    cell = gate_cell(store=(kept := store()))
    stand(cell, kept, trading(TradingState.HALTED, 2))
    assert codes(cell) == ["state.trading"]
    stand(cell, kept, trading(TradingState.ACTIVE, 3))
    assert codes(cell, wanted(NOW, message_id="again")) == []


def test_an_intent_waits_for_the_market_and_the_policy_it_was_decided_on():
    cell = gate_cell()
    assert ready(cell.state, wanted(NOW))
    assert not ready(cell.state, wanted(NOW + 1))
    assert not ready(cell.state, wanted(NOW, policy_version=4))
    assert ready(cell.state, wanted(NOW, instrument_id="TSLA"))
    assert ready(cell.state, priced())
    assert not ready(gate_cell(heard=False).state, wanted(NOW))
    assert [one.instrument_id for one in INSTRUMENTS] == ["SPY", "GOOG"]


@pytest.mark.parametrize(
    ("age", "found"), [(0, []), (10, []), (10.000001, ["age.intent"]), (-0.001, ["age.intent"])]
)
def test_an_intent_is_at_most_ten_seconds_old_and_not_from_the_future(age, found):
    intent = wanted(NOW, ts_market=NOW * SECOND - round(age * SECOND))
    assert codes(gate_cell(), intent) == found
