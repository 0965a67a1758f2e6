"""What can be wrong with a row, and with a clock."""

from math import inf, isfinite, isnan

from msgspec import Struct

from interlock.feed.config import FeedConfig
from interlock.model.ids import NANOS_PER_SECOND
from interlock.venues.replay_rows import RawBar
from interlock.wire.market import FeedCondition

DAY_SECONDS = 86_400
_NANOS_PER_MS = 1_000_000
_PER_CENT = 100.0


class Fault(Struct, frozen=True, kw_only=True, gc=False):
    """One thing wrong with one row, with what was seen and the limit it broke, in one unit.

    `drops` says that the row is not passed on; `spoils_quote`, that its quote is not.
    """

    condition: FeedCondition
    detail: str
    drops: bool = False
    spoils_quote: bool = False
    observed: float | None = None
    limit: float | None = None


def is_quote_only(row: RawBar) -> bool:
    """Return whether nothing traded in the row, which is no fault where there is a quote."""
    untraded = isnan(row.open) and isnan(row.high) and isnan(row.low) and isnan(row.close)
    return untraded and has_quote(row)


def has_quote(row: RawBar) -> bool:
    return isfinite(row.bid) and isfinite(row.ask)


def faults_of(
    row: RawBar, last_ts: int, last_close: float, bar_seconds: int, config: FeedConfig
) -> list[Fault]:
    """Return what is wrong with `row`: one fault that drops it, or those it is passed on with.

    Parameters
    ----------
    last_ts : int
        Completion of the instrument's last row that was passed on, UNIX ns; 0 before the first.
    last_close : float
        Close of its last bar; 0 before the first.
    """
    fault = _order_fault(row, last_ts) or _value_fault(row)
    if fault is not None:
        return [fault]
    passing = (
        _gap(row, last_ts, bar_seconds, config),
        _jump(row, last_close, config),
        _quote_fault(row),
    )
    return [fault for fault in passing if fault is not None]


def _order_fault(row: RawBar, last_ts: int) -> Fault | None:
    if row.ts_complete > last_ts:
        return None
    late = (last_ts - row.ts_complete) / NANOS_PER_SECOND
    if late > 0:
        detail = f"{late:g} s older than the row before it"
        return Fault(
            condition=FeedCondition.OUT_OF_ORDER, detail=detail, drops=True, observed=late, limit=0
        )
    detail = "a second row of the same time"
    return Fault(condition=FeedCondition.DUPLICATE, detail=detail, drops=True)


def _value_fault(row: RawBar) -> Fault | None:
    if _is_sound(row) or is_quote_only(row):
        return None
    prices = (row.open, row.high, row.low, row.close)
    if not all(map(isfinite, (*prices, row.volume))):
        detail = "a price or the volume is no finite number"
        return Fault(condition=FeedCondition.NOT_A_NUMBER, detail=detail, drops=True)
    lowest = min(prices)
    if lowest == 0:
        detail = "a price is zero"
        return Fault(condition=FeedCondition.ZERO, detail=detail, drops=True, observed=0.0)
    return _range_fault(row, lowest, max(prices))


def _is_sound(row: RawBar) -> bool:
    """Return whether all is well, which nearly always it is; a NaN is on no side of anything."""
    low, high = row.low, row.high
    return (
        0.0 < low <= row.open <= high < inf and low <= row.close <= high and 0.0 <= row.volume < inf
    )


def _range_fault(row: RawBar, lowest: float, highest: float) -> Fault | None:
    if lowest < 0:
        return _invalid("a price is below zero", lowest, 0.0)
    if row.volume < 0:
        return _invalid("the volume is below zero", row.volume, 0.0)
    if highest > row.high:
        return _invalid("a price is above the high", highest, row.high)
    if lowest < row.low:
        return _invalid("a price is below the low", lowest, row.low)
    return None


def _invalid(detail: str, observed: float, limit: float) -> Fault:
    return Fault(
        condition=FeedCondition.INVALID, detail=detail, drops=True, observed=observed, limit=limit
    )


def _gap(row: RawBar, last_ts: int, bar_seconds: int, config: FeedConfig) -> Fault | None:
    if not last_ts or row.ts_complete - last_ts <= bar_seconds * NANOS_PER_SECOND:
        return None
    step = (row.ts_complete - last_ts) / NANOS_PER_SECOND
    limit = hole_limit(bar_seconds, config.gap_after_bars, config)
    if step <= limit or is_session_break(step, bar_seconds, config):
        return None
    detail = f"no row for {step:g} s before this one"
    return Fault(condition=FeedCondition.GAP, detail=detail, observed=step, limit=limit)


def hole_limit(bar_seconds: int, bars: int, config: FeedConfig) -> float:
    """Return how many seconds there may be between two rows when `bars` may be missing."""
    if bar_seconds >= DAY_SECONDS:
        # Twelve hours of grace: a session closes an hour earlier where the clocks change.
        return (config.daily_gap_days + 0.5) * DAY_SECONDS
    return max((bars + 1) * bar_seconds, config.shortest_hole_seconds)


def is_session_break(step_seconds: float, bar_seconds: int, config: FeedConfig) -> bool:
    """Return whether a hole is so long that the market must have been closed."""
    return bar_seconds < DAY_SECONDS and step_seconds >= config.session_break_hours * 3600


def _jump(row: RawBar, last_close: float, config: FeedConfig) -> Fault | None:
    if not last_close or is_quote_only(row):
        return None
    moved = abs(row.close / last_close - 1) * _PER_CENT
    if moved <= config.jump_limit_pct:
        return None
    return Fault(
        condition=FeedCondition.JUMP,
        detail=f"the close moved {moved:.2f} % from the one before",
        observed=moved,
        limit=config.jump_limit_pct,
    )


def _quote_fault(row: RawBar) -> Fault | None:
    if not has_quote(row):
        return None
    # Where the row is nothing but its quote, losing the quote is losing the row.
    drops = is_quote_only(row)
    lowest = min(row.bid, row.ask)
    if lowest <= 0:
        return Fault(
            condition=FeedCondition.ZERO,
            detail="the bid or the ask is not above zero",
            drops=drops,
            spoils_quote=True,
            observed=lowest,
            limit=0.0,
        )
    if row.bid > row.ask:
        return Fault(
            condition=FeedCondition.CROSSED,
            detail="the bid is above the ask",
            drops=drops,
            spoils_quote=True,
            observed=row.bid,
            limit=row.ask,
        )
    return None


def clock_offset(asked_at: int, source_at: int, answered_at: int) -> tuple[int, int]:
    """Return our clock minus the source's, and how wrong that may be, in nanoseconds.

    The source named its time `source_at` somewhere between our asking and its answer reaching us;
    the middle is off by half the round trip at most.
    """
    half = (answered_at - asked_at) // 2
    return asked_at + half - source_at, half


def clock_is_off(offset_ns: int | None, config: FeedConfig) -> bool:
    """Return whether our clock is too far from the source's. Not measured counts as off."""
    return offset_ns is None or abs(offset_ns) > config.max_clock_offset_ms * _NANOS_PER_MS
