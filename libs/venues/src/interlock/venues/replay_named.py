"""Named data sets: daily bars that come with a package, so a replay needs no internet.

The bars are `bokeh_sampledata.stocks`: AAPL, FB, GOOG, IBM and MSFT, 2000-03-01 to 2013-03-01,
from Quandl WIKI Prices, which Quandl declared to be in the public domain. Its prices are those of
the day and hold splits, which are not crashes: open, high, low and close are multiplied by
adj_close / close and volume is divided by it. Importing the module takes 0.05 s and no pandas
(its `data` attribute would bring pandas in).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from importlib import import_module
from typing import Any

from msgspec import Struct, structs

from interlock.venues.replay_rows import RawBar, ReplayData, ReplayError, listed
from interlock.venues.replay_sessions import session

DAY_SECONDS = 86_400
_SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
_ORIGIN = (
    "bokeh_sampledata.stocks (Quandl WIKI Prices, public domain), daily bars {first} to {last}, "
    "adjusted for splits and dividends"
)


class NamedSet(Struct, frozen=True, kw_only=True):
    """A stretch of the stored years, both days included."""

    first: date
    last: date
    why: str


NAMED_SETS = {
    "crash-2008": NamedSet(
        first=date(2007, 1, 3),
        last=date(2009, 12, 31),
        why="a calm year, the fall of 2008, the recovery",
    ),
    "flash-crash-2010": NamedSet(
        first=date(2010, 1, 4),
        last=date(2010, 12, 31),
        why="the year of the flash crash of 6 May",
    ),
    "calm-2005": NamedSet(
        first=date(2005, 1, 3),
        last=date(2005, 12, 30),
        why="a year in which nothing much happened",
    ),
    "stocks": NamedSet(
        first=date(2000, 3, 1),
        last=date(2013, 3, 1),
        why="everything there is: what the shipped models are trained on, each on its first years",
    ),
}
DEFAULT_SET = "crash-2008"


def open_named(
    name: str,
    instruments: Sequence[str] | None,
    first: date | None = None,
    last: date | None = None,
) -> ReplayData:
    """Return the named set `name`, of all its symbols or of `instruments` only.

    Raises
    ------
    ReplayError
        When a symbol is not in the set, or none of its days is between `first` and `last`.
    """
    wanted = _between(name, first, last)
    stocks: Any = import_module("bokeh_sampledata.stocks")
    by_symbol = {symbol: list(_bars(stocks, symbol, wanted)) for symbol in _SYMBOLS}
    present = [symbol for symbol, bars in by_symbol.items() if bars]
    absent = sorted(set(instruments or ()) - set(present))
    if absent:
        raise ReplayError(f"{name} has no {listed(absent)}: it has {listed(present)}")
    chosen = tuple(symbol for symbol in present if not instruments or symbol in instruments)
    rows = sorted(
        (bar for symbol in chosen for bar in by_symbol[symbol]),
        key=lambda bar: (bar.ts_complete, bar.symbol),
    )
    return ReplayData(
        dataset=name,
        origin=_ORIGIN.format(first=wanted.first, last=wanted.last),
        instruments=chosen,
        bars=len(rows),
        bar_seconds=DAY_SECONDS,
        ts_first=rows[0].ts_complete,
        ts_last=rows[-1].ts_complete,
        rows=lambda: iter(rows),
    )


def _between(name: str, first: date | None, last: date | None) -> NamedSet:
    whole = NAMED_SETS[name]
    part = structs.replace(
        whole, first=max(whole.first, first or date.min), last=min(whole.last, last or date.max)
    )
    if part.first > part.last:
        raise ReplayError(
            f"{name} has no bars from {first} to {last}: it has {whole.first} to {whole.last}"
        )
    return part


def _bars(stocks: Any, symbol: str, wanted: NamedSet) -> Iterator[RawBar]:
    columns = getattr(stocks, symbol)
    first, last = wanted.first.isoformat(), wanted.last.isoformat()
    for index, day in enumerate(columns["date"]):
        if first <= day <= last:
            starts, completes = session(date.fromisoformat(day))
            # One factor for all four prices: rounding cannot lift a close above its high.
            factor = columns["adj_close"][index] / columns["close"][index]
            yield RawBar(
                ts_start=starts,
                ts_complete=completes,
                symbol=symbol,
                open=columns["open"][index] * factor,
                high=columns["high"][index] * factor,
                low=columns["low"][index] * factor,
                close=columns["close"][index] * factor,
                volume=columns["volume"][index] / factor,
            )
