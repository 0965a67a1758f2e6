"""What is on its way to a broker that is killed, hangs or is not ready: stored once, in order."""

import asyncio
import itertools
import os
import signal

import pytest
from interlock.runtime.bus import nats_outbox
from interlock.runtime.errors import TooLargeError
from interlock.wire import codec
from interlock.wire.base import root_ids
from interlock.wire.catalogue import Stream
from interlock.wire.policy import HaltTrading

pytestmark = pytest.mark.servers
PATIENCE = 30.0


def halt(number, long=""):
    message_id, decision_id = root_ids(HaltTrading, "outbox", number)
    return HaltTrading(
        message_id=message_id, decision_id=decision_id, ts_event=number, desk="d", by="ada",
        reason=f"{number}{long}",
    )  # fmt: skip


async def stored(broker):
    """Return the numbers of the messages on the broker, in the order of storing."""
    admin = await broker.client("admin")
    context = admin.jetstream()
    count = (await context.stream_info(Stream.DESK)).state.messages
    bodies = [(await context.get_msg(Stream.DESK, at + 1)).data for at in range(count)]
    await admin.close()
    return [codec.decode(body).ts_event for body in bodies]


async def test_what_is_said_together_is_stored_in_the_order_of_saying(broker):
    bus = await broker.bus("operator")
    said = [bus.publish([halt(n)], {}) for n in range(300)]
    await asyncio.wait_for(asyncio.gather(*said), PATIENCE)
    await bus.close()
    assert await stored(broker) == list(range(300))


async def test_a_broker_killed_again_and_again_stores_each_once_and_in_order(broker):
    bus = await broker.bus("operator")
    numbers, said = itertools.count(), []

    async def speaking():
        while len(said) < 3_000:
            said.extend(bus.publish([halt(next(numbers))], {}) for _ in range(20))
            await asyncio.sleep(0.01)

    async def killing():
        for _ in range(3):
            await asyncio.sleep(0.15)
            await broker.kill()

    await asyncio.gather(speaking(), killing())
    await asyncio.wait_for(asyncio.gather(*said), PATIENCE)
    await bus.close()
    assert await stored(broker) == list(range(len(said)))


async def test_a_broker_that_hangs_beyond_the_timeout_stores_each_once(broker, monkeypatch):
    monkeypatch.setattr(nats_outbox, "PUBLISH_TIMEOUT_SECONDS", 0.2)
    bus = await broker.bus("operator")
    await bus.publish([halt(0)], {})
    os.kill(broker.running.pid, signal.SIGSTOP)
    said = [bus.publish([halt(n)], {}) for n in range(1, 50)]
    await asyncio.sleep(0.8)
    os.kill(broker.running.pid, signal.SIGCONT)
    await asyncio.wait_for(asyncio.gather(*said), PATIENCE)
    await bus.close()
    assert await stored(broker) == list(range(50))


async def test_more_than_the_window_waits_and_is_stored(broker):
    bus = await broker.bus("operator")
    long = "x" * 700_000
    assert 20 * len(long) > nats_outbox.WINDOW_BYTES
    said = [bus.publish([halt(n, long)], {}) for n in range(20)]
    await asyncio.wait_for(asyncio.gather(*said), PATIENCE)
    await bus.close()
    assert await stored(broker) == list(range(20))


async def test_words_without_a_stream_wait_until_there_is_one(broker):
    admin = await broker.client("admin")
    config = (await admin.jetstream().stream_info(Stream.DESK)).config
    await admin.jetstream().delete_stream(Stream.DESK)
    bus = await broker.bus("operator")
    said = asyncio.gather(*(bus.publish([halt(n)], {}) for n in range(5)))
    await asyncio.sleep(0.2)
    assert not said.done()
    await admin.jetstream().add_stream(config)
    await asyncio.wait_for(said, PATIENCE)
    await bus.close()
    await admin.close()
    assert sorted(await stored(broker)) == list(range(5))


async def test_a_message_that_is_too_large_is_refused_before_anything_is_sent(broker):
    bus = await broker.bus("operator")
    with pytest.raises(TooLargeError):
        bus.publish([halt(1), halt(2, "x" * 2_000_000)], {})
    await bus.publish([halt(3)], {})
    await bus.close()
    assert await stored(broker) == [3]


async def test_a_closed_bus_lets_nobody_wait_for_ever(broker):
    bus = await broker.bus("operator")
    await bus.publish([halt(0)], {})
    os.kill(broker.running.pid, signal.SIGSTOP)
    waiting = asyncio.ensure_future(bus.publish([halt(1)], {}))
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(bus.close())
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, PATIENCE)
    os.kill(broker.running.pid, signal.SIGCONT)
    await closing
