"""Alpaca's orders as they stand on the wire, and our orders as its order bodies."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from interlock.model.values import ZERO, OrderType
from interlock.venues.port import (
    ProtectiveOrder,
    VenueAccepted,
    VenueCanceled,
    VenueExpired,
    VenueRejected,
    VenueReport,
)
from interlock.wire.orders import SubmitOrder


class OrderData(Struct, frozen=True, kw_only=True):
    """What we read of an order. Alpaca has some 40 more fields, and may add others."""

    id: str
    client_order_id: str
    symbol: str = ""
    side: str = ""
    status: str = ""
    qty: Decimal | None = None
    filled_qty: Decimal | None = None
    filled_avg_price: Decimal | None = None
    submitted_at: str | None = None
    replaced_by: str | None = None

    @property
    def filled(self) -> Decimal:
        return self.filled_qty or ZERO

    @property
    def leaves(self) -> Decimal:
        """What may still trade. An order by amount of money has no quantity: its rest is zero."""
        return max((self.qty or ZERO) - self.filled, ZERO)


class PositionData(Struct, frozen=True, kw_only=True):
    symbol: str
    qty: Decimal
    side: str = "long"

    @property
    def signed(self) -> Decimal:
        """Alpaca writes a short position with a minus sign; its `side` holds all the same."""
        return -abs(self.qty) if self.side == "short" else self.qty


class AccountData(Struct, frozen=True, kw_only=True):
    id: str
    account_number: str = ""
    currency: str = "USD"
    cash: Decimal = ZERO
    account_blocked: bool = False


class ActivityData(Struct, frozen=True, kw_only=True):
    """One execution, as the account's history has it."""

    id: str
    order_id: str = ""
    price: Decimal = ZERO
    qty: Decimal = ZERO
    cum_qty: Decimal = ZERO


class OrderEventData(Struct, frozen=True, kw_only=True):
    """One event of `trade_updates`. `price` and `qty` are those of a fill."""

    event: str
    order: OrderData
    price: Decimal | None = None
    qty: Decimal | None = None
    execution_id: str | None = None


class StreamFrame(Struct, frozen=True, kw_only=True):
    """A frame of the order stream; `data` differs by `stream`."""

    stream: str = ""


class HandshakeData(Struct, frozen=True, kw_only=True):
    status: str = ""
    streams: tuple[str, ...] = ()


class HandshakeFrame(Struct, frozen=True, kw_only=True):
    data: HandshakeData


class TradeUpdateFrame(Struct, frozen=True, kw_only=True):
    data: OrderEventData


class Ended(StrEnum):
    """The states of an order, or the events of its stream, after which nothing more trades."""

    FILLED = "filled"
    FILL = "fill"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"


ENDED = frozenset(Ended)


def standing(order: OrderData, words: str = "") -> VenueReport:
    """Return how an order stands, apart from its fills."""
    name = order.client_order_id
    match order.status:
        case Ended.CANCELED:
            return VenueCanceled(client_order_id=name, reason=words or "canceled at the venue")
        case Ended.REPLACED:
            by = order.replaced_by or "another order"
            return VenueCanceled(client_order_id=name, reason=f"replaced by {by} at the venue")
        case Ended.EXPIRED:
            return VenueExpired(client_order_id=name)
        case Ended.REJECTED:
            reason = words or "rejected by the venue after it was accepted"
            return VenueRejected(client_order_id=name, reason=reason)
        case _:
            return VenueAccepted(client_order_id=name, venue_order_id=order.id)


def entry_body(order: SubmitOrder, symbol: str) -> dict[str, object]:
    """Return the body of a signed order.

    Numbers are text: the SDK's own order classes hold them as floats, which would not keep every
    signed quantity as it is.
    """
    body: dict[str, object] = {
        "symbol": symbol,
        "qty": plain(order.quantity),
        "side": order.side.value,
        "type": order.order_type.value,
        "time_in_force": order.time_in_force.value,
        "client_order_id": order.client_order_id,
        "extended_hours": False,
    }
    if order.limit_price is not None and order.order_type is OrderType.LIMIT:
        body["limit_price"] = plain(order.limit_price)
    return body


def protective_body(order: ProtectiveOrder, symbol: str) -> dict[str, object]:
    """Return the body of an order that shrinks what its entry has filled.

    Alpaca has no flag for this: the quantity alone keeps it from doing more.
    """
    body: dict[str, object] = {
        "symbol": symbol,
        "qty": plain(order.quantity),
        "side": order.side.value,
        "type": order.order_type.value,
        "time_in_force": "gtc",
        "client_order_id": order.client_order_id,
        "extended_hours": False,
    }
    prices = {
        "stop_price": order.stop_price,
        "trail_price": order.trail_offset,
        "limit_price": order.limit_price,
    }
    body.update({name: plain(price) for name, price in prices.items() if price is not None})
    return body


def plain(value: Decimal) -> str:
    """Return a number as digits, never as ``1E+3``."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
