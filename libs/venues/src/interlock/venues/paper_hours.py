"""When the paper venue trades, and when an order for the day ends.

An exchange is named as exchange_calendars does (``XNYS``); its holidays, half days and breaks come
from there. What has no exchange never closes, and its day is that of UTC.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any
from warnings import catch_warnings, simplefilter

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos

_DAY_NS = 86_400 * NANOS_PER_SECOND
_FIRST, _LAST = "1990-01-02", "2040-12-31"


@dataclass(frozen=True, slots=True)
class Hours:
    """An exchange's hours: `opens[n]` to `closes[n]`, and the ends of its sessions, UNIX ns."""

    opens: list[UnixNanos]
    closes: list[UnixNanos]
    ends: list[UnixNanos]

    def open_at(self, moment: UnixNanos) -> bool:
        window = bisect_right(self.opens, moment) - 1
        return window >= 0 and moment < self.closes[window]

    def day_ends(self, moment: UnixNanos) -> UnixNanos:
        """Return the end of the session at `moment`, of the next one where there is none."""
        return self.ends[min(bisect_right(self.ends, moment), len(self.ends) - 1)]


def utc_day_ends(moment: UnixNanos) -> UnixNanos:
    return (moment // _DAY_NS + 1) * _DAY_NS


@cache
def hours_of(exchange: str) -> Hours:
    """Return an exchange's hours; raise `ValueError` for one that has none here."""
    try:
        calendars: Any = import_module("exchange_calendars")
    except ImportError:
        raise ValueError(
            f"the hours of {exchange} need exchange_calendars: install interlock-venues[hours]"
        ) from None
    if exchange not in calendars.get_calendar_names():
        raise ValueError(f"{exchange!r} is no exchange that exchange_calendars knows, as XNYS is")
    with catch_warnings():
        # It uses what pandas wants to do away with, which is its business and not the desk's.
        simplefilter("ignore")
        known = _sessions(calendars, exchange)
    opens, closes = _nanos(known.opens), _nanos(known.closes)
    breaks = known.break_starts.notna()
    return Hours(
        opens=sorted(opens + _nanos(known.break_ends[breaks])),
        closes=sorted(closes + _nanos(known.break_starts[breaks])),
        ends=closes,
    )


def _sessions(calendars: Any, exchange: str) -> Any:
    try:
        return calendars.get_calendar(exchange, start=_FIRST, end=_LAST)
    except ValueError:
        # Its holidays are not known for so long: then from 20 years ago to a year ahead.
        return calendars.get_calendar(exchange)


def _nanos(moments: Any) -> list[UnixNanos]:
    # The unit of a column is pandas' choice: it is asked for in nanoseconds.
    found: list[UnixNanos] = moments.astype("datetime64[ns, UTC]").astype("int64").tolist()
    return found
