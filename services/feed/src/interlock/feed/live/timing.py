"""What can be wrong with the times of what a live source gives."""

from interlock.feed.checks import Fault
from interlock.feed.config import FeedConfig
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.replay_rows import RawBar
from interlock.wire.market import FeedCondition

_NANOS_PER_MS = 1_000_000
TRAVEL_NS = NANOS_PER_SECOND
"""A time may be this far ahead of its coming, beside the difference of the clocks."""


def is_ahead(ts: UnixNanos, at: UnixNanos, config: FeedConfig) -> Fault | None:
    """Return the fault of a time that lies ahead of the moment at which it was told."""
    ahead_ns = ts - at
    limit_ns = config.max_clock_offset_ms * _NANOS_PER_MS + TRAVEL_NS
    if ahead_ns <= limit_ns:
        return None
    ahead, limit = ahead_ns / NANOS_PER_SECOND, limit_ns / NANOS_PER_SECOND
    return _invalid(f"its time is {ahead:g} s ahead of ours", ahead, limit)


def wrong_length(row: RawBar, bar_ns: int) -> Fault | None:
    length_ns = row.ts_complete - row.ts_start
    if length_ns == bar_ns:
        return None
    length, wanted = length_ns / NANOS_PER_SECOND, bar_ns / NANOS_PER_SECOND
    return _invalid(f"a bar of {length:g} s where {wanted:g} s are wanted", length, wanted)


def _invalid(detail: str, observed: float, limit: float) -> Fault:
    return Fault(
        condition=FeedCondition.INVALID, detail=detail, drops=True, observed=observed, limit=limit
    )
