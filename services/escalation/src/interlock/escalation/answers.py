"""From an answer that was read to messages: proposals, and the answer itself."""

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from interlock.escalation.ports import ModelAnswered
from interlock.escalation.proposals import changes_of, names_to_leave
from interlock.escalation.state import EscalationState
from interlock.model.values import ZERO
from interlock.reasoning.cloud_answers import (
    RegimeAuditorAnswer,
    RewardEngineerAnswer,
    SanityJudgeAnswer,
)
from interlock.reasoning.day_answers import PostMortemAnswer
from interlock.reasoning.prompt import prompt_hash
from interlock.wire.base import Message, Said, caused_id
from interlock.wire.reasoning import (
    DoNotTradeProposed,
    LiveChanges,
    ParameterProposal,
    PostMortemSource,
    PostMortemWritten,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    StopMultipliers,
)

_NO_CONFIDENCE = 0


def answered(state: EscalationState, heard: ModelAnswered, now_ns: int) -> Sequence[Said]:
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
        case PostMortemAnswer():
            return _written(heard, answer, now_ns)
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


def _written(heard: ModelAnswered, answer: PostMortemAnswer, now_ns: int) -> PostMortemWritten:
    told = _told(heard, PostMortemWritten, now_ns)
    told["source"] = PostMortemSource.CLOUD
    del told["asked_by"]
    return PostMortemWritten(
        **told,
        day=heard.asked.escalation.day,
        figures=dict(heard.asked.question.facts),
        root_cause=answer.root_cause,
        recommendations=list(answer.recommendations),
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
        "requested_model": heard.requested_model,
        "prompt": f"{question.system}\n\n{question.prompt}",
        "prompt_hash": prompt_hash(question.system, question.prompt),
        "prompt_files": question.prompt_files,
        "answer": heard.text,
        "tokens_in": heard.tokens_in,
        "tokens_out": heard.tokens_out,
        "cost_usd": heard.cost_usd,
        "latency_ns": heard.latency_ns,
    }
