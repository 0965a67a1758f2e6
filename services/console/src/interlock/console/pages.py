"""Where a page of a list ended, as text for the next question.

Theory of operation. A list is ordered by moment and then by id, newest first; the next page is
asked for by the last line of this one. So a page costs the same wherever it lies, and lines that
arrive meanwhile move nothing.
"""

import base64
import re

from interlock.console.problems import unusable

MOST_LINES = 200
LINES = 50
_LONGEST = 400
_HIGHEST = 2**63 - 1
_CURSOR = re.compile(r"(\d{1,19}) (.{0,200})", re.DOTALL)


def cursor_after(moment: int, name: str) -> str:
    """Return the cursor of what follows the line of this moment and id."""
    return base64.urlsafe_b64encode(f"{moment} {name}".encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> tuple[int, str]:
    """Return moment and id after which to go on; those of the newest line where there is none.

    Raises
    ------
    ProblemError
        When it is no cursor of ours.
    """
    if not cursor:
        return _HIGHEST, ""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    found = _CURSOR.fullmatch(text) if len(cursor) <= _LONGEST else None
    if found is None or int(found[1]) > _HIGHEST or "\0" in text:
        raise unusable("cursor is none that this console gave out")
    return int(found[1]), found[2]


def bounded(limit: int) -> int:
    """Return how many lines to show.

    Raises
    ------
    ProblemError
        When that is none, or too many.
    """
    if not 1 <= limit <= MOST_LINES:
        raise unusable(f"limit is from 1 to {MOST_LINES}, not {limit}")
    return limit
