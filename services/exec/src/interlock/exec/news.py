"""What a venue's report makes of an order; late, early, repeated or absurd.

Theory of operation. A fill counts once, by its trade id, whenever it comes, also after the end of
its order: the position has moved at the venue. Whatever else comes late or twice changes nothing.
What the table of an order's life does not list, and a fill that cannot be, is named as a break of
the instrument, which blocks new risk in it until the books are equal again.
"""

from collections.abc import Sequence

from interlock.exec.ports import STILL_STANDS, CheckGuards
from interlock.exec.reconcile import blocked
from interlock.exec.rows import event, filled
from interlock.exec.state import NEVER_SEEN, ExecState
from interlock.model.order import CLOSED, OrderStatus, WorkingOrder
from interlock.model.values import ZERO, OrderType, Severity
from interlock.venues.port import (
    VenueAccepted,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueKept,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
    VenueReport,
)
from interlock.wire.base import Effect, Message, caused_id
from interlock.wire.catalogue import EXEC
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderKept,
    OrderRejected,
    OrderUnknown,
)
from interlock.wire.system import AlertRaised

IN_DOUBT = frozenset({OrderStatus.SUBMITTED, OrderStatus.UNKNOWN})
PENDING = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE})
WAITS_TOLD = 3
"""So many tries in a row without the venue's word on the last stop are told to a person."""
UNSEEN_SECONDS = 2
"""A venue that says twice, so far apart, that it knows nothing of an order, has never had it."""

type Answer = Sequence[Message | Effect]


def news(state: ExecState, report: VenueReport, now: int) -> Answer:
    """Return what exec says to it. News of an order that is not ours is left to reconciliation."""
    name = report.client_order_id
    order = state.orders.get(name) or state.closed.get(name)
    if order is None:
        return ()
    if isinstance(report, VenueFilled):
        said = _trade(state, order, report, now)
    elif order.status in CLOSED:
        said = _after_the_end(state, order, report, now)
    else:
        said = _moves(state, order, report, now)
    if said and (state.guards or state.spent) and not isinstance(said[0], OrderKept):
        return [*said, CheckGuards(instrument_id=order.instrument_id)]
    return said


def _trade(state: ExecState, order: WorkingOrder, report: VenueFilled, now: int) -> Answer:
    if report.trade_id in state.trades:
        return ()
    numbers = (report.quantity, report.price, report.fee, report.fee_elsewhere)
    sound = all(one.is_finite() for one in numbers) and min(numbers[:2]) > ZERO
    if not sound:
        text = f"a fill of {report.quantity} at {report.price}, fee {report.fee}"
        return _impossible(state, order, text, now)
    fill = filled(state, order, report, now)
    if order.status is OrderStatus.REJECTED:
        return [fill, *_impossible(state, order, f"filled {report.quantity}", now)]
    if fill.cum_qty > order.quantity:
        return [fill, *_impossible(state, order, f"filled {fill.cum_qty}", now)]
    return [fill]


def _moves(state: ExecState, order: WorkingOrder, report: VenueReport, now: int) -> Answer:
    match report:
        case VenueAccepted() if order.status in IN_DOUBT:
            return _one(state, OrderAccepted, order, now, venue_order_id=report.venue_order_id)
        case VenueRejected() if order.status is OrderStatus.PARTIALLY_FILLED:
            return _impossible(state, order, f"rejected: {report.reason}", now)
        case VenueRejected() if order.parent and order.order_type is not OrderType.MARKET:
            return _unprotected(state, order, report.reason, now)
        case VenueRejected():
            return _one(state, OrderRejected, order, now, reason=report.reason)
        case VenueCanceled(reason=reason):
            return _canceled(state, order, reason, now)
        case VenueExpired():
            return _one(state, OrderExpired, order, now, leaves_qty=order.leaves)
        case VenueLost() if order.status is OrderStatus.SUBMITTED:
            return _one(state, OrderUnknown, order, now, reason=report.reason)
        case VenueKept() if order.status in PENDING:
            return _one(state, OrderKept, order, now, reason=report.reason)
        case VenueNeverSeen():
            return _never_seen(state, order, now)
        case _:
            return ()


def _unprotected(state: ExecState, order: WorkingOrder, reason: str, now: int) -> Answer:
    """Let a person know that a stop is kept here alone: it ends with this process."""
    rejected = event(state, OrderRejected, order, now, reason=reason)
    alert = AlertRaised(
        message_id=caused_id(rejected, AlertRaised),
        decision_id=rejected.decision_id,
        ts_event=now,
        desk=state.desk,
        service=EXEC,
        severity=Severity.WARNING,
        code="protection.kept_by_exec",
        text=f"{state.venue} keeps no {order.order_type} for {order.leaves} "
        f"{order.instrument_id}, exec keeps it: {reason}",
        dedupe_key=f"{EXEC}.protection.{order.parent}",
    )
    return [rejected, alert]


def _canceled(state: ExecState, order: WorkingOrder, reason: str, now: int) -> Answer:
    """Let a person know of a position that stays without its stop, once for a row of tries."""
    leaves = order.leaves
    canceled = event(state, OrderCanceled, order, now, reason=reason, leaves_qty=leaves)
    guard = state.guards.get(order.parent) if reason == STILL_STANDS else None
    if guard is None or guard.waited + 1 != WAITS_TOLD:
        return [canceled]
    alert = AlertRaised(
        message_id=caused_id(canceled, AlertRaised),
        decision_id=canceled.decision_id,
        ts_event=now,
        desk=state.desk,
        service=EXEC,
        severity=Severity.CRITICAL,
        code="protection.waits",
        text=f"{leaves} {order.instrument_id} wait for their {order.order_type}: "
        f"{state.venue} does not say that the last one has ended, and what it has traded",
        dedupe_key=f"{EXEC}.protection.{order.parent}",
    )
    return [canceled, alert]


def _never_seen(state: ExecState, order: WorkingOrder, now: int) -> Answer:
    name = order.client_order_id
    again = state.seconds - state.unseen.get(name, state.seconds) >= UNSEEN_SECONDS
    if not again or order.status not in IN_DOUBT | PENDING or order.venue_order_id:
        return ()
    if order.filled:
        return _impossible(state, order, NEVER_SEEN, now)
    return _one(state, OrderRejected, order, now, reason=NEVER_SEEN)


def _after_the_end(state: ExecState, order: WorkingOrder, report: VenueReport, now: int) -> Answer:
    if isinstance(report, VenueRejected) and order.filled:
        return _impossible(state, order, f"rejected: {report.reason}", now)
    return ()


def _one(
    state: ExecState, kind: type[OrderEvent], order: WorkingOrder, now: int, **fields: object
) -> Answer:
    return [event(state, kind, order, now, **fields)]


def _impossible(state: ExecState, order: WorkingOrder, what: str, now: int) -> Answer:
    text = f"order {order.client_order_id}: {order.status}, {order.filled} filled, and now {what}"
    return blocked(state, order.instrument_id, text, now)
