"""The hours in which orders may go out, in the exchange's own time."""

from datetime import UTC, date, datetime, time, tzinfo
from enum import StrEnum
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos


class Weekday(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


_WEEK = tuple(Weekday)


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open from `open` on, and closed again at `close`, on each of `days`."""

    days: tuple[Weekday, ...]
    open: time
    close: time

    def __post_init__(self) -> None:
        if self.open.tzinfo is not None or self.close.tzinfo is not None:
            raise ValueError("open and close are local times: give the zone as time_zone")
        if not self.open < self.close:
            raise ValueError(f"open must be before close, not {self.open} to {self.close}")


class Session(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an exchange trades: its windows, but not on the dates in `closed`."""

    time_zone: str
    windows: tuple[Window, ...]
    closed: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        zone(self.time_zone)


@cache
def zone(name: str) -> tzinfo:
    """Return a time zone. It is read once, when the configuration is: checks only look it up."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time_zone {name!r} is no time zone of this machine") from error


def is_open(session: Session, moment: UnixNanos) -> bool:
    """Return whether the exchange trades at `moment`."""
    local = datetime.fromtimestamp(moment // NANOS_PER_SECOND, zone(session.time_zone))
    if local.date() in session.closed:
        return False
    today, clock = _WEEK[local.weekday()], local.time()
    return any(
        today in window.days and window.open <= clock < window.close for window in session.windows
    )
