"""One question a cadence at most; its answer becomes a proposal, its failure a count."""

from collections.abc import Sequence

from interlock.local_reasoner.config import ProviderKind
from interlock.local_reasoner.ports import AskModel, ModelAnswered, ModelFailed
from interlock.local_reasoner.question import question_of
from interlock.local_reasoner.state import Reasoner, ReasonerState
from interlock.reasoning.prompt import prompt_hash
from interlock.wire.base import Heard, Said, caused_id
from interlock.wire.market import ClockTicked
from interlock.wire.reasoning import (
    ParameterProposal,
    PauseReasoner,
    ReasonerFailed,
    ReasonerPaused,
    ResumeReasoner,
)


def decide(state: ReasonerState, heard: Heard, now_ns: int) -> Sequence[Said]:
    match heard:
        case ClockTicked():
            return _ask(state, heard, now_ns)
        case ModelAnswered():
            return (_proposal(state.reasoner, heard),)
        case ModelFailed():
            return (_failure(state.reasoner, heard),)
        case PauseReasoner() | ResumeReasoner():
            return (_told(state, heard, now_ns),)
        case _:
            return ()


def _told(
    state: ReasonerState, word: PauseReasoner | ResumeReasoner, now_ns: int
) -> ReasonerPaused:
    """Answer a person's word. What was asked already is still answered."""
    return ReasonerPaused(
        message_id=caused_id(word, ReasonerPaused),
        decision_id=word.decision_id,
        ts_event=now_ns,
        desk=word.desk,
        paused=state.paused,
        by=word.by,
        reason=word.reason,
    )


def _ask(state: ReasonerState, tick: ClockTicked, now_ns: int) -> Sequence[Said]:
    """Ask, unless there is nothing to ask about.

    A tick older than its cadence is passed over: while a slow model answered, a newer one came.
    On a replay's clock no tick is ever old.
    """
    if state.paused or state.reasoner.config.provider is ProviderKind.NONE:
        return ()
    if state.current is None:
        return ()
    if now_ns - tick.ts_event > tick.cadence_ns:
        return ()
    warm = [one for one in state.features.values() if one.volatility is not None]
    if not warm:
        return ()
    warm.sort(key=lambda one: one.instrument_id)
    question = question_of(state.reasoner, tick, state.current, warm)
    return (AskModel(tick=tick, current=state.current, question=question),)


def _proposal(reasoner: Reasoner, heard: ModelAnswered) -> ParameterProposal:
    tick, question = heard.asked.tick, heard.asked.question
    parameter = reasoner.config.parameter
    return ParameterProposal(
        message_id=caused_id(tick, ParameterProposal, parameter),
        decision_id=tick.decision_id,
        ts_event=tick.ts_event,
        desk=tick.desk,
        parameter=parameter,
        current=heard.asked.current,
        proposed=heard.answer.threshold_bps,
        confidence=heard.answer.confidence,
        rationale=heard.answer.rationale,
        provider=reasoner.config.provider.value,
        model=heard.model,
        prompt=f"{question.system}\n\n{question.prompt}",
        prompt_hash=prompt_hash(question.system, question.prompt),
        answer=heard.text,
        tokens_in=heard.tokens_in,
        tokens_out=heard.tokens_out,
        cost_usd=heard.cost_usd,
        latency_ns=heard.latency_ns,
        ts_desk=tick.ts_desk,
    )


def _failure(reasoner: Reasoner, heard: ModelFailed) -> ReasonerFailed:
    tick = heard.asked.tick
    return ReasonerFailed(
        message_id=caused_id(tick, ReasonerFailed, reasoner.config.parameter),
        decision_id=tick.decision_id,
        ts_event=tick.ts_event,
        desk=tick.desk,
        reason=heard.reason,
        detail=heard.detail,
        provider=reasoner.config.provider.value,
        model=reasoner.model,
        spent_usd=heard.spent_usd,
        latency_ns=heard.latency_ns,
    )
