"""The whole audit of a state folder's journal, in one reading."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from interlock.cli.audit.finding import FindingError
from interlock.cli.audit.gate_order import GateOrder, Taken
from interlock.cli.audit.orders import Orders
from interlock.cli.audit.verdicts import Verdicts
from interlock.cli.errors import CliError
from interlock.cli.state_folder import StateFolder, is_locked
from interlock.ledger.app import journal_path
from interlock.runtime.anchors import Anchor, find_anchors, read_anchors
from interlock.runtime.config import ConfigError
from interlock.runtime.journal import JournalError, first_row, read, read_head
from interlock.runtime.journal_proof import prove
from interlock.runtime.signing import (
    PUBLIC_KEY_FILE,
    RULES_PUBLIC_KEY_FILE,
    journal_verifier,
    known_verifiers,
)
from interlock.wire import codec
from interlock.wire.orders import OrderDenied, SubmitOrder

ROWS_BETWEEN_SHOWS = 1_000

type Show = Callable[[int], None]


class Audit(Struct, frozen=True, kw_only=True):
    """What an audit came to; where it is not `ok`, by which row and why.

    `lost_verdicts` were told of and not stored, in a crash; `unlisted` is what the gate had not
    told of at the end.
    """

    ok: bool
    rows: int
    anchors: int
    approvals: int
    submissions: int
    signatures: int
    verdicts: int
    lost_verdicts: int
    unlisted: int
    running: bool
    seconds: float
    code: str = ""
    first_bad_seq: int | None = None
    reason: str = ""


class _Pass:
    """One reading: the checks, and how far they are."""

    def __init__(self, state: StateFolder, anchors_folder: Path) -> None:
        self.path = journal_path(state.root)
        self.anchors_folder = anchors_folder
        self.running = is_locked(state)
        self.key = journal_verifier(state.secrets)
        self.orders = Orders(
            known_verifiers(state.secrets, PUBLIC_KEY_FILE),
            known_verifiers(state.secrets, RULES_PUBLIC_KEY_FILE),
        )
        self.order = GateOrder()
        self.verdicts = Verdicts(self._past)
        self.anchors: list[Anchor] = []
        self.rows = 0

    def read(self, show: Show) -> None:
        self.anchors = self._anchors()
        for row in prove(self.path, self.key.verify, self.anchors):
            self.rows = row.seq
            if row.seq % ROWS_BETWEEN_SHOWS == 0:
                show(row.seq)
            try:
                message = codec.decode_on(row.subject, row.body)
            except codec.UndecodableError:
                continue  # Nobody's word: the bus carried it, and no service believed it.
            self.orders.take(row.seq, message)
            for taken in self.order.add(row.seq, message, row.body):
                self.verdicts.take(taken)
        self._end()

    def _anchors(self) -> list[Anchor]:
        first = first_row(self.path)
        if first is None:
            return []
        path = find_anchors(self.anchors_folder, first.hash, self.key.key_id)
        if path is None:
            raise FindingError(
                "journal.anchor",
                first.seq,
                f"no anchor in {self.anchors_folder} is of a journal that begins with this row "
                f"{first.seq}: it was written anew, or its anchors lie elsewhere",
            )
        anchors = read_anchors(path, self.key.verify)
        if not anchors:
            raise FindingError("journal.anchor", first.seq, f"{path} holds no anchor")
        return anchors

    def _end(self) -> None:
        if self.running:
            return  # What is missing is on its way.
        if not self.order.is_resolved:
            raise self.order.unresolved()
        for taken in self.order.unlisted.values():
            if isinstance(taken.message, SubmitOrder | OrderDenied):
                self.verdicts.hold(taken, taken.message)
        self.orders.end()

    def _past(self) -> Iterator[Taken]:
        order = GateOrder()
        for row in read(self.path):
            try:
                message = codec.decode_on(row.subject, row.body)
            except codec.UndecodableError:
                continue
            yield from order.add(row.seq, message, row.body)


def rows_of(state: StateFolder) -> int:
    """Return how many rows the journal had when its head was signed last, 0 where none can say."""
    try:
        return read_head(journal_path(state.root), None).seq
    except (JournalError, OSError):
        return 0


def audit(state: StateFolder, anchors_folder: Path, show: Show = lambda _rows: None) -> Audit:
    """Read the journal of a state folder once and say whether it holds what it must.

    Raises
    ------
    CliError
        When there is no journal, or no key to verify it with.
    """
    path = journal_path(state.root)
    if not path.is_file():
        raise CliError(f"there is no journal {path}: give the --state of a desk that has run")
    try:
        reading = _Pass(state, anchors_folder)
    except (ConfigError, OSError) as error:
        raise CliError(f"a key to verify with cannot be read: {error}") from error
    began = time.perf_counter()
    code, seq, reason = "", None, ""
    try:
        reading.read(show)
    except FindingError as error:
        code, seq, reason = error.code, error.seq, str(error)
    except JournalError as error:
        code, seq, reason = "journal.chain", error.seq, str(error)
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}") from error
    return Audit(
        ok=not code,
        rows=reading.rows,
        anchors=len(reading.anchors),
        approvals=reading.orders.approvals,
        submissions=reading.orders.submissions,
        signatures=reading.orders.signatures,
        verdicts=reading.verdicts.recomputed,
        lost_verdicts=reading.verdicts.lost,
        unlisted=len(reading.order.unlisted),
        running=reading.running,
        seconds=time.perf_counter() - began,
        code=code,
        first_bad_seq=seq,
        reason=reason,
    )
