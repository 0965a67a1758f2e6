"""Whether the end of a journal is there, in a moment: what a start would refuse."""

from pathlib import Path

from interlock.cli.errors import CliError
from interlock.cli.state_folder import StateFolder, is_locked
from interlock.ledger.app import journal_path
from interlock.runtime.anchors import find_anchors, read_anchors
from interlock.runtime.config import ConfigError
from interlock.runtime.journal import JournalError, first_row, read_head, read_tail
from interlock.runtime.signing import journal_verifier


def ending(state: StateFolder, anchors_folder: Path) -> str:
    """Say where the journal ends and when that was anchored.

    Raises
    ------
    CliError
        When the head or the last anchor names a row that is gone, or there is no anchor.
    """
    path = journal_path(state.root)
    if not path.is_file():
        return "none yet"
    if is_locked(state):
        return f"{path}, being written"
    try:
        return _end(path, state, anchors_folder)
    except (JournalError, ConfigError, OSError) as error:
        raise CliError(
            f"{path} is not whole ({error}): see `interlock verify --state {state.root}`, keep it, "
            "and give another --state"
        ) from error


def _end(path: Path, state: StateFolder, anchors_folder: Path) -> str:
    key = journal_verifier(state.secrets)
    head, first = read_head(path, key.verify), first_row(path)
    last = max((row.seq for row in read_tail(path)), default=0)
    if head.seq > last:
        raise JournalError(f"it ends at row {last}, but its head names row {head.seq}")
    if first is None:
        return f"{path}, empty"
    anchors_file = find_anchors(anchors_folder, first.hash, key.key_id)
    if anchors_file is None:
        raise JournalError(f"no anchor of it is in {anchors_folder}")
    anchors = read_anchors(anchors_file, key.verify)
    if not anchors or anchors[-1].seq > last:
        raise JournalError(f"it ends at row {last}, before its last anchor in {anchors_file}")
    return f"{last} rows, anchored at {anchors[-1].moment}"
