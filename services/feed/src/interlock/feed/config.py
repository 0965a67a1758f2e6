"""Where the market comes from, and what the feed calls wrong."""

from enum import StrEnum

from msgspec import Struct

_MOST_QUOTES_EVERY_MS = 10_000


class BarsFrom(StrEnum):
    SOURCE = "source"
    TRADES = "trades"


class FeedConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[feed]``. Each limit is that of one instrument.

    Parameters
    ----------
    source : str
        Who tells the live market, ``alpaca`` or ``ccxt``, by the section of that name; empty for a
        desk that only replays.
    bar_seconds : int
        Length of live bars. Alpaca's own are of one minute.
    bars_from : str
        ``source``, or ``trades`` where the source has no bars of this length.
    quotes : bool
        Whether live quotes are passed on; paper orders then fill at quotes, else at bars.
    quotes_every_ms : int
        At most one quote an instrument is passed on in this time, the latest.
    warm_up_bars : int
        How many bars from before its first start a desk is given.
    longest_hole_hours : float
        What was missed is asked for no further back than this.
    silent_after_cadences : int
        A live source that has said nothing for this long counts as gone, and a bar may be late by
        as much.
    clock_every_seconds : int
        How often our clock is held against the source's.
    jump_limit_pct : float
        A close further than this from the one before is a jump. 20 % is where the United States
        close the whole market.
    gap_after_bars, stale_after_bars : int
        More missing bars than this are a gap; no row for longer than this, while others go on, is
        stale.
    shortest_hole_seconds : int
        No shorter hole is either: seconds in which nothing trades are no fault of the feed.
    session_break_hours : float
        A longer hole is a night or a weekend, not a gap.
    daily_gap_days : int
        On daily bars, more calendar days than this between two bars are a gap, or stale.
    max_clock_offset_ms : int
        Our clock may be this far from the source's.
    put_call_file, put_call_source : str
        A file of put/call ratios (``as_of,value``, a row a day), empty for none, and who counted
        them. Its path is the one from where the desk is started.
    """

    source: str = ""
    bar_seconds: int = 60
    bars_from: BarsFrom = BarsFrom.SOURCE
    quotes: bool = True
    quotes_every_ms: int = 100
    warm_up_bars: int = 30
    longest_hole_hours: float = 96.0
    silent_after_cadences: int = 2
    clock_every_seconds: int = 60
    jump_limit_pct: float = 20.0
    gap_after_bars: int = 3
    stale_after_bars: int = 3
    shortest_hole_seconds: int = 60
    session_break_hours: float = 4.0
    daily_gap_days: int = 5
    max_clock_offset_ms: int = 250
    put_call_file: str = ""
    put_call_source: str = "cboe"

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, int | float) and not isinstance(value, bool) and not value > 0:
                raise ValueError(f"{name} must be above zero, not {value}")
        if self.quotes_every_ms > _MOST_QUOTES_EVERY_MS:
            raise ValueError(f"quotes_every_ms must be at most {_MOST_QUOTES_EVERY_MS}")
