"""The shell of the one effect: ask the model, read its answer, ask once more, report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from interlock.escalation.ports import AskModel, ModelAnswered, ModelFailed
from interlock.escalation.proposals import CloudAnswer
from interlock.model.plain_text import plain_text
from interlock.model.values import ZERO
from interlock.reasoning.budget import AllOf, BudgetStore
from interlock.reasoning.caller import ModelCaller, NotAnswered
from interlock.reasoning.cloud_answers import (
    RegimeAuditorAnswer,
    RewardEngineerAnswer,
    SanityJudgeAnswer,
)
from interlock.reasoning.day_answers import PostMortemAnswer
from interlock.reasoning.ports import Answer, Question
from interlock.reasoning.reader import read
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from interlock.wire.base import Report
from interlock.wire.reasoning import AnswerSource, CallKind, ReasonerFailure

_MAX_TOLD_ANSWER_CHARS = 4_000
_MAX_TOLD_DETAIL_CHARS = 300
_ASKED_TWICE = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_THE_LAST_TOO = frozenset({CallKind.SANITY_JUDGE, CallKind.POST_MORTEM})
_ANSWERS = (RegimeAuditorAnswer, RewardEngineerAnswer, SanityJudgeAnswer, PostMortemAnswer)
_FAILURES = {
    ReadRefusal.EMPTY: ReasonerFailure.EMPTY,
    ReadRefusal.TRUNCATED: ReasonerFailure.TRUNCATED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Calls:
    """Where the cloud model's calls of a trading day are counted, atomically.

    `of_the_day` are all of them; `but_the_last` leaves one for the kill switch. A day that is over
    needs none for it any more.
    """

    of_the_day: BudgetStore
    but_the_last: BudgetStore

    def budgets(self, call: CallKind, day: str) -> list[tuple[BudgetStore, str | None]]:
        if call in _THE_LAST_TOO:
            return [(_CallsOnly(self.of_the_day), day)]
        return [(_CallsOnly(self.but_the_last), day), (_CallsOnly(self.of_the_day), day)]


@dataclass(frozen=True, slots=True)
class _CallsOnly:
    """A budget that is told of calls and not of money, which is counted once, elsewhere."""

    store: BudgetStore

    async def reserve(self, *, call_id: str, day: str, usd: Decimal) -> bool:  # noqa: ARG002
        return await self.store.reserve(call_id=call_id, day=day, usd=ZERO)

    async def settle(self, *, call_id: str, day: str, usd: Decimal) -> None:  # noqa: ARG002
        await self.store.settle(call_id=call_id, day=day, usd=ZERO)


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """The two models, and what the cloud's calls are counted in."""

    callers: Mapping[AnswerSource, ModelCaller]
    calls: Calls

    async def ask(self, effect: AskModel) -> Sequence[Report]:
        """Return one report: an answer that was read, or why there is none.

        An answer that cannot be read is asked for once more, with the reason; that is a call like
        any other. What rules compute would come out the same again.
        """
        caller, question = self.callers[effect.source], effect.question
        budget = self._budget(effect, caller)
        spent, waited = ZERO, 0
        tries = _ASKED_TWICE if caller.provider.metered else 1
        failure = (ReasonerFailure.PROVIDER, "not asked")
        for number in range(1, tries + 1):
            call_id = f"{effect.escalation.message_id}-{effect.source}-{number}"
            asked = await caller.ask(question, call_id, budget)
            spent, waited = spent + asked.spent_usd, waited + asked.latency_ns
            if isinstance(asked, NotAnswered):
                # The second try's budget says less than what was wrong with the first answer.
                if number == 1:
                    failure = asked.reason, plain_text(asked.detail, _MAX_TOLD_DETAIL_CHARS)
                break
            reading = read(asked.answer.text, question.schema)
            if not isinstance(reading, Unreadable):
                assert isinstance(reading, _ANSWERS)
                return (_answered(effect, caller, asked.answer, reading, spent, waited),)
            detail = f"{reading.code}: {reading.reason}"
            failure = _FAILURES.get(reading.code, ReasonerFailure.PARSE), detail
            question = _again(effect.question, detail)
        return (
            ModelFailed(
                asked=effect,
                reason=failure[0],
                detail=failure[1],
                provider=caller.provider.name,
                model=caller.provider.model,
                spent_usd=spent,
                latency_ns=waited,
            ),
        )

    async def close(self) -> None:
        for caller in self.callers.values():
            await caller.close()

    def _budget(self, effect: AskModel, caller: ModelCaller) -> BudgetStore:
        if effect.source is not AnswerSource.CLOUD:
            return caller.budget
        day = (_EPOCH + timedelta(days=effect.escalation.day)).date().isoformat()
        counted = self.calls.budgets(effect.escalation.call, day)
        return AllOf(((caller.budget, None), *counted))


def _again(question: Question, detail: str) -> Question:
    told = plain_text(detail, _MAX_TOLD_DETAIL_CHARS)
    note = (
        f"{question.system}\n\nYour last answer could not be read ({told}). Answer again, with "
        "the JSON object and nothing else."
    )
    return replace(question, system=note)


def _answered(
    effect: AskModel,
    caller: ModelCaller,
    answer: Answer,
    reading: CloudAnswer,
    spent: Decimal,
    waited: int,
) -> ModelAnswered:
    return ModelAnswered(
        asked=effect,
        answer=reading,
        text=plain_text(answer.text, _MAX_TOLD_ANSWER_CHARS),
        provider=caller.provider.name,
        model=plain_text(answer.model, 100),
        requested_model=caller.provider.model,
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        cost_usd=spent,
        latency_ns=waited,
    )
