"""Bars from trades, for a source that has none of its own.

Theory of operation. A bar is open for the time of its trades and a little longer, so that a trade
on its way still counts; then it is closed and never changed. A bar that began before the link was
up has not seen all its trades: it is not whole, and its history is asked for instead.
"""

from dataclasses import dataclass
from math import inf, isfinite

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawTrade

GRACE_NS = NANOS_PER_SECOND // 2


@dataclass(slots=True)
class OpenBar:
    start: UnixNanos
    open: float
    high: float
    low: float
    close: float
    volume: float
    last_trade_at: UnixNanos

    def take(self, trade: RawTrade) -> None:
        self.high = max(self.high, trade.price)
        self.low = min(self.low, trade.price)
        self.volume += trade.size
        if trade.ts >= self.last_trade_at:
            self.close, self.last_trade_at = trade.price, trade.ts


def opened_by(trade: RawTrade, bar_ns: int) -> OpenBar:
    price = trade.price
    start = trade.ts // bar_ns * bar_ns
    return OpenBar(start, price, price, price, price, trade.size, trade.ts)


def closed(bar: OpenBar, symbol: str, bar_ns: int) -> RawBar:
    return RawBar(
        bar.start, bar.start + bar_ns, symbol, bar.open, bar.high, bar.low, bar.close, bar.volume
    )


def is_sound(trade: RawTrade) -> bool:
    return 0.0 < trade.price < inf and trade.size >= 0.0 and isfinite(trade.size)
