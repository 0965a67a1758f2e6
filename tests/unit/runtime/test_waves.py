"""A wave ends when everything that came of its first message is done, and not before."""

import asyncio

import msgspec
import pytest
from interlock.runtime import waves as module
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.telemetry import Telemetry
from interlock.runtime.waves import Waves
from interlock.testkit.decisions import features, venue_bar, wanted, wide_bar
from interlock.wire import catalogue, subjects
from interlock.wire.base import tag_of
from interlock.wire.catalogue import Stream
from interlock.wire.orders import OrderIntent
from interlock.wire.system import Caused, MessagesSettled, Settled


class World:
    """A memory bus whose listeners are told by hand to be done."""

    def __init__(self, services=None):
        self.server = MemoryServer()
        self.bus = MemoryBus(self.server, "feed")
        running = catalogue.services_of() if services is None else services
        self.waves = Waves(self.bus, Telemetry("feed", {}), running)
        self.wave = None

    async def publish(self, message):
        await self.waves.start()
        self.wave = asyncio.create_task(self.waves.publish(message))
        await self.turn()

    async def turn(self):
        for _ in range(5):
            await asyncio.sleep(0)

    async def done(self, service, message, *caused):
        told = [Caused(message_id=one.message_id, tag=tag_of(type(one))) for one in caused]
        news = MessagesSettled(
            service=service, settled=[Settled(message_id=message.message_id, caused=told)]
        )
        await self.bus.tell(subjects.settled(service), msgspec.json.encode(news))
        await self.turn()


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(module, "SILENCE_SECONDS", 30.0)
    monkeypatch.setattr(module, "ASK_SECONDS", 0)
    return World()


BAR, INTENT = wide_bar(1), wanted(1)
LISTENERS = catalogue.listeners_of(tag_of(type(BAR)))


async def test_a_wave_waits_for_every_listener(world):
    await world.publish(BAR)
    assert len(LISTENERS) > 1
    for service in LISTENERS:
        assert not world.wave.done()
        await world.done(service, BAR)
    await world.wave


async def test_a_wave_waits_for_what_its_message_brought_about(world):
    await world.publish(BAR)
    first, *others = LISTENERS
    await world.done(first, BAR, INTENT)
    for service in others:
        await world.done(service, BAR)
    for service in catalogue.listeners_of(tag_of(OrderIntent)):
        assert not world.wave.done()
        await world.done(service, INTENT)
    await world.wave


async def test_who_is_done_before_anybody_said_that_it_had_to_be_is_remembered(world):
    await world.publish(BAR)
    for service in catalogue.listeners_of(tag_of(OrderIntent)):
        await world.done(service, INTENT)
    first, *others = LISTENERS
    for service in others:
        await world.done(service, BAR)
    assert not world.wave.done()
    await world.done(first, BAR, INTENT)
    await world.wave


async def test_a_message_is_published_once_and_with_a_trace(world):
    await world.publish(BAR)
    (row,) = world.server.rows(Stream.MARKET)
    assert row.message == BAR
    assert row.headers["traceparent"].split("-")[1] == BAR.decision_id
    for service in LISTENERS:
        await world.done(service, BAR)
    await world.wave


@pytest.mark.parametrize(
    ("sections", "awaited"), [((), False), (("escalation",), True)], ids=["without", "with"]
)
async def test_a_wave_waits_for_an_optional_room_only_where_it_runs(world, sections, awaited):
    world = World(catalogue.services_of(sections))
    message = features(1, 2.0)
    await world.publish(message)
    listeners = catalogue.listeners_of(tag_of(type(message)))
    assert "escalation" in listeners
    for service in listeners:
        if service != "escalation":
            await world.done(service, message)
    assert world.wave.done() is not awaited
    await world.done("escalation", message)
    await world.wave


async def test_words_of_strangers_do_not_end_a_wave(world):
    await world.publish(venue_bar(BAR))
    (service,) = catalogue.listeners_of(tag_of(type(venue_bar(BAR))))
    for body in (b"", b"{}", b"\xff", b"[" * 100_000):
        await world.bus.tell(subjects.settled("stranger"), body)
    await world.done("stranger", venue_bar(BAR))
    await world.done(service, BAR)
    assert not world.wave.done()
    await world.done(service, venue_bar(BAR))
    await world.wave


async def test_after_a_silence_the_broker_is_asked_and_ends_the_wave(world, monkeypatch):
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.01)
    await world.publish(BAR)
    await asyncio.wait_for(world.wave, 10)


async def test_a_wave_goes_on_while_the_broker_has_something_open(world, monkeypatch):
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.01)
    await world.publish(BAR)
    inbox = world.server.open("gate", Stream.MARKET, lambda: None)
    done, _ = await asyncio.wait([world.wave], timeout=0.1)
    assert not done
    (delivery,) = inbox.waiting
    await inbox.take(delivery).ack()
    await asyncio.wait_for(world.wave, 10)


async def test_what_one_wave_left_unsaid_does_not_hold_the_next(world, monkeypatch):
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.01)
    await world.publish(BAR)
    await asyncio.wait_for(world.wave, 10)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 30.0)
    later = wide_bar(2)
    world.wave = asyncio.create_task(world.waves.publish(later))
    await world.turn()
    for service in LISTENERS:
        await world.done(service, BAR)
    assert not world.wave.done()
    for service in LISTENERS:
        await world.done(service, later)
    await world.wave
