"""Judges what people say about entries that wait for them: the only one who does.

Theory of operation. A request stands from when it is heard until it is decided, and it is decided
once: the decision's id derives from the request. What ends it is looked for in the state each time
anything happens that could: a person's word, a tick of the clock, a new standing, a start. So it
does not matter where a crash fell. A decision goes out before the answer to whoever brought it
about; a person who was told "approved" was told the truth.
"""

from collections.abc import Sequence

from interlock.model.plain_text import plain_text
from interlock.model.trading import Standing
from interlock.model.values import TradingState
from interlock.policy.commands import refused
from interlock.policy.requests import MOST_PENDING
from interlock.policy.standing import standing_of
from interlock.policy.state import PolicyState
from interlock.wire.approvals import (
    ApprovalCode,
    ApprovalCounted,
    ApprovalDecided,
    ApprovalRequested,
    ApprovalStanding,
    GiveApproval,
    RejectApproval,
    shown_name,
)
from interlock.wire.base import Effect, Message, caused_id
from interlock.wire.policy import CommandRefused, TradingStateChanged

type Answer = Sequence[Message | Effect]
type Word = GiveApproval | RejectApproval
type Ending = tuple[ApprovalCode, str]

REASON_CHARS = 500
_STANDING = {
    ApprovalCode.APPROVED: ApprovalStanding.APPROVED,
    ApprovalCode.REJECTED: ApprovalStanding.REJECTED,
}


def due(
    state: PolicyState, trading: TradingStateChanged | None, now: int
) -> Sequence[ApprovalDecided]:
    """Return the end of each request that `trading` or the clock has ended."""
    if not state.requests.pending:
        return ()
    return [
        _decided(state, request, now, *ending)
        for place, request in enumerate(state.requests.pending.values())
        if (ending := _ending(request, trading, now, place)) is not None
    ]


def _ending(
    request: ApprovalRequested, trading: TradingStateChanged | None, now: int, place: int
) -> Ending | None:
    if now >= request.expires_at:
        return ApprovalCode.EXPIRED, "nobody has decided it in time"
    if trading is None:
        return ApprovalCode.HALTED, "the desk has no standing yet"
    if trading.state is not TradingState.ACTIVE:
        why = f"the desk is {standing_of(trading)}, by {trading.author}: {trading.reason}"
        return _stopped_by(trading), plain_text(why, REASON_CHARS)
    if request.intent.strategy in trading.disabled:
        return ApprovalCode.DISABLED, f"strategy {request.intent.strategy} is disabled"
    if place >= MOST_PENDING:
        return ApprovalCode.TOO_MANY, f"{MOST_PENDING} requests stand already"
    return None


def _stopped_by(trading: TradingStateChanged) -> ApprovalCode:
    if trading.state is TradingState.REDUCE_ONLY:
        return ApprovalCode.REDUCE_ONLY
    if standing_of(trading) is not Standing.HALTED_FOR_DAY:
        return ApprovalCode.HALTED
    if trading.quarantined_since is not None and trading.quarantined_since == trading.paper_after:
        return ApprovalCode.QUARANTINE
    return ApprovalCode.KILL_DAY


def settle(state: PolicyState, heard: Message, now: int) -> Answer:
    """Answer a person's word; at anything else, end what is due."""
    if isinstance(heard, GiveApproval | RejectApproval):
        return _answered(state, heard, now)
    return due(state, state.trading, now)


def _answered(state: PolicyState, word: Word, now: int) -> Answer:
    """Return what a person's word brings about, and the answer to it; said twice, it counts once.

    What has been decided already is answered by what it is, where the word asks for just that.
    """
    if {caused_id(word, CommandRefused), caused_id(word, ApprovalCounted)} & state.answered.keys():
        return ()
    name = shown_name(word.by)
    if not name:
        reason = "only a named person may decide this: say who you are"
        return refused(state, word, now, "command.unnamed", reason)
    ended = due(state, state.trading, now)
    decided = next((one for one in ended if one.request_id == word.request_id), None)
    decided = decided or state.requests.ended.get(word.request_id)
    if decided is not None:
        return [*ended, *_too_late(state, word, name, decided, now)]
    request = state.requests.pending.get(word.request_id)
    if request is None:
        reason = f"nobody has asked for {plain_text(word.request_id, 80)!r}"
        return [*ended, *refused(state, word, now, "approval.unknown", reason)]
    return [*ended, *_counted(state, word, name, request, now)]


def _too_late(
    state: PolicyState, word: Word, name: str, decided: ApprovalDecided, now: int
) -> Answer:
    approves = isinstance(word, GiveApproval)
    asked_for = ApprovalCode.APPROVED if approves else ApprovalCode.REJECTED
    if decided.code is asked_for:
        standing, by = _STANDING[asked_for], decided.by
        return [_answer(state, word, name, now, standing, by, len(by))]
    whom = f" by {', '.join(decided.by)}" if decided.by else ""
    reason = f"it ended before, {decided.code}{whom}: {decided.reason}"
    return refused(state, word, now, f"approval.{decided.code}", reason)


def _counted(
    state: PolicyState, word: Word, name: str, request: ApprovalRequested, now: int
) -> Answer:
    reason = plain_text(word.reason, REASON_CHARS)
    if isinstance(word, RejectApproval):
        rejected, by = ApprovalCode.REJECTED, [name]
        decided = _decided(state, request, now, rejected, reason, by)
        return [decided, _answer(state, word, name, now, _STANDING[rejected], by, request.needed)]
    given = state.requests.given_with(request.request_id, name)
    if len(given) < request.needed:
        return [_answer(state, word, name, now, ApprovalStanding.PENDING, given, request.needed)]
    approved = ApprovalCode.APPROVED
    decided = _decided(state, request, now, approved, reason, given)
    return [decided, _answer(state, word, name, now, _STANDING[approved], given, request.needed)]


def _decided(
    state: PolicyState,
    request: ApprovalRequested,
    now: int,
    code: ApprovalCode,
    reason: str,
    by: Sequence[str] = (),
) -> ApprovalDecided:
    return ApprovalDecided(
        message_id=caused_id(request, ApprovalDecided),
        decision_id=request.decision_id,
        ts_event=now,
        desk=state.desk,
        request_id=request.request_id,
        approved=code is ApprovalCode.APPROVED,
        code=code,
        by=[*by],
        reason=reason,
    )


def _answer(
    state: PolicyState,
    word: Word,
    name: str,
    now: int,
    standing: ApprovalStanding,
    given: list[str],
    needed: int,
) -> ApprovalCounted:
    return ApprovalCounted(
        message_id=caused_id(word, ApprovalCounted),
        decision_id=word.decision_id,
        ts_event=now,
        desk=state.desk,
        command_id=word.message_id,
        request_id=word.request_id,
        by=name,
        standing=standing,
        given=given,
        needed=needed,
    )
