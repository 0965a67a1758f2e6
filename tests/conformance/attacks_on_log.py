"""Attacks on the journal: cut short, changed, written anew with and without the keys."""

from collections.abc import Callable, Sequence
from pathlib import Path

from interlock.runtime.anchors import Occasion, anchors_file, drop_anchor, read_anchors
from interlock.runtime.journal import (
    Entry,
    Head,
    Journal,
    JournalError,
    head_bytes,
    head_path,
    parse,
    read,
    render_head,
    render_row,
    row_after,
)
from interlock.runtime.journal_proof import check
from interlock.runtime.signing import Signer, Verifier, throwaway_signer

from tests.conformance.attack import APPROVED, Attack, in_folder

NAME = "truncating or re-hashing the log"
ROWS, ANCHORED = 12, (1, 6, 10)


class Log:
    """A journal of twelve rows whose head is signed, anchored after rows 1, 6 and 10."""

    def __init__(self, folder: Path) -> None:
        self.key = throwaway_signer()
        self.path = folder / "journal" / "journal.jsonl"
        with Journal(self.path, sign=self.key.sign) as journal:
            for number in range(1, ROWS + 1):
                journal.append([_entry(b"%d" % number)])
                if number == 1:
                    first = next(read(self.path)).hash
                    self.anchors = anchors_file(folder / "kept", "d", first, self.key.key_id)
                if number in ANCHORED:
                    drop_anchor(self.anchors, journal.place, number, Occasion.MINUTE, self.key.sign)
        self.lines = self.path.read_bytes().splitlines(keepends=True)

    def write(self, lines: Sequence[bytes]) -> None:
        self.path.write_bytes(b"".join(lines))

    def write_anew(self, changed: int, key: Signer | None, rows: int = ROWS) -> None:
        """Change a row, hash all that follow again, and sign the head where a key is given."""
        prev, lines = parse(self.lines[0], "row 1").prev, list[bytes]()
        for number in range(1, rows + 1):
            body = b"forged" if number == changed else b"%d" % number
            row = row_after(number - 1, prev, _entry(body))
            prev = row.hash
            lines.append(render_row(row))
        self.write(lines)
        if key is not None:
            signed = Head(rows, prev, key.sign(head_bytes(rows, prev)))
            head_path(self.path).write_bytes(render_head(signed))

    def verdict(self) -> str:
        verify = Verifier(self.key.public_key).verify
        try:
            anchors = read_anchors(self.anchors, verify)
        except JournalError as error:
            return f"anchors: row {error.seq}" if error.seq else "anchors"
        found = check(self.path, verify, anchors)
        if found.ok:
            return "whole"
        return "head" if found.first_bad_seq is None else f"row {found.first_bad_seq}"


def _entry(body: bytes) -> Entry:
    return Entry("DESK", "evt.test", b'{"type":"test.v1","message_id":"%s"}' % body)


def _attack(how: str, expected: str, act: Callable[[Log], None]) -> Attack:
    def verdict(folder: Path, *, attacked: bool) -> str:
        log = Log(folder)
        if attacked:
            act(log)
        return log.verdict()

    def control() -> str:
        got = in_folder(lambda folder: verdict(folder, attacked=False))
        return APPROVED if got == "whole" else got

    return Attack(
        name=NAME, how=how, expected=(expected,), control=control,
        run=lambda: [in_folder(lambda folder: verdict(folder, attacked=True))],
    )  # fmt: skip


ATTACKS = [
    _attack("one row is changed", "row 5",
            lambda log: log.write([*log.lines[:4], log.lines[4].replace(b'"5', b'"9'),
                                   *log.lines[5:]])),
    _attack("one row is removed", "row 5",
            lambda log: log.write([*log.lines[:4], *log.lines[5:]])),
    _attack("two rows change places", "row 5",
            lambda log: log.write([*log.lines[:4], log.lines[5], log.lines[4], *log.lines[6:]])),
    _attack("the last two rows are cut off", "row 11", lambda log: log.write(log.lines[:-2])),
    _attack("all of it is cut off", "row 1", lambda log: log.write([])),
    _attack("hashed anew, without a key", "row 6", lambda log: log.write_anew(4, None)),
    _attack("hashed anew, signed with another key", "row 12",
            lambda log: log.write_anew(4, throwaway_signer())),
    _attack("hashed anew, with the ledger's own key", "row 6",
            lambda log: log.write_anew(4, log.key)),
    _attack("cut off at row 8, with the ledger's own key", "row 9",
            lambda log: log.write_anew(0, log.key, rows=8)),
    _attack("the anchors are deleted", "anchors", lambda log: log.anchors.unlink()),
]  # fmt: skip
