"""The latest orders, folded from messages as they pass: what the ledger will write, only sooner."""

from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec.structs import replace

from interlock.console.plain import maybe_money, money
from interlock.console.views.decisions import DecisionItem
from interlock.console.views.orders import OrderView
from interlock.model.order import OrderStatus
from interlock.model.values import ZERO
from interlock.wire.accounts import PositionChanged
from interlock.wire.base import Message
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
)
from interlock.wire.policy import ProposalJudged

ORDERS_KEPT = 2_000
PROTECTIVE = "protective"
_STATUS: dict[type[OrderEvent], OrderStatus] = {
    OrderSubmitted: OrderStatus.SUBMITTED,
    OrderRefused: OrderStatus.DENIED,
    OrderAccepted: OrderStatus.ACCEPTED,
    OrderRejected: OrderStatus.REJECTED,
    OrderCanceled: OrderStatus.CANCELED,
    OrderExpired: OrderStatus.EXPIRED,
    OrderUnknown: OrderStatus.UNKNOWN,
}


@dataclass(slots=True)
class Known:
    """One order, and what its line in the decision list says besides."""

    order: OrderView
    codes: list[str] = field(default_factory=list[str])
    conviction: float | None = None


class OrderBook:
    """The latest `ORDERS_KEPT` orders. One it has not seen begin is unknown to it."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Known] = OrderedDict()

    def put(self, order: OrderView) -> None:
        """Take an order over from the tables."""
        if order.intent_id not in self._known:
            self._keep(Known(order))

    def hear(self, message: Message) -> tuple[str, Known | None]:
        """Take a message in; return the intent it is about, and the order where it is known.

        The intent is empty where the message is about none.
        """
        match message:
            case OrderIntent():
                self._keep(_begun(message))
                return message.intent_id, self._known[message.intent_id]
            case OrderDenied() | OrderEvent():
                intent_id = message.intent_id
            case PositionChanged(intent_id=str(intent_id)):
                pass
            case _:
                return "", None
        known = self._known.get(intent_id)
        if known is None and isinstance(message, OrderSubmitted):
            known = Known(_submitted(message))
            self._keep(known)
        if known is not None:
            _apply(known, message)
        return intent_id, known

    def _keep(self, known: Known) -> None:
        self._known[known.order.intent_id] = known
        while len(self._known) > ORDERS_KEPT:
            self._known.popitem(last=False)


def _begun(m: OrderIntent) -> Known:
    order = OrderView(
        intent_id=m.intent_id,
        decision_id=m.decision_id,
        ts_event=str(m.ts_event),
        desk=m.desk,
        account=m.account,
        venue=m.venue,
        mode=None,
        client_order_id=None,
        strategy=m.strategy,
        instrument_id=m.instrument_id,
        side=m.side,
        order_type=m.order_type,
        status=OrderStatus.INITIALIZED,
        limit_price=maybe_money(m.limit_price),
        reference_price=money(m.reference_price),
        requested_quantity=money(m.quantity),
        quantity=None,
        filled_quantity=None,
        entry_price=None,
        exit_price=None,
        reasons=m.reasons,
        policy_version=m.policy_version,
        detail=None,
        parent=None,
        reduce_only=m.reduce_only,
    )
    claimed = m.p_win is not None and 0 <= m.p_win <= 1
    return Known(order, conviction=round(100 * (m.p_win or 0), 4) if claimed else None)


def _submitted(m: OrderSubmitted) -> OrderView:
    """Return an order whose intent was not seen: a protective one has none."""
    return OrderView(
        intent_id=m.intent_id,
        decision_id=m.decision_id,
        ts_event=str(m.ts_event),
        desk=m.desk,
        account=m.account,
        venue=m.venue,
        mode=m.mode,
        client_order_id=m.client_order_id,
        strategy=m.strategy,
        instrument_id=m.instrument_id,
        side=m.side,
        order_type=m.order_type,
        status=OrderStatus.SUBMITTED,
        limit_price=maybe_money(m.limit_price),
        reference_price=money(m.reference_price),
        requested_quantity=money(m.requested_quantity),
        quantity=money(m.quantity),
        filled_quantity=None,
        entry_price=None,
        exit_price=None,
        reasons=m.reasons,
        policy_version=m.policy_version,
        detail=None,
        parent=m.parent or None,
        reduce_only=True if m.parent else None,
    )


def _apply(known: Known, message: Message) -> None:
    match message:
        case OrderDenied():
            known.codes = [failure.code for failure in message.failures]
            known.order = replace(
                known.order,
                status=OrderStatus.DENIED,
                quantity=money(ZERO),
                detail=", ".join(known.codes),
            )
        case OrderSubmitted():
            known.order = replace(
                known.order,
                mode=message.mode,
                client_order_id=message.client_order_id,
                status=OrderStatus.SUBMITTED,
                quantity=money(message.quantity),
            )
        case OrderFilled():
            whole = message.leaves_qty == ZERO
            known.order = replace(
                known.order,
                status=OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED,
                filled_quantity=money(message.cum_qty),
            )
        case PositionChanged():
            known.order = _priced(known.order, message.entry_px, message.exit_px)
        case OrderEvent():
            status = _STATUS.get(type(message))
            detail = getattr(message, "reason", None) or getattr(message, "detail", None)
            known.order = replace(
                known.order,
                status=status or known.order.status,
                detail=detail if status and detail else known.order.detail,
            )
        case _:
            pass


def _priced(order: OrderView, entry: Decimal | None, left: Decimal | None) -> OrderView:
    """Take prices in. The entry price stands once there is an exit."""
    keep = order.exit_price is not None or entry is None
    return replace(
        order,
        entry_price=order.entry_price if keep else maybe_money(entry),
        exit_price=maybe_money(left) or order.exit_price,
    )


def verdict_of(order: OrderView) -> str:
    """Return the gate's word on an order; a protective one it has signed with its entry."""
    if order.parent:
        return PROTECTIVE
    if order.status in (None, OrderStatus.INITIALIZED):
        return "pending"
    return "denied" if order.status == OrderStatus.DENIED else "approved"


def decision_item(known: Known) -> DecisionItem:
    order = known.order
    return DecisionItem(
        decision_id=order.decision_id,
        kind="order",
        ts_event=order.ts_event,
        desk=order.desk or "",
        instrument_id=order.instrument_id,
        strategy=order.strategy,
        side=order.side,
        requested_quantity=order.requested_quantity,
        quantity=order.quantity,
        verdict=verdict_of(order),
        codes=known.codes,
        conviction=known.conviction,
        epoch=order.policy_version,
        status=order.status,
        summary=", ".join(order.reasons),
        intent_id=order.intent_id,
    )


def proposal_item(m: ProposalJudged) -> DecisionItem:
    return DecisionItem(
        decision_id=m.decision_id,
        kind="proposal",
        ts_event=str(m.ts_event),
        desk=m.desk,
        instrument_id=None,
        strategy=m.provider,
        side=None,
        requested_quantity=None,
        quantity=None,
        verdict=m.verdict,
        codes=[str(reason) for reason in m.freeze_reasons],
        conviction=None,
        epoch=m.policy_version,
        status=None,
        summary=f"{m.parameter} from {m.old:g} to {m.proposed:g}",
        intent_id=None,
    )
