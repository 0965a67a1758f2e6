"""What the local reasoner asks of its shell, and what it is told."""

from decimal import Decimal

from interlock.reasoning.ports import Question
from interlock.reasoning.schemas import ParamProposalAnswer
from interlock.wire.base import Effect, Report
from interlock.wire.market import ClockTicked
from interlock.wire.reasoning import ReasonerFailure


class AskModel(Effect, frozen=True, kw_only=True):
    """Ask the model for another value than `current`, because of `tick`."""

    tick: ClockTicked
    current: float
    question: Question


class ModelAnswered(Report, frozen=True, kw_only=True):
    """The model proposes. `text` is its answer as it came, made harmless."""

    asked: AskModel
    answer: ParamProposalAnswer
    text: str
    model: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int


class ModelFailed(Report, frozen=True, kw_only=True):
    """The model gave nothing that can be used."""

    asked: AskModel
    reason: ReasonerFailure
    detail: str
    spent_usd: Decimal
    latency_ns: int
