"""Policy, gate and exec as they are wired, on a bus that delivers as the catalogue says.

Each cell has its own queue and can be held back; each can die, also in the middle of a reaction,
and come back from what it had heard and said. The policy store can go away. What must always be
true is watched by `tests.conformance.watch`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from inspect import isawaitable
from pathlib import Path
from typing import Any

from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.watch import Watch as SwitchWatch
from interlock.exec.app import build as build_exec
from interlock.gate.app import build as build_gate
from interlock.gate.config import BucketLimits, GateConfig, InstrumentLimits
from interlock.gate.rules_store import GateRules
from interlock.model.desk import DeskConfig
from interlock.model.ids import client_order_id, derive_id
from interlock.model.instrument import Instrument
from interlock.model.values import InstrumentKind, OrderType, Side, TimeInForce, TradingMode
from interlock.policy.app import build as build_policy
from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.runtime.bus.port import Remembered
from interlock.runtime.errors import UnavailableError
from interlock.runtime.rules_records import RulesReader
from interlock.runtime.seal import Seal
from interlock.runtime.service import Cell, Reaction, Service, Step
from interlock.runtime.signing import Signer, Verifier, throwaway_signer
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.runtime.switch_file import arm_at_first_start
from interlock.testkit.cells import CrashError, drive
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Message, Report, root_ids
from interlock.wire.build import build_of
from interlock.wire.catalogue import BY_KIND, EXEC, GATE, POLICY
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed
from interlock.wire.orders import OrderDenied, OrderIntent, SubmitOrder
from interlock.wire.policy import HaltTrading, ResumeTrading
from interlock.wire.reasoning import ParameterProposal
from interlock.wire.signing import canonical_bytes
from msgspec import structs

from tests.conformance.venue import ScriptedVenue
from tests.conformance.watch import Watch

SECOND = 1_000_000_000
START = 1_767_625_200 * SECOND
"""Monday 5 January 2026, 15:00 UTC."""
PRICE = 100.0
ROOMS = (POLICY, GATE, EXEC)
PARAMETER = "threshold_bps"

DESK = DeskConfig(
    name="proof",
    account="paper-proof",
    venue="paper",
    cadence_seconds=5,
    equity_usd=Decimal(30_000),
    instruments=(
        Instrument(instrument_id="SPY", venue="paper", bucket="core", sector="index"),
        Instrument(instrument_id="AAPL", venue="paper", bucket="core", sector="technology"),
        Instrument(
            instrument_id="BTC/USD", venue="paper", bucket="core", sector="coins",
            aliases=("BTC-USD", "XBTUSD"), kind=InstrumentKind.CRYPTO,
        ),
        Instrument(
            instrument_id="SAP", venue="paper", bucket="core", sector="software", currency="EUR"
        ),
    ),
)  # fmt: skip

LIMITS: dict[str, Any] = {
    "default_limits": InstrumentLimits(
        max_order_quantity=Decimal(40),
        max_order_notional=Decimal(4_000),
        min_order_notional=Decimal(5),
        max_position_notional=Decimal(5_000),
    ),
    "buckets": {
        "core": BucketLimits(
            max_gross_pct=Decimal(90), max_name_pct=Decimal(20), max_order_pct=Decimal(20),
            long_only=False,
        )
    },
    "max_gross_notional": Decimal(8_000),
    "max_gross_pct": Decimal(90),
    "max_net_pct": Decimal(90),
    "max_sector_pct": Decimal(60),
    "collar_bps": Decimal(100),
    "max_reference_age_seconds": 10,
    "max_intent_age_seconds": 10,
    "max_features_age_seconds": 10,
    "approval_seconds": 2,
    "max_orders_per_second": 1_000,
    "max_orders_per_minute": 1_000,
    "halt_orders_per_minute": 10_000,
    "max_entries_without_person": 10_000,
    "max_daily_loss_pct": Decimal(5),
    "max_weekly_loss_pct": Decimal(12),
    "max_drawdown_5d_pct": Decimal(12),
    "max_consecutive_losses": 100,
    "min_cash": Decimal(0),
    "max_day_notional": Decimal(10_000_000),
    "fee_bps": Decimal(1),
    "cooldown_seconds": 0,
    "allowed_kinds": (InstrumentKind.EQUITY, InstrumentKind.CRYPTO),
    "sides": (Side.BUY, Side.SELL),
    "allow_short": True,
    "session": "always",
}  # fmt: skip
"""Everything the gate wants to be told; leave one out and it denies."""

POLICY_CONFIG = PolicyConfig(
    parameters={PARAMETER: ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)},
    max_accept_rate=1.0,
    max_accepted_in_window=1_000,
)


def _now[T](result: T | Awaitable[T]) -> T:
    """Return the result of work on the disk, which a thread does."""

    async def waited(work: Awaitable[T]) -> T:
        return await work

    return asyncio.run(waited(result)) if isawaitable(result) else result


class FlakyStore(MemoryRulesStore):
    """The policy store of this world. While it is `down` every call fails."""

    down = False

    async def save(self, rules: Any) -> Any:
        self._answer()
        return await super().save(rules)

    async def read(self, *args: Any, **named: Any) -> Any:
        self._answer()
        return await super().read(*args, **named)

    async def count(self, *args: Any, **named: Any) -> bool:
        self._answer()
        return await super().count(*args, **named)

    def _answer(self) -> None:
        if self.down:
            raise UnavailableError("the policy store is away")


@dataclass(slots=True)
class Room:
    """A running service: its cell, what waits for it, and what it would read back at a start.

    It is `blocked` while it needs the store, which is away, and `held_up` when a test says so.
    """

    name: str
    make: Callable[[], Service[Any]]
    cell: Cell[Any]
    waiting: deque[Message | Report] = field(default_factory=deque[Message | Report])
    past: list[Remembered] = field(default_factory=list[Remembered])
    done: set[str] = field(default_factory=set[str])
    blocked: bool = False
    held_up: bool = False

    @property
    def works(self) -> bool:
        return bool(self.waiting) and not self.blocked and not self.held_up


class World:
    """A desk without a feed, a model or a strategy: those are the test's."""

    def __init__(
        self,
        desk: DeskConfig = DESK,
        gate: dict[str, Any] = LIMITS,
        policy: PolicyConfig = POLICY_CONFIG,
        folder: Path | None = None,
    ) -> None:
        """Start the desk; with a state `folder` the kill switch has its files there."""
        self.desk, self.gate_config, self.policy_config = desk, GateConfig(**gate), policy
        self.folder = folder
        self.now_ns = START
        self.store = FlakyStore()
        self.rules_signer = Seal()
        self.signer: Signer = throwaway_signer()
        self.log: list[Message] = []
        self.number = 0
        self.price = PRICE
        self.market_at = 0
        self.crash: Callable[[Step], bool] | None = None
        self.watch = Watch(self)
        self.venue = ScriptedVenue(self.watch.placing, self.watch.protecting)
        makers = {POLICY: self._policy, GATE: self._gate, EXEC: self._exec}
        self.rooms: dict[str, Room] = {}
        for name, make in makers.items():
            service = make()
            self.rooms[name] = Room(name, make, Cell(service, service.state))
        for name in (EXEC, GATE, POLICY):
            self._begin(self.rooms[name])
        self.settle()

    # Wiring.

    def now(self) -> int:
        return self.now_ns

    def _policy(self) -> Service[Any]:
        return build_policy(self.desk, self.policy_config, "c0ffee", self.store, self.rules_signer)

    def _gate(self) -> Service[Any]:
        reader = RulesReader(desk=self.desk.name, verifier=self.rules_signer)
        rules = GateRules(desk=self.desk.name, store=self.store, reader=reader)
        return build_gate(self.desk, self.gate_config, "c0ffee", rules, self.signer)

    def _exec(self) -> Service[Any]:
        verifier = Verifier(self.signer.public_key)
        if self.folder is None:
            return build_exec(self.desk, self.venue, verifier, self)
        arm_at_first_start(self.folder)
        self.switch = KillSwitch(self.venue, self.folder, self.now)
        service = build_exec(self.desk, self.venue, verifier, self, switch=self.switch)
        return replace(service, perform=lambda effect: _now(service.perform(effect)))

    def see_files(self) -> None:
        """Let exec look at the files of its switch once, as it does every 20 ms."""
        found: list[Report] = []
        asyncio.run(SwitchWatch(switch=self.switch, report=found.append, silence=None).look())
        for report in found:
            self.hear(EXEC, report)

    def observe(self, ts_event: int) -> None:
        """Be a clock that nobody moves by observing."""

    # The bus.

    def publish(self, *messages: Message) -> None:
        """Store messages and let everybody hear them who is not held back."""
        for message in messages:
            self._store(message)
        self.settle()

    def _store(self, message: Message) -> None:
        self.log.append(message)
        self.watch.stored(message)
        for name in BY_KIND[type(message)].listeners:
            if name in self.rooms:
                self.rooms[name].waiting.append(message)

    def hear(self, name: str, report: Report) -> None:
        """Hand a room something its shell noticed by itself."""
        self.rooms[name].waiting.append(report)
        self.settle()

    def settle(self) -> None:
        """Let everybody work until nobody has anything to do."""
        while room := next((r for r in self.rooms.values() if r.works), None):
            item = room.waiting.popleft()
            if isinstance(item, Message) and item.message_id in room.done:
                continue
            if not self._ready(room, item):
                continue
            self._work(room, item)

    def _ready(self, room: Room, item: Message | Report) -> bool:
        """Put off a message that is to wait for others, as the loop does for a bounded time."""
        if not isinstance(item, Message) or room.cell.service.ready(room.cell.state, item):
            return True
        others = [one for one in room.waiting if isinstance(one, Message)]
        if not any(room.cell.service.ready(room.cell.state, one) for one in others):
            return True
        room.waiting.append(item)
        return False

    def _work(self, room: Room, item: Message | Report) -> None:
        now, cell = self.now_ns, room.cell
        if isinstance(item, Message):
            self.watch.delivered(room.name, item)
            reaction = cell.react(item, now)
        else:
            reaction = cell.hear(item, now)
        if not self._drive(room, reaction, item):
            return
        if isinstance(item, Message):
            room.past.append(Remembered(item, own=False))
            room.done.add(item.message_id)

    def _drive(self, room: Room, reaction: Reaction, item: Message | Report | None) -> bool:
        """Carry out a reaction; return whether it came to its end."""
        said: list[Message] = []
        crash, self.crash = self.crash, None
        try:
            drive(reaction, room.cell.service.perform, said=said, after=crash)
        except (CrashError, UnavailableError) as error:
            self._said(room, said)
            if item is not None:
                room.waiting.appendleft(item)
            if isinstance(error, CrashError):
                self.restart(room.name)
            else:
                room.blocked = True
            return False
        self._said(room, said)
        return True

    def _said(self, room: Room, said: Sequence[Message]) -> None:
        for message in said:
            room.past.append(Remembered(message, own=True))
            self._store(message)

    # Deaths.

    def restart(self, name: str, unacknowledged: int = 0) -> None:
        """End a room and start it from what it had heard, acknowledged, and said.

        The last so many of what it had heard were not acknowledged, and come once more.
        """
        room = self.rooms[name]
        room.blocked = room.held_up = False
        heard = [one for one in room.past if not one.own][::-1][:unacknowledged]
        room.past = [one for one in room.past if not any(one is other for other in heard)]
        room.waiting.extendleft(one.message for one in heard)
        service = room.make()
        room.cell = Cell(service, service.state)
        room.waiting = deque(one for one in room.waiting if isinstance(one, Message))
        unheard = [Remembered(one, own=False, acknowledged=False)
                   for one in room.waiting if isinstance(one, Message)]  # fmt: skip
        past = room.past if service.arrange is None else service.arrange([*room.past, *unheard])
        room.done = set()
        for remembered in past:
            room.cell.recover(remembered.message, own=remembered.own)
            if remembered.acknowledged and not remembered.own:
                room.done.add(remembered.message.message_id)
        self._begin(room)
        self.settle()

    def _begin(self, room: Room) -> None:
        if not self._drive(room, room.cell.begin(self.now_ns), None):
            # A room that cannot begin for want of the store tries again when that is back.
            room.blocked = True

    def store_down(self) -> None:
        self.store.down = True

    def store_up(self) -> None:
        """Bring the store back; who could not work without it tries again, from the start."""
        self.store.down = False
        for room in self.rooms.values():
            if room.blocked:
                self.restart(room.name)
        self.settle()

    def hold_up(self, name: str) -> None:
        """Let nothing reach a room until it is let go: it hears it all then, late."""
        self.rooms[name].held_up = True

    def let_go(self, name: str) -> None:
        self.rooms[name].held_up = False
        self.settle()

    def come_back(self) -> None:
        """Bring everything back that is away, and start every room once more."""
        self.crash = None
        self.store_up()
        for name in ROOMS:
            self.let_go(name)
        for name in (EXEC, POLICY, GATE):
            self.restart(name)

    # The desk's other rooms.

    def named(self, kind: type[Message]) -> dict[str, Any]:
        """Return the ids and the moment of something no other message caused."""
        self.number += 1
        message_id, decision_id = root_ids(kind, self.number)
        return {"message_id": message_id, "decision_id": decision_id, "ts_event": self.now_ns}

    def market(self, price: float | None = None, but: Sequence[str] = ()) -> None:
        """Publish a bar and features of each instrument, and a tick; no bar of those in `but`."""
        self.price = self.price if price is None else price
        for name in (one.instrument_id for one in self.desk.instruments):
            if name not in but:
                self.publish(self.bar(name, self.price))
            self.publish(
                FeaturesComputed(
                    **self.named(FeaturesComputed), desk=self.desk.name, instrument_id=name,
                    bar_seconds=5, close=self.price, adv=1e9, spread_bps=1.0,
                )
            )  # fmt: skip
        self.market_at = self.now_ns
        self.tick()

    def bar(self, name: str, price: float) -> Bar:
        return Bar(
            **self.named(Bar), instrument_id=name, source="test", bar_seconds=5, open=price,
            high=price, low=price, close=price, volume=1e6,
        )  # fmt: skip

    def tick(self) -> None:
        fields = self.named(ClockTicked)
        self.publish(
            ClockTicked(
                **fields, desk=self.desk.name, index=self.number, cadence_ns=5 * SECOND,
                ts_desk=self.now_ns, window_scale=1.0, clock_offset_ns=0,
            )
        )  # fmt: skip

    def sleep(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND)

    def intent(self, **changed: Any) -> OrderIntent:
        """Return an intent of 10 SPY at the market, decided on the last bar."""
        self.number += 1
        _, decision_id = root_ids(OrderIntent, self.number)
        intent_id = derive_id("intent", self.number)
        fields: dict[str, Any] = {
            "message_id": intent_id, "decision_id": decision_id, "ts_event": self.now_ns,
            "desk": self.desk.name, "intent_id": intent_id, "account": self.desk.account,
            "venue": self.desk.venue, "strategy": "threshold", "instrument_id": "SPY",
            "side": Side.BUY, "order_type": OrderType.MARKET, "quantity": Decimal(10),
            "limit_price": None, "time_in_force": TimeInForce.GTC, "reduce_only": False,
            "reference_price": Decimal(str(self.price)), "ts_market": self.market_at,
            "policy_version": self.version, "reasons": ["entry"], "currency": "USD",
            "build": build_of(),
        }  # fmt: skip
        return OrderIntent(**(fields | changed))

    @property
    def version(self) -> int:
        """The policy version the strategy knows."""
        return self.watch.version

    def ask(self, intent: OrderIntent) -> SubmitOrder | OrderDenied | None:
        """Publish an intent and return the verdict, none where the gate has not said any."""
        before = len(self.log)
        self.publish(intent)
        found = [
            one
            for one in self.log[before:]
            if isinstance(one, SubmitOrder | OrderDenied) and one.intent_id == intent.intent_id
        ]
        return found[0] if found else None

    def signed(self, **changed: Any) -> SubmitOrder:
        """Return an order with the gate's genuine signature that no gate has looked at."""
        intent = self.intent()
        self.watch.intents[intent.intent_id] = [intent]
        shared = {name: getattr(intent, name) for name in SubmitOrder.__struct_fields__
                  if name in OrderIntent.__struct_fields__}  # fmt: skip
        fields: dict[str, Any] = {
            **shared, "message_id": derive_id("submit", intent.intent_id),
            "client_order_id": client_order_id(intent.intent_id), "mode": TradingMode.DEMO,
            "requested_quantity": intent.quantity, "config_hash": "c0ffee",
            "epoch": self.rooms[EXEC].cell.state.epoch, "expires_at": self.now_ns + 2 * SECOND,
            "nonce": "n", "key_id": self.signer.key_id, "signature": "",
        }  # fmt: skip
        order = SubmitOrder(**(fields | changed))
        return structs.replace(order, signature=self.signer.sign(canonical_bytes(order)))

    def halt(self, by: str = "ada") -> None:
        fields = self.named(HaltTrading)
        self.publish(HaltTrading(**fields, desk=self.desk.name, by=by, reason="test"))

    def resume(self, by: str = "ada") -> None:
        fields = self.named(ResumeTrading)
        self.publish(ResumeTrading(**fields, desk=self.desk.name, by=by, reason="test"))

    def propose(self, value: float) -> None:
        """Let a model propose a value, in an account that stands well."""
        self.publish(self.account())
        self.publish(self.proposal(value))

    def proposal(self, value: float) -> ParameterProposal:
        return ParameterProposal(
            **self.named(ParameterProposal), desk=self.desk.name, parameter=PARAMETER,
            current=1.0, proposed=value, confidence=50, rationale="", provider="rules",
            model="rules", prompt="", prompt_hash="", answer="", tokens_in=0, tokens_out=0,
            cost_usd=Decimal(0), latency_ns=0, ts_desk=self.now_ns,
        )  # fmt: skip

    def account(self, **changed: Any) -> AccountUpdated:
        fields: dict[str, Any] = {
            **self.named(AccountUpdated), "desk": self.desk.name, "account": self.desk.account,
            "currency": "USD", "equity": Decimal(30_000), "cash": Decimal(30_000),
            "realised_pnl": Decimal(0), "unrealised_pnl": Decimal(0), "fees": Decimal(0),
            "day_pnl": Decimal(0), "window_pnl": Decimal(0),
            "equity_at_day_start": Decimal(30_000), "positions": [], "ts_desk": self.now_ns,
            "day": self.now_ns // (86_400 * SECOND), "equity_at_week_start": Decimal(30_000),
        }  # fmt: skip
        return AccountUpdated(**(fields | changed))


def codes(verdict: SubmitOrder | OrderDenied | None) -> list[str]:
    """Return the codes of a denial, none of an approval, and ``silence`` where there is none."""
    if verdict is None:
        return ["silence"]
    return [] if isinstance(verdict, SubmitOrder) else [one.code for one in verdict.failures]


def open_world(**changed: Any) -> World:
    """Return a world whose market has opened."""
    world = World(**changed)
    world.market()
    return world
