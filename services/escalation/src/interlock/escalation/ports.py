"""What the escalation room asks of its shell, and what it is told."""

from decimal import Decimal

from interlock.escalation.proposals import CloudAnswer
from interlock.reasoning.ports import Question
from interlock.wire.base import Effect, Report
from interlock.wire.reasoning import AnswerSource, EscalationTriggered, ReasonerFailure


class AskModel(Effect, frozen=True, kw_only=True):
    """Ask one model the question of a granted escalation."""

    escalation: EscalationTriggered
    source: AnswerSource
    question: Question


class ModelAnswered(Report, frozen=True, kw_only=True):
    """The model's answer, read; `text` is what it said, made harmless.

    `model` is the name the provider gives itself.
    """

    asked: AskModel
    answer: CloudAnswer
    text: str
    provider: str
    model: str
    requested_model: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    latency_ns: int


class ModelFailed(Report, frozen=True, kw_only=True):
    """The model gave nothing that can be used."""

    asked: AskModel
    reason: ReasonerFailure
    detail: str
    provider: str
    model: str
    spent_usd: Decimal
    latency_ns: int
