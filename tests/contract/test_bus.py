"""One contract for every bus: what the service loop may rely on."""

import asyncio

import pytest
from interlock.runtime.bus.port import Bus, Delivery, Remembered, WrongSequenceError
from interlock.wire import catalogue
from interlock.wire.base import root_ids
from interlock.wire.catalogue import Stream
from interlock.wire.market import ClockTicked
from interlock.wire.policy import HaltTrading, PolicyChanged
from interlock.wire.system import DeadLettered

PATIENCE = 30.0


def halt(number: int, reason: str = "so") -> HaltTrading:
    message_id, decision_id = root_ids(HaltTrading, number)
    return HaltTrading(
        message_id=message_id, decision_id=decision_id, ts_event=number, desk="d",
        by="ada", reason=reason,
    )  # fmt: skip


def tick(number: int) -> ClockTicked:
    message_id, decision_id = root_ids(ClockTicked, number)
    return ClockTicked(
        message_id=message_id, decision_id=decision_id, ts_event=number, desk="d", index=number,
        cadence_ns=1, ts_desk=number, window_scale=1.0, clock_offset_ns=0,
    )  # fmt: skip


def policy(version: int) -> PolicyChanged:
    message_id, decision_id = root_ids(PolicyChanged, version)
    return PolicyChanged(
        message_id=message_id, decision_id=decision_id, ts_event=version, desk="d",
        version=version, parameters={"x": 1.0}, changes=[], author="ada", reason="",
        proposal_id=None, config_hash="",
    )  # fmt: skip


class Reader:
    """Takes deliveries from one stream."""

    def __init__(self) -> None:
        self._arrived = asyncio.Event()

    async def open(self, bus: Bus, stream: Stream) -> "Reader":
        self._inbox = await bus.open_inbox(stream, self._arrived.set)
        return self

    async def next(self) -> Delivery:
        async with asyncio.timeout(PATIENCE):
            while (first := next(iter(self._inbox.waiting), None)) is None:
                self._arrived.clear()
                await self._arrived.wait()
        return self._inbox.take(first)

    async def is_empty_after(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return next(iter(self._inbox.waiting), None) is None


async def history_of(bus: Bus, length: int) -> list[Remembered]:
    """Return the history once it has so many items: acknowledgements may be on their way."""
    async with asyncio.timeout(PATIENCE):
        while len(remembered := [item async for item in bus.history()]) < length:
            await asyncio.sleep(0.02)
    return remembered


async def test_messages_of_one_subject_arrive_in_the_order_of_storing(world):
    cli, policy_bus = await world.bus("operator"), await world.bus("policy")
    reader = await Reader().open(policy_bus, Stream.DESK)
    await cli.publish([halt(n) for n in range(200)], {})
    for wanted in range(200):
        delivery = await reader.next()
        assert delivery.decode() == halt(wanted)
        assert delivery.tries == 1
        await delivery.ack()


async def test_unacknowledged_messages_come_again_and_acknowledged_do_not(world):
    feed = await world.bus("feed")
    await feed.publish([tick(1), tick(2)], {})
    first = await world.bus("policy")
    reader = await Reader().open(first, Stream.MARKET)
    await (await reader.next()).ack()
    assert (await reader.next()).decode() == tick(2)
    await asyncio.sleep(0.1)
    await first.close()
    again = await Reader().open(await world.bus("policy"), Stream.MARKET)
    delivery = await again.next()
    assert delivery.decode() == tick(2)
    assert delivery.tries == 2
    await delivery.ack()
    assert await again.is_empty_after(world.wait_for_redelivery)


async def test_a_message_id_is_stored_once(world):
    feed, policy_bus = await world.bus("feed"), await world.bus("policy")
    reader = await Reader().open(policy_bus, Stream.MARKET)
    for _ in range(3):
        await feed.publish([tick(1)], {})
    await feed.publish([tick(2)], {})
    assert [(await reader.next()).decode() for _ in range(2)] == [tick(1), tick(2)]
    assert await reader.is_empty_after(0.2)


async def test_an_expected_sequence_keeps_two_writers_apart(world):
    one, two = await world.bus("policy"), await world.bus("policy")
    sequence = await one.publish_expecting(policy(1), 0)
    with pytest.raises(WrongSequenceError):
        await two.publish_expecting(policy(7), 0)
    assert await two.publish_expecting(policy(2), sequence) > sequence


async def test_each_listener_has_its_own_place(world):
    feed = await world.bus("feed")
    await feed.publish([tick(1)], {})
    for service in ("policy", "local-reasoner", "gate", "ledger"):
        reader = await Reader().open(await world.bus(service), Stream.MARKET)
        assert (await reader.next()).decode() == tick(1)


async def test_a_service_hears_only_what_the_catalogue_gives_it(world):
    feed, cli = await world.bus("feed"), await world.bus("operator")
    reader = await Reader().open(await world.bus("gate"), Stream.DESK)
    await feed.publish([tick(1)], {})
    await cli.publish([halt(1)], {})
    assert await reader.is_empty_after(0.3)


async def test_malformed_bytes_are_delivered_as_they_are(world):
    reader = await Reader().open(await world.bus("policy"), Stream.DESK)
    await world.raw("cmd.policy.halt.d", b"{not json")
    assert (await reader.next()).body == b"{not json"


async def test_history_gives_back_what_was_acknowledged_and_what_was_said(world):
    feed, policy_bus = await world.bus("feed"), await world.bus("policy")
    await feed.publish([tick(n) for n in range(5)], {})
    reader = await Reader().open(policy_bus, Stream.MARKET)
    for _ in range(3):
        await (await reader.next()).ack()
    await policy_bus.publish([policy(1)], {})
    remembered = await history_of(await world.bus("policy"), 4)
    assert [item.message for item in remembered] == [tick(0), tick(1), tick(2), policy(1)]
    assert [item.own for item in remembered] == [False, False, False, True]


async def test_headers_travel_with_a_message(world):
    feed = await world.bus("feed")
    reader = await Reader().open(await world.bus("policy"), Stream.MARKET)
    await feed.publish([tick(1)], {"traceparent": "00-aa-bb-01"})
    assert (await reader.next()).headers["traceparent"] == "00-aa-bb-01"


async def test_settled_is_true_when_nothing_is_left(world):
    feed = await world.bus("feed")
    readers = {}
    for service in catalogue.SERVICES:
        bus = await world.bus(service)
        for stream in {e.stream for e in catalogue.heard_by(service) if e.stream}:
            readers[service, stream] = await Reader().open(bus, stream)
    assert await feed.settled(catalogue.SERVICES)
    await feed.publish([tick(1)], {})
    assert not await feed.settled(catalogue.SERVICES)
    for service in ("policy", "local-reasoner", "gate", "ledger"):
        await (await readers[service, Stream.MARKET].next()).ack()
    await asyncio.sleep(0.1)
    assert await feed.settled(catalogue.SERVICES)


async def test_unstored_words_reach_who_listens_now(world):
    feed, policy_bus = await world.bus("feed"), await world.bus("policy")
    heard: list[bytes] = []
    await feed.listen("sys.settled.*", heard.append)
    await policy_bus.tell("sys.settled.policy", b"done")
    await asyncio.sleep(0.1)
    assert heard == [b"done"]


async def test_parked_messages_are_kept(world):
    bus = await world.bus("policy")
    heard: list[bytes] = []
    await (await world.bus("operator")).listen("dead.letter.*", heard.append)
    letter = DeadLettered(
        message_id="1", decision_id="2", ts_event=0, desk="d", service="policy", stream="DESK",
        subject="x", reason="y", tries=3, headers={}, body="",
    )  # fmt: skip
    await bus.park(letter)
    async with asyncio.timeout(PATIENCE):
        while not heard:
            await asyncio.sleep(0.01)
    assert len(heard) == 1


async def test_history_is_whole_where_the_broker_ends_a_batch_early(world):
    writer = await world.bus("operator")
    many, long = 90, "x" * 900_000
    await writer.publish([halt(n, long) for n in range(many)], {})
    reader = await Reader().open(await world.bus("policy"), Stream.DESK)
    for _ in range(many):
        await (await reader.next()).ack()
    remembered = await history_of(await world.bus("policy"), many)
    assert [item.message for item in remembered] == [halt(n, long) for n in range(many)]


async def test_the_latest_of_each_subject_is_found_whoever_has_heard_it(world):
    policy_bus, person = await world.bus("policy"), await world.bus("operator")
    assert list(await person.latest([HaltTrading])) == []
    await policy_bus.publish([policy(1), policy(2)], {})
    await person.publish([halt(1), halt(2, "later")], {})
    found = await (await world.bus("exec")).latest([HaltTrading, PolicyChanged])
    assert sorted(one.ts_event for one in found) == [2, 2]
    assert {type(one) for one in found} == {HaltTrading, PolicyChanged}
