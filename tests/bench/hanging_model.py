"""Bar to intent while a model call hangs: no order waits for a model.

The local reasoner's question is open at a stub that does not answer, over real HTTP, while each bar
goes through signals and strategy and comes out as an intent. Once all three are on one event loop,
with the memory bus, as in `interlock up --single-process`; once they are processes, over NATS.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import uvloop
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.local_reasoner import app as local_reasoner
from interlock.local_reasoner.adapters.asking import Asking
from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.reasoning.budget import BudgetLimits, MemoryBudgetStore
from interlock.reasoning.endpoint import ProviderKind
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.bus.permissions import OPERATOR
from interlock.runtime.bus.port import Bus
from interlock.runtime.clock import DataClock
from interlock.runtime.loop import Loop, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell, Service
from interlock.runtime.telemetry import Telemetry
from interlock.signals import app as signals
from interlock.signals.config import SignalsConfig
from interlock.strategy import app as strategy
from interlock.strategy.config import StrategyConfig
from interlock.testkit.stub_model import Say, StubModel
from interlock.wire import codec
from interlock.wire.base import Report
from interlock.wire.catalogue import (
    BY_KIND,
    EXEC,
    FEED,
    POLICY,
    REASONER,
    SIGNALS,
    STRATEGY,
)
from interlock.wire.market import Bar
from interlock.wire.orders import OrderIntent
from msgspec.structs import replace

from tests.bench.bus_world import world
from tests.bench.desk import measured_desk
from tests.bench.made_up_data import swinging_market
from tests.bench.market_for_gate import policy, tick, trading
from tests.bench.report import Line, millis, percentile
from tests.bench.strategy_in_process import fill_of

BARS, WARM_UP = 1_200, 200
P99_TARGET = 5e-3
HANGS_SECONDS = 10.0
_BETWEEN_SECONDS = 0.005
"""For the fill to be heard: it comes on another stream than the next bar."""
PATIENCE_SECONDS = 60.0
FILE = measured_desk()

type BusOf = Callable[[str], Awaitable[Bus]]


def measure() -> Iterator[Line]:
    for where, measured, target in (
        ("in process", _in_process, P99_TARGET),
        ("over the bus", _on_bus, None),
    ):
        taken = uvloop.run(measured())
        p99 = percentile(taken, 0.99)
        yield Line(
            what=f"bar to intent while a model call hangs, {where}",
            p50=millis(percentile(taken, 0.5)),
            p99=millis(p99),
            target="p99 <= 5 ms" if target else "",
            met=p99 <= target if target else None,
            note=f"{len(taken):,} orders",
        )


async def _in_process() -> list[float]:
    server = MemoryServer()

    async def bus_of(user: str) -> Bus:
        return MemoryBus(server, user)

    async with StubModel([_HANGS]) as stub, _loops(server, stub):
        return await _driven(bus_of, stub)


async def _on_bus() -> list[float]:
    async with StubModel([_HANGS]) as stub:
        overrides = {
            "INTERLOCK__LOCAL_REASONER__PROVIDER": "ollama",
            "INTERLOCK__LOCAL_REASONER__MODEL": "stub-1",
            "INTERLOCK__LOCAL_REASONER__BASE_URL": stub.ollama_url,
            "INTERLOCK__LOCAL_REASONER__TIMEOUT_SECONDS": str(HANGS_SECONDS),
        }
        services = (SIGNALS, STRATEGY, REASONER)
        async with world(services, replaying=True, overrides=overrides) as running:
            return await _driven(running.bus, stub)


_HANGS = Say("{}", after_seconds=3_600)


@contextlib.asynccontextmanager
async def _loops(server: MemoryServer, stub: StubModel) -> AsyncIterator[None]:
    """Run signals, strategy and the local reasoner on this event loop."""
    config = LocalReasonerConfig(
        provider=ProviderKind.OLLAMA,
        model="stub-1",
        base_url=stub.ollama_url,
        timeout_seconds=HANGS_SECONDS,
    )
    store = MemoryBudgetStore(BudgetLimits(usd_per_day=None, calls_per_day=None))
    caller = caller_of(config, store, {})

    def tell(report: Report) -> None:
        # The loop, which hears it, is made after this.
        reasoner.report(report)

    asking = Asking(caller, tell)
    desk = FILE.desk
    services: list[Service] = [
        signals.build(FILE.section("signals", SignalsConfig), desk),
        strategy.build(desk, FILE.section("strategy", StrategyConfig)),
        local_reasoner.build(desk, config, caller, asking),
    ]
    loops = [
        Loop(
            cell=Cell(service, service.state),
            bus=MemoryBus(server, service.name),
            clock=DataClock(0),
            telemetry=Telemetry(service.name, {}),
            metrics=Metrics(),
            streams=streams_of(service.name),
        )
        for service in services
    ]
    reasoner = loops[-1]
    for loop in loops:
        await loop.begin()
    running = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asking.close()
        await caller.close()


async def _driven(bus_of: BusOf, stub: StubModel) -> list[float]:
    """Publish bars, one when the one before has become an intent; return how long each took."""
    feed, rules, venue = await bus_of(FEED), await bus_of(POLICY), await bus_of(EXEC)
    hearer = await bus_of(OPERATOR)
    arrived: dict[str, asyncio.Future[tuple[float, OrderIntent]]] = {}

    def hear(body: bytes) -> None:
        said = codec.decode(body)
        if isinstance(said, OrderIntent) and (waiting := arrived.get(said.decision_id)):
            waiting.set_result((time.perf_counter(), said))

    await hearer.listen(BY_KIND[OrderIntent].filter, hear)
    for message in (policy(FILE.desk), trading(FILE.desk)):
        await rules.publish([message], {})
    taken: list[float] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        for message in open_waves(FeedConfig(), FILE.desk, swinging_market(BARS, ("SPY",))):
            if not isinstance(message, Bar):
                continue
            if len(taken) == WARM_UP and not stub.requests:
                await feed.publish([replace(tick(FILE.desk), ts_event=message.ts_event)], {})
                while not stub.requests:
                    await asyncio.sleep(0.01)
            waiting = asyncio.get_running_loop().create_future()
            arrived[message.decision_id] = waiting
            began = time.perf_counter()
            await feed.publish([message], {})
            try:
                at, intent = await asyncio.wait_for(waiting, 1.0)
            except TimeoutError:
                # No momentum yet, or the fill of the order before has not been heard.
                continue
            taken.append(at - began)
            await venue.publish([fill_of(intent)], {})
            await asyncio.sleep(_BETWEEN_SECONDS)
    for bus in (feed, rules, venue, hearer):
        await bus.close()
    assert stub.requests, "no model call was open"
    assert len(taken) > BARS / 2, "most bars became no intent"
    return taken[WARM_UP:]
