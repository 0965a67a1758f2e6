"""What a fault happens under: a market that goes on, and a strategy that keeps asking."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from interlock.model.values import OrderType, Side, TimeInForce
from interlock.runtime.bus.nats import NatsBus
from interlock.wire import codec
from interlock.wire.base import Message, caused_id, root_ids
from interlock.wire.build import build_of
from interlock.wire.catalogue import BY_KIND, FEED, SIGNALS, STRATEGY
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed, VenueBar
from interlock.wire.orders import OrderDenied, OrderIntent, SubmitOrder
from interlock.wire.policy import PolicyChanged, ResumeTrading

from tests.chaos.desk import TIGHT, Desk, chaos_desk, until

PRICE = 100.0
DESK = chaos_desk().desk
INSTRUMENTS = tuple(one.instrument_id for one in DESK.instruments)
WIDE = tuple(name for name in INSTRUMENTS if name != TIGHT)
BAR_SECONDS = 60
BARS_EVERY_SECONDS = 0.4
TRIES_UNTIL_APPROVED = 100
HUGE = Decimal(10_000_000)
"""More than any limit of the desk."""


@dataclass(slots=True)
class Load:
    """What was asked, and what was heard of it as it happened."""

    feed: NatsBus
    signals: NatsBus
    strategy: NatsBus
    ear: NatsBus
    seed: int
    ts_market: int = 0
    version: int = 0
    asked: dict[str, float] = field(default_factory=dict[str, float])
    acknowledged: dict[str, OrderIntent] = field(default_factory=dict[str, OrderIntent])
    denied: dict[str, tuple[float, OrderDenied]] = field(
        default_factory=dict[str, tuple[float, OrderDenied]]
    )
    approved: dict[str, tuple[float, SubmitOrder]] = field(
        default_factory=dict[str, tuple[float, SubmitOrder]]
    )
    ticks: int = 0
    ahead_ns: int = 0
    """How far the clock of the market and the strategy is ahead of the machine's."""

    usual: dict[str, object] = field(default_factory=dict[str, object])
    """Fields that every intent has instead of the chaos desk's own."""

    def now(self) -> int:
        return time.time_ns() + self.ahead_ns

    def hear(self, body: bytes) -> None:
        now = time.monotonic()
        try:
            message = codec.decode(body)
        except codec.UndecodableError:
            return
        match message:
            case OrderDenied():
                self.denied.setdefault(message.intent_id, (now, message))
            case SubmitOrder():
                self.approved.setdefault(message.intent_id, (now, message))
            case PolicyChanged():
                self.version = message.version
            case _:
                pass

    def judged(self, intent_id: str) -> bool:
        return intent_id in self.denied or intent_id in self.approved

    def codes(self, intent_id: str) -> set[str]:
        """Return the controls that denied an intent."""
        return {failure.code for failure in self.denied[intent_id][1].failures}

    def unjudged(self) -> list[str]:
        return [intent_id for intent_id in self.acknowledged if not self.judged(intent_id)]

    def intent(self, number: int, **changed: object) -> OrderIntent:
        """Return the intent of this number: another seed makes another one."""
        message_id, decision_id = root_ids(OrderIntent, "chaos", self.seed, number)
        fields: dict[str, object] = {
            "message_id": message_id, "decision_id": decision_id, "ts_event": self.now(),
            "desk": DESK.name, "intent_id": message_id, "account": DESK.account,
            "venue": DESK.venue, "strategy": "chaos",
            "instrument_id": WIDE[number % len(WIDE)], "side": Side.BUY,
            "order_type": OrderType.MARKET, "quantity": Decimal(1), "limit_price": None,
            "time_in_force": TimeInForce.GTC, "reduce_only": False,
            "reference_price": Decimal(str(PRICE)), "ts_market": self.ts_market,
            "policy_version": self.version, "reasons": ["entry"], "currency": DESK.currency,
            "build": build_of(),
        }  # fmt: skip
        return OrderIntent(**{**fields, **self.usual, **changed})

    async def ask(self, intent: OrderIntent) -> str:
        """Publish `intent` and return its id once the broker has acknowledged it."""
        self.asked[intent.intent_id] = time.monotonic()
        await self.strategy.publish([intent], {})
        self.acknowledged[intent.intent_id] = intent
        return intent.intent_id

    async def market(self) -> None:
        """Publish one bar of each instrument and a tick, as a feed does."""
        ts, self.ticks = self.now(), self.ticks + 1
        for name in INSTRUMENTS:
            bar = _bar(name, ts)
            lived = VenueBar(
                message_id=caused_id(bar, VenueBar), decision_id=bar.decision_id,
                ts_event=ts, bar=bar,
            )  # fmt: skip
            await self.feed.publish([lived], {})
            await self.feed.publish([bar], {})
            await self.signals.publish([_features(bar)], {})
        await self.feed.publish([_tick(self.ticks, ts)], {})
        self.ts_market = ts

    async def run_market(self) -> None:
        while True:
            await self.market()
            await asyncio.sleep(BARS_EVERY_SECONDS)


def _bar(name: str, ts: int) -> Bar:
    message_id, decision_id = root_ids(Bar, "chaos", name, ts)
    return Bar(
        message_id=message_id, decision_id=decision_id, ts_event=ts, instrument_id=name,
        source="chaos", bar_seconds=BAR_SECONDS, open=PRICE, high=PRICE, low=PRICE, close=PRICE,
        volume=1e9,
    )  # fmt: skip


def _features(bar: Bar) -> FeaturesComputed:
    return FeaturesComputed(
        message_id=caused_id(bar, FeaturesComputed), decision_id=bar.decision_id,
        ts_event=bar.ts_event, desk=DESK.name, instrument_id=bar.instrument_id,
        bar_seconds=bar.bar_seconds, close=bar.close,
    )  # fmt: skip


def _tick(index: int, ts: int) -> ClockTicked:
    message_id, decision_id = root_ids(ClockTicked, "chaos", index, ts)
    cadence_ns = DESK.cadence_seconds * 1_000_000_000
    return ClockTicked(
        message_id=message_id, decision_id=decision_id, ts_event=ts, desk=DESK.name, index=index,
        cadence_ns=cadence_ns, ts_desk=ts, window_scale=1.0, clock_offset_ns=0,
    )  # fmt: skip


def mixed_intent(load: Load, number: int, chance: Random) -> tuple[OrderIntent, bool | None]:
    """Return an intent and whether it must be approved; none where that hangs on what is held."""
    match chance.randrange(10):
        case 0:
            return load.intent(number, quantity=HUGE), False
        case 1:
            return load.intent(number, instrument_id="NOTHING"), False
        case 2 | 3:
            return load.intent(number, instrument_id=TIGHT), None
        case _:
            return load.intent(number), True


def command[C: Message](kind: type[C], number: int, **fields: object) -> C:
    """Return a command of a named person to the desk."""
    message_id, decision_id = root_ids(kind, "chaos", number)
    return kind(
        message_id=message_id, decision_id=decision_id, ts_event=number, desk=DESK.name,
        by="chaos", reason="a fault", **fields,
    )  # fmt: skip


async def approved_again(load: Load, first: int) -> None:
    """Ask until one is approved; where the desk was halted for what was done to it, resume it."""
    codes: set[str] = set()
    for number in range(first, first + TRIES_UNTIL_APPROVED):
        intent_id = await load.ask(load.intent(number))
        await until(lambda asked=intent_id: load.judged(asked), 15.0, "a verdict")
        if intent_id in load.approved:
            return
        codes = load.codes(intent_id)
        if codes & {"state.trading", "state.switch"}:
            await load.ear.publish([command(ResumeTrading, number)], {})
        await asyncio.sleep(0.1)
    raise AssertionError(f"nothing is approved again: {sorted(codes)}")


@asynccontextmanager
async def load_on(
    running: Desk, seed: int, *, ahead_seconds: float = 0.0, **usual: object
) -> AsyncIterator[Load]:
    """Open the market and return once the desk approves what it is asked."""
    feed, signals, strategy = [await running.bus(name) for name in (FEED, SIGNALS, STRATEGY)]
    ear = await running.operator()
    load = Load(feed, signals, strategy, ear, seed, ahead_ns=int(ahead_seconds * 1e9), usual=usual)
    for subject in ("evt.order.denied.>", "cmd.exec.submit-order.>", "evt.policy.changed.>"):
        await ear.listen(subject, load.hear)
    await _policy_known(load)
    market = asyncio.create_task(load.run_market())
    try:
        await _open(load)
        yield load
    finally:
        market.cancel()
        await asyncio.gather(market, return_exceptions=True)
        for bus in (feed, signals, strategy, ear):
            await bus.close()


async def _policy_known(load: Load) -> None:
    """Take the policy that was said before we listened."""
    entry = BY_KIND[PolicyChanged]
    while not load.version:
        async for msg in load.ear._read_back(entry.stream, entry.filter, last_only=True):
            load.hear(msg.data)
        await asyncio.sleep(0.02)


async def _open(load: Load) -> None:
    """Ask until one is approved: only then is there anything for a fault to break."""
    number = -1
    last = ""

    async def approved() -> bool:
        nonlocal number, last
        if load.ts_market and (not last or load.judged(last)):
            if last in load.approved:
                return True
            last = await load.ask(load.intent(number))
            number -= 1
        return False

    try:
        await until(approved, 15.0, "the desk to approve an order")
    except AssertionError as error:
        why = [failure.code for _, denial in load.denied.values() for failure in denial.failures]
        raise AssertionError(f"{error}: {sorted(set(why))}") from None
