"""`interlock down`: stop the desk of a state folder."""

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from interlock.cli.frame import print_json
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

if TYPE_CHECKING:
    from interlock.cli.run_record import RunRecord

BOUND_SECONDS = 30.0
PAUSE_SECONDS = 0.05


def down(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """Stop the running desk in good order, and end what a crashed run left behind."""
    from interlock.cli.process import end_stale
    from interlock.cli.run_record import read_run_record
    from interlock.cli.state_folder import StateFolder, locked

    folder = StateFolder(state.resolve())
    stopped: list[str] = []
    if folder.root.is_dir():
        record = read_run_record(folder)
        if record is not None and record.alive:
            _stop(record)
            stopped = [*record.children]
        with locked(folder):
            stopped += end_stale(folder)
            folder.run_file.unlink(missing_ok=True)
    if as_json:
        print_json({"stopped": stopped})
    elif stopped:
        typer.echo(f"stopped {', '.join(stopped)}")
    else:
        typer.echo(f"no desk runs in {folder.root}")


def _stop(record: "RunRecord") -> None:
    deadline = time.monotonic() + BOUND_SECONDS
    with suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGTERM)
    while record.alive and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
    if record.alive:
        with suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGKILL)
    while record.alive:
        time.sleep(PAUSE_SECONDS)
