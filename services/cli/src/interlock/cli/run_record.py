"""What runs now: ``run.json``, written by the supervisor, read by every other command."""

from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.cli.errors import CliError
from interlock.cli.process import identity
from interlock.cli.state_folder import StateFolder, write_private


class ProcessRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One child. `identity` tells it from a later process with the same number."""

    pid: int
    identity: str
    ready: bool
    restarts: int
    health_url: str


class RunRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of a desk. `servers` maps nats, redis and postgres to addresses without passwords."""

    desk: str
    started_at: str
    pid: int
    identity: str
    servers: dict[str, str]
    children: dict[str, ProcessRecord]

    @property
    def alive(self) -> bool:
        return identity(self.pid) == self.identity


def write_run_record(path: Path, record: RunRecord) -> None:
    text = msgspec.json.format(msgspec.json.encode(record), indent=2).decode()
    write_private(path, text + "\n", durable=False)


def read_run_record(state: StateFolder) -> RunRecord | None:
    """Return the record of the last run that was not stopped cleanly or still goes on.

    Raises
    ------
    CliError
        When the file is there and is no run record.
    """
    try:
        return msgspec.json.decode(state.run_file.read_bytes(), type=RunRecord)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (msgspec.DecodeError, OSError) as error:
        raise CliError(f"{state.run_file} cannot be read ({error}): delete it") from error


def running(state: StateFolder) -> RunRecord:
    """Return the record of the run that goes on now, or say that there is none."""
    record = read_run_record(state)
    if record is None or not record.alive:
        raise CliError(f"no desk runs in {state.root}: start one with `interlock up`")
    return record
