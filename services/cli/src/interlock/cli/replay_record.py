"""Which replay or live desk a state folder holds, and where the replays before it went.

A replay that was interrupted goes on where it was left. Any other begins with an empty bus and an
empty journal; what the one before wrote is moved to ``past/``, never overwritten. A live desk goes
on with what it has, for ever, and is never moved away.
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
_TOLD = "alerts.json"
"""Which alerts of that replay people were told; the console's."""
_RECORD = "replay.json"
_LIVE_RECORD = "live.json"


class ReplayRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The replay of a state folder."""

    desk: str
    source: str
    config_hash: str
    started_at: str
    finished: bool = False


class LiveRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The live desk of a state folder."""

    desk: str
    account: str
    venue: str
    started_at: str


def begin_live(state: StateFolder, wanted: LiveRecord) -> bool:
    """Make the state folder ready for a live desk; return whether it goes on with an old one.

    Raises
    ------
    CliError
        When the folder holds another desk, account or venue: their books are not this one's.
    """
    path = state.root / _LIVE_RECORD
    standing = _decode(path, LiveRecord)
    if standing is not None:
        if replace(standing, started_at=wanted.started_at) != wanted:
            raise CliError(
                f"{state.root} holds desk {standing.desk}, account {standing.account} at "
                f"{standing.venue}: give this one another --state"
            )
        return True
    replay = _read(state)
    if replay is not None:
        _put_away(state, replay)
    elif (state.root / "journal").exists():
        raise CliError(f"{state.root} holds a desk without a record: give another --state")
    write_private(path, msgspec.json.encode(wanted).decode() + "\n")
    return False


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
    return _decode(state.root / _RECORD, ReplayRecord)


def _decode[R: Struct](path: Path, kind: type[R]) -> R | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
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
    for name in (*_FOLDERS, _TOLD, _RECORD):
        source = state.root / name
        if source.exists():
            source.rename(folder / name)
    state.logs.mkdir(mode=0o700)
    for old in sorted(past.iterdir())[:-PAST_KEPT]:
        _forget(old)


def _forget(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
