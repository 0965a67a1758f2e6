"""The gate over the bus: an intent goes in, a signed order comes out, both durable.

The gate is a process of its own; the benchmark is strategy, and exec in that it has its place in
the stream of approvals and is given an order only once it is stored.
"""

import asyncio
import time
from collections.abc import Iterator

import uvloop
from interlock.runtime.bus.nats import NatsBus
from interlock.runtime.bus.port import Inbox
from interlock.runtime.rules_records import sign_rules
from interlock.runtime.signing import load_rules_signer
from interlock.runtime.stores.redis_rules import RedisRulesStore
from interlock.wire.catalogue import EXEC, FEED, GATE, POLICY, SIGNALS, STRATEGY, Stream

from tests.bench.bus_world import World, world
from tests.bench.desk import measured_desk
from tests.bench.market_for_gate import bars, features, intent, policy, reconciled, tick, trading
from tests.bench.report import Line, millis, percentile

WARM_UP, ALONE, TOGETHER = 200, 1_000, 4_000
IN_FLIGHT = 64
P99_TARGET, RATE_TARGET = 3e-3, 2_000
PATIENCE_SECONDS = 20.0
DESK = measured_desk().desk


def measure() -> Iterator[Line]:
    taken, rate = uvloop.run(_measure())
    p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
    yield Line(
        what="gate over the bus, intent to signed order, durable",
        p50=millis(p50),
        p99=millis(p99),
        rate=f"{rate:,.0f}/s",
        target="p99 <= 3 ms, >= 2,000/s",
        met=p99 <= P99_TARGET and rate >= RATE_TARGET,
        note=f"rate with {IN_FLIGHT} publishes in flight",
    )


async def _measure() -> tuple[list[float], float]:
    async with world((GATE,), replaying=True) as running:
        await _open(running)
        strategy, executor = await running.bus(STRATEGY), await running.bus(EXEC)
        arrived = asyncio.Event()
        inbox = await executor.open_inbox(Stream.APPROVALS, arrived.set)
        try:
            taken = [
                await _one(strategy, inbox, arrived, number) for number in range(WARM_UP + ALONE)
            ]
            rate = await _many(strategy, inbox, arrived, WARM_UP + ALONE)
        finally:
            await strategy.close()
            await executor.close()
        return taken[WARM_UP:], rate


async def _open(running: World) -> None:
    """Say what a gate must have heard before it approves anything."""
    signer = load_rules_signer(running.state.secrets)
    store = RedisRulesStore(running.addresses.redis_url)
    for rules in (policy(DESK), trading(DESK)):
        await store.save(sign_rules(rules, signer))
    await store.close()
    for user, messages in (
        (FEED, [tick(DESK), *bars(DESK)]),
        (SIGNALS, features(DESK)),
        (POLICY, [policy(DESK), trading(DESK)]),
        (EXEC, [reconciled(DESK)]),
    ):
        bus = await running.bus(user)
        for message in messages:
            await bus.publish([message], {})
        await bus.close()


async def _one(strategy: NatsBus, inbox: Inbox, arrived: asyncio.Event, number: int) -> float:
    wanted = intent(DESK, number)
    began = time.perf_counter()
    await strategy.publish([wanted], {})
    await _taken(inbox, arrived, 1)
    return time.perf_counter() - began


async def _many(strategy: NatsBus, inbox: Inbox, arrived: asyncio.Event, first: int) -> float:
    free = asyncio.Semaphore(IN_FLIGHT)

    async def publish(number: int) -> None:
        async with free:
            await strategy.publish([intent(DESK, number)], {})

    began = time.perf_counter()
    publishing = [asyncio.create_task(publish(first + number)) for number in range(TOGETHER)]
    await _taken(inbox, arrived, TOGETHER)
    seconds = time.perf_counter() - began
    await asyncio.gather(*publishing)
    return TOGETHER / seconds


async def _taken(inbox: Inbox, arrived: asyncio.Event, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while count:
            arrived.clear()
            for delivery in list(inbox.waiting):
                await inbox.take(delivery).ack()
                count -= 1
            if count:
                await arrived.wait()
