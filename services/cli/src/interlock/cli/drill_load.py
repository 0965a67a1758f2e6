"""What a drill's desk lives on: prices, features, and more intents than it could ever need."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from nats.js.errors import NotFoundError

from interlock.cli.errors import CliError
from interlock.cli.scratch_desk import ScratchDesk
from interlock.cli.steering import resume
from interlock.model.desk import DeskConfig
from interlock.model.values import OrderType, Severity, Side, TimeInForce
from interlock.runtime.bus.nats import NatsBus
from interlock.runtime.bus.permissions import OPERATOR
from interlock.wire import codec, subjects
from interlock.wire.base import Message, caused_id, root_ids
from interlock.wire.build import build_of
from interlock.wire.catalogue import BY_KIND, FEED, SIGNALS, STRATEGY
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed, VenueBar
from interlock.wire.orders import OrderAccepted, OrderDenied, OrderIntent, OrderRefused
from interlock.wire.policy import PolicyChanged
from interlock.wire.system import AlertRaised

PRICE, FAR_BELOW = 100.0, Decimal(90)
BARS_EVERY_SECONDS = 0.5
BAR_SECONDS = 60
IN_FLIGHT = 32
OPEN_BOUND_SECONDS = 60.0
RESUME_EVERY_SECONDS = 1.0
LOOK_SECONDS = 0.005
DRILL = "drill"


class DrillFailedError(CliError):
    """The desk did not come to where the drill could go on."""


@dataclass(slots=True)
class DrillLoad:
    """Speaks as feed, signals and strategy, listens as the operator."""

    desk: DeskConfig
    feed: NatsBus
    signals: NatsBus
    strategy: NatsBus
    operator: NatsBus
    version: int = 0
    ts_market: int = 0
    asked: int = 0
    waiting: dict[str, float] = field(default_factory=dict[str, float])
    accepted: int = 0
    refusals: dict[str, int] = field(default_factory=dict[str, int])
    alerted_at: int = 0

    def hear(self, body: bytes) -> None:
        try:
            message = codec.decode(body)
        except codec.UndecodableError:
            return
        match message:
            case OrderAccepted():
                self.accepted += 1
                self.waiting.pop(message.intent_id, None)
            case OrderDenied():
                self.waiting.pop(message.intent_id, None)
                for failure in message.failures:
                    self.refusals[failure.code] = self.refusals.get(failure.code, 0) + 1
            case OrderRefused():
                self.waiting.pop(message.intent_id, None)
                self.refusals[message.code] = self.refusals.get(message.code, 0) + 1
            case PolicyChanged():
                self.version = message.version
            case AlertRaised() if message.severity is Severity.CRITICAL:
                self.alerted_at = time.time_ns()
            case _:
                pass

    async def run_market(self) -> None:
        while True:
            ts = time.time_ns()
            for instrument in self.desk.instruments:
                await self._price(instrument.instrument_id, ts)
            await self.feed.publish([self._tick(ts)], {})
            self.ts_market = ts
            await asyncio.sleep(BARS_EVERY_SECONDS)

    async def run_intents(self) -> None:
        """Keep `IN_FLIGHT` intents on their way; what is never answered gives way after a while."""
        while True:
            now = time.monotonic()
            lost = [name for name, at in self.waiting.items() if now - at > RESUME_EVERY_SECONDS]
            for name in lost:
                del self.waiting[name]
            free = IN_FLIGHT - len(self.waiting)
            await asyncio.gather(*(self.ask() for _ in range(free)))
            await asyncio.sleep(LOOK_SECONDS)

    async def open_orders(self, count: int) -> None:
        """Return when the desk has opened `count` more orders, resumed by us as often as it takes.

        Raises
        ------
        DrillFailedError
            When it does not within `OPEN_BOUND_SECONDS`; the text names what it was refused for.
        """
        began = resumed = time.monotonic()
        wanted, last = self.accepted + count, self.accepted
        self.refusals.clear()
        while self.accepted < wanted:
            now = time.monotonic()
            if self.accepted == last and now - resumed > RESUME_EVERY_SECONDS:
                resumed = now
                await self.resume()
            if self.accepted != last:
                last, resumed = self.accepted, now
            if now - began > OPEN_BOUND_SECONDS:
                opened = count - (wanted - self.accepted)
                why = ", ".join(f"{code} {n}" for code, n in sorted(self.refusals.items()))
                raise DrillFailedError(f"{opened} of {count} orders opened: {why or 'no answer'}")
            await asyncio.sleep(LOOK_SECONDS)

    async def resume(self) -> None:
        await self.operator.publish([resume(self.desk.name, DRILL, "the next round", 0)], {})

    async def ask(self) -> None:
        """Want one more order, which will rest far below the market."""
        if not self.ts_market or not self.version:
            return
        self.asked += 1
        message_id, decision_id = root_ids(OrderIntent, DRILL, self.asked)
        known = self.desk.instruments
        intent = OrderIntent(
            message_id=message_id,
            decision_id=decision_id,
            ts_event=time.time_ns(),
            desk=self.desk.name,
            intent_id=message_id,
            account=self.desk.account,
            venue=self.desk.venue,
            strategy=DRILL,
            instrument_id=known[self.asked % len(known)].instrument_id,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=Decimal(1),
            limit_price=FAR_BELOW,
            time_in_force=TimeInForce.GTC,
            reduce_only=False,
            reference_price=Decimal(str(PRICE)),
            ts_market=self.ts_market,
            policy_version=self.version,
            reasons=[DRILL],
            currency=self.desk.currency,
            build=build_of(),
        )
        self.waiting[message_id] = time.monotonic()
        await self.strategy.publish([intent], {})

    async def _price(self, name: str, ts: int) -> None:
        message_id, decision_id = root_ids(Bar, DRILL, name, ts)
        bar = Bar(
            message_id=message_id,
            decision_id=decision_id,
            ts_event=ts,
            instrument_id=name,
            source=DRILL,
            bar_seconds=BAR_SECONDS,
            open=PRICE,
            high=PRICE,
            low=PRICE,
            close=PRICE,
            volume=1e9,
        )
        lived = VenueBar(
            message_id=caused_id(bar, VenueBar), decision_id=decision_id, ts_event=ts, bar=bar
        )
        features = FeaturesComputed(
            message_id=caused_id(bar, FeaturesComputed),
            decision_id=decision_id,
            ts_event=ts,
            desk=self.desk.name,
            instrument_id=name,
            bar_seconds=BAR_SECONDS,
            close=PRICE,
            momentum_bps=0.0,
        )
        await self.feed.publish([lived], {})
        await self.feed.publish([bar], {})
        await self.signals.publish([features], {})

    def _tick(self, ts: int) -> Message:
        message_id, decision_id = root_ids(ClockTicked, DRILL, ts)
        cadence_ns = self.desk.cadence_seconds * 1_000_000_000
        return ClockTicked(
            message_id=message_id,
            decision_id=decision_id,
            ts_event=ts,
            desk=self.desk.name,
            index=ts // cadence_ns,
            cadence_ns=cadence_ns,
            ts_desk=ts,
            window_scale=1.0,
            clock_offset_ns=0,
        )


@asynccontextmanager
async def market_on(scratch: ScratchDesk, desk: DeskConfig) -> AsyncGenerator[DrillLoad]:
    """Open the market until the block ends; nothing is wanted yet."""
    load = DrillLoad(
        desk,
        feed=await scratch.bus(FEED),
        signals=await scratch.bus(SIGNALS),
        strategy=await scratch.bus(STRATEGY),
        operator=await scratch.bus(OPERATOR),
    )
    for kind in (OrderAccepted, OrderDenied, OrderRefused, PolicyChanged, AlertRaised):
        await load.operator.listen(BY_KIND[kind].filter, load.hear)
    load.version = await _policy_version(scratch, desk)
    market = asyncio.create_task(load.run_market())
    try:
        yield load
    finally:
        market.cancel()
        await asyncio.gather(market, return_exceptions=True)
        for bus in (load.feed, load.signals, load.strategy, load.operator):
            await bus.close()


@asynccontextmanager
async def load_on(scratch: ScratchDesk, desk: DeskConfig) -> AsyncGenerator[DrillLoad]:
    """Open the market and let intents flow until the block ends."""
    async with market_on(scratch, desk) as load:
        flowing = asyncio.create_task(load.run_intents())
        try:
            yield load
        finally:
            flowing.cancel()
            await asyncio.gather(flowing, return_exceptions=True)


async def _policy_version(scratch: ScratchDesk, desk: DeskConfig) -> int:
    """Return the version that was put in force before we listened."""
    entry = BY_KIND[PolicyChanged]
    assert entry.stream is not None
    subject = entry.pattern.format(desk=subjects.token(desk.name))
    client = await scratch.client(OPERATOR)
    try:
        async with asyncio.timeout(OPEN_BOUND_SECONDS):
            while True:
                try:
                    last = await client.jetstream().get_last_msg(entry.stream, subject)
                except NotFoundError:
                    await asyncio.sleep(LOOK_SECONDS)
                else:
                    known = codec.decode(last.data or b"")
                    return known.version if isinstance(known, PolicyChanged) else 0
    finally:
        await client.close()
