"""A desk as processes: its servers, the administrator's step, its services."""

import json
import sys
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from interlock.cli.closing import journaled_entries
from interlock.cli.own_servers import without_password
from interlock.cli.process import HEALTH_PORT, Child, service_child
from interlock.cli.rooms import module_of
from interlock.cli.servers.nats import desk_users, nats_password, nats_server
from interlock.cli.servers.postgres import postgres_server
from interlock.cli.servers.server import Server
from interlock.cli.servers.valkey import valkey_server
from interlock.cli.state_folder import StateFolder
from interlock.runtime.bus import admin
from interlock.runtime.bus.nats import connect, consumer_name
from interlock.runtime.bus.permissions import ADMIN
from interlock.runtime.bus.tcp_only import Client
from interlock.wire import catalogue, codec, subjects
from interlock.wire.base import Message
from interlock.wire.catalogue import CONSOLE, FEED, LEDGER, Stream
from interlock.wire.market import Bar, Quote, ReplayFinished

CONSOLE_PORT = "INTERLOCK_CONSOLE_PORT"
_REQUEST_SECONDS = 5.0
ALWAYS = catalogue.services_of()


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """Where the servers are. Addresses are without passwords, for people and ``run.json``."""

    nats_url: str
    redis_url: str
    postgres_url: str
    own_nats: bool
    public: dict[str, str]


def servers(
    state: StateFolder, nats: str | None, redis: str | None, postgres: str | None
) -> tuple[list[Child], Addresses]:
    """Return the embedded servers that are needed beside the user's own, and all addresses."""
    children: list[Child] = []
    urls: dict[str, str] = {}
    public: dict[str, str] = {}
    makers: dict[str, tuple[str | None, Callable[[], Server]]] = {
        "nats": (nats, lambda: nats_server(state, desk_users(state))),
        "redis": (redis, lambda: valkey_server(state)),
        "postgres": (postgres, lambda: postgres_server(state)),
    }
    for name, (own, make) in makers.items():
        if own:
            urls[name] = own
            public[name] = without_password(own)
        else:
            server = make()
            children.append(server.child)
            urls[name], public[name] = server.url, server.address
    return children, Addresses(
        nats_url=urls["nats"],
        redis_url=urls["redis"],
        postgres_url=urls["postgres"],
        own_nats=nats is not None,
        public=public,
    )


def services(
    state: StateFolder,
    addresses: Addresses,
    environment: dict[str, str],
    names: Sequence[str] = ALWAYS,
) -> list[Child]:
    """Return the services, which start together; the feed begins when all others listen."""
    children = {
        name: service_child(
            name,
            (sys.executable, "-m", module_of(name)),
            _environment(state, addresses, environment, name),
        )
        for name in names
    }
    ports = [child.env[HEALTH_PORT] for name, child in children.items() if name != FEED]
    feed = children[FEED]
    feed = replace(feed, env={**feed.env, "INTERLOCK_WAIT_FOR_PORTS": " ".join(ports)})
    return list({**children, FEED: feed}.values())


def console(
    state: StateFolder, addresses: Addresses, environment: dict[str, str], port: int
) -> Child:
    """Return the console, which nobody waits for; it starts when the desk is on its way."""
    return service_child(
        CONSOLE,
        (sys.executable, "-m", module_of(CONSOLE)),
        {**_environment(state, addresses, environment, CONSOLE), CONSOLE_PORT: str(port)},
    )


def _environment(
    state: StateFolder, addresses: Addresses, environment: dict[str, str], name: str
) -> dict[str, str]:
    return {
        **environment,
        "INTERLOCK_STATE": str(state.root),
        "INTERLOCK_NATS_URL": addresses.nats_url,
        "INTERLOCK_NATS_PASSWORD": _password(state, addresses, name),
        "INTERLOCK_REDIS_URL": addresses.redis_url,
        "INTERLOCK_POSTGRES_URL": addresses.postgres_url,
    }


def _password(state: StateFolder, addresses: Addresses, user: str) -> str:
    """Return the user's password; none where the user's own URL says who we are."""
    return "" if addresses.own_nats else nats_password(state, user)


async def administrator(
    state: StateFolder, addresses: Addresses, names: Sequence[str] = ALWAYS
) -> Client:
    """Connect as the administrator; make the streams, and the consumers of the services named."""
    password = _password(state, addresses, ADMIN)
    client = await connect(addresses.nats_url, ADMIN, password, lambda _: None)
    await admin.prepare(client, names)
    return client


async def bars_published(client: Client) -> int:
    """Return how many market events are on the bus."""
    return sum([await _stored(client, kind) for kind in (Bar, Quote)])


async def _stored(client: Client, kind: type[Message]) -> int:
    entry = catalogue.BY_KIND[kind]
    assert entry.stream is not None
    return await _count(client, entry.stream, entry.filter)


async def _count(client: Client, stream: Stream, pattern: str) -> int:
    info = await _request(client, f"$JS.API.STREAM.INFO.{stream}", {"subjects_filter": pattern})
    counts: dict[str, int] = info["state"].get("subjects") or {}
    return sum(counts.values())


async def stored(client: Client) -> dict[str, int]:
    """Return the messages on the bus by type, those that pass the ledger."""
    counts: dict[str, int] = {}
    for entry in journaled_entries():
        assert entry.stream is not None
        if entry.stream is Stream.APPROVALS:
            info = await _request(client, f"$JS.API.STREAM.INFO.{entry.stream}", {})
            counts[entry.tag] = int(info["state"]["messages"])
        else:
            counts[entry.tag] = await _count(client, entry.stream, entry.filter)
    return counts


async def parked(client: Client) -> int:
    info = await _request(client, f"$JS.API.STREAM.INFO.{Stream.DEAD}", {})
    return int(info["state"]["messages"])


async def unreadable(client: Client) -> int:
    """Return how many messages the ledger heard and could not read: they are in no table."""
    return await _count(client, Stream.DEAD, subjects.dead_letter(LEDGER))


async def replay_finished(client: Client, desk: str) -> bool:
    """Return whether the feed has said the last word of this desk's replay."""
    entry = catalogue.BY_KIND[ReplayFinished]
    subject = entry.filter.replace("*", subjects.token(desk))
    asked = {"last_by_subj": subject}
    answer = await _request(client, f"$JS.API.STREAM.MSG.GET.{entry.stream}", asked)
    if "message" not in answer:
        return False
    try:
        last = codec.decode(b64decode(answer["message"].get("data", "")))
    except codec.UndecodableError:
        return False
    return isinstance(last, ReplayFinished)


async def settled(client: Client, names: Sequence[str]) -> bool:
    """Return whether none of these services has anything left to hear or to acknowledge."""
    for name in names:
        for stream in {entry.stream for entry in catalogue.heard_by(name)}:
            asked = f"$JS.API.CONSUMER.INFO.{stream}.{consumer_name(name)}"
            info = await _request(client, asked, {})
            if info["num_pending"] or info["num_ack_pending"]:
                return False
    return True


async def _request(client: Client, subject: str, body: dict[str, str]) -> dict[str, Any]:
    answer = await client.request(subject, json.dumps(body).encode(), timeout=_REQUEST_SECONDS)
    document: dict[str, Any] = json.loads(answer.data)
    return document
