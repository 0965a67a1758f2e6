"""Which orders may rest at the venue, by what was sent to it and what it has answered.

The core knows this as well, but only the loop may ask it, and the kill switch works while the loop
waits for a dead bus.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from interlock.exec.urgency import NOBODY_KNOWS, Urgency, urgency
from interlock.model.order import CLOSED, WorkingOrder
from interlock.model.values import ZERO
from interlock.venues.port import (
    ProtectiveOrder,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueRejected,
    VenueReport,
)
from interlock.wire.base import Report
from interlock.wire.orders import SubmitOrder


class OpenOrders:
    """Client order ids of orders that may trade. In doubt an order is among them."""

    def __init__(self) -> None:
        self._leaves: dict[str, Decimal] = {}
        self._filled: dict[str, Decimal] = {}
        self._trades: set[str] = set()
        self._urgency: dict[str, Urgency] = {}
        self._ended: set[str] = set()
        self._remembers = False

    def __contains__(self, client_order_id: str) -> bool:
        return client_order_id in self._leaves

    def __iter__(self) -> Iterator[str]:
        return iter(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)

    def remember(self, orders: Iterable[WorkingOrder], trade_ids: Iterable[str]) -> None:
        """Take over what an earlier exec has left at the venue, and what has ended there, once."""
        if self._remembers:
            return
        self._remembers = True
        for order in orders:
            if order.status not in CLOSED:
                self._leaves[order.client_order_id] = order.leaves
                self._urgency[order.client_order_id] = urgency(order)
            self._filled[order.client_order_id] = order.filled
        self._trades.update(trade_ids)

    def add_foreign(self, leaves: dict[str, Decimal]) -> None:
        """Take in what the venue itself names as open."""
        self._leaves = leaves | self._leaves

    def filled(self, client_order_id: str) -> Decimal:
        """Return how much of an order has traded, as far as anybody here has heard."""
        return self._filled.get(client_order_id, ZERO)

    def place(self, order: SubmitOrder | ProtectiveOrder) -> None:
        """Note that `order` is about to be sent; the second time it is known already."""
        self._leaves.setdefault(order.client_order_id, order.quantity)
        self._urgency.setdefault(order.client_order_id, urgency(order))

    def by_urgency(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that are open, the one to be ended first in front."""
        still = [name for name in names if name in self._leaves]
        return sorted(still, key=lambda name: (self._urgency.get(name, NOBODY_KNOWS), name))

    def has_ended(self, client_order_id: str) -> bool:
        """Return whether the venue has ended an order before it was filled."""
        return client_order_id in self._ended

    def hear(self, reports: Sequence[Report]) -> None:
        for report in reports:
            match report:
                case VenueFilled() if report.trade_id not in self._trades:
                    self._fill(report)
                case VenueCanceled() | VenueRejected() | VenueExpired():
                    self._end(report.client_order_id)
                case _:
                    pass

    def _fill(self, fill: VenueFilled) -> None:
        self._trades.add(fill.trade_id)
        self._filled[fill.client_order_id] = self.filled(fill.client_order_id) + fill.quantity
        left = self._leaves.pop(fill.client_order_id, ZERO) - fill.quantity
        if left > ZERO:
            self._leaves[fill.client_order_id] = left
        else:
            self._urgency.pop(fill.client_order_id, None)

    def _end(self, client_order_id: str) -> None:
        if self._leaves.pop(client_order_id, None) is not None:
            self._ended.add(client_order_id)
        self._urgency.pop(client_order_id, None)


def ends(report: VenueReport) -> bool:
    """Return whether the venue says that it will fill no more of the order."""
    return isinstance(report, VenueCanceled | VenueRejected | VenueExpired)
