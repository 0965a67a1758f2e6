"""Times as people write and read them; inside, UNIX nanoseconds UTC."""

import re
from datetime import UTC, date, datetime, timedelta

from interlock.cli.errors import CliError

_NANOS = 1_000_000_000
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_MOST_DAY_DIGITS = 6
_LENGTH = re.compile(r"(\d{1,6})([smhd])", re.ASCII)


def parse_length(text: str) -> int:
    """Return a length of time such as ``90s``, ``15m``, ``4h`` or ``1d`` in nanoseconds.

    Raises
    ------
    CliError
        When it is none, or is zero.
    """
    found = _LENGTH.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise CliError(f"{text!r} is no length of time: write 90s, 15m, 4h or 1d")
    return int(found[1]) * _UNIT_SECONDS[found[2]] * _NANOS


def parse_moment(text: str) -> int:
    """Return a moment, given in UNIX nanoseconds or in ISO 8601 with its zone, in nanoseconds.

    Raises
    ------
    CliError
        When it is neither, or has no zone.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CliError(f"{text!r} is no moment: write UNIX nanoseconds, or 2008-10-10T14:30:00Z")
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    # Whole microseconds: a float would lose the last digits.
    microseconds = (since_epoch.days * 86_400 + since_epoch.seconds) * 10**6
    return (microseconds + since_epoch.microseconds) * 1_000


def show_moment(moment: int) -> str:
    """Return a moment to the millisecond, without the time where it is midnight."""
    seconds, rest = divmod(moment, _NANOS)
    at = datetime.fromtimestamp(seconds, UTC)
    if rest == 0 and at.hour == at.minute == at.second == 0:
        return at.strftime("%Y-%m-%d")
    return f"{at:%Y-%m-%d %H:%M:%S}.{rest // 1_000_000:03d}"


_FIRST_DAY = date(1970, 1, 1)


def parse_day(text: str) -> int:
    """Return a trading day, given as 2008-10-10 or as its number, as its number from 1970.

    Raises
    ------
    CliError
        When it is neither.
    """
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DAY_DIGITS:
        return int(text)
    try:
        return (date.fromisoformat(text) - _FIRST_DAY).days
    except ValueError:
        raise CliError(f"{text!r} is no day: write 2008-10-10, or its number from 1970") from None


def show_day(day: int) -> str:
    """Return the date of a trading day."""
    return (_FIRST_DAY + timedelta(days=day)).isoformat()
