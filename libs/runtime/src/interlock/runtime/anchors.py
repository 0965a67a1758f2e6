"""Anchors: what the journal's head was at a moment, kept in a second place.

Theory of operation. Whoever holds the ledger's key can write the whole journal anew, with hashes
and a head that agree. He cannot take back what was written down elsewhere before: at least each
minute in which rows came, and at each halt, the last row goes into a file outside the state folder.
A file is only ever appended to. It belongs to one journal by the hash of its first row and by its
key: two replays of the same data begin with the same row. `INTERLOCK_ANCHORS` puts it on another
disk, a share, or a medium that cannot be overwritten.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.runtime.journal import JournalError, Place, Sign, Verify

DOMAIN = b"interlock.journal-anchor.v1"
FOLDER_VARIABLE = "INTERLOCK_ANCHORS"
_HASH_DIGITS = 16


class Occasion(StrEnum):
    START = "start"
    MINUTE = "minute"
    HALT = "halt"
    CLOSE = "close"


class Anchor(Struct, frozen=True, forbid_unknown_fields=True):
    """The last row at `at` (UNIX ns of the machine's clock), signed by the journal's key."""

    seq: int
    hash: str
    at: UnixNanos
    occasion: Occasion
    signature: str

    @property
    def moment(self) -> str:
        return datetime.fromtimestamp(self.at // NANOS_PER_SECOND, UTC).isoformat()


_decoder = msgspec.json.Decoder(Anchor)


def anchor_bytes(anchor: Anchor) -> bytes:
    """Return the bytes an anchor's signature covers."""
    parts = DOMAIN, anchor.seq, anchor.hash, anchor.at, anchor.occasion
    return b"\n".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)


def anchors_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the second place: ``$INTERLOCK_ANCHORS``, or a folder in the user's own state."""
    named = environment.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    kept = environment.get("XDG_STATE_HOME")
    return (Path(kept) if kept else Path.home() / ".local" / "state") / "interlock" / "anchors"


def anchors_file(folder: Path, desk: str, first_hash: str, key_id: str) -> Path:
    """Return where the anchors of the journal with this first row and key lie."""
    return folder / f"{desk}-{first_hash[:_HASH_DIGITS]}-{key_id}.jsonl"


def find_anchors(folder: Path, first_hash: str, key_id: str) -> Path | None:
    """Return the anchors of the journal with this first row and key, of whatever desk."""
    return next(iter(sorted(folder.glob(anchors_file(folder, "*", first_hash, key_id).name))), None)


def _render(anchor: Anchor) -> bytes:
    return msgspec.json.encode(anchor) + b"\n"


def drop_anchor(path: Path, place: Place, at: UnixNanos, occasion: Occasion, sign: Sign) -> Anchor:
    """Append where the journal stands, and return when that is durable. Raises ``OSError``."""
    bare = Anchor(place.seq, place.hash, at, occasion, "")
    anchor = msgspec.structs.replace(bare, signature=sign(anchor_bytes(bare)))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        # An unfinished line is one the machine died in. It stays; what comes is a line of its own.
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = (b"\n" if torn else b"") + _render(anchor)
        if os.write(descriptor, data) != len(data):
            raise OSError(f"{path} took only a part of an anchor")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return anchor


def read_anchors(path: Path, verify: Verify | None = None) -> list[Anchor]:
    """Return all anchors, each verified and none behind the one before it.

    Raises
    ------
    JournalError
        When the file is not there, or a line in it is not as it was written. A line that was
        never finished is passed over.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise JournalError(f"the anchors {path} cannot be read: {error.strerror}") from error
    anchors = list[Anchor]()
    for number, line in enumerate(lines, start=1):
        where = f"line {number} of the anchors {path}"
        anchor = _read(line, where)
        if anchor is None:
            continue
        if verify is not None and not verify(anchor_bytes(anchor), anchor.signature):
            raise JournalError(f"{where} does not carry a valid signature", seq=anchor.seq)
        if anchors and anchor.seq < anchors[-1].seq:
            raise JournalError(
                f"{where} names row {anchor.seq} after row {anchors[-1].seq}: a journal that "
                "went back",
                seq=anchor.seq,
            )
        if anchors and anchor.seq == anchors[-1].seq and anchor.hash != anchors[-1].hash:
            raise JournalError(f"{where} names another row {anchor.seq}", seq=anchor.seq)
        anchors.append(anchor)
    return anchors


def _read(line: bytes, where: str) -> Anchor | None:
    try:
        anchor = _decoder.decode(line)
    except (msgspec.MsgspecError, ValueError) as error:
        if _is_unfinished(line):
            return None
        raise JournalError(f"{where} is no anchor: {error}") from error
    if _render(anchor) != line:
        raise JournalError(f"{where} is not written as it was", seq=anchor.seq)
    return anchor


def _is_unfinished(line: bytes) -> bool:
    """Whether a machine can have died in this line: it begins as one, and ends before its end."""
    begun = line.removesuffix(b"\n")
    if not begun.startswith(b'{"seq":') or b"}" in begun:
        return False
    try:
        _decoder.decode(begun[:-1] + b"}")
    except (msgspec.MsgspecError, ValueError):
        return True
    return False
