"""The spans of one decision as a waterfall: text for a terminal, rows for JSON."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from interlock.wire.system import SpanRow

_NANOS_PER_MS = 1_000_000
_NAME_WIDTH = 44


class Step(Struct, frozen=True, kw_only=True):
    """One span in the tree. Times in milliseconds, `start_ms` from the first span's start."""

    depth: int
    service: str
    name: str
    start_ms: float
    duration_ms: float
    failed: bool
    span_id: str
    parent_span_id: str
    attributes: dict[str, str]


def waterfall(spans: Sequence[SpanRow]) -> list[Step]:
    """Return the spans of one trace, parents before children, each level by time.

    A span whose parent was never recorded stands as a root, and so does one of a ring of parents,
    so that no span is lost.
    """
    by_id = {span.span_id: span for span in spans}
    ordered = sorted(by_id.values(), key=lambda span: (span.started_at, span.span_id))
    children = defaultdict[str, list[SpanRow]](list)
    for span in ordered:
        parent = span.parent_span_id if span.parent_span_id in by_id else ""
        children[parent].append(span)
    begin = ordered[0].started_at if ordered else 0
    steps, shown = list[Step](), set[str]()
    for root in [*children[""], *ordered]:
        waiting = [(root, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span.span_id in shown:
                continue
            shown.add(span.span_id)
            steps.append(_step(span, depth, begin))
            waiting.extend((child, depth + 1) for child in reversed(children[span.span_id]))
    return steps


def _step(span: SpanRow, depth: int, begin: int) -> Step:
    return Step(
        depth=depth,
        service=span.service,
        name=span.name,
        start_ms=(span.started_at - begin) / _NANOS_PER_MS,
        duration_ms=max(0, span.ended_at - span.started_at) / _NANOS_PER_MS,
        failed=span.failed,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id,
        attributes=span.attributes,
    )


def lines(steps: Sequence[Step], bar_width: int = 40) -> list[str]:
    """Return one line a step: name indented by depth, start and length in ms, a bar of time."""
    whole = max((step.start_ms + step.duration_ms for step in steps), default=0.0)
    return [_line(step, whole, bar_width) for step in steps]


def _line(step: Step, whole_ms: float, width: int) -> str:
    # A span of the service loop is named after its service already.
    name = f"{'  ' * step.depth}{step.service} {step.name.removeprefix(f'{step.service} ')}"
    if len(name) > _NAME_WIDTH:
        name = name[: _NAME_WIDTH - 1] + "…"
    per_ms = width / whole_ms if whole_ms > 0 else 0.0
    # Both ends on whole columns, and at least one column, so that a short span is still seen.
    left = min(int(step.start_ms * per_ms), width - 1)
    filled = max(1, min(width, round((step.start_ms + step.duration_ms) * per_ms)) - left)
    bar = " " * left + "█" * filled
    flag = " failed" if step.failed else ""
    head = f"{name:<{_NAME_WIDTH}} {step.start_ms:>9.3f} ms {step.duration_ms:>9.3f} ms"
    return f"{head} |{bar:<{width}}|{flag}"
