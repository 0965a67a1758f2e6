"""The messages of an order's life, made of what exec knows of it."""

from decimal import Decimal

from msgspec.structs import replace

from interlock.exec.state import ExecState
from interlock.model.ids import derive_id
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO
from interlock.venues.port import VenueFilled, VenueMoved
from interlock.wire.base import caused_id, tag_of
from interlock.wire.orders import (
    OrderCancelRequested,
    OrderEvent,
    OrderFilled,
    OrderMoved,
    OrderRefused,
    OrderSubmitted,
    SubmitOrder,
)

AVERAGE_STEP = Decimal("0.00000001")
"""An average price is written down to this: it is a quotient and may never end."""


def event[E: OrderEvent](
    state: ExecState, kind: type[E], order: WorkingOrder, now: int, **fields: object
) -> E:
    """Return what has happened to `order`. Told twice, it has one id."""
    name = order.client_order_id
    parts: list[object] = [name, order.status, order.filled]
    if name in state.doubts:
        parts.append(state.doubts[name])
    return kind(
        message_id=derive_id(tag_of(kind), *parts),
        decision_id=state.decisions[name],
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        client_order_id=name,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        **fields,
    )


def ask_end(
    state: ExecState, order: WorkingOrder, now: int, reason: str, *, replacing: bool = False
) -> OrderCancelRequested:
    return event(state, OrderCancelRequested, order, now, reason=reason, replacing=replacing)


def filled(state: ExecState, order: WorkingOrder, report: VenueFilled, now: int) -> OrderFilled:
    """Return the fill. One past the order's quantity leaves nothing, and is a break besides."""
    cumulative = order.filled + report.quantity
    paid = state.cost[order.client_order_id] + report.quantity * report.price
    return OrderFilled(
        message_id=derive_id(tag_of(OrderFilled), report.trade_id),
        decision_id=state.decisions[order.client_order_id],
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        venue_order_id=report.venue_order_id,
        trade_id=report.trade_id,
        side=order.side,
        last_qty=report.quantity,
        last_px=report.price,
        cum_qty=cumulative,
        leaves_qty=max(order.quantity - cumulative, ZERO),
        avg_px=(paid / cumulative).quantize(AVERAGE_STEP),
        fee=report.fee,
        fee_elsewhere=report.fee_elsewhere,
    )


def moved(state: ExecState, report: VenueMoved, now: int) -> list[OrderMoved]:
    """Return where a simulated venue's order stands: an order may get there by many ways."""
    order = state.orders.get(report.client_order_id)
    if order is None or (order.stop_price, order.live) == (report.stop_price, report.live):
        return []
    row = event(state, OrderMoved, order, now, stop_price=report.stop_price, live=report.live)
    place = (order.client_order_id, report.stop_price, report.live)
    return [replace(row, message_id=derive_id(tag_of(OrderMoved), *place))]


def refused(order: SubmitOrder, code: str, detail: str, now: int) -> OrderRefused:
    return OrderRefused(
        message_id=caused_id(order, OrderRefused),
        decision_id=order.decision_id,
        ts_event=now,
        desk=order.desk,
        account=order.account,
        venue=order.venue,
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        code=code,
        detail=detail,
    )


def submitted(order: SubmitOrder, now: int) -> OrderSubmitted:
    return OrderSubmitted(
        message_id=caused_id(order, OrderSubmitted),
        decision_id=order.decision_id,
        ts_event=now,
        desk=order.desk,
        account=order.account,
        venue=order.venue,
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        mode=order.mode,
        strategy=order.strategy,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        requested_quantity=order.requested_quantity,
        limit_price=order.limit_price,
        time_in_force=order.time_in_force,
        reference_price=order.reference_price,
        reduce_only=order.reduce_only,
        reasons=order.reasons,
        policy_version=order.policy_version,
        config_hash=order.config_hash,
        epoch=order.epoch,
        post_only=order.post_only,
        protection=order.protection,
    )
