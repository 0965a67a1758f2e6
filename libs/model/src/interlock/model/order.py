"""The life of an order as a table. What the table does not list cannot happen."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from interlock.model.ids import UnixNanos
from interlock.model.values import ZERO, OrderType, Side, TimeInForce


class OrderStatus(StrEnum):
    INITIALIZED = "initialized"
    DENIED = "denied"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class OrderTrigger(StrEnum):
    DENY = "deny"
    SUBMIT = "submit"
    ACCEPT = "accept"
    REJECT = "reject"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    CANCEL = "cancel"
    EXPIRE = "expire"
    LOSE = "lose"
    ASK_CANCEL = "ask_cancel"
    ASK_REPLACE = "ask_replace"
    KEEP = "keep"
    KEEP_PARTLY = "keep_partly"


_S, _T = OrderStatus, OrderTrigger

TRANSITIONS: dict[tuple[OrderStatus, OrderTrigger], OrderStatus] = {
    (_S.INITIALIZED, _T.DENY): _S.DENIED,
    (_S.INITIALIZED, _T.SUBMIT): _S.SUBMITTED,
    (_S.SUBMITTED, _T.ACCEPT): _S.ACCEPTED,
    (_S.SUBMITTED, _T.REJECT): _S.REJECTED,
    (_S.SUBMITTED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.SUBMITTED, _T.FILL): _S.FILLED,
    (_S.SUBMITTED, _T.CANCEL): _S.CANCELED,
    (_S.SUBMITTED, _T.EXPIRE): _S.EXPIRED,
    (_S.SUBMITTED, _T.LOSE): _S.UNKNOWN,
    (_S.ACCEPTED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.ACCEPTED, _T.FILL): _S.FILLED,
    (_S.ACCEPTED, _T.CANCEL): _S.CANCELED,
    (_S.ACCEPTED, _T.EXPIRE): _S.EXPIRED,
    (_S.ACCEPTED, _T.REJECT): _S.REJECTED,
    (_S.ACCEPTED, _T.LOSE): _S.UNKNOWN,
    (_S.PARTIALLY_FILLED, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.PARTIALLY_FILLED, _T.FILL): _S.FILLED,
    (_S.PARTIALLY_FILLED, _T.CANCEL): _S.CANCELED,
    (_S.PARTIALLY_FILLED, _T.EXPIRE): _S.EXPIRED,
    (_S.PARTIALLY_FILLED, _T.LOSE): _S.UNKNOWN,
    **{
        (working, ask): pending
        for working in (_S.SUBMITTED, _S.ACCEPTED, _S.PARTIALLY_FILLED)
        for ask, pending in (
            (_T.ASK_CANCEL, _S.PENDING_CANCEL),
            (_T.ASK_REPLACE, _S.PENDING_REPLACE),
        )
    },
    (_S.PENDING_REPLACE, _T.ASK_CANCEL): _S.PENDING_CANCEL,
    **{
        (pending, news): status
        for pending in (_S.PENDING_CANCEL, _S.PENDING_REPLACE)
        for news, status in (
            (_T.KEEP, _S.ACCEPTED),
            (_T.KEEP_PARTLY, _S.PARTIALLY_FILLED),
            (_T.PARTIAL_FILL, pending),
            (_T.FILL, _S.FILLED),
            (_T.CANCEL, _S.CANCELED),
            (_T.EXPIRE, _S.EXPIRED),
            (_T.REJECT, _S.REJECTED),
            (_T.LOSE, _S.UNKNOWN),
        )
    },
    (_S.UNKNOWN, _T.ACCEPT): _S.ACCEPTED,
    (_S.UNKNOWN, _T.REJECT): _S.REJECTED,
    (_S.UNKNOWN, _T.PARTIAL_FILL): _S.PARTIALLY_FILLED,
    (_S.UNKNOWN, _T.FILL): _S.FILLED,
    (_S.UNKNOWN, _T.CANCEL): _S.CANCELED,
    (_S.UNKNOWN, _T.EXPIRE): _S.EXPIRED,
}

CLOSED = frozenset({_S.DENIED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED})


class IllegalTransitionError(Exception):
    """An order was told to do what the table does not list."""

    def __init__(self, status: OrderStatus, trigger: OrderTrigger) -> None:
        super().__init__(f"an order that is {status} cannot {trigger}")
        self.status = status
        self.trigger = trigger


def next_status(status: OrderStatus, trigger: OrderTrigger) -> OrderStatus:
    """Return the status after `trigger`, or raise `IllegalTransitionError`."""
    try:
        return TRANSITIONS[status, trigger]
    except KeyError:
        raise IllegalTransitionError(status, trigger) from None


class WorkingOrder(Struct, frozen=True, kw_only=True):
    """An order that may still trade: what exposure counts besides the position itself.

    `ts_event` is when it was sent; a simulated venue trades it on later events only. A protective
    order has a `parent`, the client order id it protects, and a `stop_price` or a `trail_offset`,
    a distance in price; a take-profit is a limit order with a parent. `live`: a stop whose price
    has been reached, or a post-only order that has come to rest.
    """

    client_order_id: str
    intent_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    filled: Decimal = ZERO
    status: OrderStatus = OrderStatus.INITIALIZED
    price: Decimal = ZERO
    limit_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    ts_event: UnixNanos = 0
    order_type: OrderType = OrderType.MARKET
    reduce_only: bool = False
    post_only: bool = False
    venue_order_id: str = ""
    parent: str = ""
    stop_price: Decimal | None = None
    trail_offset: Decimal | None = None
    live: bool = False

    @property
    def leaves(self) -> Decimal:
        return self.quantity - self.filled
