"""What the shell of a live feed is asked, and what it reports. Times are UNIX ns of our clock."""

from collections.abc import Mapping

from interlock.model.ids import UnixNanos
from interlock.venues.source import RawNews, RawQuote, RawTrade
from interlock.wire.base import Effect, Report


class QuoteRead(Report, frozen=True, kw_only=True):
    """The source gave a quote; `at` is when it came."""

    quote: RawQuote
    at: UnixNanos


class TradeRead(Report, frozen=True, kw_only=True):
    trade: RawTrade
    at: UnixNanos


class NewsRead(Report, frozen=True, kw_only=True):
    news: RawNews
    at: UnixNanos


class LinkMoved(Report, frozen=True, kw_only=True):
    """The source's stream is up, or down with the reason."""

    up: bool
    reason: str
    at: UnixNanos


class HoleFilled(Report, frozen=True, kw_only=True):
    """The history that was asked for has been handed over, or there is none for a reason."""

    reason: str
    at: UnixNanos


class ClockMeasured(Report, frozen=True, kw_only=True):
    """Our clock minus the source's; none where it tells no time."""

    offset_ns: int | None


class FillHole(Effect, frozen=True, kw_only=True):
    """Ask for the bars that began at these moments or later, by the source's symbol."""

    since: Mapping[str, UnixNanos]
    until: UnixNanos


class TakeMore(Effect, frozen=True, kw_only=True):
    """All that was taken so far is stored: what has come meanwhile may follow."""


class TellCounts(Effect, frozen=True, kw_only=True):
    """Write down what came in and what became of it, since the start."""

    counts: Mapping[str, int]
