"""The state folder: everything a desk keeps on this machine, readable by its owner only."""

import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from interlock.cli.errors import CliError

SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Names of what lies in the state folder."""

    root: Path

    @property
    def nats(self) -> Path:
        return self.root / "nats"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def run_file(self) -> Path:
        return self.root / "run.json"

    @property
    def lock_file(self) -> Path:
        return self.root / "up.lock"

    def secret(self, name: str) -> str:
        """Return the secret of this name, made up the first time it is asked for."""
        path = self.secrets / name
        try:
            kept = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            kept = ""
        if kept:
            return kept
        fresh = secrets.token_hex(SECRET_BYTES)
        write_private(path, fresh + "\n")
        return fresh


def open_state_folder(root: Path) -> StateFolder:
    """Return the state folder at `root`, made where it is absent.

    Raises
    ------
    CliError
        When the folder cannot be made or written.
    """
    state = StateFolder(root.resolve())
    try:
        for folder in (state.root, state.logs, state.secrets, state.pids):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = state.root / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CliError(
            f"the state folder {root} cannot be written ({error.strerror}): give another --state"
        ) from error
    return state


@contextmanager
def locked(state: StateFolder) -> Generator[None]:
    """Hold the state folder for this process; one desk runs in it at a time.

    Raises
    ------
    CliError
        When another process holds it.
    """
    descriptor = os.open(state.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise CliError(
                f"a desk already runs in {state.root} (process {holder}): stop it with "
                f"`interlock down --state {state.root}`, or give another --state"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(state: StateFolder) -> bool:
    """Return whether some process holds the state folder now."""
    try:
        descriptor = os.open(state.lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace `path` in one step by a file that only its owner reads.

    What means nothing after a reboot need not be `durable`.
    """
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(descriptor)
    fresh.replace(path)
