"""Orders at the paper venue, and which of them trades first."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from interlock.model.ids import UnixNanos, derive_id
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.venues.port import ProtectiveOrder
from interlock.wire.orders import SubmitOrder

STOPS = frozenset({OrderType.STOP, OrderType.TRAILING_STOP})


@dataclass(slots=True, kw_only=True)
class PaperOrder:
    """An order at the paper venue; `turn` counts them as they come.

    `live`: a stop whose price has been reached, which is a market order now, or a post-only order
    that has come to rest.
    """

    client_order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    ts_event: UnixNanos
    turn: int
    time_in_force: TimeInForce = TimeInForce.GTC
    order_type: OrderType = OrderType.MARKET
    filled: Decimal = ZERO
    reduce_only: bool = False
    post_only: bool = False
    parent: str = ""
    stop_price: Decimal | None = None
    trail_offset: Decimal | None = None
    live: bool = False
    venue_order_id: str = ""

    def __post_init__(self) -> None:
        self.venue_order_id = derive_id("paper", self.client_order_id)

    @property
    def leaves(self) -> Decimal:
        return self.quantity - self.filled

    @property
    def waits(self) -> bool:
        """Whether it is a stop that has not been reached."""
        return self.order_type in STOPS and not self.live


class Deal(NamedTuple):
    """What an order can have of a market event.

    `later` is whether it comes after the event's first price. A `maker` was there before the
    price came to it.
    """

    price: Decimal
    later: bool
    maker: bool


def submitted(order: SubmitOrder, turn: int) -> PaperOrder:
    return PaperOrder(
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity,
        limit_price=order.limit_price,
        ts_event=order.ts_event,
        turn=turn,
        time_in_force=order.time_in_force,
        reduce_only=order.reduce_only,
        post_only=order.post_only,
    )


def protective(order: ProtectiveOrder, turn: int) -> PaperOrder:
    return PaperOrder(
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity,
        limit_price=order.limit_price,
        ts_event=order.ts_event,
        turn=turn,
        order_type=order.order_type,
        reduce_only=True,
        parent=order.parent,
        stop_price=order.stop_price,
        trail_offset=order.trail_offset,
    )


def remembered(order: WorkingOrder, turn: int) -> PaperOrder:
    """Return an order as it stood when exec last heard of it."""
    return PaperOrder(
        client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity,
        limit_price=order.limit_price,
        ts_event=order.ts_event,
        turn=turn,
        time_in_force=order.time_in_force,
        order_type=order.order_type,
        filled=order.filled,
        reduce_only=order.reduce_only or bool(order.parent),
        post_only=order.post_only,
        parent=order.parent,
        stop_price=order.stop_price,
        trail_offset=order.trail_offset,
        live=order.live or order.filled > ZERO,
    )


def in_turn(deals: list[tuple[PaperOrder, Deal]]) -> list[tuple[PaperOrder, Deal]]:
    """Return the deals in the order in which they are made: by price, then time.

    What the first price reaches comes before what is reached later; of these, market orders and
    stops before limit orders, so that of a stop and a take-profit within one bar, where nobody
    knows which came first, it is the stop. Prices of one side rank each other, not the other side.
    """
    if len(deals) < 2:  # noqa: PLR2004 - one alone has no rank
        return deals
    buys = sorted((deal for deal in deals if deal[0].side is Side.BUY), key=_rank)
    sells = sorted((deal for deal in deals if deal[0].side is Side.SELL), key=_rank)
    merged: list[tuple[PaperOrder, Deal]] = []
    while buys and sells:
        first = buys if _turn(buys[0]) < _turn(sells[0]) else sells
        merged.append(first.pop(0))
    return merged + buys + sells


def _rank(dealt: tuple[PaperOrder, Deal]) -> tuple[bool, bool, Decimal, int]:
    order, deal = dealt
    limit = order.limit_price
    price = ZERO if limit is None else -limit * order.side.sign
    return deal.later, limit is not None, price, order.turn


def _turn(dealt: tuple[PaperOrder, Deal]) -> tuple[bool, bool, int]:
    order, deal = dealt
    return deal.later, order.limit_price is not None, order.turn
