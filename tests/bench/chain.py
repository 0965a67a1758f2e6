"""The whole chain over NATS with durable streams: a bar is published, an order is at the venue.

Every service is a process of its own. The benchmark is the feed of a replay: it publishes a bar,
waits until everything has settled, and publishes the next. The time runs from before a bar is
published until the benchmark hears `OrderAccepted`, which exec publishes when the venue adapter has
returned: an upper bound, by one publish.
"""

import time
from collections.abc import Iterator

import uvloop
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.runtime.telemetry import Telemetry
from interlock.runtime.waves import Waves
from interlock.wire import codec
from interlock.wire.catalogue import BY_KIND, FEED
from interlock.wire.market import Bar
from interlock.wire.orders import OrderAccepted

from tests.bench.bus_world import World, world
from tests.bench.desk import measured_desk
from tests.bench.made_up_data import swinging_market
from tests.bench.report import Line, millis, percentile

BARS, WARM_UP = 1_500, 300
P50_TARGET, P99_TARGET = 3e-3, 10e-3


def measure() -> Iterator[Line]:
    taken, settled = uvloop.run(_measure())
    p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
    yield Line(
        what="bar published to order at the venue, all services on NATS",
        p50=millis(p50),
        p99=millis(p99),
        target="<= 3 ms, <= 10 ms",
        met=p50 <= P50_TARGET and p99 <= P99_TARGET,
        note=f"{len(taken):,} orders",
    )
    yield Line(
        what="bar published to everything settled, an order each bar",
        p50=millis(percentile(settled, 0.5)),
        p99=millis(percentile(settled, 0.99)),
        rate=f"{len(settled) / sum(settled):,.0f} bars/s",
    )


async def _measure() -> tuple[list[float], list[float]]:
    async with world(replaying=True) as running:
        return await publish_bars(running)


async def publish_bars(running: World) -> tuple[list[float], list[float]]:
    """Return how long each bar took to become an order, and to settle."""
    accepted: dict[str, float] = {}

    def hear(body: bytes) -> None:
        accepted[codec.decode(body).decision_id] = time.perf_counter()

    operator, feed = await running.operator(), await running.bus(FEED)
    await operator.listen(BY_KIND[OrderAccepted].filter, hear)
    waves = Waves(feed, Telemetry(FEED))
    await waves.start()
    began: dict[str, float] = {}
    settled: list[float] = []
    desk = measured_desk().desk
    for message in open_waves(FeedConfig(), desk, swinging_market(BARS, ("SPY",))):
        started = time.perf_counter()
        if isinstance(message, Bar):
            began[message.decision_id] = started
        await waves.publish(message)
        if isinstance(message, Bar):
            settled.append(time.perf_counter() - started)
    await feed.close()
    await operator.close()
    taken = [accepted[decision] - began[decision] for decision in accepted]
    return taken[WARM_UP:], settled[WARM_UP:]
