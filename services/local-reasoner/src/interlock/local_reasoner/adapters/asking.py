"""The shell of the questions: ask the model, read its answer, report.

Theory of operation. In a replay the answer is waited for, so that the same data gives the same
decisions. Live, the question goes on beside the loop and its answer is reported when it comes: a
model that hangs delays nothing but itself. That there is one question of a kind at a time is the
core's to see to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from interlock.local_reasoner.ports import AnyAsk, ModelAnswered, ModelFailed, QuestionSent
from interlock.model.plain_text import plain_text
from interlock.model.values import ZERO
from interlock.reasoning.caller import Answered, ModelCaller
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from interlock.wire.base import Report
from interlock.wire.reasoning import ReasonerFailure

_log = logging.getLogger(__name__)

_MAX_TOLD_ANSWER_CHARS = 4_000

_FAILURES = {
    ReadRefusal.EMPTY: ReasonerFailure.EMPTY,
    ReadRefusal.TRUNCATED: ReasonerFailure.TRUNCATED,
}

type Tell = Callable[[Report], None]


@dataclass(slots=True)
class Asking:
    """What is under way at the model. Without `report` the caller is made to wait."""

    caller: ModelCaller
    report: Tell | None = None
    _under_way: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def ask(self, effect: AnyAsk) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        if self.report is None or not self.caller.provider.metered:
            return self._waited_for(effect)
        task = asyncio.get_running_loop().create_task(self._told(effect, self.report))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return [QuestionSent(asked=effect)]

    async def close(self) -> None:
        """End what is under way: its occasion comes again, or a newer one."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _waited_for(self, effect: AnyAsk) -> Sequence[Report]:
        return [QuestionSent(asked=effect), *await ask_model(self.caller, effect)]

    async def _told(self, effect: AnyAsk, report: Tell) -> None:
        try:
            (answer,) = await ask_model(self.caller, effect)
        except Exception as error:  # noqa: BLE001 - whatever it is, the question is over
            # Without an answer no question of this kind would ever be asked again.
            _log.exception("a question of kind %s broke", effect.kind)
            answer = ModelFailed(
                asked=effect,
                reason=ReasonerFailure.PROVIDER,
                detail=f"broken: {type(error).__name__}",
                spent_usd=ZERO,
                latency_ns=0,
            )
        report(answer)


async def ask_model(caller: ModelCaller, effect: AnyAsk) -> Sequence[Report]:
    """Return one report: an answer that was read, or why there is none."""
    return (await _answer(caller, effect),)


async def _answer(caller: ModelCaller, effect: AnyAsk) -> ModelAnswered | ModelFailed:
    asked = await caller.ask(effect.question, effect.call_id)
    if not isinstance(asked, Answered):
        return ModelFailed(
            asked=effect,
            reason=asked.reason,
            detail=plain_text(asked.detail, 300),
            spent_usd=asked.spent_usd,
            latency_ns=asked.latency_ns,
        )
    reading = read(asked.answer.text, effect.question.schema)
    if isinstance(reading, Unreadable):
        return ModelFailed(
            asked=effect,
            reason=_FAILURES.get(reading.code, ReasonerFailure.PARSE),
            detail=f"{reading.code}: {reading.reason}",
            spent_usd=asked.spent_usd,
            latency_ns=asked.latency_ns,
        )
    return ModelAnswered(
        asked=effect,
        answer=reading,
        text=plain_text(asked.answer.text, _MAX_TOLD_ANSWER_CHARS),
        model=plain_text(asked.answer.model, 100),
        tokens_in=asked.answer.tokens_in,
        tokens_out=asked.answer.tokens_out,
        cost_usd=asked.spent_usd,
        latency_ns=asked.latency_ns,
    )
