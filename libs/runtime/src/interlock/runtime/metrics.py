"""Prometheus metrics, fed from what a service says: no core counts anything for a dashboard."""

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from interlock.wire.base import Message
from interlock.wire.orders import OrderDenied, OrderEvent, SubmitOrder
from interlock.wire.reasoning import (
    ParameterProposal,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)

_LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        new: dict[str, Any] = {"registry": self.registry}
        self.proposals = Counter(
            "trader_ai_proposals", "Parameter proposals by provider", ["source"], **new
        )
        self.latency = Histogram(
            "trader_ai_decisions_latency_seconds",
            "Time from taking a message in hand to its acknowledgement",
            buckets=_LATENCY_BUCKETS,
            **new,
        )
        self.errors = Counter(
            "trader_ai_errors", "Model calls that gave nothing, by reason", ["reason"], **new
        )
        self.cost = Counter("trader_ai_cost_usd", "Price of the model's tokens", **new)
        self.verdicts = Counter("interlock_gate_verdicts", "Gate verdicts by code", ["code"], **new)
        self.orders = Counter("interlock_order_events", "Order events by kind", ["event"], **new)
        self.handled = Counter(
            "interlock_messages_handled", "Messages handled by type", ["type"], **new
        )
        self.parked = Counter("interlock_messages_parked", "Messages nobody could handle", **new)
        self.lag = Gauge(
            "interlock_queue_lag_messages", "Stored messages not yet given", ["stream"], **new
        )

    def said(self, message: Message) -> None:
        """Count a message this service has published."""
        count = _COUNTED.get(type(message))
        if count is not None:
            count(self, message)
        elif isinstance(message, OrderEvent):
            self.orders.labels(event=str(message.__struct_config__.tag)).inc()

    def text(self) -> bytes:
        return generate_latest(self.registry)


def _proposal(metrics: Metrics, message: ParameterProposal) -> None:
    metrics.proposals.labels(source=message.provider).inc()
    metrics.cost.inc(float(message.cost_usd))


def _answer(
    metrics: Metrics,
    message: PostMortemWritten | RegimeAudited | RewardsEngineered | SanityJudged | SentimentJudged,
) -> None:
    metrics.cost.inc(float(message.cost_usd))


def _failure(metrics: Metrics, message: ReasonerFailed) -> None:
    metrics.errors.labels(reason=message.reason).inc()
    metrics.cost.inc(float(message.spent_usd))


def _approval(metrics: Metrics, _message: SubmitOrder) -> None:
    metrics.verdicts.labels(code="approved").inc()


def _denial(metrics: Metrics, message: OrderDenied) -> None:
    for failure in message.failures:
        metrics.verdicts.labels(code=failure.code).inc()


_COUNTED: dict[type[Message], Callable[[Metrics, Any], None]] = {
    ParameterProposal: _proposal,
    PostMortemWritten: _answer,
    ReasonerFailed: _failure,
    RegimeAudited: _answer,
    RewardsEngineered: _answer,
    SanityJudged: _answer,
    SentimentJudged: _answer,
    SubmitOrder: _approval,
    OrderDenied: _denial,
}
