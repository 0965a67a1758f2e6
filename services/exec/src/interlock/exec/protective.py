"""Protective orders: which stand, which are to be sent, shrunk or replaced.

Theory of operation. Each entry that is held has at most one order at the venue that protects it,
over all that is held of it: two could both fill. The venue keeps the nearer stop where it can;
exec keeps the rest itself, holds it against every price, and where one is reached sends an order
at the market that only reduces, in the place of what stands at the venue. Nothing of this asks the
gate: the distances were signed with the entry. An order whose answer is still out is left alone;
when the answer comes, all is looked at again. What anybody else is about to close is left to them.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from interlock.exec.guards import (
    Guard,
    kind_at_venue,
    of,
    reached,
    stop_price,
    target_price,
    wanted,
)
from interlock.exec.ports import CancelOrder, PlaceProtection
from interlock.exec.rows import ask_end
from interlock.exec.state import ExecState, is_price
from interlock.model.ids import client_order_id, derive_id
from interlock.model.order import OrderStatus, WorkingOrder
from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.venues.port import ProtectiveOrder
from interlock.wire.base import Effect, Message, caused_id
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import OrderSubmitted, SubmitOrder

_ANSWERED = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
_TICK = Decimal("0.01")

type Answer = Sequence[Message | Effect]


def adjust(state: ExecState, instrument_id: str, now: int) -> Answer:
    """Return what makes the protective orders of an instrument fit what they protect."""
    if state.pressed_at or state.read_only:
        return ()
    said: list[Message | Effect] = []
    for guard, quantity in _wanted(state, instrument_id):
        said += _adjusted(state, guard, quantity, now)
    return said


def watch(state: ExecState, event: Bar | Quote, now: int) -> Answer:
    """Return what closes the guards whose stops, kept by exec, this price has reached."""
    if state.pressed_at or state.read_only or not is_price(event):
        return ()
    said: list[Message | Effect] = []
    for guard, quantity in _wanted(state, event.instrument_id):
        if quantity <= ZERO or now < guard.wait_until:
            continue
        standing = _children(state, guard)
        if any(one.status not in _ANSWERED for one in standing) or _closing(standing):
            continue
        at_venue = standing[0].order_type if standing else None
        reason = reached(guard, event, _tick(state, guard), at_venue)
        if reason is not None:
            order = _child(state, guard, OrderType.MARKET, quantity, now)
            said += _sent(state, guard, order, standing, reason, now)
    return said


def make_room(state: ExecState, order: SubmitOrder, now: int) -> tuple[Answer, tuple[str, ...]]:
    """Return what ends the protective orders that an approved `order` is to close instead.

    They come back for what is left, once the venue has ended them. With it come the names of all
    that hold what the order needs, also of those on their way, which end when they have arrived.
    """
    found = [one for one in of(state.guards.values(), order.instrument_id)
             if one.side is order.side]  # fmt: skip
    if not found:
        return (), ()
    said: list[Message | Effect] = []
    holding: list[str] = []
    standing = {id(guard): quantity for guard, quantity in _wanted(state, order.instrument_id)}
    left = order.quantity
    for guard in found:
        taken = min(standing[id(guard)], left)
        left -= taken
        for child in _children(state, guard):
            if taken <= ZERO or child.status is OrderStatus.UNKNOWN:
                continue
            holding.append(child.client_order_id)
            if child.status in _ANSWERED:
                said += _ended(state, child, now, "another order closes what it protects")
    return said, tuple(holding)


def _wanted(state: ExecState, instrument_id: str) -> list[tuple[Guard, Decimal]]:
    mine = of(state.guards.values(), instrument_id)
    if not mine:
        return []
    orders = [one for one in state.orders.values() if one.instrument_id == instrument_id]
    held = state.positions.get(instrument_id, ZERO)
    both = [[one for one in mine if one.side is side] for side in Side]
    return [found for guards in both for found in wanted(guards, orders, held)]


def _adjusted(state: ExecState, guard: Guard, quantity: Decimal, now: int) -> Answer:
    standing = _children(state, guard)
    if any(one.status not in _ANSWERED for one in standing):
        return ()
    if quantity <= ZERO:
        ends = [_ended(state, one, now, "nothing is left to protect") for one in standing]
        return [said for answer in ends for said in answer]
    kind = kind_at_venue(guard, state.keeps)
    if _closing(standing):
        if sum((one.leaves for one in standing), ZERO) <= quantity:
            return ()
        ends = [_ended(state, one, now, "less is left to close") for one in standing]
        return [said for answer in ends for said in answer]
    if kind is None or now < guard.wait_until:
        return ()
    order = _child(state, guard, kind, quantity, now)
    if standing and standing[0].order_type is kind is OrderType.TRAILING_STOP:
        # What takes its place goes on from where it was, not from today's price.
        order = replace(order, stop_price=standing[0].stop_price)
    if standing and _same(standing[0], order):
        return ()
    return _sent(state, guard, order, standing, f"protects {guard.entry.client_order_id}", now)


def _closing(standing: Sequence[WorkingOrder]) -> bool:
    return any(one.order_type is OrderType.MARKET or one.live for one in standing)


def _same(standing: WorkingOrder, order: ProtectiveOrder) -> bool:
    return (standing.leaves, standing.order_type, standing.stop_price, standing.limit_price) == (
        order.quantity,
        order.order_type,
        order.stop_price,
        order.limit_price,
    )


def _children(state: ExecState, guard: Guard) -> list[WorkingOrder]:
    return [state.orders[name] for name in guard.children if name in state.orders]


def _ended(state: ExecState, order: WorkingOrder, now: int, reason: str) -> Answer:
    return [
        ask_end(state, order, now, reason),
        CancelOrder(client_order_id=order.client_order_id),
    ]


def _tick(state: ExecState, guard: Guard) -> Decimal:
    instrument = state.instruments.get(guard.entry.instrument_id)
    return _TICK if instrument is None else instrument.tick


def _child(
    state: ExecState, guard: Guard, kind: OrderType, quantity: Decimal, now: int
) -> ProtectiveOrder:
    parent, tick = guard.entry.client_order_id, _tick(state, guard)
    return ProtectiveOrder(
        client_order_id=client_order_id(derive_id(parent, kind, guard.generation)),
        parent=parent,
        instrument_id=guard.entry.instrument_id,
        side=guard.side,
        order_type=kind,
        quantity=quantity,
        stop_price=stop_price(guard, tick) if kind is OrderType.STOP else None,
        trail_offset=guard.protection.trail if kind is OrderType.TRAILING_STOP else None,
        limit_price=target_price(guard, tick) if kind is OrderType.LIMIT else None,
        ts_event=now,
    )


def _sent(
    state: ExecState,
    guard: Guard,
    order: ProtectiveOrder,
    standing: Sequence[WorkingOrder],
    reason: str,
    now: int,
) -> Answer:
    """Return the row of `order`, and its sending in the place of what stands."""
    row = _row(guard.entry, order, reason, now)
    known = {name: state.closed[name].filled for name in guard.ended if name in state.closed}
    if not standing:
        return [row, PlaceProtection(order=order, filled=known)]
    (old,) = standing
    known[old.client_order_id] = old.filled
    asked = ask_end(state, old, now, reason, replacing=True)
    return [
        row,
        asked,
        PlaceProtection(order=order, instead_of=old.client_order_id, filled=known),
    ]


def _row(entry: OrderSubmitted, order: ProtectiveOrder, reason: str, now: int) -> OrderSubmitted:
    """Return the write-ahead row: who it is for and why is the entry's."""
    return OrderSubmitted(
        message_id=caused_id(entry, OrderSubmitted, order.client_order_id),
        decision_id=entry.decision_id,
        ts_event=now,
        desk=entry.desk,
        account=entry.account,
        venue=entry.venue,
        client_order_id=order.client_order_id,
        intent_id=order.client_order_id.removeprefix("il-"),
        instrument_id=order.instrument_id,
        mode=entry.mode,
        strategy=entry.strategy,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        requested_quantity=order.quantity,
        limit_price=order.limit_price,
        time_in_force=TimeInForce.GTC,
        reference_price=entry.reference_price,
        reduce_only=True,
        reasons=[reason],
        policy_version=entry.policy_version,
        config_hash=entry.config_hash,
        epoch=entry.epoch,
        parent=entry.client_order_id,
        stop_price=order.stop_price,
        trail_offset=order.trail_offset,
    )
