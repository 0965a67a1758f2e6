"""What the API answers with. Field names are the JSON's.

Money, prices and quantities are decimal text; so are moments (``ts_*``, ``*_at``, ``*_ns``), which
are UNIX nanoseconds and would lose digits as numbers of a browser. Moments of the desk are on its
own clock, those of processes on the machine's. ``*_pct`` is percent, none what is not known.
"""

from msgspec import Struct

type Money = str
type Nanos = str


class View(Struct, frozen=True, kw_only=True):
    """An answer, or a part of one."""


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person sends."""


class ProblemView(View, frozen=True, kw_only=True):
    """An error as RFC 9457 has it. `code` is public and stays, `detail` is wording."""

    type: str
    title: str
    status: int
    detail: str
    code: str
