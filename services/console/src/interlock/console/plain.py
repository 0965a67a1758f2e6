"""Rows and messages as the API's text and numbers."""

from decimal import Decimal
from math import isfinite

from interlock.console.problems import unusable

_LONGEST = 200
_HIGHEST = 2**63 - 1


def money(value: Decimal | int) -> str:
    """Return decimal text without an exponent, as people write money."""
    if isinstance(value, int) or not value.is_finite():
        return str(value)
    plain = format(value, "f")
    shown = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if shown in ("-0", "") else shown


def maybe_money(value: Decimal | None) -> str | None:
    return None if value is None else money(value)


def share(part: Decimal | float | None, whole: Decimal | float | None) -> float | None:
    """Return `part` of `whole` in percent; none where either is unknown or the whole is nothing."""
    if part is None or whole is None or not whole:
        return None
    percent = 100 * float(part) / float(whole)
    return round(percent, 4) if isfinite(percent) else None


def finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def text_of(name: str, value: str | None) -> str | None:
    """Return a word to search for.

    Raises
    ------
    ProblemError
        When it is longer than any of ours, or holds what no text of ours does.
    """
    if value is None or value == "":
        return None
    if len(value) > _LONGEST or "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
        raise unusable(f"{name} is no word that is looked for here")
    return value


def moment_of(name: str, value: str | None) -> int:
    """Return a moment in UNIX ns; 0, the beginning, where none is given.

    Raises
    ------
    ProblemError
        When it is no such number.
    """
    if value is None or value == "":
        return 0
    if not (value.isascii() and value.isdecimal()) or int(value[:25]) > _HIGHEST:
        raise unusable(f"{name} is a moment in UNIX nanoseconds, not {value[:40]!r}")
    return int(value)
