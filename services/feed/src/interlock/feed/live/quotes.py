"""What can be wrong with a live quote."""

from math import isfinite

from interlock.feed.checks import Fault
from interlock.feed.config import FeedConfig
from interlock.feed.live.timing import TRAVEL_NS, is_ahead
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.source import RawQuote
from interlock.wire.market import FeedCondition

_PER_CENT = 100.0


def judge_quote(quote: RawQuote, at: UnixNanos, config: FeedConfig) -> Fault | None:
    """Return the first thing that forbids to pass on `quote`, which came `at`."""
    bid, ask = quote.bid, quote.ask
    if not (isfinite(bid) and isfinite(ask)):
        detail = "the bid or the ask is no finite number"
        return Fault(condition=FeedCondition.NOT_A_NUMBER, detail=detail, drops=True)
    if min(bid, ask) <= 0:
        return Fault(
            condition=FeedCondition.ZERO,
            detail="the bid or the ask is not above zero",
            drops=True,
            observed=min(bid, ask),
            limit=0.0,
        )
    if bid > ask:
        return Fault(
            condition=FeedCondition.CROSSED,
            detail="the bid is above the ask",
            drops=True,
            observed=bid,
            limit=ask,
        )
    return is_ahead(quote.ts, at, config)


def late_fault(quote: RawQuote, last_ts: UnixNanos) -> Fault | None:
    """Return what to announce of a quote that is older than the last one.

    A little is nothing: the quotes of several exchanges overtake each other on their way.
    """
    late_ns = last_ts - quote.ts
    if late_ns <= TRAVEL_NS:
        return None
    late = late_ns / NANOS_PER_SECOND
    return Fault(
        condition=FeedCondition.OUT_OF_ORDER,
        detail=f"{late:g} s older than the quote before it",
        drops=True,
        observed=late,
        limit=TRAVEL_NS / NANOS_PER_SECOND,
    )


def jump_fault(quote: RawQuote, last_close: float, config: FeedConfig) -> Fault | None:
    """Return the fault of a middle far from the last close; such a quote is passed on with it."""
    if not last_close:
        return None
    moved = abs((quote.bid + quote.ask) / 2 / last_close - 1) * _PER_CENT
    if moved <= config.jump_limit_pct:
        return None
    return Fault(
        condition=FeedCondition.JUMP,
        detail=f"the quote is {moved:.2f} % from the last close",
        observed=moved,
        limit=config.jump_limit_pct,
    )
