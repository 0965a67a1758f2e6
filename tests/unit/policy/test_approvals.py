"""Entries that wait for people: who decides them, until when, and that it is done once."""

import pytest
from interlock.model.trading import Standing
from interlock.policy.requests import MOST_PENDING
from interlock.testkit.approvals import WINDOW_SECONDS, approve, asked, reject
from interlock.testkit.cells import begin, react
from interlock.testkit.desk_messages import SECOND, tick
from interlock.wire.approvals import (
    ApprovalCode,
    ApprovalCounted,
    ApprovalDecided,
    ApprovalStanding,
    is_same_person,
    shown_name,
)
from interlock.wire.policy import CommandRefused, HaltTrading, ResumeTrading, TradingStateChanged
from interlock.wire.system import TripLevel

from tests.unit.policy.policy_cells import (
    command,
    fresh_cell,
    of,
    on_day,
    policy_cell,
    switched,
    tripped,
)

ONE = asked(1)
TWO = asked(1, needed=2)
END = ONE.expires_at


def waiting(*requests):
    """Return a policy at work, of which these entries have been asked."""
    cell = policy_cell()
    for request in requests:
        assert react(cell, request, request.ts_event) == []
    return cell


def said(cell, message, now=2 * SECOND):
    """Return what is said of approvals: the decision and the answer, none where there is none."""
    answers = react(cell, message, now)
    (decided,) = of(ApprovalDecided, answers) or [None]
    (answer,) = of(ApprovalCounted, answers) or of(CommandRefused, answers) or [None]
    return decided, answer


def refusal(cell, message, now=2 * SECOND):
    decided, answer = said(cell, message, now)
    assert isinstance(answer, CommandRefused)
    assert (answer.command_id, bool(answer.reason)) == (message.message_id, True)
    return decided, answer.code


def test_one_named_person_approves():
    decided, answer = said(waiting(ONE), approve(ONE, " Ann \u200bLee "))
    assert (decided.request_id, decided.approved, decided.code) == (
        ONE.request_id,
        True,
        "approved",
    )
    assert (decided.by, decided.reason) == (["Ann Lee"], " Ann Lee  says yes")
    assert (decided.ts_event, decided.decision_id) == (2 * SECOND, ONE.decision_id)
    assert (answer.standing, answer.given) == (ApprovalStanding.APPROVED, ["Ann Lee"])


def test_the_decision_goes_out_before_whoever_made_it_is_answered():
    kinds = [type(one) for one in react(waiting(ONE), approve(ONE), 0)]
    assert kinds == [ApprovalDecided, ApprovalCounted]


def test_one_person_is_enough_to_reject_whatever_another_said():
    cell = waiting(TWO)
    said(cell, approve(TWO))
    decided, answer = said(cell, reject(TWO, "bob"))
    assert (decided.approved, decided.code, decided.by) == (False, "rejected", ["bob"])
    assert (decided.reason, answer.standing) == ("bob says no", "rejected")
    assert (answer.by, answer.given) == ("bob", ["bob"])


@pytest.mark.parametrize("word", [approve, reject])
@pytest.mark.parametrize("nobody", ["", " ", "policy", "\uff50olicy", "Configuration", "\u200b"])
def test_i8_nobody_decides_nothing(word, nobody):
    cell = waiting(ONE)
    assert refusal(cell, word(ONE, nobody)) == (None, "command.unnamed")
    assert list(cell.state.requests.pending) == [ONE.request_id]


@pytest.mark.parametrize(
    "same", ["ann lee", "ANN LEE", " Ann  Lee ", "Ann\u00a0Lee", "\uff21nn Lee", "An\u200bn Lee"]
)
def test_two_people_are_two_names_after_normalising(same):
    cell = waiting(TWO)
    decided, answer = said(cell, approve(TWO, "Ann Lee"))
    assert (decided, answer.standing, answer.given) == (None, "pending", ["Ann Lee"])
    decided, answer = said(cell, approve(TWO, same, n=2))
    assert (decided, answer.standing, answer.given) == (None, "pending", ["Ann Lee"])
    decided, answer = said(cell, approve(TWO, "Bob"))
    assert (decided.by, answer.standing) == (["Ann Lee", "Bob"], "approved")


def test_a_name_is_one_short_line():
    assert shown_name("a" * 500) == "a" * 80
    assert shown_name("Ann\nLee\t") == "Ann Lee"
    assert is_same_person("JOSÉ", "jose\u0301")
    assert not is_same_person("ann", "anne")


def test_approving_twice_is_once():
    cell = waiting(ONE)
    first = approve(ONE)
    assert said(cell, first)[0] is not None
    assert react(cell, first, 3 * SECOND) == []
    decided, answer = said(cell, approve(ONE, "bob", n=2))
    assert (decided, answer.standing, answer.given) == (None, "approved", ["ann"])
    long_after = said(cell, approve(ONE, n=3), 9 * END)
    assert (long_after[0], long_after[1].standing) == (None, "approved")


def test_what_is_rejected_is_not_approved_and_what_is_approved_is_not_rejected():
    cell = waiting(ONE)
    said(cell, reject(ONE))
    assert refusal(cell, approve(ONE, "bob")) == (None, "approval.rejected")
    assert said(cell, reject(ONE, "bob"))[1].standing == "rejected"
    cell = waiting(ONE)
    said(cell, approve(ONE))
    assert refusal(cell, reject(ONE, "bob")) == (None, "approval.approved")


@pytest.mark.parametrize("word", [approve, reject])
def test_a_request_that_nobody_made_is_unknown(word):
    assert refusal(waiting(), word(ONE)) == (None, "approval.unknown")


@pytest.mark.parametrize(("now", "approved"), [(END - 1, True), (END, False), (END + 1, False)])
def test_an_approval_comes_before_the_end(now, approved):
    cell = waiting(ONE)
    if approved:
        assert said(cell, approve(ONE), now)[0].approved
        return
    decided, code = refusal(cell, approve(ONE), now)
    assert (decided.code, decided.by, code) == ("expired", [], "approval.expired")
    assert refusal(cell, approve(ONE, "bob"), now) == (None, "approval.expired")


def test_a_tick_of_the_desks_clock_ends_what_nobody_decided():
    cell = waiting(ONE, asked(2))
    assert react(cell, tick(WINDOW_SECONDS), END - 1) == []
    (decided,) = react(cell, tick(WINDOW_SECONDS + 1), END)
    assert (decided.request_id, decided.code) == (ONE.request_id, "expired")
    assert react(cell, tick(WINDOW_SECONDS + 1), END) == []
    assert refusal(cell, approve(ONE), END)[1] == "approval.expired"


# What stops the desk stops what waits.


def killed_three_days(cell):
    for day in (1, 2):
        react(cell, on_day(day, "-750", second=7_200), 0)
        react(cell, on_day(day + 1), 0)
    react(cell, ONE, ONE.ts_event)
    return on_day(3, "-750", second=7_200)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (lambda _: command(HaltTrading), "halted"),
        (lambda _: switched("file"), "halted"),
        (lambda _: tripped(TripLevel.HALT), "halted"),
        (lambda _: tripped(TripLevel.REDUCE), "reduce_only"),
        (lambda _: tripped(TripLevel.DISABLE, about="threshold"), "disabled"),
        (lambda _: on_day(1, "-750"), "kill_day"),
        (killed_three_days, "quarantine"),
    ],
    ids=["halt", "kill switch", "trip", "reduce", "disable", "kill day", "quarantine"],
)
def test_i7_what_stops_the_desk_ends_what_waits_at_once(event, code):
    cell = policy_cell()
    happens = event(cell)
    react(cell, ONE, ONE.ts_event)
    answers = react(cell, happens, 2 * SECOND)
    (decided,) = of(ApprovalDecided, answers)
    assert (decided.approved, decided.code) == (False, code)
    kinds = [type(one) for one in answers]
    assert kinds.index(TradingStateChanged) < kinds.index(ApprovalDecided)
    react(cell, command(ResumeTrading), 3 * SECOND)
    assert refusal(cell, approve(ONE), 3 * SECOND) == (None, f"approval.{code}")


def test_i7_what_is_asked_of_a_desk_that_stands_still_ends_at_once():
    cell = policy_cell()
    react(cell, command(HaltTrading), 0)
    (decided,) = react(cell, ONE, ONE.ts_event)
    assert decided.code == "halted"
    assert "ann: because" in decided.reason


def test_another_strategys_request_stands_when_one_is_disabled():
    cell = waiting(ONE)
    assert of(ApprovalDecided, react(cell, tripped(TripLevel.DISABLE, about="other"), 0)) == []


# What survives.


def test_the_first_message_of_a_request_stands():
    cell = waiting(ONE)
    react(cell, asked(2, request_id=ONE.request_id, needed=2), 2 * SECOND)
    assert cell.state.requests.pending[ONE.request_id] is ONE
    assert said(cell, approve(ONE))[0].approved
    assert react(cell, ONE, 3 * SECOND) == []
    assert cell.state.requests.pending == {}


def test_there_is_room_for_so_many_and_the_next_one_ends_at_once():
    cell = policy_cell()
    for n in range(MOST_PENDING):
        assert react(cell, asked(n), n * SECOND) == []
    (decided,) = react(cell, asked(1_000, expires_at=10**18), SECOND)
    assert decided.code is ApprovalCode.TOO_MANY


def folded_again(*messages):
    """Return a policy that has read these messages back; nothing is said meanwhile."""
    cell, started = fresh_cell(), policy_cell()
    for message in (started.state.policy, started.state.trading, *messages):
        own = isinstance(message, ApprovalDecided | ApprovalCounted)
        cell.recover(message, own=own)
    return cell


def test_a_restart_keeps_who_has_approved():
    before = waiting(TWO)
    (counted,) = react(before, approve(TWO), 2 * SECOND)
    after = folded_again(TWO, approve(TWO), counted)
    assert after.state.requests == before.state.requests
    assert begin(after, 3 * SECOND) == []
    assert said(after, approve(TWO, "bob"), 3 * SECOND)[0].by == ["ann", "bob"]


def test_a_restart_keeps_how_a_request_ended():
    before = waiting(ONE)
    answers = react(before, reject(ONE), 2 * SECOND)
    after = folded_again(ONE, reject(ONE), *answers)
    assert after.state.requests == before.state.requests
    assert refusal(after, approve(ONE)) == (None, "approval.rejected")


def test_a_crash_between_decision_and_answer_makes_no_second_decision():
    decided, answer = react(waiting(ONE), approve(ONE), 2 * SECOND)
    after = folded_again(ONE, decided)
    (again,) = react(after, approve(ONE), 9 * END)
    assert (again.message_id, again.standing) == (answer.message_id, "approved")


def test_what_expired_while_nobody_looked_ends_at_the_start():
    after = folded_again(ONE)
    (decided,) = begin(after, END)
    assert decided.code == "expired"


def test_a_halt_whose_end_was_cut_short_ends_the_request_at_the_next_start():
    after = folded_again(ONE)
    react(after, command(HaltTrading), 2 * SECOND)
    cut = folded_again(ONE, after.state.trading)
    assert cut.state.trading.standing is Standing.HALTED
    assert [one.code for one in of(ApprovalDecided, begin(cut, 2 * SECOND))] == ["halted"]
