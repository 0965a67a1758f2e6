"""What a service hears from a broker that is away for a moment, and when it gives a link up."""

import asyncio
import os
import signal

import pytest
from interlock.runtime.bus import nats
from interlock.runtime.bus.tcp_only import Msg
from interlock.testkit.decisions import trading
from interlock.wire.catalogue import GATE, POLICY, Stream

pytestmark = pytest.mark.servers
PATIENCE = 20.0


async def test_a_broker_that_is_back_at_once_is_asked_again(broker, monkeypatch):
    # A silence alone must not be what makes it ask: that would be after 36 s.
    monkeypatch.setattr(nats, "IDLE_HEARTBEAT_SECONDS", 12)
    speaker, bus = await broker.bus(POLICY), await broker.bus(GATE)
    arrived = asyncio.Event()
    inbox = await bus.open_inbox(Stream.DESK, arrived.set)
    for epoch in range(1, 4):
        arrived.clear()
        await asyncio.wait_for(speaker.publish([trading(epoch=epoch)], {}), PATIENCE)
        await asyncio.wait_for(arrived.wait(), PATIENCE)
        await inbox.take(next(iter(inbox.waiting))).ack()
        await broker.kill()
    for one in (speaker, bus):
        await one.close()


async def test_a_flush_that_a_new_connection_overtook_says_nothing_against_it(broker, monkeypatch):
    monkeypatch.setattr(nats, "WATCHDOG_SECONDS", 0.05)
    monkeypatch.setattr(nats, "WATCHDOG_PATIENCE_SECONDS", 1.0)
    bus = await broker.bus(GATE)
    bus.start_watchdog()
    os.kill(broker.running.pid, signal.SIGSTOP)
    await asyncio.sleep(0.2)
    await broker.kill()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bus.lost_link.wait(), 2.0)
    assert bus.client.stats["reconnects"] == 1
    await bus.close()


async def test_what_was_delivered_to_a_sleeper_again_and_again_was_not_tried_yet(broker):
    bus = await broker.bus(GATE)
    inbox = await bus.open_inbox(Stream.DESK, lambda: None)
    for times in range(1, 9):
        reply = f"$JS.ACK.DESK.gate.{times}.7.{times}.1700000000000000000.0"
        await inbox._hear(Msg(_client=bus.client, subject="evt.x", reply=reply, data=b"{}"))
    (delivery,) = inbox.waiting
    assert (delivery.sequence, delivery.tries) == (7, 1)
    await bus.close()
