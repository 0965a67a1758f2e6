"""Child processes: started on a leash, stopped in bounded time, found again after a crash.

Theory of operation. Each child leads a session of its own, so that Ctrl-C at the terminal reaches
only us and the children end in our order. `leash.py` stands between us and the program: the kernel
then ends the child when we die, however we die. Where the kernel cannot do that, the pid file does:
it holds the number and the identity of the process, and the next start ends what it names.
"""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.cli import leash
from interlock.cli.errors import CliError
from interlock.cli.probes import Probe, answers_http
from interlock.cli.state_folder import StateFolder, write_private

LOOPBACK = "127.0.0.1"
LOG_BYTES_KEPT = 10 * 1024**2
LINES_SHOWN = 8
FIRST_PORT, PORTS, PORT_TRIES = 20_000, 12_000, 200
STALE_BOUND_SECONDS = 5.0
HEALTH_PORT = "INTERLOCK_HEALTH_PORT"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


async def _nothing() -> None:
    """Need no preparation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """A program we keep running.

    Parameters
    ----------
    probe
        Says whether it can do its work. Nobody is told that it runs before it answers yes.
    prepare
        Runs before each start.
    ordinary_user
        It refuses to run as root: as root, it is put into a user namespace.
    stop_signal, orphan_signal
        What ends it in good order, and what ends it when we die.
    health_url
        Where people and Prometheus look; empty where it has no such page.
    """

    name: str
    argv: tuple[str, ...]
    probe: Probe
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    prepare: Callable[[], Awaitable[None]] = _nothing
    ordinary_user: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    start_bound_seconds: float = 30.0
    stop_bound_seconds: float = 5.0
    health_url: str = ""


def service_child(name: str, argv: tuple[str, ...], env: Mapping[str, str]) -> Child:
    """Return a child that serves ``/readyz`` on the port of ``INTERLOCK_HEALTH_PORT``."""
    port = free_port()
    return Child(
        name=name,
        argv=argv,
        env={**env, HEALTH_PORT: str(port)},
        probe=answers_http(LOOPBACK, port, "/readyz"),
        health_url=f"http://{LOOPBACK}:{port}",
    )


class PidFile(Struct, frozen=True, kw_only=True):
    """What is needed to end a child whose parent has died."""

    pid: int
    identity: str
    stop_signal: int


@dataclass(frozen=True, slots=True)
class Running:
    """A started child. `log_start` is where its lines begin in the log."""

    child: Child
    process: asyncio.subprocess.Process
    identity: str
    pid_path: Path
    log_path: Path
    log_start: int

    @property
    def pid(self) -> int:
        return self.process.pid

    async def wait(self) -> int:
        """Wait for its end and return the exit code, or the signal's number below zero."""
        code = await self.process.wait()
        self.pid_path.unlink(missing_ok=True)
        return code

    async def stop(self) -> int:
        """Ask it to end, insist after its bound, and return the exit code."""
        if self.process.returncode is not None:
            return self.process.returncode
        _signal_group(self.pid, self.child.stop_signal)
        try:
            async with asyncio.timeout(self.child.stop_bound_seconds):
                return await self.wait()
        except TimeoutError:
            _signal_group(self.pid, signal.SIGKILL)
            return await self.wait()

    def last_lines(self, count: int = LINES_SHOWN) -> list[str]:
        """Return the last lines it wrote since this start."""
        with self.log_path.open("rb") as file:
            file.seek(self.log_start)
            text = file.read().decode(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()][-count:]


async def start(child: Child, state: StateFolder) -> Running:
    """Start `child`; its output goes to its log, its number to its pid file."""
    await child.prepare()
    log_path = state.logs / f"{child.name}.log"
    _turn_over(log_path)
    with log_path.open("ab") as log:
        log_start = log.tell()
        process = await asyncio.create_subprocess_exec(
            *leashed(child.argv, child.orphan_signal, ordinary_user=child.ordinary_user),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **child.env},
        )
    known = identity(process.pid) or ""
    pid_path = state.pids / f"{child.name}.json"
    pid_file = PidFile(pid=process.pid, identity=known, stop_signal=child.stop_signal)
    write_private(pid_path, msgspec.json.encode(pid_file).decode(), durable=False)
    return Running(child, process, known, pid_path, log_path, log_start)


def leashed(
    argv: tuple[str, ...], orphan_signal: signal.Signals, *, ordinary_user: bool
) -> tuple[str, ...]:
    """Return the command line that runs `argv` on the leash of this process."""
    user = "ordinary" if ordinary_user else "same"
    own = (sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), str(int(orphan_signal)))
    return (*own, user, *argv)


def end_stale(state: StateFolder) -> list[str]:
    """End what a crashed earlier run left behind; return the names of what was still there.

    Call it only while holding the lock of the state folder.
    """
    left: dict[str, PidFile] = {}
    for path in sorted(state.pids.glob("*.json")):
        try:
            found = msgspec.json.decode(path.read_bytes(), type=PidFile)
        except msgspec.DecodeError:
            found = None
        if found is not None and _still_there(found):
            left[path.stem] = found
        path.unlink(missing_ok=True)
    for found in left.values():
        _signal_group(found.pid, signal.Signals(found.stop_signal))
    if not _all_gone_within(left, STALE_BOUND_SECONDS):
        for found in filter(_still_there, left.values()):
            _signal_group(found.pid, signal.SIGKILL)
        _all_gone_within(left, STALE_BOUND_SECONDS)
    return sorted(left)


def _still_there(found: PidFile) -> bool:
    return bool(found.identity) and identity(found.pid) == found.identity


def _all_gone_within(left: Mapping[str, PidFile], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(_still_there, left.values())):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def identity(pid: int) -> str | None:
    """Return what tells this process from every other with its number; none when it is gone.

    On Linux the boot's id and the start in clock ticks since boot, which no clock change moves.
    """
    if _BOOT_ID.exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            boot = _BOOT_ID.read_text(encoding="ascii").strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The program's name, in parentheses, may hold spaces. After it: state, ..., start (22nd).
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    command = ("/bin/ps", "-o", "lstart=", "-p", str(pid))
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return asked.stdout.strip() or None


def free_port() -> int:
    """Return a loopback port for a server of ours, and hold it while this process lives.

    It lies below the range from which the kernel serves outgoing connections. It is bound, not
    listened on: on Linux a server that sets SO_REUSEADDR, as all of ours do, may still take it,
    also a second time after a crash, while nobody else is given it by this function.

    Raises
    ------
    CliError
        When none is found.
    """
    for _ in range(PORT_TRIES):
        port = FIRST_PORT + secrets.randbelow(PORTS)
        if _hold(port):
            return port
    raise CliError(f"no free port on {LOOPBACK} from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}")


def _hold(port: int) -> bool:
    if sys.platform != "linux":
        return port_is_free(port)
    if not port_is_free(port):
        return False
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((LOOPBACK, port))
    except OSError:
        holder.close()
        return False
    # The descriptor stays open on purpose; children do not inherit it.
    holder.detach()
    return True


def port_is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise CliError(f"process {pid} belongs to another user: end it there") from error


def _turn_over(log_path: Path) -> None:
    """Begin a fresh log where the old one has grown too long; one old one is kept."""
    if log_path.exists() and log_path.stat().st_size > LOG_BYTES_KEPT:
        log_path.replace(log_path.with_suffix(".log.1"))
