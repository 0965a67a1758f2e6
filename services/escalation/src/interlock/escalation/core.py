"""Holds the desk against the matrix once a cadence; what fires is asked, answers become proposals.

Theory of operation. What a trigger brings about is said in two steps. First `EscalationTriggered`,
which makes it stand and counts its call, then the question as an effect. So a crash in between
counts the call and asks the same question again under the same id: never one call too many. The
cloud model is asked first and the local one in its place. An answer's own message comes last, after
the proposals it became, because it is what ends the escalation.

While a person wants no model asked, triggers fire and are granted nothing. A question that is under
way is still answered; where it fails, nobody is asked in its place.
"""

from collections.abc import Sequence
from dataclasses import replace

from interlock.escalation.answers import answered
from interlock.escalation.matrix import Evaluation, evaluate, paused_reason
from interlock.escalation.ports import AskModel, ModelAnswered, ModelFailed
from interlock.escalation.question import day_question, endpoint_of, question_of
from interlock.escalation.snapshot import Snapshot
from interlock.escalation.state import EscalationState
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import Severity
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.ports import Question
from interlock.wire.accounts import AccountUpdated, DaySummarised
from interlock.wire.base import Heard, Message, Said, caused_id
from interlock.wire.catalogue import ESCALATION
from interlock.wire.policy import TradingStateChanged
from interlock.wire.reasoning import (
    AnswerSource,
    CallKind,
    EscalationTriggered,
    ReasonerFailed,
    Trigger,
)
from interlock.wire.system import AlertRaised

CLOUD_UNAVAILABLE = "cloud model unavailable, using local reasoner"


def decide(state: EscalationState, heard: Heard, now_ns: int) -> Sequence[Said]:
    match heard:
        case AccountUpdated() if heard.account == state.setting.account:
            return _judged(state, heard, heard, now_ns)
        case TradingStateChanged() if _kills_today(state, heard):
            assert state.account is not None
            return _judged(state, heard, state.account, now_ns, only=Trigger.KILL_SWITCH)
        case DaySummarised() if heard.account == state.setting.account:
            return _over(state, heard)
        case ModelAnswered():
            return answered(state, heard, now_ns)
        case ModelFailed():
            return _failed(state, heard, now_ns)
        case _:
            return ()


def _kills_today(state: EscalationState, heard: TradingStateChanged) -> bool:
    return state.account is not None and state.account.day in heard.kill_days


def _judged(
    state: EscalationState,
    cause: Message,
    account: AccountUpdated,
    now_ns: int,
    only: Trigger | None = None,
) -> Sequence[Said]:
    """Return what fires at `account`, and the questions that are granted.

    An account that is long past fires nothing, but what it fired before is finished.
    """
    snapshot = state.snapshot(account)
    said: list[Said] = []
    for standing in [*state.open.values()]:
        if not state.paused_by and standing.message_id == _id(cause, standing.trigger):
            said += [standing, _question(state, standing, snapshot)]
    age_ns = now_ns - cause.ts_event
    if age_ns > state.config.max_account_age_seconds * NANOS_PER_SECOND:
        return said
    for one in evaluate(snapshot, state.config):
        if not one.fires or only not in (None, one.trigger):
            continue
        triggered = _triggered(state, cause, account, one)
        said.append(triggered)
        if one.granted:
            said.append(_question(state, triggered, snapshot))
    return said


def _over(state: EscalationState, day: DaySummarised) -> Sequence[Said]:
    """Return the question about a day that is over, where something was escalated on it.

    It is one of that day's calls, and needs none kept for a kill switch any more. It may be asked
    late: the past does not change.
    """
    config, identity = state.config, _id(day, Trigger.POST_MORTEM)
    if config.cloud.provider is ProviderKind.NONE or identity in state.ended:
        return ()
    asked = state.open.get(identity)
    if asked is None:
        calls = state.granted.get(day.day, {})
        if not calls:
            return ()
        asked = _over_triggered(state, day, len(calls))
    if not asked.granted or state.paused_by:
        return (asked,)
    question = day_question(config.cloud, state.prompts[CallKind.POST_MORTEM], day)
    ask = AskModel(escalation=asked, source=AnswerSource.CLOUD, question=question)
    return (asked, ask)


def _over_triggered(state: EscalationState, day: DaySummarised, calls: int) -> EscalationTriggered:
    most = state.config.max_calls_per_day
    granted = calls < most and not state.paused_by
    reason = f"call {calls + 1} of {most} of the day that is over"
    refused = f"all {most} calls of the day that is over were made"
    if state.paused_by:
        refused = paused_reason(state.paused_by)
    return EscalationTriggered(
        message_id=_id(day, Trigger.POST_MORTEM),
        decision_id=day.decision_id,
        ts_event=day.ts_event,
        desk=day.desk,
        trigger=Trigger.POST_MORTEM,
        call=CallKind.POST_MORTEM,
        observed={"escalations": float(calls)},
        limits={"escalations": 0.0},
        granted=granted,
        reason=reason if granted else refused,
        calls_today=calls + granted,
        ts_desk=0 if state.account is None else state.account.ts_desk,
        day=day.day,
    )


def _id(cause: Message, trigger: Trigger) -> str:
    return caused_id(cause, EscalationTriggered, trigger)


def _triggered(
    state: EscalationState, cause: Message, account: AccountUpdated, one: Evaluation
) -> EscalationTriggered:
    return EscalationTriggered(
        message_id=_id(cause, one.trigger),
        decision_id=cause.decision_id,
        ts_event=cause.ts_event,
        desk=state.setting.desk,
        trigger=one.trigger,
        call=one.call,
        observed=one.observed,
        limits=one.limits,
        granted=one.granted,
        reason=one.reason,
        calls_today=one.calls_today,
        ts_desk=account.ts_desk,
        day=account.day,
    )


def _first(state: EscalationState) -> AnswerSource:
    none = state.config.cloud.provider is ProviderKind.NONE
    return AnswerSource.LOCAL if none else AnswerSource.CLOUD


def _question(
    state: EscalationState,
    asked: EscalationTriggered,
    at: Snapshot,
    source: AnswerSource | None = None,
) -> AskModel:
    source = source or _first(state)
    question = question_of(
        state.setting,
        endpoint_of(state.config, source),
        state.prompts[asked.call],
        state.parameters,
        call=asked.call,
        trigger=asked.trigger,
        at=at,
    )
    return AskModel(escalation=asked, source=source, question=question)


def _failed(state: EscalationState, heard: ModelFailed, now_ns: int) -> Sequence[Said]:
    """Return the failure, counted by its reason, and the question to the model in its place."""
    asked = heard.asked.escalation
    failure = ReasonerFailed(
        message_id=caused_id(asked, ReasonerFailed, heard.asked.source),
        decision_id=asked.decision_id,
        ts_event=now_ns,
        desk=asked.desk,
        reason=heard.reason,
        detail=heard.detail,
        provider=heard.provider,
        model=heard.model,
        spent_usd=heard.spent_usd,
        latency_ns=heard.latency_ns,
        question=asked.call,
        source=heard.asked.source,
    )
    if asked.call is CallKind.POST_MORTEM:
        return (_alert(asked, now_ns, "cloud.unavailable", CLOUD_UNAVAILABLE), failure)
    if heard.asked.source is state.last_source(asked.call) or state.paused_by:
        text = f"no model answered {asked.call} ({heard.reason}), nothing is proposed"
        return (_alert(asked, now_ns, "escalation.unanswered", text), failure)
    local = AskModel(
        escalation=asked,
        source=AnswerSource.LOCAL,
        question=_for_local(state, heard.asked),
    )
    return (failure, _alert(asked, now_ns, "cloud.unavailable", CLOUD_UNAVAILABLE), local)


def _for_local(state: EscalationState, asked: AskModel) -> Question:
    """Return the same question, with the local model's own time and length."""
    endpoint = state.config.local
    return replace(
        asked.question,
        max_tokens=endpoint.max_tokens,
        timeout_seconds=endpoint.timeout_seconds,
    )


def _alert(asked: EscalationTriggered, now_ns: int, code: str, text: str) -> AlertRaised:
    return AlertRaised(
        message_id=caused_id(asked, AlertRaised, code),
        decision_id=asked.decision_id,
        ts_event=now_ns,
        desk=asked.desk,
        service=ESCALATION,
        severity=Severity.WARNING,
        code=code,
        text=text,
        dedupe_key=f"{asked.desk}.{code}",
    )
