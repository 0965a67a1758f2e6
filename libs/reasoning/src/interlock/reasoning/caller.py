"""One question to one provider: breaker, budget, timeout, retries, cost, and a value at the end."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from interlock.model.values import ZERO
from interlock.reasoning import breaker as breakers
from interlock.reasoning.answer_cache import AnswerCache, Kept, key_of
from interlock.reasoning.breaker import Breaker, BreakerLimits
from interlock.reasoning.budget import BudgetStore
from interlock.reasoning.cost import Price, most_tokens_in
from interlock.reasoning.ports import Answer, AskFailedError, Finish, Provider, Question
from interlock.reasoning.rate import Rate
from interlock.reasoning.retry import RetryPolicy, with_retries
from interlock.wire.reasoning import ReasonerFailure

# Failures of the endpoint; an answer that is no good says nothing about the endpoint.
_TRIPS_BREAKER = frozenset(
    {
        ReasonerFailure.TIMEOUT,
        ReasonerFailure.NETWORK,
        ReasonerFailure.RATE_LIMIT,
        ReasonerFailure.PROVIDER,
    }
)
# Where the line broke before the bill came, the estimate counts as spent.
_BILL_UNKNOWN = frozenset({ReasonerFailure.TIMEOUT, ReasonerFailure.NETWORK})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A complete answer, all its tries' cost in USD, and the time the caller waited."""

    answer: Answer
    spent_usd: Decimal
    latency_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NotAnswered:
    reason: ReasonerFailure
    detail: str
    spent_usd: Decimal
    latency_ns: int


type Asked = Answered | NotAnswered


@dataclass(frozen=True, slots=True)
class _Calls:
    """The tries of one question: their id, where they are reserved, and what each has cost."""

    call_id: str
    budget: BudgetStore
    bills: list[Decimal]


@dataclass(kw_only=True, slots=True)
class ModelCaller:
    """Asks one provider on behalf of one desk.

    `price` is none where nobody knows it: then nothing is asked. `today` returns the budget's day
    as ``YYYY-MM-DD``, `monotonic` nanoseconds for latency, the breaker and the `rate`. What `cache`
    holds is not asked again.
    """

    provider: Provider
    budget: BudgetStore
    price: Price | None
    retries: RetryPolicy
    breaker_limits: BreakerLimits
    today: Callable[[], str]
    monotonic: Callable[[], int] = time.monotonic_ns
    rate: Rate | None = None
    cache: AnswerCache | None = None
    _breaker: Breaker = field(default_factory=Breaker)

    async def ask(
        self, question: Question, call_id: str, budget: BudgetStore | None = None
    ) -> Asked:
        """Return what came of the question. Failures are values; only broken code raises.

        `budget` is asked in place of the caller's own.
        """
        if not self.provider.metered:
            return _judged(await self.provider.ask(question), ZERO, 0)
        key = "" if self.cache is None else key_of(self.provider, question)
        kept = None if self.cache is None else self.cache.get(key)
        if kept is not None:
            return _judged(kept.answer, kept.spent_usd, kept.latency_ns)
        asked = await self._ask(question, call_id, budget or self.budget)
        if self.cache is not None and isinstance(asked, Answered):
            entry = Kept(
                answer=asked.answer, spent_usd=asked.spent_usd, latency_ns=asked.latency_ns
            )
            self.cache.put(key, entry)
        return asked

    async def _ask(self, question: Question, call_id: str, budget: BudgetStore) -> Asked:
        started = self.monotonic()
        admitted = breakers.admitted(self._breaker, self.breaker_limits, started)
        if admitted is None:
            return NotAnswered(
                reason=self._breaker.cause,
                detail=f"not asked: {self._breaker.failures} failures in a row, cooling down",
                spent_usd=ZERO,
                latency_ns=0,
            )
        self._breaker = admitted
        bills: list[Decimal] = []
        outcome: Answer | AskFailedError = AskFailedError(ReasonerFailure.PROVIDER, "interrupted")
        try:
            outcome = await self._in_time(question, _Calls(call_id, budget, bills))
        except AskFailedError as error:
            outcome = error
        finally:
            self._note(outcome)
        spent, latency = sum(bills, ZERO), self.monotonic() - started
        if isinstance(outcome, Answer):
            return _judged(outcome, spent, latency)
        return NotAnswered(
            reason=outcome.reason, detail=outcome.detail, spent_usd=spent, latency_ns=latency
        )

    async def close(self) -> None:
        await self.provider.close()

    def _note(self, outcome: Answer | AskFailedError) -> None:
        if isinstance(outcome, AskFailedError) and outcome.reason in _TRIPS_BREAKER:
            now = self.monotonic()
            limits = self.breaker_limits
            self._breaker = breakers.failed(self._breaker, limits, now, outcome.reason)
        else:
            self._breaker = breakers.succeeded(self._breaker)

    async def _in_time(self, question: Question, calls: _Calls) -> Answer:
        seconds = question.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                attempt = partial(self._attempt, question, calls)
                return await with_retries(attempt, self.retries, seconds)
        except TimeoutError as error:
            detail = f"no answer within {seconds:g} s"
            raise AskFailedError(ReasonerFailure.TIMEOUT, detail) from error

    async def _attempt(self, question: Question, calls: _Calls, attempt: int) -> Answer:
        if self.rate is not None and not self.rate.admit(self.monotonic()):
            # Ours, not the endpoint's: it says nothing about the endpoint.
            detail = f"not asked: {self.rate.most} calls in the last minute"
            raise AskFailedError(ReasonerFailure.BUDGET, detail)
        if self.price is None:
            detail = f"nobody knows what {self.provider.model} costs: configure its price"
            raise AskFailedError(ReasonerFailure.BUDGET, detail)
        most_in = most_tokens_in(question.system, question.prompt)
        estimate = self.price(most_in, question.max_tokens)
        one, day = f"{calls.call_id}-{attempt}", self.today()
        if not await calls.budget.reserve(call_id=one, day=day, usd=estimate):
            raise AskFailedError(ReasonerFailure.BUDGET, f"no budget left on {day}")
        bill = estimate
        try:
            answer = await self.provider.ask(question)
            # Some servers report no usage; a call is not free for that.
            if answer.tokens_in > 0:
                bill = self.price(answer.tokens_in, answer.tokens_out)
        except AskFailedError as error:
            bill = estimate if error.reason in _BILL_UNKNOWN else ZERO
            raise
        else:
            return answer
        finally:
            calls.bills.append(bill)
            await calls.budget.settle(call_id=one, day=day, usd=bill)


def _judged(answer: Answer, spent_usd: Decimal, latency_ns: int) -> Asked:
    def failed(reason: ReasonerFailure, detail: str) -> NotAnswered:
        return NotAnswered(reason=reason, detail=detail, spent_usd=spent_usd, latency_ns=latency_ns)

    match answer.finish_reason:
        case Finish.LENGTH:
            return failed(ReasonerFailure.TRUNCATED, "the model was cut off")
        case Finish.REFUSAL:
            return failed(ReasonerFailure.REFUSAL, answer.text[:200] or "the model would not")
        case Finish.STOP:
            if not answer.text.strip():
                return failed(ReasonerFailure.EMPTY, "the model said nothing")
            return Answered(answer=answer, spent_usd=spent_usd, latency_ns=latency_ns)
