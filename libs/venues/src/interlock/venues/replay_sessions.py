"""When a daily bar begins and is complete."""

from datetime import date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos

_OPENS = time(9, 30)
_CLOSES = time(16, 0)


@cache
def session(day: date) -> tuple[UnixNanos, UnixNanos]:
    """Return the open and the close of the New York session of `day`.

    A date says no more. Half days close earlier and other exchanges elsewhere, but a bar that is
    taken to be complete too late does no harm, and too early would show the desk the future.
    """
    zone = ZoneInfo("America/New_York")
    opens = int(datetime.combine(day, _OPENS, zone).timestamp())
    closes = int(datetime.combine(day, _CLOSES, zone).timestamp())
    return opens * NANOS_PER_SECOND, closes * NANOS_PER_SECOND
