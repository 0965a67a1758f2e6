"""What the feed calls wrong. Each limit is that of one instrument."""

from msgspec import Struct


class FeedConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[feed]``.

    Parameters
    ----------
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
    """

    jump_limit_pct: float = 20.0
    gap_after_bars: int = 3
    stale_after_bars: int = 3
    shortest_hole_seconds: int = 60
    session_break_hours: float = 4.0
    daily_gap_days: int = 5
    max_clock_offset_ms: int = 250

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name} must be above zero, not {value}")
