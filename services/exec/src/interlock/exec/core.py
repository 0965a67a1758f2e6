"""Signed orders to the venue, the venue's news to the desk. Nothing unsigned is sent."""

from collections.abc import Sequence
from decimal import Decimal

from interlock.exec.checks import STOPPED, is_old, overtaken, refusal
from interlock.exec.ports import (
    AdvanceVenue,
    ArmSwitch,
    CancelOrder,
    LookAgain,
    LookedAgain,
    OpenVenue,
    PlaceOrder,
    PressSwitch,
    RestoreSwitch,
    SignatureVerified,
    SwitchMoved,
    VenueOpened,
    VerifySignature,
    Way,
)
from interlock.exec.state import ExecState
from interlock.model.ids import derive_id
from interlock.model.order import OrderStatus, WorkingOrder
from interlock.model.values import ZERO, Severity, TradingState
from interlock.venues.port import (
    VenueAccepted,
    VenueBook,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueLost,
    VenueRejected,
    VenueReport,
)
from interlock.wire.base import Effect, Message, Report, caused_id, root_ids, tag_of
from interlock.wire.catalogue import EXEC
from interlock.wire.market import Quote, VenueBar
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
    ReconciliationCompleted,
    SubmitOrder,
)
from interlock.wire.policy import HaltTrading, TradingStateChanged
from interlock.wire.system import AlertRaised, SwitchChanged

_UNANSWERED = (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
AVERAGE_STEP = Decimal("0.00000001")
"""An average price is written down to this: it is a quotient and may never end."""


def ready(state: ExecState, message: Message) -> bool:
    """An order waits until the trading state it was approved under has been heard here, too."""
    return not isinstance(message, SubmitOrder) or message.epoch <= state.epoch


def begin(state: ExecState, now: int) -> Sequence[Message | Effect]:
    """Ask the venue for its book; the desk may trade once it equals ours and the switch is armed.

    Start-up and recovery are one path: a switch that was pressed cancels what is open once more.
    """
    del now
    return [
        OpenVenue(
            orders=list(state.orders.values()),
            positions=dict(state.positions),
            trade_ids=set(state.trades),
        ),
        RestoreSwitch(pressed_at=state.pressed_at),
    ]


def decide(state: ExecState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case SubmitOrder():
            return _submit(state, heard, now)
        case SignatureVerified():
            return _verified(state, heard, now)
        case LookedAgain():
            return _looked_again(state, heard, now)
        case VenueBar():
            return [AdvanceVenue(event=heard.bar, cause=heard.message_id)] if state.orders else ()
        case Quote():
            return [AdvanceVenue(event=heard, cause=heard.message_id)] if state.orders else ()
        case VenueReport():
            return _news(state, heard, now)
        case VenueOpened():
            return [_reconciled(state, heard.book, now)]
        case _:
            return _stop_or_go(state, heard, now)


def _stop_or_go(state: ExecState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case HaltTrading():
            return [PressSwitch(way=Way.COMMAND, by=heard.by, reason=heard.reason)]
        case TradingStateChanged() if heard.epoch == state.epoch:
            return _obeyed(state, heard)
        case SwitchMoved():
            return _moved(state, heard, now)
        case _:
            return ()


def _obeyed(state: ExecState, change: TradingStateChanged) -> Sequence[Effect]:
    """Follow the trading state: stop with it, and go on after it where a person has said so.

    What a rule has pressed, the policy service may take back; what a person, a file or a silence
    has, only the answer to a person's resume.
    """
    if change.state is TradingState.HALTED and change.cancel_orders:
        return [PressSwitch(way=Way.RULE, by=change.author, reason=change.reason)]
    if change.state is not TradingState.ACTIVE:
        return ()
    if state.resumed is None:
        return [ArmSwitch(by=change.author, reason=change.reason, by_person=False)]
    return [ArmSwitch(by=state.resumed.by, reason=state.resumed.reason, by_person=True)]


def _moved(state: ExecState, switch: SwitchMoved, now: int) -> Sequence[Message]:
    message_id, decision_id = root_ids(SwitchChanged, state.desk, switch.pressed, switch.seen_at)
    changed = SwitchChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        pressed=switch.pressed,
        way=switch.way,
        by=switch.by,
        reason=switch.reason,
        seen_at=switch.seen_at,
        last_submit_at=switch.last_submit_at,
        cancelled_at=switch.cancelled_at,
        cancelled=switch.cancelled,
    )
    if not switch.pressed:
        return [changed]
    alert = AlertRaised(
        message_id=caused_id(changed, AlertRaised),
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        service=EXEC,
        severity=Severity.CRITICAL,
        code="kill_switch.pressed",
        text=f"the kill switch is pressed by {switch.by} ({switch.way}): {switch.reason}; "
        f"{switch.cancelled} orders cancelled",
        dedupe_key=f"{EXEC}.kill_switch.{switch.seen_at}",
    )
    return [changed, alert]


def _submit(state: ExecState, order: SubmitOrder, now: int) -> Sequence[Message | Effect]:
    if order.intent_id in state.submitted:
        standing = state.orders.get(order.client_order_id)
        unanswered = standing is not None and standing.status is OrderStatus.SUBMITTED
        return [VerifySignature(order=order)] if unanswered else ()
    if order.intent_id in state.refused:
        return ()
    why = refusal(state, order, now)
    if why is not None:
        return [_refused(order, *why, now)]
    return [VerifySignature(order=order)]


def _verified(state: ExecState, heard: SignatureVerified, now: int) -> Sequence[Message | Effect]:
    order = heard.order
    if order.intent_id in state.submitted:
        return _again(state, heard, now)
    if not heard.genuine:
        return [_refused(order, "signature", "not the gate's over these fields", now)]
    if is_old(order, now):
        return [LookAgain(order=order)]
    return [_submitted(order, now), PlaceOrder(order=order)]


def _again(state: ExecState, heard: SignatureVerified, now: int) -> Sequence[Message | Effect]:
    """An order that was written ahead, seen again after a restart.

    The venue takes one client order id once, so asking again is safe while the approval holds;
    after that nobody knows, and it counts as exposure until the venue says more. A forgery is
    passed over: to refuse it would tell the gate that the true one was never sent. Where nothing
    may increase risk any more it is not sent again but cancelled: it may have arrived.
    """
    order = heard.order
    if not heard.genuine:
        return ()
    why = refusal(state, order, now)
    if why is None:
        return [LookAgain(order=order)] if is_old(order, now) else [PlaceOrder(order=order)]
    return _not_again(state, order, why[0], now)


def _not_again(
    state: ExecState, order: SubmitOrder, code: str, now: int
) -> Sequence[Message | Effect]:
    if code in STOPPED:
        return [CancelOrder(client_order_id=order.client_order_id)]
    lost = VenueLost(client_order_id=order.client_order_id, reason="restarted before an answer")
    return _news(state, lost, now)


def _looked_again(state: ExecState, seen: LookedAgain, now: int) -> Sequence[Message | Effect]:
    """Send an order that waited, unless what waits behind it forbids that.

    A process that was stopped for a while finds approvals before the halt that followed them.
    """
    order = seen.order
    why = overtaken(order, seen) or refusal(state, order, now)
    if order.intent_id not in state.submitted:
        if why is not None:
            return [_refused(order, *why, now)]
        return [_submitted(order, now), PlaceOrder(order=order)]
    if why is None:
        return [PlaceOrder(order=order)]
    return _not_again(state, order, why[0], now)


def _refused(order: SubmitOrder, code: str, detail: str, now: int) -> OrderRefused:
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


def _submitted(order: SubmitOrder, now: int) -> OrderSubmitted:
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


def _news(state: ExecState, report: VenueReport, now: int) -> Sequence[Message]:
    order = state.orders.get(report.client_order_id)
    if order is None:
        return ()
    match report:
        case VenueFilled():
            return (
                [_filled(state, order, report, now)] if report.trade_id not in state.trades else ()
            )
        case VenueAccepted() if order.status in _UNANSWERED:
            return [_event(state, OrderAccepted, order, now, venue_order_id=report.venue_order_id)]
        case VenueRejected():
            return [_event(state, OrderRejected, order, now, reason=report.reason)]
        case VenueCanceled():
            return [
                _event(
                    state,
                    OrderCanceled,
                    order,
                    now,
                    reason=report.reason,
                    leaves_qty=order.leaves,
                )
            ]
        case VenueExpired():
            return [_event(state, OrderExpired, order, now, leaves_qty=order.leaves)]
        case VenueLost() if order.status is not OrderStatus.UNKNOWN:
            return [_event(state, OrderUnknown, order, now, reason=report.reason)]
        case _:
            return ()


def _event[E: OrderEvent](
    state: ExecState, kind: type[E], order: WorkingOrder, now: int, **fields: object
) -> E:
    return kind(
        message_id=derive_id(tag_of(kind), order.client_order_id, order.status, order.filled),
        decision_id=state.decisions[order.client_order_id],
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        **fields,
    )


def _filled(state: ExecState, order: WorkingOrder, report: VenueFilled, now: int) -> OrderFilled:
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
        leaves_qty=order.quantity - cumulative,
        avg_px=(paid / cumulative).quantize(AVERAGE_STEP),
        fee=report.fee,
    )


def _reconciled(state: ExecState, book: VenueBook, now: int) -> ReconciliationCompleted:
    message_id, decision_id = root_ids(
        ReconciliationCompleted, state.desk, state.account, now, len(state.trades)
    )
    return ReconciliationCompleted(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        open_orders=len(book.leaves),
        positions=sum(1 for held in book.positions.values() if held != ZERO),
        breaks=breaks_between(state, book),
    )


def breaks_between(state: ExecState, book: VenueBook) -> list[str]:
    """Return every difference between our book and the venue's, in words."""
    ours = {name: order.leaves for name, order in state.orders.items()}
    orders = [
        f"order {name}: ours {ours.get(name)}, theirs {book.leaves.get(name)}"
        for name in sorted(ours.keys() | book.leaves.keys())
        if ours.get(name) != book.leaves.get(name)
    ]
    positions = [
        f"position {name}: ours {state.positions.get(name)}, theirs {book.positions.get(name)}"
        for name in sorted(state.positions.keys() | book.positions.keys())
        if state.positions.get(name, ZERO) != book.positions.get(name, ZERO)
    ]
    return [*orders, *positions]
