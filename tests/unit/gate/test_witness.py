"""What the gate says that a verdict rests on: all of it, in its own order, once."""

from decimal import Decimal

import pytest
from interlock.gate.config import GateConfig
from interlock.gate.core import answer, begin
from interlock.gate.ports import AskPolicyStore, OrderSigned, PolicyStoreAnswered, SignOrder
from interlock.gate.state import evolve, opening
from interlock.gate.witness import (
    TELL_AFTER,
    Witness,
    answer_of,
    as_numbers,
    in_order,
)
from interlock.runtime.service import Publish, Service
from interlock.testkit import cells
from interlock.testkit.cells import cell_of, drive
from interlock.testkit.decisions import desk, policy, reconciled, trading, wanted
from interlock.testkit.desk_messages import SECOND, bar, ids, tick
from interlock.wire.build import build_of
from interlock.wire.market import Quote
from interlock.wire.orders import GateConfigured, GateHeard, OrderDenied

NOW = 100 * SECOND


def configured(**more):
    fields = {
        **ids("configured"), "ts_event": 0, "config_hash": "c0ffee", "build": "1", "key_id": "k",
        "desk_section": "{}", "gate_section": "{}",
    }  # fmt: skip
    return GateConfigured(**fields | more)


def gate(standing=None):
    """Return a gate that denies everything: it has no limits, and its store knows version 3."""

    def perform(effect):
        match effect:
            case AskPolicyStore():
                return [PolicyStoreAnswered(intent=effect.intent, version=3)]
            case SignOrder():
                return [OrderSigned(order=effect.order)]

    state = opening(desk(), GateConfig(), "c0ffee", "k", build_of())
    state.witness = Witness(standing=standing)
    return cell_of(
        Service(
            name="gate", state=state, evolve=evolve, decide=answer, begin=begin, perform=perform
        )
    )


def react(cell, message):
    return drive(cell.react(message, NOW), cell.service.perform)


def quote(n, bid, instrument_id="SPY"):
    named = ids("quote", instrument_id, n)
    del named["desk"]
    return Quote(
        **named, ts_event=n * SECOND, instrument_id=instrument_id, source="test",
        bid=bid, ask=bid + 1, bid_size=1.0, ask_size=2.0,
    )  # fmt: skip


def test_i17_a_verdict_comes_with_all_that_was_taken_in_before_it_in_order():
    cell = gate()
    heard = [trading(), bar(1, 100.0), policy(3), reconciled(), wanted(100)]
    *nothing, (told, denial) = [react(cell, message) for message in heard]
    assert nothing == [[]] * 4
    assert isinstance(told, GateHeard)
    assert isinstance(denial, OrderDenied)
    assert told.message_ids == [message.message_id for message in heard]
    assert (told.intent_id, told.ts_event) == (denial.intent_id, denial.ts_event)
    assert told.store_answer["version"] == 3
    assert not told.store_error


def test_i17_the_next_list_begins_with_the_verdict_before_it():
    cell = gate()
    _, first = react(cell, wanted(1))
    told, _ = react(cell, wanted(2))
    assert told.message_ids == [first.message_id, wanted(2).message_id]


def test_i17_of_the_quotes_between_two_messages_the_last_one_of_each_instrument_is_told():
    cell = gate()
    for message in (quote(1, 10.0), quote(2, 20.0, "GOOG"), quote(3, 30.0), bar(4, 1.0),
                    quote(5, 50.0)):  # fmt: skip
        react(cell, message)
    told, _ = react(cell, wanted(100))
    seen = [(one.after, one.instrument_id, one.bid) for one in told.quotes]
    assert seen == [(0, "GOOG", 20.0), (0, "SPY", 30.0), (1, "SPY", 50.0)]
    *before, last, intent = in_order(told)
    assert [one if isinstance(one, str) else one.bid for one in before] == [
        20.0, 30.0, bar(4, 1.0).message_id
    ]  # fmt: skip
    assert (last.bid, last.ask, last.ask_size, last.ts_event) == (50.0, 51.0, 2.0, 5 * SECOND)
    assert intent == wanted(100).message_id


def test_i17_a_verdict_and_what_it_rests_on_are_one_publish():
    cell = gate()
    steps = []
    drive(
        cell.react(wanted(1), NOW),
        cell.service.perform,
        after=lambda step: steps.append(step) or False,
    )
    (published,) = [step.messages for step in steps if isinstance(step, Publish)]
    assert [type(message) for message in published] == [GateHeard, OrderDenied]


@pytest.mark.parametrize("message", [tick, lambda n: quote(n, 10.0, f"name-{n}")])
def test_i17_what_was_taken_in_is_told_without_a_verdict_before_there_is_too_much(message):
    cell = gate()
    said = [react(cell, message(n)) for n in range(2 * TELL_AFTER)]
    lists = [one for some in said for one in some]
    assert [index for index, some in enumerate(said) if some] == [
        TELL_AFTER - 1,
        2 * TELL_AFTER - 1,
    ]
    assert all(len(one.message_ids) + len(one.quotes) == TELL_AFTER for one in lists)
    assert not any(one.intent_id for one in lists)
    assert len({one.message_id for one in lists}) == len(lists)


def test_i17_a_verdict_lost_in_a_crash_is_made_anew_under_a_list_of_its_own():
    before, heard = gate(), [trading(), policy(3), wanted(1)]
    *_, (lost, _) = [react(before, message) for message in heard]
    after = gate()
    for message in heard:
        after.recover(message, own=False)
    after.recover(lost, own=True)
    told, denial = react(after, wanted(1))
    assert told.message_id != lost.message_id
    assert told.message_ids == [wanted(1).message_id]
    assert told.intent_id == denial.intent_id


def test_i17_an_intent_that_was_answered_is_not_answered_again():
    before, after = gate(), gate()
    told, denial = react(before, wanted(1))
    for message, own in ((wanted(1), False), (told, True), (denial, True)):
        after.recover(message, own=own)
    assert react(after, wanted(1)) == []


def test_a_gate_says_what_it_works_under_when_that_has_changed():
    standing = configured(message_id="", decision_id="")
    first = gate(standing)
    (said,) = cells.begin(first, NOW)
    assert said == configured(
        message_id=said.message_id, decision_id=said.decision_id, ts_event=NOW
    )
    again = gate(standing)
    again.recover(said, own=True)
    assert cells.begin(again, NOW) == []
    other = gate(configured(message_id="", decision_id="", gate_section='{"collar_bps":"1"}'))
    other.recover(said, own=True)
    (changed,) = cells.begin(other, NOW)
    assert changed.message_id != said.message_id
    back = gate(standing)
    for message in (said, changed):
        back.recover(message, own=True)
    (returned,) = cells.begin(back, NOW)
    assert returned.message_id not in {said.message_id, changed.message_id}


@pytest.mark.parametrize("version", [None, 0, 7])
def test_the_stores_answer_is_read_back_as_it_was(version):
    cell = gate()
    told, _ = react(cell, wanted(1))
    given = PolicyStoreAnswered(intent=wanted(1), version=version, error="away")
    numbers = as_numbers(given)
    assert all(isinstance(number, int) for number in numbers.values())
    again = type(told)(
        **ids("told"), ts_event=0, message_ids=[], quotes=[], store_answer=numbers,
        store_error=given.error,
    )  # fmt: skip
    assert answer_of(wanted(1), again) == given


def test_no_price_is_needed_to_be_told():
    told, _ = react(gate(), wanted(1, quantity=Decimal("NaN")))
    assert told.message_ids == [wanted(1, quantity=Decimal("NaN")).message_id]
