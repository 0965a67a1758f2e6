"""The table of a benchmark: what was measured, against what it shall be."""

import sys
from collections.abc import Sequence

from msgspec import Struct


class Line(Struct, frozen=True, kw_only=True):
    """One measured thing. `met` is none where there is no target or nothing was measured."""

    what: str
    p50: str = ""
    p99: str = ""
    rate: str = ""
    target: str = ""
    met: bool | None = None
    note: str = ""


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value that `part` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def micros(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us"


def millis(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


def print_table(lines: Sequence[Line]) -> None:
    words = {True: "yes", False: "no", None: "-"}
    head = ("what", "p50", "p99", "rate", "target", "met", "note")
    rows = [
        (line.what, line.p50, line.p99, line.rate, line.target, words[line.met], line.note)
        for line in lines
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
