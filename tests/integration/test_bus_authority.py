"""What each identity of the bus can do with its real credentials: its own words, and nothing else.

An identity is stopped twice: the server refuses what it may not publish, and what the server itself
publishes in answer to it stays in its own account.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from interlock.cli.process import start
from interlock.cli.servers.nats import desk_users, nats_password, nats_server
from interlock.cli.state_folder import open_state_folder
from interlock.runtime.bus import admin
from interlock.runtime.bus.nats import connect
from interlock.runtime.bus.permissions import OPERATOR, all_permissions
from interlock.runtime.bus.tcp_only import Client
from interlock.wire import catalogue, subjects
from interlock.wire.catalogue import CLI, ENTRIES, SERVICES, STREAMS, Entry, Stream
from nats.js.api import ConsumerConfig, StreamConfig

pytestmark = pytest.mark.servers

USERS = [one.user for one in all_permissions()]
ANY_ID = "x1"
ROOMS = {CLI: OPERATOR}


@dataclass(slots=True)
class Bus:
    """The broker, its administrator, and one identity at work."""

    admin: Client
    client: Client
    user: str
    errors: list[str] = field(default_factory=list)

    async def may_publish(self, subject: str, reply: str = "", body: bytes = b"{}") -> bool:
        """Return whether the server let it through."""
        self.errors.clear()
        await self.client.publish(subject, body, reply=reply)
        return not await self._refused(f'for publish to "{subject}"')

    async def may_subscribe(self, subject: str) -> bool:
        await self.client.subscribe(subject)
        return not await self._refused(f'for subscription to "{subject}"')

    async def _refused(self, what: str) -> bool:
        for _ in range(3):
            # The answer to a ping of the client's own may end the first wait too early.
            await self.client.flush()
            if any(what.lower() in text.lower() for text in self.errors):
                return True
            await asyncio.sleep(0.005)
        return False

    async def standing(self) -> dict[str, tuple[int, int]]:
        """Return the last sequence and the number of consumers of every stream."""
        await self.client.flush()
        await self.admin.flush()
        infos = await self.admin.jetstream().streams_info()
        return {one.config.name: (one.state.last_seq, one.state.consumer_count) for one in infos}


@pytest.fixture
async def bus_of(broker) -> AsyncIterator:
    opened: list[Client] = []

    async def open_as(user: str) -> Bus:
        errors: list[str] = []
        client = await broker.client(user, errors.append)
        admin = await broker.client("admin")
        opened.extend((client, admin))
        return Bus(admin, client, user, errors)

    yield open_as
    for client in opened:
        await client.close()


def subject_as(entry: Entry, speaker: str) -> str:
    """Return a subject of this line of the catalogue, said by `speaker` where it names one."""
    parts = entry.pattern.replace("{service}", subjects.token(speaker)).split(".")
    return ".".join(ANY_ID if part.startswith("{") else part for part in parts)


@pytest.mark.parametrize("user", USERS)
async def test_an_identity_publishes_the_catalogues_subjects_and_no_other(bus_of, user):
    bus = await bus_of(user)
    for entry in ENTRIES:
        own = user in [ROOMS.get(name, name) for name in entry.publishers]
        assert await bus.may_publish(subject_as(entry, user)) is own, entry.tag
        if "{service}" in entry.pattern:
            others = [name for name in SERVICES if name != user]
            # A person's tools speak in no service's name, and no service in another's.
            spoke = [name for name in others if await bus.may_publish(subject_as(entry, name))]
            assert spoke == [], entry.tag


@pytest.mark.parametrize("user", USERS)
async def test_no_identity_changes_a_stream_or_a_consumer(bus_of, user):
    bus = await bus_of(user)
    before = await bus.standing()
    assert set(before) == set(Stream)
    for subject, body in meddling():
        assert not await bus.may_publish(subject, body=body), subject
    assert await bus.standing() == before


def meddling() -> list[tuple[str, bytes]]:
    """Return every way to make, change, empty, delete or pause a stream or a consumer."""
    asked: list[tuple[str, bytes]] = []
    for spec in STREAMS:
        stream = json.dumps(StreamConfig(name=spec.name, subjects=["doc.>"]).as_dict()).encode()
        consumer = ConsumerConfig(durable_name="mine", deliver_subject="cmd.policy.resume.d")
        config = {"stream_name": spec.name, "config": consumer.as_dict()}
        made = json.dumps(config).encode()
        asked += [
            (f"$JS.API.STREAM.CREATE.{spec.name}", stream),
            ("$JS.API.STREAM.CREATE.MINE", b'{"name": "MINE", "subjects": ["mine"]}'),
            (f"$JS.API.STREAM.UPDATE.{spec.name}", stream),
            (f"$JS.API.STREAM.DELETE.{spec.name}", b""),
            (f"$JS.API.STREAM.PURGE.{spec.name}", b""),
            (f"$JS.API.STREAM.MSG.DELETE.{spec.name}", b'{"seq": 1}'),
            (f"$JS.API.STREAM.RESTORE.{spec.name}", b"{}"),
            (f"$JS.API.STREAM.SNAPSHOT.{spec.name}", b'{"deliver_subject": "mine"}'),
            (f"$JS.API.CONSUMER.CREATE.{spec.name}.mine", made),
            (f"$JS.API.CONSUMER.CREATE.{spec.name}", made),
            (f"$JS.API.CONSUMER.DURABLE.CREATE.{spec.name}.mine", made),
            (f"$JS.API.CONSUMER.DELETE.{spec.name}.gate", b""),
            (
                f"$JS.API.CONSUMER.PAUSE.{spec.name}.gate",
                b'{"pause_until": "2099-01-01T00:00:00Z"}',
            ),
        ]
    return asked


@pytest.mark.parametrize("user", USERS)
async def test_no_identity_takes_anothers_messages_or_acknowledges_for_it(bus_of, user):
    bus = await bus_of(user)
    for service in SERVICES:
        for stream in catalogue.filters_of(service):
            asked = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{service}"
            assert await bus.may_publish(asked, body=b"1") is (service == user)
            acknowledged = f"$JS.ACK.{stream}.{service}.1.1.1.1.0"
            assert await bus.may_publish(acknowledged, body=b"+ACK") is (service == user)


@pytest.mark.parametrize("user", SERVICES)
async def test_no_service_reads_a_stream_that_is_none_of_its_business(bus_of, user):
    bus = await bus_of(user)
    hears = set(catalogue.filters_of(user))
    says = {entry.stream for entry in catalogue.said_by(user)}
    for stream in Stream:
        asked = f"$JS.API.DIRECT.GET.{stream}"
        assert await bus.may_publish(asked, body=b'{"seq": 1}') is (stream in hears | says)
        assert not await bus.may_publish(f"$JS.API.STREAM.MSG.GET.{stream}", body=b'{"seq": 1}')
    for subject in (">", "_INBOX.>", "cmd.>", "evt.>"):
        assert not await bus.may_subscribe(subject), subject


LAUNDERED = [
    ("cmd.policy.resume.d", b'{"type": "policy.resume.v1"}'),
    ("cmd.exec.submit-order.a.i", b'{"type": "order.submit.v1"}'),
    ("evt.policy.trading-state.d", b'{"type": "policy.trading-state.v1"}'),
    ("evt.order.filled.a", b'{"type": "order.filled.v1"}'),
    *((subject, body or b"{}") for subject, body in meddling()),
]


@pytest.mark.parametrize("user", USERS)
async def test_no_identity_has_the_server_say_what_it_may_not_say_itself(bus_of, user):
    """The server answers to whatever subject it was asked to answer to.

    Each forgery is stored under one's own name first, and then read back with the forbidden
    subject for an answer.
    """
    bus = await bus_of(user)
    mine = [entry for entry in ENTRIES if entry.stream and user in entry.publishers]
    mine = mine or [entry for entry in ENTRIES if CLI in entry.publishers]
    said = {entry.filter for entry in mine}
    targets = [pair for pair in LAUNDERED if not any(_matches(one, pair[0]) for one in said)]
    entry = next(one for one in mine if one.stream is Stream.DESK or len(mine) == 1)
    own = subject_as(entry, user)
    for target, body in targets:
        stored = json.loads((await bus.client.request(own, body, timeout=2)).data)
        before = await bus.standing()
        back = json.dumps({"seq": stored["seq"]}).encode()
        assert await bus.may_publish(f"$JS.API.DIRECT.GET.{entry.stream}", target, back)
        assert await bus.standing() == before, target
        # The acknowledgement of a publish is an answer as well.
        assert await bus.may_publish(own, target, body)
        last, consumers = before[str(entry.stream)]
        assert await bus.standing() == {**before, str(entry.stream): (last + 1, consumers)}, target


def _matches(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    return len(wanted) == len(given) and all(
        one in ("*", other) for one, other in zip(wanted, given, strict=True)
    )


@pytest.mark.parametrize("sections", [(), ("escalation",)], ids=["without", "with"])
async def test_a_consumer_is_made_for_an_optional_room_only_where_it_runs(tmp_path, sections):
    state = open_state_folder(tmp_path / "bare")
    server = nats_server(state, desk_users(state))
    running = await start(server.child, state)
    while not await server.child.probe():
        assert running.process.returncode is None, running.last_lines()
    try:
        client = await connect(server.url, "admin", nats_password(state, "admin"), lambda _: None)
        names = catalogue.services_of(sections)
        await admin.prepare(client, names)
        context = client.jetstream()
        made = {one.name for stream in Stream for one in await context.consumers_info(stream)}
        assert made == {name for name in names if catalogue.filters_of(name)}
        await client.close()
    finally:
        await running.stop()
