"""Finished spans to an OpenTelemetry collector, over OTLP and HTTP."""

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from interlock.wire.system import SpanRow


class Collector:
    """Where the environment's ``OTEL_EXPORTER_OTLP_ENDPOINT`` points; sends from its own thread."""

    def __init__(self, service: str) -> None:
        self._resource = Resource({"service.name": f"interlock-{service}"})
        self._processor = BatchSpanProcessor(OTLPSpanExporter())

    def send(self, rows: Sequence[SpanRow]) -> None:
        for row in rows:
            self._processor.on_end(_span(row, self._resource))

    def close(self) -> None:
        """Send what is left, and stop."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


def _span(row: SpanRow, resource: Resource) -> ReadableSpan:
    error = row.attributes.get("error.message")
    return ReadableSpan(
        name=row.name,
        context=_context(row.trace_id, row.span_id, is_remote=False),
        parent=_context(row.trace_id, row.parent_span_id, is_remote=True)
        if row.parent_span_id
        else None,
        resource=resource,
        attributes=row.attributes,
        status=Status(StatusCode.ERROR, error) if row.failed else Status(),
        start_time=row.started_at,
        end_time=row.ended_at,
    )


def _context(trace_id: str, span_id: str, *, is_remote: bool) -> SpanContext:
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=is_remote, trace_flags=TraceFlags(1)
    )
