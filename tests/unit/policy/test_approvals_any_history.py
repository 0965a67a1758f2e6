"""Any history of requests, people's words, halts, waiting and restarts: what must always hold."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.values import TradingState
from interlock.testkit.approvals import approve, asked, reject
from interlock.testkit.cells import begin, react
from interlock.testkit.decisions import reconciled
from interlock.testkit.desk_messages import SECOND, tick
from interlock.wire.approvals import (
    ApprovalCounted,
    ApprovalDecided,
    GiveApproval,
    RejectApproval,
    is_same_person,
    shown_name,
)
from interlock.wire.policy import CommandRefused, HaltTrading, ResumeTrading
from interlock.wire.system import TripLevel
from msgspec.structs import replace

from tests.unit.policy.policy_cells import command, fresh_cell, of, tripped

REQUESTS = st.sampled_from([0, 1, 1])
NAMES = st.sampled_from(["ann", " ANN", "bob", "B\u200bob", "", "policy"])
WORDS = st.tuples(st.just("approve"), REQUESTS, NAMES)
WAITS = st.tuples(st.just("wait"), st.sampled_from([1, 120, 299]), st.booleans())
STEPS = st.one_of(
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    st.tuples(st.just("reject"), REQUESTS, NAMES),
    WAITS,
    st.tuples(st.just("ask"), st.integers(2, 3), st.sampled_from([1, 2])),
    st.tuples(st.just("again"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["halt", "resume", "resume", "reduce", "restart", "restart"])),
)


@dataclass
class History:
    """A policy, everything it has heard and said, and the moment."""

    cell: object = field(default_factory=fresh_cell)
    now: int = SECOND
    n: int = 0
    log: list = field(default_factory=list)
    asked: dict = field(default_factory=dict)
    said: list = field(default_factory=list)

    def hear(self, message):
        answers = react(self.cell, message, self.now)
        self.log += [(message, False), *((one, True) for one in answers)]
        self.check(message, answers)

    def restart(self):
        requests = self.cell.state.requests
        self.cell = fresh_cell()
        for message, own in self.log:
            self.cell.recover(message, own=own)
        assert self.cell.state.requests == requests
        answers = begin(self.cell, self.now)
        self.log += [(one, True) for one in answers]
        self.check(None, answers)

    def check(self, message, answers):
        for decided in of(ApprovalDecided, answers):
            assert decided.request_id not in {one.request_id for one in self.said}, "once"
            request = self.asked[decided.request_id]
            assert decided.approved == (decided.code == "approved")
            if decided.approved:
                self.approved(request, decided)
            if decided.code == "rejected":
                assert isinstance(message, RejectApproval)
            if decided.code == "expired":
                assert self.now >= request.expires_at
            self.said.append(decided)
        if isinstance(message, GiveApproval | RejectApproval):
            self.answered(message, answers)
        for request_id in self.cell.state.requests.pending:
            assert self.cell.state.trading.state is TradingState.ACTIVE, "what halts must win"
            assert request_id not in {one.request_id for one in self.said}

    def approved(self, request, decided):
        assert self.now < request.expires_at, "never after the end"
        assert self.cell.state.trading.state is TradingState.ACTIVE
        words = [one for one, _ in self.log if isinstance(one, GiveApproval)]
        words = [one.by for one in words if one.request_id == request.request_id]
        assert len(decided.by) == request.needed
        for place, name in enumerate(decided.by):
            assert shown_name(name) == name != ""
            assert any(is_same_person(name, by) for by in words)
            assert not any(is_same_person(name, other) for other in decided.by[:place])

    def answered(self, word, answers):
        counted, refused = of(ApprovalCounted, answers), of(CommandRefused, answers)
        if not counted and not refused:
            return  # Heard before, and answered then.
        assert len(counted) + len(refused) == 1
        ended = [one.code for one in self.said if one.request_id == word.request_id]
        if refused and refused[0].code not in ("command.unnamed", "approval.unknown"):
            assert [refused[0].code] == [f"approval.{code}" for code in ended]
        if refused and refused[0].code == "approval.unknown":
            assert word.request_id not in self.asked
        if not shown_name(word.by):
            assert refused
        if counted and counted[0].standing != "pending":
            (end,) = [one for one in self.said if one.request_id == word.request_id]
            assert end.code == counted[0].standing, "who is told so is told the truth"


def happen(history, step):
    history.n += 1
    match step:
        case ("ask", number, needed):
            request = history.asked.get(number)
            if request is None:
                request = asked(number, needed=needed)
                window = request.expires_at - request.ts_event
                request = replace(request, ts_event=history.now, expires_at=history.now + window)
                history.asked |= {number: request, request.request_id: request}
            history.hear(request)
        case ("approve" | "reject" as what, number, by):
            word = approve if what == "approve" else reject
            history.hear(word(asked(number), by, history.n))
        case ("wait", seconds, ticks):
            history.now += seconds * SECOND
            if ticks:
                history.hear(tick(history.n, ts_event=history.now))
        case ("again", back):
            heard = [one for one, own in history.log if not own]
            history.hear(heard[-1 - back % len(heard)])
        case ("halt",):
            history.hear(command(HaltTrading, n=history.n))
        case ("resume",):
            history.hear(command(ResumeTrading, n=history.n))
        case ("reduce",):
            history.hear(tripped(TripLevel.REDUCE, n=history.n))
        case ("restart",):
            history.restart()


@settings(deadline=None, max_examples=300)
@given(st.lists(STEPS, max_size=30))
def test_i7_i8_any_history_decides_each_request_at_most_once_and_by_named_people_in_time(steps):
    history = History()
    history.log += [(one, True) for one in begin(history.cell, 0)]
    history.hear(reconciled())
    for step in (("ask", 0, 1), ("ask", 1, 2), *steps):
        happen(history, step)
    decided = of(ApprovalDecided, [one for one, own in history.log if own])
    assert len(decided) == len({one.request_id for one in decided}) == len(history.said)
