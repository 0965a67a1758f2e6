"""The journal's part of F10: its rows, its head and its anchors."""

import shutil
import tempfile
from pathlib import Path
from random import Random

from interlock.runtime.anchors import Occasion, drop_anchor, read_anchors
from interlock.runtime.journal import Entry, Journal, JournalError, Row, read
from interlock.runtime.journal_proof import check
from interlock.runtime.signing import journal_signer, journal_verifier

from tests.chaos.damage import damage_one, files_below
from tests.chaos.damage_counts import Damage

ROWS = 200
ANCHORED_AT = ROWS // 2


def damaged_journal(chance: Random, trials: int) -> Damage:
    found = Damage("journal")
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as name:
        folder = Path(name)
        whole = _write(folder)
        for _ in range(trials):
            copy = folder / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(folder / "kept", copy)
            done = damage_one(files_below(copy), chance)
            reason = _reason(folder, copy)
            found.judge(done, harmless=_rows(copy) == whole, detected=bool(reason))
    return found


def _write(folder: Path) -> list[Row]:
    signer = journal_signer(folder / "secrets")
    path = folder / "kept" / "journal.jsonl"
    with Journal(path, sign=signer.sign, rows_per_head=32) as journal:
        for number in range(ROWS):
            body = b'{"number":%d,"text":"%s"}' % (number, b"x" * (number % 50))
            journal.append([Entry(stream="DESK", subject="evt.x", body=body)])
            if number + 1 in (ANCHORED_AT, ROWS):
                anchors = folder / "kept" / "anchors.jsonl"
                drop_anchor(anchors, journal.place, number, Occasion.MINUTE, signer.sign)
    return list(read(path))


def _reason(folder: Path, copy: Path) -> str:
    """Return what the proof says against the damaged journal, empty where it says nothing."""
    verify = journal_verifier(folder / "secrets").verify
    try:
        anchors = read_anchors(copy / "anchors.jsonl", verify)
    except JournalError as error:
        return str(error)
    return check(copy / "journal.jsonl", verify, anchors).reason


def _rows(copy: Path) -> list[Row] | None:
    try:
        return list(read(copy / "journal.jsonl"))
    except JournalError:
        return None
