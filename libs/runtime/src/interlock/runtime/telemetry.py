"""One trace per decision, and logs that name the decision.

The trace id is the decision's id. Finished spans go to the bus, where the ledger keeps them in its
span table, and to an OTLP collector where ``OTEL_EXPORTER_OTLP_ENDPOINT`` names one. A span is made
for each message a service handles, so it is a plain object here, and becomes OpenTelemetry's, which
costs twenty times as much, only where a collector wants it, and not while a message is in hand.
"""

import json
import logging
import os
import random
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

import msgspec

from interlock.runtime.bus.port import TRACE_HEADER
from interlock.wire.base import Message, tag_of
from interlock.wire.orders import OrderDenied, OrderFilled, SubmitOrder
from interlock.wire.policy import ProposalJudged
from interlock.wire.reasoning import (
    ParameterProposal,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)
from interlock.wire.system import SpanRow, SpansExported

if TYPE_CHECKING:
    from interlock.runtime.collector import Collector

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
MAX_SPANS_WAITING = 20_000

type _Answer = (
    ParameterProposal
    | PostMortemWritten
    | RegimeAudited
    | RewardsEngineered
    | SanityJudged
    | SentimentJudged
)

_encoder = msgspec.json.Encoder()
_TRACEPARENT_PARTS = 4
_SPAN_ID_BITS = 64
# Any server may speak the chat protocol: who is behind it the protocol does not say.
_GEN_AI_PROVIDERS = {"openai-chat": "openai"}

decision_in_hand: ContextVar[str] = ContextVar("decision_in_hand", default="")


class Span:
    """A span under way."""

    __slots__ = ("attributes", "name", "parent_span_id", "span_id", "started_at", "trace_id")

    def __init__(self, trace_id: str, span_id: str, parent_span_id: str, name: str) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.name = name
        self.attributes: dict[str, str] = {}
        self.started_at = time.time_ns()


class Telemetry:
    """The tracer of one service. It keeps finished spans until they are taken.

    When nobody takes them it drops the newest, and counts those in `dropped`.
    """

    def __init__(self, service: str, environment: Mapping[str, str] = os.environ) -> None:
        self.service = service
        self.dropped = 0
        self._finished: list[SpanRow] = []
        self._random = random.Random()  # noqa: S311 - span ids need to differ, not to be secret
        self._collector = _collector(service) if environment.get(OTLP_ENDPOINT) else None

    def start(self, message: Message, subject: str, headers: Mapping[str, str]) -> Span:
        """Open the span of handling `message`, under the span of whoever published it."""
        trace_id = message.decision_id
        decision_in_hand.set(trace_id)
        parent = headers.get(TRACE_HEADER, "").split("-")
        told = len(parent) == _TRACEPARENT_PARTS and parent[1] == trace_id
        span = Span(
            trace_id,
            f"{self._random.getrandbits(_SPAN_ID_BITS) or 1:016x}",
            parent[2] if told else "",
            f"{self.service} {tag_of(type(message)).rpartition('.')[0]}",
        )
        span.attributes["messaging.destination.name"] = subject
        span.attributes["messaging.message.id"] = message.message_id
        return span

    def headers_of(self, span: Span) -> dict[str, str]:
        """Return the W3C header that puts what is published now under `span`."""
        return {TRACE_HEADER: f"00-{span.trace_id}-{span.span_id}-01"}

    def finish(self, span: Span, said: Sequence[Message] = (), error: str = "") -> None:
        """Close a span with what came of it."""
        attributes = span.attributes
        if said:
            attributes["interlock.said"] = ",".join([tag_of(type(m)) for m in said])
            for message in said:
                attributes |= _numbers_of(message)
        if error:
            attributes["error.message"] = error
        if len(self._finished) >= MAX_SPANS_WAITING:
            self.dropped += 1
            return
        row = SpanRow(
            trace_id=span.trace_id,
            span_id=span.span_id,
            parent_span_id=span.parent_span_id,
            service=self.service,
            name=span.name,
            started_at=span.started_at,
            ended_at=time.time_ns(),
            failed=bool(error),
            attributes=attributes,
        )
        self._finished.append(row)

    def take_spans(self) -> SpansExported | None:
        """Return the finished spans that were not sent yet, none where there are none."""
        spans, self._finished = self._finished, []
        if not spans:
            return None
        if self._collector is not None:
            self._collector.send(spans)
        return SpansExported(spans=spans)

    def close(self) -> None:
        if self._collector is not None:
            self._collector.close()


def _collector(service: str) -> "Collector":
    from interlock.runtime.collector import Collector

    return Collector(service)


def _numbers_of(message: Message) -> dict[str, str]:
    """Return what a person reading the waterfall wants to see of a message."""
    match message:
        case OrderDenied():
            return {
                f"interlock.denied.{failure.code}": f"{failure.observed} against {failure.limit}"
                for failure in message.failures
            }
        case SubmitOrder():
            return {
                "interlock.approved": f"{message.side} {message.quantity} {message.instrument_id}"
            }
        case OrderFilled():
            return {"interlock.filled": f"{message.last_qty} at {message.last_px}"}
        case (
            ParameterProposal()
            | PostMortemWritten()
            | RegimeAudited()
            | RewardsEngineered()
            | SanityJudged()
            | SentimentJudged()
        ):
            return _model_call(message) if message.prompt else {}
        case ReasonerFailed():
            return _failed_call(message)
        case ProposalJudged():
            verdict = f"{message.old:g} to {message.proposed:g}: {message.verdict}"
            return {"interlock.verdict": verdict}
        case _:
            return {}


def _model_call(said: _Answer) -> dict[str, str]:
    """Return the attributes of OpenTelemetry's semantic conventions for generative models."""
    return {
        **_request(said.provider, said.requested_model),
        "gen_ai.response.model": said.model,
        "gen_ai.output.type": "json",
        "gen_ai.usage.input_tokens": str(said.tokens_in),
        "gen_ai.usage.output_tokens": str(said.tokens_out),
        "interlock.prompt_hash": said.prompt_hash,
        "interlock.prompt_files": said.prompt_files,
        "interlock.cost_usd": str(said.cost_usd),
    }


def _failed_call(said: ReasonerFailed) -> dict[str, str]:
    return {
        **_request(said.provider, said.model),
        # The span may hold the answer of another model that was asked in its place.
        f"interlock.model_failed.{said.provider}": f"{said.reason}: {said.detail}",
    }


def _request(provider: str, model: str) -> dict[str, str]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _GEN_AI_PROVIDERS.get(provider, provider),
        "gen_ai.request.model": model,
    }


def encode_spans(spans: SpansExported) -> bytes:
    return _encoder.encode(spans)


class JsonLines(logging.Formatter):
    """One JSON object a line, with the decision in hand."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "decision_id": decision_in_hand.get(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_as(service: str) -> None:
    """Send every log line of this process to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=os.environ.get("INTERLOCK_LOG", "INFO"), handlers=[handler])
