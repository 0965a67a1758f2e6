"""ccxt's orders and trades as reports of the port. Pure.

ccxt hands over numbers as floats whose shortest text is what the exchange wrote, so `Decimal` of
that text is exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from interlock.model.values import ZERO
from interlock.venues.port import (
    VenueAccepted,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueRejected,
    VenueReport,
)

type Unified = Mapping[str, Any]
"""ccxt's form of an order or a trade, the same for all exchanges."""


class Fee(NamedTuple):
    """A trade's cost in the quote currency, and what of it was taken out of something else."""

    cost: Decimal
    elsewhere: Decimal


ENDED = frozenset({"closed", "canceled", "expired", "rejected"})


def number(value: object) -> Decimal:
    """Return a number of ccxt's; zero for none."""
    return ZERO if value is None else Decimal(str(value))


def trade_key(trade: Unified, *, per_market: bool) -> str:
    """Return an id that no other trade at this exchange has."""
    return f"{trade['symbol']}:{trade['id']}" if per_market else str(trade["id"])


def filled(client_order_id: str, trade_id: str, trade: Unified, fee: Fee) -> VenueFilled:
    return VenueFilled(
        client_order_id=client_order_id,
        venue_order_id=str(trade["order"]),
        trade_id=trade_id,
        quantity=number(trade["amount"]),
        price=number(trade["price"]),
        fee=fee.cost,
        fee_elsewhere=fee.elsewhere,
    )


def accepted(client_order_id: str, order: Unified) -> VenueAccepted:
    return VenueAccepted(client_order_id=client_order_id, venue_order_id=str(order["id"]))


def ending(client_order_id: str, order: Unified, known_filled: Decimal) -> Sequence[VenueReport]:
    """Return how an order has ended, after its fills; nothing while it works or where it filled."""
    reason = reason_of(order)
    match order["status"]:
        case "canceled":
            return [VenueCanceled(client_order_id=client_order_id, reason=reason)]
        case "expired":
            return [VenueExpired(client_order_id=client_order_id)]
        case "rejected" if known_filled == ZERO:
            return [VenueRejected(client_order_id=client_order_id, reason=reason)]
        case "rejected":
            return [VenueCanceled(client_order_id=client_order_id, reason=reason)]
        case "closed" if known_filled < number(order["amount"]):
            return [VenueCanceled(client_order_id=client_order_id, reason=reason)]
        case _:
            return ()


def reason_of(order: Unified) -> str:
    """Return the exchange's own words for an order's end."""
    info = order.get("info")
    if isinstance(info, Mapping):
        for name in ("reason", "cancel_reason", "cancel_message", "reject_message", "r"):
            words = info.get(name)  # pyright: ignore[reportUnknownVariableType]
            if isinstance(words, str) and words not in {"", "NONE"}:
                return words[:200]
    return f"the exchange says {order['status']}"


def cash_names(markets: Iterable[Unified]) -> set[str]:
    """Return the currencies that trades in ccxt's `markets` are paid in, and that are nothing else.

    A coin that is bought is a position. What contracts settle in moves with their prices.
    """
    quotes: set[str] = set()
    others: set[str] = set()
    for market in markets:
        if market.get("spot"):
            quotes.add(market["quote"])
            others.add(market["base"])
        else:
            others.add(market.get("settle") or market["quote"])
    return quotes - others


def fee_parts(trade: Unified) -> Sequence[tuple[str, Decimal]]:
    """Return a trade's fees as currencies and costs."""
    fees = trade.get("fees") or ([trade["fee"]] if trade.get("fee") else [])
    return [
        (str(fee["currency"]), number(fee["cost"]))
        for fee in fees
        if fee.get("cost") is not None and fee.get("currency") is not None
    ]


def has_all_trades(order: Unified) -> bool:
    """Return whether an order carries its own fills, whole."""
    trades: list[Unified] = order.get("trades") or []
    whole = all(trade.get("id") and trade.get("price") is not None for trade in trades)
    return whole and sum((number(t["amount"]) for t in trades), ZERO) == number(order["filled"])
