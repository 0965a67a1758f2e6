"""The journal: an append-only file of JSON lines, each chained to the one before by its hash.

Theory of operation. A row's hash is SHA-256 over the previous row's hash and the row's canonical
bytes, so a changed, removed or reordered row breaks the chain at that place. Before the first row
stands a random hash, so that two replays of one data set are two journals. What a chain alone
cannot show is a missing end: `head.json` beside the file names the last row in a signature, and is
written when the journal is created, every so many rows, and at close. One fsync covers a whole
batch; a batch that could not be made durable is cut off again and the error raised, so nothing is
acknowledged that is not on the disk. A last line without its newline is a write the machine died
in: it was never acknowledged, and is cut off at the next start.
"""

import base64
import fcntl
import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

import msgspec
from msgspec import Struct

from interlock.runtime.durable import replace_file, sync_folder

DOMAIN = b"interlock.journal.v1"
HEAD_DOMAIN = b"interlock.journal-head.v1"
GENESIS = "0" * 64
"""What a reader takes for the hash before the first row; the writer draws one for each journal."""
GENESIS_BYTES = 32
TAIL_BYTES = 8 * 1024 * 1024
ROWS_PER_HEAD = 1_000

type Sign = Callable[[bytes], str]
type Verify = Callable[[bytes, str], bool]


class JournalError(Exception):
    """The journal cannot be trusted or cannot be written. The text says where and why."""

    def __init__(self, text: str, *, seq: int | None = None) -> None:
        super().__init__(text)
        self.seq = seq


class Entry(Struct, frozen=True):
    """What is to be written: where a message came from, and its bytes."""

    stream: str
    subject: str
    body: bytes


class Row(Struct, frozen=True):
    """One row. `seq` counts from 1; hashes in hexadecimal; `body` is the message's own bytes."""

    seq: int
    prev: str
    hash: str
    stream: str
    subject: str
    body: bytes


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The last row at the time of signing. `signature` in base64, empty where nobody signed."""

    seq: int
    hash: str
    signature: str


class Place(Struct, frozen=True):
    """A place between two rows: the byte there, and the row before it."""

    offset: int
    seq: int
    hash: str


START = Place(0, 0, GENESIS)


class _Line(Struct, forbid_unknown_fields=True):
    seq: int
    prev: str
    hash: str
    stream: str
    subject: str
    body: msgspec.Raw = msgspec.Raw()
    body_b64: str | None = None


_lines = msgspec.json.Decoder(_Line)
_raw = msgspec.json.Decoder(msgspec.Raw)
_heads = msgspec.json.Decoder(Head)


def head_bytes(seq: int, row_hash: str) -> bytes:
    """Return the bytes a head's signature covers."""
    return b"%s\n%d\n%s" % (HEAD_DOMAIN, seq, row_hash.encode())


def row_after(seq: int, prev: str, entry: Entry) -> Row:
    """Return `entry` as the row that follows row `seq`, whose hash is `prev`."""
    digest = _hash(seq + 1, prev, entry.stream, entry.subject, entry.body)
    return Row(seq + 1, prev, digest, entry.stream, entry.subject, entry.body)


def _hash(seq: int, prev: str, stream: str, subject: str, body: bytes) -> str:
    parts = (DOMAIN, prev.encode(), b"%d" % seq, stream.encode(), subject.encode(), body)
    # Each part is preceded by its length, so no two different rows share their bytes.
    return hashlib.sha256(b"".join([b"%d:%s\n" % (len(part), part) for part in parts])).hexdigest()


def render_row(row: Row) -> bytes:
    return b'{"seq":%d,"prev":"%s","hash":"%s","stream":%s,"subject":%s,%s}\n' % (
        row.seq,
        row.prev.encode(),
        row.hash.encode(),
        msgspec.json.encode(row.stream),
        msgspec.json.encode(row.subject),
        _render_body(row.body),
    )


def _render_body(body: bytes) -> bytes:
    """Write JSON as it is, to be read by a person; anything else in base64, to be kept exactly."""
    try:
        plain = b"\n" not in body and bytes(_raw.decode(body)) == body
    except msgspec.MsgspecError:
        plain = False
    if plain:
        return b'"body":' + body
    return b'"body_b64":"' + base64.b64encode(body) + b'"'


def parse(line: bytes, name: str) -> Row:
    """Return the row on `line`, its newline left out or not; `name` says which one in an error."""
    try:
        found = _lines.decode(line)
        encoded = found.body_b64
        body = bytes(found.body) if encoded is None else base64.b64decode(encoded, validate=True)
    except (msgspec.MsgspecError, ValueError) as error:
        raise JournalError(f"{name} is no journal row: {error}") from error
    return Row(found.seq, found.prev, found.hash, found.stream, found.subject, body)


def chained(file: BinaryIO, place: Place | None = START) -> Iterator[Row]:
    """Yield the rows from here on, each held against the one before it.

    Where `place` is none the first row's place in the chain is taken on trust; its own hash is
    still checked. What stands before row 1 is whatever the journal began with.
    """
    expected_seq = None if place is None else place.seq + 1
    prev = None if place is None or place.seq == 0 else place.hash
    for line in file:
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        name = "the next line" if expected_seq is None else f"the line of row {expected_seq}"
        try:
            row = parse(line, name)
        except JournalError as error:
            error.seq = expected_seq
            raise
        if expected_seq is not None and row.seq != expected_seq:
            text = f"row {row.seq} stands where row {expected_seq} belongs"
            raise JournalError(text, seq=expected_seq)
        if prev is not None and row.prev != prev:
            raise JournalError(f"row {row.seq} does not follow the row before it", seq=row.seq)
        if row.hash != _hash(row.seq, row.prev, row.stream, row.subject, row.body):
            raise JournalError(f"row {row.seq} does not have the hash it names", seq=row.seq)
        # The hash covers the content; this covers its spelling, so that no byte is free.
        if render_row(row) != line:
            raise JournalError(f"row {row.seq} is not written as it was", seq=row.seq)
        yield row
        expected_seq, prev = row.seq + 1, row.hash


def read(path: Path) -> Iterator[Row]:
    """Yield every row in order, in flat memory, and raise `JournalError` at the first bad one.

    An unfinished last line ends the reading: a writer may be busy with it.
    """
    with path.open("rb") as file:
        yield from chained(file)


def first_row(path: Path) -> Row | None:
    """Return the row a journal is known by, none where it has no row yet."""
    return next(read(path), None)


def read_tail(path: Path, tail_bytes: int = TAIL_BYTES) -> Iterator[Row]:
    """Yield the rows that begin in the last `tail_bytes` bytes of the file."""
    with path.open("rb") as file:
        yield from chained(file, _seek_to_tail(file, tail_bytes))


class Reader:
    """A follower of a journal that is being written: takes rows, and knows where it stands.

    A `place` that is not one of this file's (the journal is another one) starts from the first
    row again.
    """

    def __init__(self, path: Path, place: Place = START) -> None:
        self._file = path.open("rb")
        self.place = place if self._is_ours(place) else START

    def _is_ours(self, place: Place) -> bool:
        if place.offset == 0:
            return place == START
        size = self._file.seek(0, os.SEEK_END)
        if place.offset > size:
            return False
        start = max(0, place.offset - TAIL_BYTES)
        self._file.seek(start)
        lines = self._file.read(place.offset - start).splitlines(keepends=True)
        try:
            row = parse(lines[-1], "the line before the place")
        except JournalError:
            return False
        return (row.seq, row.hash) == (place.seq, place.hash)

    def take(self, limit: int, until: Place | None = None) -> list[Row]:
        """Return the next rows, at most `limit`, none that lies beyond `until`."""
        rows = list[Row]()
        self._file.seek(self.place.offset)
        last_seq = None if until is None else until.seq
        if last_seq is not None:
            limit = min(limit, last_seq - self.place.seq)
        if limit < 1:
            return rows
        for row in chained(self._file, self.place):
            rows.append(row)
            if len(rows) == limit:
                break
        if rows:
            self.place = Place(self._file.tell(), rows[-1].seq, rows[-1].hash)
        return rows

    def close(self) -> None:
        self._file.close()


def require_head(head: Head, rows: int, named_hash: str) -> None:
    """Raise unless the row that `head` names is there, with its hash."""
    if head.seq > rows:
        text = f"the journal ends at row {rows}, but its head names row {head.seq}"
        raise JournalError(text, seq=rows + 1)
    if named_hash != head.hash:
        raise JournalError(f"row {head.seq} is not the row the head was signed for", seq=head.seq)


def read_head(path: Path, verify: Verify | None) -> Head:
    """Return the head beside the journal; without `verify` its signature is not looked at."""
    try:
        content = head_path(path).read_bytes()
        head = _heads.decode(content)
    except FileNotFoundError:
        raise JournalError(f"{head_path(path)} is missing") from None
    except (msgspec.MsgspecError, ValueError) as error:
        raise JournalError(f"{head_path(path)} cannot be read: {error}") from error
    if content != render_head(head):
        raise JournalError(f"{head_path(path)} is not written as it was", seq=head.seq)
    if verify is not None and not verify(head_bytes(head.seq, head.hash), head.signature):
        raise JournalError(f"{head_path(path)} does not carry a valid signature", seq=head.seq)
    return head


def render_head(head: Head) -> bytes:
    return msgspec.json.encode(head) + b"\n"


def head_path(path: Path) -> Path:
    return path.with_name("head.json")


def _seek_to_tail(file: BinaryIO, tail_bytes: int) -> Place | None:
    """Go to the first line of the tail, and return its place where that is known: the start."""
    size = file.seek(0, os.SEEK_END)
    while tail_bytes < size:
        # One byte back, so that a line beginning exactly at the window's edge is not skipped.
        file.seek(size - tail_bytes - 1)
        file.readline()
        if b"\n" in file.readline():
            file.seek(size - tail_bytes - 1)
            file.readline()
            return None
        tail_bytes *= 2
    file.seek(0)
    return START


def torn_bytes(file: BinaryIO) -> int:
    """Return how many bytes follow the last newline."""
    position = size = file.seek(0, os.SEEK_END)
    while position > 0:
        start = max(0, position - 65_536)
        file.seek(start)
        newline = file.read(position - start).rfind(b"\n")
        if newline >= 0:
            return size - (start + newline + 1)
        position = start
    return size


class Journal:
    """The one writer of a journal file; `place` is the end of what is durable.

    Parameters
    ----------
    path
        The file; it and its folder are made where they are missing.
    sign, verify
        Ed25519 over `head_bytes`, signature in base64 (`interlock.runtime.signing`). Without them
        heads are unsigned.
    rows_per_head
        How many rows may follow a head before the next one is written.

    Raises
    ------
    JournalError
        When another process writes to it, when the tail's chain is broken, or when the head names
        a row that is gone.
    """

    def __init__(
        self,
        path: Path,
        *,
        sign: Sign | None = None,
        verify: Verify | None = None,
        rows_per_head: int = ROWS_PER_HEAD,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.cut_bytes = 0
        self.place = START
        self._sign = sign
        self._rows_per_head = rows_per_head
        self._head_seq = 0
        self._unusable = ""
        self._one_at_a_time = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            self._recover(verify)
        except BaseException:
            os.close(self._file)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"another process writes to {self.path}") from None

    def _recover(self, verify: Verify | None) -> None:
        with self.path.open("rb") as file:
            self.cut_bytes = torn_bytes(file)
            size = file.seek(0, os.SEEK_END) - self.cut_bytes
            if size == 0 and not head_path(self.path).exists():
                self.place = Place(0, 0, secrets.token_hex(GENESIS_BYTES))
                self._cut()
                self._write_head()
                return
            head = read_head(self.path, verify)
            named_hash = ""
            if head.seq == 0:
                named_hash = head.hash
                self.place = Place(0, 0, head.hash)
            place = _seek_to_tail(file, TAIL_BYTES + self.cut_bytes)
            first = 0
            for row in chained(file, place):
                first = first or row.seq
                self.place = Place(file.tell(), row.seq, row.hash)
                if row.seq == head.seq:
                    named_hash = row.hash
        if head.seq < first:
            named_hash = head.hash  # before the tail: only `prove` reads that far back
        require_head(head, self.place.seq, named_hash)
        self._head_seq = head.seq
        self._cut()

    def _cut(self) -> None:
        os.ftruncate(self._file, self.place.offset)
        os.fsync(self._file)
        sync_folder(self.path.parent)

    def append(self, batch: Iterable[Entry]) -> int:
        """Write `batch`, make it durable with one fsync, and return the last row's number.

        Raises
        ------
        OSError
            When the disk is full or broken. Nothing of the batch is in the journal then.
        JournalError
            When an earlier failure left the file in doubt: open the journal anew.
        """
        with self._one_at_a_time:
            if self._unusable:
                raise JournalError(self._unusable)
            # Before the batch and not after it: where this fails, none of the batch is written.
            if self.place.seq - self._head_seq >= self._rows_per_head:
                self._write_head()
            seq, last_hash, lines = self.place.seq, self.place.hash, list[bytes]()
            for entry in batch:
                row = row_after(seq, last_hash, entry)
                seq, last_hash = row.seq, row.hash
                lines.append(render_row(row))
            if lines:
                data = b"".join(lines)
                self._write(data)
                self.place = Place(self.place.offset + len(data), seq, last_hash)
            return self.place.seq

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        offset = self.place.offset
        try:
            while rest:
                written = os.pwrite(self._file, rest, offset)
                offset += written
                rest = rest[written:]
        except OSError:
            self._take_back()
            raise
        try:
            os.fsync(self._file)
        except OSError as error:
            # After a failed fsync the kernel may call lost pages clean: no later fsync can be
            # believed on this descriptor.
            self._unusable = f"{self.path} could not be made durable: {error}"
            self._take_back()
            raise

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._file, self.place.offset)
        except OSError as error:
            self._unusable = f"{self.path} has an unfinished end that cannot be cut off: {error}"

    def _write_head(self) -> None:
        seq, row_hash = self.place.seq, self.place.hash
        signature = "" if self._sign is None else self._sign(head_bytes(seq, row_hash))
        head = Head(seq, row_hash, signature)
        replace_file(head_path(self.path), render_head(head))
        self._head_seq = seq

    def close(self) -> None:
        """Sign the head and let go of the file. Closing twice does nothing."""
        with self._one_at_a_time:
            if self._file < 0:
                return
            try:
                if not self._unusable and self._head_seq != self.place.seq:
                    self._write_head()
            finally:
                os.close(self._file)
                self._file = -1
                self._unusable = f"{self.path} is closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
