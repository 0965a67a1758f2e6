"""What a service hears from a broker that is away for less time than anybody looks."""

import asyncio

import pytest
from interlock.runtime.bus import nats
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
