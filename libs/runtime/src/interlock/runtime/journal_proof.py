"""Whether a journal is what was written: chain, head and anchors, in one reading.

Theory of operation. The chain finds every row that was changed, moved, added or taken away, unless
all rows after it were written anew; the head's signature finds that, unless its key was at hand;
the anchors, kept in another place, find that as well. Memory is flat: one row, and the anchors.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from interlock.runtime.anchors import Anchor
from interlock.runtime.journal import (
    JournalError,
    Row,
    Verify,
    chained,
    parse,
    read_head,
    require_head,
    torn_bytes,
)


class Verdict(Struct, frozen=True, kw_only=True):
    """What `check` found. `torn_bytes` is the length of an unfinished last line."""

    ok: bool
    rows: int
    head_seq: int | None
    torn_bytes: int
    first_bad_seq: int | None = None
    reason: str = ""


def prove(
    path: Path, verify: Verify | None = None, anchors: Sequence[Anchor] = ()
) -> Iterator[Row]:
    """Yield each row once it is shown to follow the one before it, and none after a bad one.

    Parameters
    ----------
    verify
        Takes signed bytes and a signature; without it signatures are not looked at.
    anchors
        What was written down in a second place, oldest first.

    Raises
    ------
    JournalError
        At the first row that is not what was written, with its number where that is known; at the
        end when rows are missing there.
    """
    rows, proven, named_hash = 0, 0, ""
    waiting: Mapping[int, Anchor] = {one.seq: one for one in anchors if one.seq > 0}
    head = read_head(path, verify)
    if head.seq == 0:
        named_hash = head.hash
    with path.open("rb") as file:
        torn = torn_bytes(file)
        file.seek(0)
        for row in chained(file):
            rows = row.seq
            if rows == 1 and head.seq == 0 and row.prev != head.hash:
                raise JournalError("row 1 does not follow what the head was signed for", seq=1)
            anchor = waiting.get(rows)
            if anchor is not None:
                if anchor.hash != row.hash:
                    raise JournalError(
                        f"row {rows} is not the row that was anchored at {anchor.moment}: what "
                        f"follows row {proven} was written anew",
                        seq=rows,
                    )
                proven = rows
            if rows == head.seq:
                named_hash = row.hash
                require_head(head, rows, named_hash)
            yield row
        if torn:
            _require_unfinished(file, torn, rows)
    require_head(head, rows, named_hash)
    if anchors and anchors[-1].seq > rows:
        raise JournalError(
            f"the journal ends at row {rows}, but row {anchors[-1].seq} was anchored at "
            f"{anchors[-1].moment}",
            seq=rows + 1,
        )


def _require_unfinished(file: BinaryIO, torn: int, rows: int) -> None:
    """Raise where the last line is a whole row whose end was changed."""
    file.seek(-torn, os.SEEK_END)
    try:
        parse(file.read(torn)[:-1], "the last line")
    except JournalError:
        return
    raise JournalError(f"the line of row {rows + 1} does not end as a line does", seq=rows + 1)


def check(path: Path, verify: Verify | None = None, anchors: Sequence[Anchor] = ()) -> Verdict:
    """Read the whole journal and say whether chain, head and anchors agree."""
    rows, torn, head_seq = 0, 0, None
    try:
        with path.open("rb") as file:
            torn = torn_bytes(file)
        head_seq = read_head(path, None).seq
        for row in prove(path, verify, anchors):
            rows = row.seq
    except (JournalError, OSError) as error:
        return Verdict(
            ok=False,
            rows=rows,
            head_seq=head_seq,
            torn_bytes=torn,
            first_bad_seq=error.seq if isinstance(error, JournalError) else None,
            reason=str(error),
        )
    return Verdict(ok=True, rows=rows, head_seq=head_seq, torn_bytes=torn)
