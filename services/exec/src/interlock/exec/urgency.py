"""Which of many orders is ended first, where a venue takes only so many requests a second."""

from decimal import Decimal

from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO
from interlock.venues.port import ProtectiveOrder
from interlock.wire.orders import SubmitOrder

type Urgency = tuple[int, Decimal]
"""Smaller is sooner: its kind first, then the larger value, in the currency of its price."""

NOBODY_KNOWS: Urgency = (1, ZERO)
"""An order at the venue of which only the name is known: after what surely adds risk."""


def urgency(order: WorkingOrder | SubmitOrder | ProtectiveOrder) -> Urgency:
    """Return what adds risk before what reduces it, and what protects a position last."""
    match order:
        case ProtectiveOrder(quantity=quantity):
            return 3, -quantity * (order.stop_price or order.limit_price or ZERO)
        case SubmitOrder(quantity=quantity):
            price = order.limit_price or order.reference_price
            return _kind(reduce_only=order.reduce_only, child=False), -quantity * price
        case WorkingOrder(leaves=leaves):
            price = order.limit_price or order.stop_price or order.price
            return _kind(reduce_only=order.reduce_only, child=bool(order.parent)), -leaves * price


def _kind(*, reduce_only: bool, child: bool) -> int:
    if child:
        return 3
    return 2 if reduce_only else 0
