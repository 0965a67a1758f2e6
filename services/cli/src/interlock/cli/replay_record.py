"""Which replay a state folder holds, and where those before it went.

A replay that was interrupted goes on where it was left. Any other begins with an empty bus and an
empty journal; what the one before wrote is moved to ``past/``, never overwritten.
"""

import shutil
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from interlock.cli.errors import CliError
from interlock.cli.state_folder import StateFolder, write_private

PAST_KEPT = 5
_FOLDERS = ("nats", "valkey", "postgres", "journal", "logs")
_RECORD = "replay.json"


class ReplayRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The replay of a state folder."""

    desk: str
    source: str
    config_hash: str
    started_at: str
    finished: bool = False


def begin(state: StateFolder, wanted: ReplayRecord, *, resumable: bool) -> bool:
    """Make the state folder ready for a replay; return whether it goes on with an old one."""
    standing = _read(state)
    if standing is None and (state.root / "journal").exists():
        raise CliError(
            f"{state.root} holds a desk that is no replay: give a replay another --state"
        )
    if standing is not None:
        same = replace(standing, started_at=wanted.started_at) == wanted
        if same and resumable:
            return True
        _put_away(state, standing)
    _write(state, wanted)
    return False


def finish(state: StateFolder) -> None:
    """Note that the replay came to its end."""
    standing = _read(state)
    if standing is not None:
        _write(state, replace(standing, finished=True))


def _read(state: StateFolder) -> ReplayRecord | None:
    path = state.root / _RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=ReplayRecord)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise CliError(f"{path} cannot be read ({error}): give another --state") from error


def _write(state: StateFolder, record: ReplayRecord) -> None:
    write_private(state.root / _RECORD, msgspec.json.encode(record).decode() + "\n")


def _put_away(state: StateFolder, standing: ReplayRecord) -> None:
    past = state.root / "past"
    folder = past / f"{standing.started_at.replace(':', '')}-{standing.desk}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*_FOLDERS, _RECORD):
        source = state.root / name
        if source.exists():
            source.rename(folder / name)
    state.logs.mkdir(mode=0o700)
    for old in sorted(past.iterdir())[:-PAST_KEPT]:
        _forget(old)


def _forget(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
