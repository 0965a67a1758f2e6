"""What the feed asks of a live source of market data. Every adapter speaks this.

Theory of operation. A source hands over what its venue says, unjudged, under the venue's own
symbols: the feed judges it and names instruments. After a lost connection it reconnects without
end, asks for the history of the hole, hands that over first, and then says that it is up.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from interlock.model.ids import UnixNanos
from interlock.venues.replay_rows import RawBar


class RawQuote(Struct, frozen=True, gc=False):
    """Top of the book at `ts`, UNIX ns of the venue's clock. Sizes in units."""

    ts: UnixNanos
    symbol: str
    bid: float
    ask: float
    bid_size: float
    ask_size: float


class RawTrade(Struct, frozen=True, gc=False):
    """One trade on the tape."""

    ts: UnixNanos
    symbol: str
    price: float
    size: float
    trade_id: str


class RawNews(Struct, frozen=True, gc=False):
    """One item as the source wrote it: text from outside, not cleaned."""

    ts: UnixNanos
    news_id: str
    symbols: tuple[str, ...]
    headline: str
    summary: str
    author: str
    url: str


class SourceMoved(Struct, frozen=True, gc=False):
    """The stream is up, with the hole filled, or down, with the reason, free of secrets."""

    up: bool
    reason: str


type SourceEvent = RawBar | RawQuote | RawTrade | RawNews | SourceMoved
type TellFeed = Callable[[SourceEvent], None]


class SourceUnavailableError(Exception):
    """The source does not answer, or refuses. The text is one line, without secrets."""


class MarketSource(Protocol):
    """A live source for some symbols."""

    async def history(
        self, symbols: Sequence[str], bar_seconds: int, since: UnixNanos, until: UnixNanos
    ) -> Sequence[RawBar]:
        """Return bars that began in [`since`, `until`), by time, then symbol.

        Raises
        ------
        SourceUnavailableError
            When the venue does not answer or refuses.
        """
        ...

    async def run(self, tell: TellFeed) -> None:
        """Hand over live data until cancelled."""
        ...

    async def clock_offset_ns(self) -> int | None:
        """Return our clock minus the venue's, none where the venue tells no time."""
        ...

    async def close(self) -> None: ...
