"""One process a service and state folder: a second one would hear half of everything.

Two instances of a service share its place on the bus, so each would be given some of the messages
and neither would stand where the desk stands. The kernel lets go of the lock when its holder ends,
however that ends; one that is only stopped keeps it, because it may go on.
"""

import fcntl
import os
import time
from pathlib import Path

from interlock.runtime.config import ConfigError

PATIENCE_SECONDS = 5.0
"""A holder that is being ended needs a moment."""
ASK_AGAIN_SECONDS = 0.05


def require_alone(state: Path, service: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Hold the service's lock in the state folder until this process ends.

    Raises
    ------
    ConfigError
        When another process holds it.
    """
    path = state / f"{service}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience_seconds
    while not _locked(descriptor):
        if time.monotonic() > deadline:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise ConfigError(f"another {service} works in {state} (process {holder})")
        time.sleep(ASK_AGAIN_SECONDS)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
