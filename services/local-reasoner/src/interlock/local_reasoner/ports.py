"""What the local reasoner asks of its shell, and what it is told."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from interlock.model.ids import derive_id
from interlock.reasoning.ports import Question
from interlock.wire.accounts import DaySummarised
from interlock.wire.base import Effect, Message, Report
from interlock.wire.market import ClockTicked
from interlock.wire.reasoning import ReasonerFailure


class QuestionKind(StrEnum):
    """What is asked, by the name of the answer's schema. Of a kind, one question at a time."""

    PARAMETER = "param-proposal"
    SENTIMENT = "sentiment"
    POST_MORTEM = "post-mortem"


class AskModel(Effect, frozen=True, kw_only=True):
    """Ask the model for another value than `current`, because of `tick`."""

    tick: ClockTicked
    current: float
    question: Question

    @property
    def kind(self) -> QuestionKind:
        return QuestionKind.PARAMETER

    @property
    def cause(self) -> Message:
        return self.tick

    @property
    def call_id(self) -> str:
        return self.tick.message_id


class AskSentiment(Effect, frozen=True, kw_only=True):
    """Ask the model what the news of one instrument says, at `tick`."""

    tick: ClockTicked
    instrument_id: str
    news_ids: list[str]
    question: Question

    @property
    def kind(self) -> QuestionKind:
        return QuestionKind.SENTIMENT

    @property
    def cause(self) -> Message:
        return self.tick

    @property
    def call_id(self) -> str:
        return derive_id(self.tick.message_id, self.kind, self.instrument_id)


class AskPostMortem(Effect, frozen=True, kw_only=True):
    """Ask the model about a day that is over."""

    day: DaySummarised
    figures: dict[str, float]
    question: Question

    @property
    def kind(self) -> QuestionKind:
        return QuestionKind.POST_MORTEM

    @property
    def cause(self) -> Message:
        return self.day

    @property
    def call_id(self) -> str:
        return derive_id(self.day.message_id, self.kind)


type AnyAsk = AskModel | AskSentiment | AskPostMortem


class QuestionSent(Report, frozen=True, kw_only=True):
    """The question is on its way; its answer comes later."""

    asked: AskModel | AskSentiment | AskPostMortem


class ModelAnswered(Report, frozen=True, kw_only=True):
    """The model has answered. `text` is its answer as it came, made harmless."""

    asked: AskModel | AskSentiment | AskPostMortem
    answer: Struct
    text: str
    model: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int


class ModelFailed(Report, frozen=True, kw_only=True):
    """The model gave nothing that can be used."""

    asked: AskModel | AskSentiment | AskPostMortem
    reason: ReasonerFailure
    detail: str
    spent_usd: Decimal
    latency_ns: int
