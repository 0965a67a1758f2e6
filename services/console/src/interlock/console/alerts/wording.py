"""A message as people read it: plain text that no receiver takes for anything else. Pure.

Theory of operation. Part of an alert's text may come from a model or from the news. Each receiver
has a markup of its own, so besides what the library escapes for it, the text here holds nothing
that any of them acts on: no tags, no links, no calls to everybody, no control or direction
characters. Names such as ``kill_switch.pressed`` stay as they are.
"""

import re
import unicodedata
from datetime import UTC, datetime

from interlock.console.alerts.lines import RANK, Note, Told
from interlock.model.values import Severity

TEXT_CHARS = 400
LINE_CHARS = 120
LINES_SHOWN = 8
_SECOND = 1_000_000_000
_LATE_SECONDS = 60
_MARKUP = str.maketrans(
    {
        "<": "(",
        ">": ")",
        "[": "(",
        "]": ")",
        "`": "'",
        "*": "·",
        "~": "-",
        "|": "/",
        "\\": "/",
        "@": "(at)",
        "&": "+",
    }
)
_LINK = re.compile(r"(?i)(?:[a-z][a-z0-9+.-]*:)?//+|\b(?:mailto|javascript|tel|data):(?=\S)")


def plain(text: str, most: int = TEXT_CHARS) -> str:
    """Return text of any origin on one line of at most `most` characters, harmless."""
    # Cut first: work stays small for a text of a megabyte.
    text = unicodedata.normalize("NFKC", text[: most * 4])
    text = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text)
    text = _LINK.sub("(link) ", " ".join(text.split())).translate(_MARKUP)
    text = " ".join(text.split()).lstrip("#")
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def title(told: Told, desk: str) -> str:
    """Return the first line: how bad, where, and what."""
    head = f"{told.severity.upper()} {plain(desk, LINE_CHARS)}"
    if told.digest:
        return f"{head}: {told.count} alerts held back"
    return f"{head}: {plain(told.notes[0].code, LINE_CHARS)}"


def body(told: Told, now: int, *, on_data: bool) -> str:
    """Return the rest. `on_data`: the desk's time is that of recorded data."""
    if told.digest:
        return _digest(told)
    note = told.notes[0]
    said = [plain(note.text)]
    if note.repeats:
        said = [f"again, and {_more(note.count)} since: {said[0]}"]
    elif note.count > 1:
        said.append(f"{_more(note.count - 1)} of its kind before, less severe")
    when = f"{_moment(note.ts_event)}, by {plain(note.service, LINE_CHARS)}"
    late = (now - note.ts_event) // _SECOND
    if not on_data and late > _LATE_SECONDS:
        when += f"; told {_length(late)} late"
    return "\n".join([*said, when])


def _digest(told: Told) -> str:
    worst_first = sorted(told.notes, key=lambda note: -RANK[note.severity])
    lines = [_line(note) for note in worst_first[:LINES_SHOWN]]
    left = told.count - sum(note.count for note in worst_first[:LINES_SHOWN])
    if left:
        lines.append(f"and {left} more")
    lines.append("too many came at once; all of them: interlock alerts list")
    counts = {
        severity: told.fallen.get(severity, 0)
        + sum(note.count for note in told.notes if note.severity is severity)
        for severity in reversed(Severity)
    }
    by_severity = ", ".join(f"{many} {severity}" for severity, many in counts.items() if many)
    return "\n".join([by_severity, *lines])


def _line(note: Note) -> str:
    times = f" x{note.count}" if note.count > 1 else ""
    text = plain(f"{note.code}{times}: {note.text}", LINE_CHARS)
    return f"{note.severity.upper()} {_moment(note.ts_event)} {text}"


def _more(count: int) -> str:
    return f"{count} more"


def _moment(ts_event: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ts_event // _SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return "at no time that can be shown"


def _length(seconds: int) -> str:
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"
