"""The shell of the one effect: ask the model, read its answer, report."""

from collections.abc import Sequence

from interlock.local_reasoner.ports import AskModel, ModelAnswered, ModelFailed
from interlock.model.plain_text import plain_text
from interlock.reasoning.caller import Answered, ModelCaller
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from interlock.reasoning.schemas import ParamProposalAnswer
from interlock.wire.base import Report
from interlock.wire.reasoning import ReasonerFailure

_MAX_TOLD_ANSWER_CHARS = 4_000

_FAILURES = {
    ReadRefusal.EMPTY: ReasonerFailure.EMPTY,
    ReadRefusal.TRUNCATED: ReasonerFailure.TRUNCATED,
}


async def ask_model(caller: ModelCaller, effect: AskModel) -> Sequence[Report]:
    """Return one report: an answer that was read, or why there is none."""
    asked = await caller.ask(effect.question, effect.tick.message_id)
    if not isinstance(asked, Answered):
        failed = ModelFailed(
            asked=effect,
            reason=asked.reason,
            detail=plain_text(asked.detail, 300),
            spent_usd=asked.spent_usd,
            latency_ns=asked.latency_ns,
        )
        return (failed,)
    reading = read(asked.answer.text, effect.question.schema)
    if isinstance(reading, Unreadable):
        unread = ModelFailed(
            asked=effect,
            reason=_FAILURES.get(reading.code, ReasonerFailure.PARSE),
            detail=f"{reading.code}: {reading.reason}",
            spent_usd=asked.spent_usd,
            latency_ns=asked.latency_ns,
        )
        return (unread,)
    assert isinstance(reading, ParamProposalAnswer)
    answered = ModelAnswered(
        asked=effect,
        answer=reading,
        text=plain_text(asked.answer.text, _MAX_TOLD_ANSWER_CHARS),
        model=plain_text(asked.answer.model, 100),
        tokens_in=asked.answer.tokens_in,
        tokens_out=asked.answer.tokens_out,
        cost_usd=asked.spent_usd,
        latency_ns=asked.latency_ns,
    )
    return (answered,)
