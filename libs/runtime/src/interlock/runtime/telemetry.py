"""One OpenTelemetry trace per decision, and logs that name the decision.

The trace id is the decision's id. Finished spans go to the bus, where the ledger keeps them in its
span table, and to an OTLP collector where ``OTEL_EXPORTER_OTLP_ENDPOINT`` names one.
"""

import json
import logging
import os
import random
import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

import msgspec
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from interlock.runtime.bus.port import TRACE_HEADER
from interlock.wire.base import Message, tag_of
from interlock.wire.orders import OrderDenied, OrderFilled, SubmitOrder
from interlock.wire.policy import ProposalJudged
from interlock.wire.system import SpanRow, SpansExported

OTLP_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
MAX_SPANS_WAITING = 20_000
_encoder = msgspec.json.Encoder()
_TRACEPARENT_PARTS = 4

decision_in_hand: ContextVar[str] = ContextVar("decision_in_hand", default="")


class _DecisionIds(IdGenerator):
    """Root spans take the decision's id for their trace."""

    def __init__(self) -> None:
        self.trace_id = 0
        self._random = random.Random()  # noqa: S311 - span ids need to differ, not to be secret

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64) or 1


class _Outbox(SpanProcessor):
    """Keeps finished spans until the shell sends them; drops the newest when it cannot."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []
        self.dropped = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do at the start."""

    def on_end(self, span: ReadableSpan) -> None:
        if len(self.spans) < MAX_SPANS_WAITING:
            self.spans.append(span)
        else:
            self.dropped += 1


class Telemetry:
    """The tracer of one service."""

    def __init__(self, service: str, environment: Mapping[str, str] = os.environ) -> None:
        self.service = service
        self._ids = _DecisionIds()
        self._outbox = _Outbox()
        self._provider = TracerProvider(
            id_generator=self._ids, resource=Resource({"service.name": f"interlock-{service}"})
        )
        self._provider.add_span_processor(self._outbox)
        if environment.get(OTLP_ENDPOINT):
            self._provider.add_span_processor(_otlp_processor())
        self._tracer = self._provider.get_tracer("interlock")

    def start(self, message: Message, subject: str, headers: Mapping[str, str]) -> Span:
        """Open the span of handling `message`, under the span of whoever published it."""
        decision_in_hand.set(message.decision_id)
        trace_id = int(message.decision_id, 16)
        self._ids.trace_id = trace_id
        parent = headers.get(TRACE_HEADER, "").split("-")
        context = Context()
        if len(parent) == _TRACEPARENT_PARTS and parent[1] == message.decision_id:
            remote = SpanContext(
                trace_id, int(parent[2], 16), is_remote=True, trace_flags=TraceFlags(1)
            )
            context = set_span_in_context(NonRecordingSpan(remote), context)
        tag = tag_of(type(message))
        span = self._tracer.start_span(
            f"{self.service} {tag.rsplit('.', 1)[0]}",
            context=context,
            attributes={
                "messaging.destination.name": subject,
                "messaging.message.id": message.message_id,
            },
        )
        assert isinstance(span, Span)
        return span

    def headers_of(self, span: Span) -> dict[str, str]:
        """Return the W3C header that puts what is published now under `span`."""
        context = span.get_span_context()
        return {TRACE_HEADER: f"00-{context.trace_id:032x}-{context.span_id:016x}-01"}

    def finish(self, span: Span, said: Sequence[Message] = (), error: str = "") -> None:
        """Close a span with what came of it."""
        if said:
            span.set_attribute("interlock.said", ",".join(tag_of(type(m)) for m in said))
            for message in said:
                for key, value in _numbers_of(message).items():
                    span.set_attribute(key, value)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end()

    def take_spans(self) -> SpansExported | None:
        """Return the finished spans that were not sent yet, none where there are none."""
        spans, self._outbox.spans = self._outbox.spans, []
        if not spans:
            return None
        return SpansExported(spans=[_row(self.service, span) for span in spans])

    def close(self) -> None:
        self._provider.shutdown()


def _otlp_processor() -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())


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
        case ProposalJudged():
            verdict = f"{message.old:g} to {message.proposed:g}: {message.verdict}"
            return {"interlock.verdict": verdict}
        case _:
            return {}


def _row(service: str, span: ReadableSpan) -> SpanRow:
    context = span.get_span_context()
    assert context is not None
    return SpanRow(
        trace_id=f"{context.trace_id:032x}",
        span_id=f"{context.span_id:016x}",
        parent_span_id=f"{span.parent.span_id:016x}" if span.parent else "",
        service=service,
        name=span.name,
        started_at=span.start_time or 0,
        ended_at=span.end_time or 0,
        failed=span.status.status_code is StatusCode.ERROR,
        attributes={key: str(value) for key, value in (span.attributes or {}).items()},
    )


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
