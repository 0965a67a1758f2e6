"""Bars from trades. Pure: time comes in with the trades and with `completed`."""

from dataclasses import dataclass, field

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawTrade


@dataclass(slots=True)
class _OpenBar:
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(slots=True)
class BarBuilder:
    """Bars of `bar_seconds` that began at `whole_from` or later: of earlier ones a part is missing.

    A trade that comes after its bar was handed over is left out. A bar without trades is no bar.
    """

    bar_seconds: int
    whole_from: UnixNanos
    _bars: dict[tuple[UnixNanos, str], _OpenBar] = field(
        default_factory=dict[tuple[UnixNanos, str], _OpenBar]
    )

    @property
    def step(self) -> int:
        return self.bar_seconds * NANOS_PER_SECOND

    def add(self, trade: RawTrade) -> None:
        start = trade.ts - trade.ts % self.step
        if start < self.whole_from:
            return
        bar = self._bars.get((start, trade.symbol))
        if bar is None:
            price = trade.price
            self._bars[start, trade.symbol] = _OpenBar(price, price, price, price, trade.size)
            return
        bar.high = max(bar.high, trade.price)
        bar.low = min(bar.low, trade.price)
        bar.close = trade.price
        bar.volume += trade.size

    def completed(self, now: UnixNanos) -> list[RawBar]:
        """Return, once, the bars that have ended by `now`, by time, then symbol."""
        over = sorted(key for key in self._bars if key[0] + self.step <= now)
        self.whole_from = max(self.whole_from, now - now % self.step)
        bars = [(key, self._bars.pop(key)) for key in over]
        return [
            RawBar(
                ts_start=start,
                ts_complete=start + self.step,
                symbol=symbol,
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=bar.volume,
            )
            for (start, symbol), bar in bars
        ]
