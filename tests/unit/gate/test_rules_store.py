"""What the gate asks of the policy store, and that its answers show every approval exactly once."""

import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st
from interlock.gate.counting import Tally, counted, scope_of, settle, tally
from interlock.gate.ports import AskPolicyStore
from interlock.gate.rules_store import AT_ONCE, GateRules
from interlock.runtime.errors import UnavailableError
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.testkit.cells import finish
from interlock.testkit.decisions import approved, policy, trading, wanted
from interlock.testkit.desk_messages import DESK
from interlock.testkit.rules import reader, signed
from msgspec.structs import replace

PATIENCE = 5.0


class CountingStore(MemoryRulesStore):
    """Counts the questions; `away` makes it silent."""

    def __init__(self) -> None:
        super().__init__()
        self.questions = 0
        self.away = False

    async def read(self, desk, scope="", **more):
        self.questions += 1
        if self.away:
            raise UnavailableError("no answer")
        return await super().read(desk, scope, **more)

    async def count(self, *what, **more):
        if self.away:
            raise UnavailableError("no answer")
        return await super().count(*what, **more)


def gate(store=None):
    store = store or CountingStore()
    for rules in (policy(3), trading(epoch=2)):
        finish(store.save(signed(rules)))
    return GateRules(desk=DESK, store=store, reader=reader())


def order(n):
    return replace(approved(n), epoch=2, ts_event=0)


SCOPE = scope_of(0)


def question(n, epoch=2):
    return AskPolicyStore(intent=wanted(n), scope=SCOPE, epoch=epoch)


def ask(rules, n, epoch=2):
    (answer,) = finish(rules.ask(question(n, epoch)))
    return answer


def sign(rules, n):
    rules.signed(SCOPE, counted(order(n)).approval)


def count(rules, n):
    assert rules.count(counted(order(n))) == ()


def test_intents_in_hand_together_share_one_question_and_see_each_others_approvals():
    rules = gate()
    rules.foresee([wanted(n) for n in range(4)])
    approvals = []
    for n in range(4):
        approvals.append(ask(rules, n).approvals)
        sign(rules, n)
    assert approvals == [0, 1, 2, 3]
    assert rules.store.questions == 1


def test_an_intent_that_was_not_there_when_the_question_was_asked_asks_its_own():
    rules = gate()
    rules.foresee([wanted(1), wanted(2)])
    ask(rules, 1)
    ask(rules, 3)
    assert rules.store.questions == 2


def test_i9_what_the_store_shows_later_is_seen_by_the_next_that_are_in_hand():
    rules = gate()
    rules.foresee([wanted(1), wanted(2)])
    assert ask(rules, 1).version == 3
    finish(rules.store.save(signed(policy(4))))
    assert ask(rules, 2).version == 3
    rules.foresee([wanted(3), wanted(4)])
    assert ask(rules, 3).version == 4


def test_i9_a_store_that_is_away_is_asked_once_for_all_in_hand_and_again_for_the_next():
    rules = gate()
    rules.store.away = True
    rules.foresee([wanted(n) for n in range(3)])
    assert {ask(rules, n).error for n in range(3)} == {"no answer"}
    assert rules.store.questions == 1
    rules.store.away = False
    rules.foresee([wanted(3)])
    assert ask(rules, 3).error == ""


def test_i14_an_older_epoch_counts_nothing_and_its_approvals_wait_for_the_next():
    rules = gate()
    sign(rules, 1)
    count(rules, 1)
    assert ask(rules, 2, epoch=1).approvals == 1
    assert finish(rules.store.read(DESK, SCOPE)).counts == {}
    assert ask(rules, 3).approvals == 1
    assert finish(rules.store.read(DESK, SCOPE)).counts["approvals"] == 1


async def test_what_no_question_comes_for_is_counted_all_the_same():
    rules = gate()
    for n in range(AT_ONCE + 5):
        sign(rules, n)
        count(rules, n)
    flushing = asyncio.create_task(rules.flush())
    async with asyncio.timeout(PATIENCE):
        while (await rules.store.read(DESK, SCOPE)).counts.get("approvals") != AT_ONCE + 5:
            await asyncio.sleep(0.01)
    flushing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await flushing


def test_approvals_that_a_crash_left_uncounted_are_counted_at_the_next_start():
    rules, sums = gate(), Tally()
    for n in range(5):
        tally(sums, order(n))
        sign(rules, n)
    count(rules, 0)
    ask(rules, 9)
    again = gate(rules.store)
    (settled,) = finish(again.settle(settle(sums, epoch=2)))
    assert (settled.approvals, settled.notional_micros) == (5, sums.notional_micros)


def test_a_store_that_is_away_at_the_start_is_made_complete_once_it_is_back():
    rules, sums = gate(), Tally()
    for n in range(5):
        tally(sums, order(n))
    rules.store.away = True
    (settled,) = finish(rules.settle(settle(sums, epoch=2)))
    assert settled.error
    rules.store.away = False
    assert ask(rules, 9).approvals == 5


STEPS = st.lists(
    st.sampled_from(["together", "ask", "sign", "durable", "flush", "away", "back", "crash"])
)


@given(STEPS)
def test_i14_whatever_happens_between_the_answer_shows_every_approval_once(steps):
    """`sums` is the gate's fold: it knows an approval from the moment it is signed."""
    store, sums = CountingStore(), Tally()
    rules = gate(store)
    travelling: list[int] = []
    for number, step in enumerate(steps, 1):
        match step:
            case "together":
                rules.foresee([wanted(number + ahead) for ahead in range(1, 4)])
            case "sign":
                sign(rules, number)
                tally(sums, order(number))
                travelling.append(number)
            case "durable" if travelling:
                count(rules, travelling.pop(0))
            case "flush" if not store.away:
                for scope in list(rules._uncounted):
                    finish(rules._flush(scope))
            case "away" | "back":
                store.away = step == "away"
            case "crash":
                store.away, travelling = False, []
                rules = gate(store)
                finish(rules.settle(settle(sums, epoch=2)))
            case "ask":
                answer = ask(rules, number)
                if not answer.error:
                    theirs = answer.approvals, answer.notional_micros
                    assert theirs == (len(sums.approvals), sums.notional_micros)
            case _:
                pass


def test_a_gate_that_starts_behind_a_halt_counts_what_it_approved_once_it_has_heard_of_it():
    """The store refuses to count under the epoch before the halt; nothing may be lost by that."""
    rules, sums = gate(), Tally()
    finish(rules.store.save(signed(trading(epoch=3))))
    for n in range(3):
        tally(sums, order(n))
    (settled,) = finish(rules.settle(settle(sums, epoch=2)))
    assert settled.error
    assert ask(rules, 5, epoch=2).approvals == 3
    assert ask(rules, 6, epoch=3).approvals == 3
    (settled,) = finish(rules.settle(settle(sums, epoch=3)))
    assert (settled.approvals, settled.error) == (3, "")
