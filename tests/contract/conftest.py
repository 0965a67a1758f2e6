"""The two worlds a bus contract is tested in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.bus.port import Bus
from interlock.wire.catalogue import Stream


@dataclass
class World:
    """A bus of either kind: `bus` opens it as a service, `raw` stores any bytes."""

    bus: Callable[[str], Awaitable[Bus]]
    raw: Callable[[str, bytes], Awaitable[None]]
    wait_for_redelivery: float


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.servers)])
def world(request: pytest.FixtureRequest) -> World:
    return request.getfixturevalue(f"{request.param}_world")


@pytest.fixture
async def memory_world() -> World:
    server = MemoryServer()

    async def bus(service: str) -> Bus:
        return MemoryBus(server, service)

    async def raw(subject: str, body: bytes) -> None:
        stream = Stream.DESK if subject.startswith("cmd.policy") else Stream.MARKET
        server.store(subject, stream, body, {})

    return World(bus, raw, 0)


@pytest.fixture
async def nats_world(broker) -> AsyncIterator[World]:
    opened: list[Bus] = []

    async def bus(service: str) -> Bus:
        opened.append(await broker.bus(service))
        return opened[-1]

    admin = await broker.client("admin")

    async def raw(subject: str, body: bytes) -> None:
        await admin.jetstream().publish(subject, body)

    yield World(bus, raw, 4.0)
    for one in opened:
        await one.close()
    await admin.close()
