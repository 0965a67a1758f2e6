"""What must be true after every step, written down as it happens. Each breach is one line."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from interlock.gate.counting import scope_of
from interlock.model.ids import client_order_id
from interlock.model.values import ZERO, Side, TradingState
from interlock.runtime.signing import Verifier
from interlock.venues.port import ProtectiveOrder
from interlock.wire.base import Message
from interlock.wire.catalogue import EXEC, GATE
from interlock.wire.orders import (
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    SubmitOrder,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.signing import canonical_bytes
from interlock.wire.system import SwitchChanged

if TYPE_CHECKING:
    from tests.conformance.world import World

SIGNED = (
    "account", "venue", "side", "order_type", "quantity", "limit_price",
    "time_in_force", "reduce_only", "policy_version",
)  # fmt: skip
"""The fields of an approval that its intent decides."""


@dataclass(slots=True)
class Watch:
    """The books of somebody who sees everything and trusts nobody's state."""

    world: "World"
    breaches: list[str] = field(default_factory=list[str])
    version: int = 0
    intents: dict[str, list[OrderIntent]] = field(default_factory=dict[str, list[OrderIntent]])
    approved: dict[str, SubmitOrder] = field(default_factory=dict[str, SubmitOrder])
    open: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    held: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    filled: Counter[str] = field(default_factory=Counter[str])
    sent: Counter[str] = field(default_factory=Counter[str])
    exec_state: TradingStateChanged | None = None
    exec_pressed: bool = False

    def _say(self, invariant: str, text: object) -> None:
        self.breaches.append(f"{invariant}: {text}")

    # What is stored.

    def stored(self, message: Message) -> None:
        match message:
            case PolicyChanged():
                self.version = message.version
            case OrderIntent():
                self.intents.setdefault(message.intent_id, []).append(message)
            case SubmitOrder():
                self._approval(message)
            case OrderFilled():
                self._fill(message)
            case OrderCanceled() | OrderExpired():
                self.open.pop(message.client_order_id, None)
            case OrderRejected():
                self._end(message.client_order_id)
                if (
                    message.client_order_id
                    not in self.world.venue.rejected | self.world.venue.never
                ):
                    self._say("I12", f"{message.intent_id} rejected without the venue's word")
            case OrderRefused():
                self._end(message.client_order_id)
            case SwitchChanged():
                self.exec_pressed = message.pressed
            case _:
                pass

    def _approval(self, order: SubmitOrder) -> None:
        if order.intent_id in self.approved:
            self._say("I1", f"{order.intent_id} approved twice")
        if not any(self._same(order, intent) for intent in self.intents[order.intent_id]):
            self._say("I3", f"{order.intent_id} approved as nobody asked for it")
        self.approved[order.intent_id] = order
        self.open[order.client_order_id] = order.quantity
        if order.reduce_only:
            return
        if order.policy_version != self.in_force:
            self._say("I6", f"{order.intent_id} cites version {order.policy_version}")
        if self.world.store.down:
            self._say("I9", f"{order.intent_id} approved while the store was down")
        self._limits(order)

    @property
    def in_force(self) -> int | None:
        """The version that stands in the store: what was said and not saved is not in force yet."""
        standing = self.world.store._rules.get((self.world.desk.name, PolicyChanged))
        return None if standing is None else standing[0].version

    def _same(self, order: SubmitOrder, intent: OrderIntent) -> bool:
        known = self.world.desk.instrument(intent.instrument_id)
        if known is None or order.instrument_id != known.instrument_id:
            return False
        return all(getattr(order, name) == getattr(intent, name) for name in SIGNED)

    def _limits(self, order: SubmitOrder) -> None:
        """I4: whatever may come of the open orders, no limit is passed."""
        limits = self.world.gate_config.limits_of(order.instrument_id)
        # All instruments of this world cost the same; what the gate knew is in the order.
        price = order.reference_price
        worst = {one.instrument_id: self.worst(one.instrument_id) for one in
                 self.world.desk.instruments}  # fmt: skip
        if limits.max_position_notional is not None:
            mine = worst[order.instrument_id] * price
            if mine > limits.max_position_notional:
                self._say("I4", f"{order.instrument_id} may come to {mine}")
        gross = sum(worst.values(), ZERO) * price
        most = self.world.gate_config.max_gross_notional
        if most is not None and gross > most:
            self._say("I4", f"all of it may come to {gross}")

    def worst(self, name: str) -> Decimal:
        """Return the larger of what may come to be held and to be owed, in units."""
        sides = dict.fromkeys(Side, self.held.get(name, ZERO))
        for order in self.approved.values():
            leaves = self.open.get(order.client_order_id, ZERO)
            if order.instrument_id == name:
                sides[order.side] += leaves * order.side.sign
        return max(abs(units) for units in sides.values())

    def _fill(self, fill: OrderFilled) -> None:
        self.filled[fill.trade_id] += 1
        if self.filled[fill.trade_id] > 1:
            self._say("I11", f"{fill.trade_id} was said twice")
            return
        held = self.held.get(fill.instrument_id, ZERO)
        self.held[fill.instrument_id] = held + fill.last_qty * fill.side.sign
        left = self.open.get(fill.client_order_id, ZERO) - fill.last_qty
        if left > ZERO:
            self.open[fill.client_order_id] = left
        else:
            self.open.pop(fill.client_order_id, None)

    def _end(self, name: str) -> None:
        self.open.pop(name, None)

    # What exec has been told, and what it sends.

    def delivered(self, room: str, message: Message) -> None:
        if room == EXEC and isinstance(message, TradingStateChanged):
            known = self.exec_state
            if known is None or message.epoch > known.epoch:
                self.exec_state = message

    def placing(self, order: SubmitOrder, now: int) -> None:
        """Hold what reaches the venue against what was approved; nothing else may reach it."""
        self.sent[order.intent_id] += 1
        if self.sent[order.intent_id] > 1 and order.client_order_id in {
            one.client_order_id for one in self.world.venue.placed
        }:
            self._say("I1", f"{order.intent_id} is at the venue twice")
        approval = self.approved.get(order.intent_id)
        verifier = Verifier(self.world.signer.public_key)
        if approval is None or not verifier.verify(canonical_bytes(order), order.signature):
            self._say("I2", f"{order.intent_id} sent without the gate's signature")
        elif approval != order or order.client_order_id != client_order_id(order.intent_id):
            self._say("I3", f"{order.intent_id} sent with other fields than approved")
        if now >= order.expires_at:
            self._say("I15", f"{order.intent_id} sent after it had expired")
        state = self.exec_state
        if state is None or order.epoch < state.epoch:
            self._say("I14", f"{order.intent_id} sent under epoch {order.epoch}")
        if order.reduce_only:
            return
        if state is None or state.state is not TradingState.ACTIVE or self.exec_pressed:
            self._say("I7", f"{order.intent_id} sent after a halt")

    def protecting(self, order: ProtectiveOrder) -> None:
        """Hold a protective order against the entry it was signed with, and what is held."""
        entry = next(
            (one for one in self.approved.values() if one.client_order_id == order.parent), None
        )
        if entry is None or entry.protection is None or entry.protection.stop is None:
            self._say("I2", f"{order.client_order_id} protects what was not signed so")
            return
        if (order.side, order.instrument_id) == (entry.side, entry.instrument_id):
            self._say("I3", f"{order.client_order_id} would grow what it protects")
        if self.exec_pressed:
            self._say("I7", f"{order.client_order_id} sent after a press")
        claimed = order.quantity + sum(
            resting.leaves
            for resting in self.world.venue.book.values()
            if isinstance(resting.sent, ProtectiveOrder)
            and (resting.sent.instrument_id, resting.sent.side) == (order.instrument_id, order.side)
        )
        if claimed > max(-self._told(order.instrument_id) * order.side.sign, ZERO):
            self._say("I4", f"{order.client_order_id} claims more than is held")

    def _told(self, name: str) -> Decimal:
        """Return what comes of the trades that exec has heard of so far."""
        venue, heard = self.world.venue, self.world.rooms[EXEC].cell.state.trades
        trades = [one for one in venue.trades if one.trade_id in heard]
        orders = {
            one.client_order_id: (venue.book.get(one.client_order_id)
                                  or venue.closed[one.client_order_id]).sent
            for one in trades
        }  # fmt: skip
        mine = [one for one in trades if orders[one.client_order_id].instrument_id == name]
        return sum((one.quantity * orders[one.client_order_id].side.sign for one in mine), ZERO)

    # What the rooms believe, once nobody has anything to do.

    def compare(self) -> None:
        """Hold the rooms' own books against this one."""
        for name in (GATE, EXEC):
            room = self.world.rooms[name]
            if room.waiting:
                continue
            state = room.cell.state
            for one in self.world.desk.instruments:
                mine = self.held.get(one.instrument_id, ZERO)
                if name == EXEC:
                    theirs = state.positions.get(one.instrument_id, ZERO)
                else:
                    theirs = state.book.exposures.lines[one.instrument_id].held
                if mine != theirs:
                    self._say("I11", f"{name} holds {theirs} {one.instrument_id}, not {mine}")

    def counted(self) -> None:
        """I5: the day's counters are the sums over its unique approvals."""
        scope = scope_of(self.world.now_ns)
        today = [one for one in self.approved.values() if scope_of(one.ts_event) == scope]
        counts = self.world.store._counts.get((self.world.desk.name, scope), {})
        if counts.get("approvals", 0) != len(today):
            self._say("I5", f"the store counts {counts}, there were {len(today)} approvals")
