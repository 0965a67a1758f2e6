"""Holds the desk against the matrix once a cadence; what fires is asked, answers become proposals.

Theory of operation. What a trigger brings about is said in two steps. First `EscalationTriggered`,
which makes it stand and counts its call, then the question as an effect. So a crash in between
counts the call and asks the same question again under the same id: never one call too many. The
cloud model is asked first and the local one in its place. An answer's own message comes last, after
the proposals it became, because it is what ends the escalation.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import to_builtins

from interlock.escalation.matrix import Evaluation, evaluate
from interlock.escalation.ports import AskModel, ModelAnswered, ModelFailed
from interlock.escalation.proposals import changes_of, names_to_leave
from interlock.escalation.question import endpoint_of, question_of
from interlock.escalation.snapshot import Snapshot
from interlock.escalation.state import EscalationState
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import ZERO, Severity
from interlock.reasoning.cloud_answers import (
    RegimeAuditorAnswer,
    RewardEngineerAnswer,
    SanityJudgeAnswer,
)
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.ports import Question
from interlock.reasoning.prompt import prompt_hash
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Heard, Message, Said, caused_id
from interlock.wire.catalogue import ESCALATION
from interlock.wire.policy import TradingStateChanged
from interlock.wire.reasoning import (
    AnswerSource,
    DoNotTradeProposed,
    EscalationTriggered,
    LiveChanges,
    ParameterProposal,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    StopMultipliers,
    Trigger,
)
from interlock.wire.system import AlertRaised

CLOUD_UNAVAILABLE = "cloud model unavailable, using local reasoner"
_NO_CONFIDENCE = 0


def decide(state: EscalationState, heard: Heard, now_ns: int) -> Sequence[Said]:
    match heard:
        case AccountUpdated() if heard.account == state.setting.account:
            return _judged(state, heard, heard, now_ns)
        case TradingStateChanged() if _kills_today(state, heard):
            assert state.account is not None
            return _judged(state, heard, state.account, now_ns, only=Trigger.KILL_SWITCH)
        case ModelAnswered():
            return _answered(state, heard, now_ns)
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
        if standing.message_id == _id(cause, standing.trigger):
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
    )
    if heard.asked.source is state.last_source:
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


def _answered(state: EscalationState, heard: ModelAnswered, now_ns: int) -> Sequence[Said]:
    """Return the proposals an answer comes to, and the answer itself.

    Names to leave alone come first: they tighten at once, and a change that follows them can
    still be taken back.
    """
    said: list[Said] = []
    if isinstance(heard.answer, RegimeAuditorAnswer):
        said.append(_left_alone(state, heard, heard.answer, now_ns))
    said += _proposals(state, heard, now_ns)
    said.append(_outcome(state, heard, now_ns))
    return said


def _left_alone(
    state: EscalationState, heard: ModelAnswered, answer: RegimeAuditorAnswer, now_ns: int
) -> DoNotTradeProposed:
    asked = heard.asked.escalation
    return DoNotTradeProposed(
        message_id=caused_id(asked, DoNotTradeProposed),
        decision_id=asked.decision_id,
        ts_event=now_ns,
        desk=asked.desk,
        names=names_to_leave(answer, state.setting.names),
        cause=_rationale(heard),
        provider=heard.provider,
        model=heard.model,
        ts_desk=asked.ts_desk,
    )


def _rationale(heard: ModelAnswered) -> str:
    asked, answer = heard.asked.escalation, heard.answer
    text = f"{asked.call} because of {asked.trigger}"
    return f"{text}: {answer.regime_label}" if isinstance(answer, RegimeAuditorAnswer) else text


def _proposals(
    state: EscalationState, heard: ModelAnswered, now_ns: int
) -> Sequence[ParameterProposal]:
    asked, question = heard.asked.escalation, heard.asked.question
    return [
        ParameterProposal(
            message_id=caused_id(asked, ParameterProposal, change.parameter),
            decision_id=asked.decision_id,
            ts_event=now_ns,
            desk=asked.desk,
            parameter=change.parameter,
            current=change.current,
            proposed=change.proposed,
            delta=change.delta,
            confidence=_NO_CONFIDENCE,
            rationale=_rationale(heard),
            provider=heard.provider,
            model=heard.model,
            # The whole of it stands in the answer's own message, once.
            prompt="",
            prompt_hash=prompt_hash(question.system, question.prompt),
            answer="",
            tokens_in=0,
            tokens_out=0,
            cost_usd=ZERO,
            latency_ns=0,
            ts_desk=asked.ts_desk,
        )
        for change in changes_of(heard.answer, state.parameters)
    ]


def _outcome(state: EscalationState, heard: ModelAnswered, now_ns: int) -> Message:
    """Return the answer as it was read, with what it was asked and what it cost."""
    answer = heard.answer
    match answer:
        case RegimeAuditorAnswer():
            return RegimeAudited(
                **_told(heard, RegimeAudited, now_ns),
                regime_label=answer.regime_label,
                blend_weights_delta=to_builtins(answer.blend_weights_delta),
                bucket_caps_delta=to_builtins(answer.bucket_caps_delta),
                do_not_trade_list=list(answer.do_not_trade_list),
            )
        case RewardEngineerAnswer():
            return RewardsEngineered(
                **_told(heard, RewardsEngineered, now_ns),
                reward_coefficients=to_builtins(answer.reward_coefficients),
                turnover_penalties=to_builtins(answer.turnover_penalties),
                disabled_features=list(answer.disabled_features),
            )
        case SanityJudgeAnswer():
            # A verdict is younger than what it is about, also on a clock that stands still.
            since = 0 if state.trading is None else state.trading.ts_event
            after = max(now_ns, heard.asked.escalation.ts_event, since) + 1
            return SanityJudged(
                **_told(heard, SanityJudged, after),
                stay_demo=answer.stay_demo,
                rationale=_rationale(heard),
                live_changes=_live_changes(answer),
            )


def _live_changes(answer: SanityJudgeAnswer) -> LiveChanges:
    live = answer.live_changes
    if live is None:
        return LiveChanges()
    stops = live.stop_multipliers
    return LiveChanges(
        max_position_pct=live.max_position_pct,
        stop_multipliers=StopMultipliers(atr=stops.atr, trailing=stops.trailing),
    )


def _told(heard: ModelAnswered, kind: type[Message], ts_event: int) -> dict[str, Any]:
    """Return the fields that every answer's message has."""
    asked, question = heard.asked.escalation, heard.asked.question
    return {
        "message_id": caused_id(asked, kind),
        "decision_id": asked.decision_id,
        "ts_event": ts_event,
        "desk": asked.desk,
        "asked_by": asked.trigger,
        "source": heard.asked.source,
        "provider": heard.provider,
        "model": heard.model,
        "prompt": f"{question.system}\n\n{question.prompt}",
        "prompt_hash": prompt_hash(question.system, question.prompt),
        "answer": heard.text,
        "tokens_in": heard.tokens_in,
        "tokens_out": heard.tokens_out,
        "cost_usd": heard.cost_usd,
        "latency_ns": heard.latency_ns,
    }
