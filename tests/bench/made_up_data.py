"""Market data made for measuring: the same rows every time, and as many as are asked for."""

from collections.abc import Iterator
from math import sin

from interlock.venues.replay_rows import RawBar, ReplayData

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT", "SPY")
BAR_SECONDS = 60
_START = 1_700_000_000 // BAR_SECONDS * BAR_SECONDS * 1_000_000_000
_BAR_NS = BAR_SECONDS * 1_000_000_000


def quiet_market(bars: int, symbols: tuple[str, ...] = SYMBOLS) -> ReplayData:
    """Return prices that move less than any threshold: a desk that never trades."""
    return _data("quiet", bars, symbols, lambda index: 100.0 + 1e-4 * sin(index))


def swinging_market(bars: int, symbols: tuple[str, ...] = SYMBOLS) -> ReplayData:
    """Return prices that go up 20 bps and down again: a desk that trades at every bar."""
    return _data("swinging", bars, symbols, lambda index: 100.0 + 0.2 * (index % 2))


def _data(name: str, bars: int, symbols: tuple[str, ...], price_at) -> ReplayData:
    def rows() -> Iterator[RawBar]:
        for number in range(bars):
            index, which = divmod(number, len(symbols))
            starts, price = _START + index * _BAR_NS, price_at(index)
            yield RawBar(
                ts_start=starts,
                ts_complete=starts + _BAR_NS,
                symbol=symbols[which],
                open=price,
                high=price + 0.01,
                low=price - 0.01,
                close=price,
                volume=1e6,
            )

    return ReplayData(
        dataset=name,
        origin="made up",
        instruments=symbols,
        bars=bars,
        bar_seconds=BAR_SECONDS,
        ts_first=_START + _BAR_NS,
        ts_last=_START + _BAR_NS * (1 + (bars - 1) // len(symbols)),
        rows=rows,
    )
