"""A venue that does what it likes: answers late, twice, never, or something else than it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, OrderType, Side
from interlock.venues.port import (
    ProtectiveOrder,
    VenueAccepted,
    VenueBook,
    VenueCanceled,
    VenueFilled,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
    VenueReport,
)
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder


class Manner(StrEnum):
    """How the next order is answered. `LOST` was taken all the same, `NOT_TAKEN` was not."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    LOST = "lost"
    NOT_TAKEN = "not_taken"


@dataclass(slots=True)
class Resting:
    """An order at the venue. `sent` is what was asked for."""

    sent: SubmitOrder | ProtectiveOrder
    leaves: Decimal
    traded: int = 0


@dataclass(slots=True)
class ScriptedVenue:
    """The truth about what was ordered and traded. It outlives every exec.

    `placing` is called before an order is taken, with the order and the moment, `protecting` before
    a protective one. `rejected` holds
    what the venue has refused, `closed` what it will fill no more of.
    """

    placing: Callable[[SubmitOrder, int], None]
    protecting: Callable[[ProtectiveOrder], None]
    manner: Manner = Manner.ACCEPTED
    placed: list[SubmitOrder] = field(default_factory=list[SubmitOrder])
    book: dict[str, Resting] = field(default_factory=dict[str, Resting])
    closed: dict[str, Resting] = field(default_factory=dict[str, Resting])
    rejected: set[str] = field(default_factory=set[str])
    never: set[str] = field(default_factory=set[str])
    trades: list[VenueFilled] = field(default_factory=list[VenueFilled])
    positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def open(
        self, orders: Sequence[WorkingOrder], positions: dict[str, Decimal], trade_ids: set[str]
    ) -> VenueBook:
        del orders, positions, trade_ids
        leaves = {name: order.leaves for name, order in self.book.items()}
        return VenueBook(leaves=leaves, positions=dict(self.positions))

    def place(self, order: SubmitOrder, now: int) -> Sequence[VenueReport]:
        name = order.client_order_id
        if name in self.never or name in self.rejected:
            return [VenueRejected(client_order_id=name, reason="refused before")]
        if name in self.book or name in self.closed:
            return [VenueAccepted(client_order_id=name, venue_order_id=f"v-{name}")]
        self.placing(order, now)
        manner, self.manner = self.manner, Manner.ACCEPTED
        if manner is Manner.REJECTED:
            self.rejected.add(name)
            return [VenueRejected(client_order_id=name, reason="no")]
        if manner is Manner.NOT_TAKEN:
            return [VenueLost(client_order_id=name, reason="no answer")]
        self.placed.append(order)
        self.book[name] = Resting(order, order.quantity)
        if manner is Manner.LOST:
            return [VenueLost(client_order_id=name, reason="no answer")]
        return [VenueAccepted(client_order_id=name, venue_order_id=f"v-{name}")]

    @property
    def keeps(self) -> frozenset[OrderType]:
        return frozenset({OrderType.STOP})

    @property
    def cancels_per_second(self) -> float | None:
        return None

    @property
    def cancels_all(self) -> bool:
        return False

    def cancel_all(self) -> Sequence[VenueReport]:
        return ()

    def protect(self, order: ProtectiveOrder, now: int) -> Sequence[VenueReport]:
        del now
        name = order.client_order_id
        if name in self.never:
            return [VenueRejected(client_order_id=name, reason="refused before")]
        if name not in self.book and name not in self.closed:
            self.protecting(order)
            self.book[name] = Resting(order, order.quantity)
        return [VenueAccepted(client_order_id=name, venue_order_id=f"v-{name}")]

    def look_up(self, client_order_id: str) -> Sequence[VenueReport]:
        """Tell all that is known of an order, its end last."""
        name = client_order_id
        if name in self.rejected:
            return [VenueRejected(client_order_id=name, reason="refused before")]
        if name not in self.book and name not in self.closed:
            return [VenueNeverSeen(client_order_id=name)]
        traded = [one for one in self.trades if one.client_order_id == name]
        found: list[VenueReport] = [
            VenueAccepted(client_order_id=name, venue_order_id=f"v-{name}"),
            *traded,
        ]
        if name in self.closed and self.closed[name].leaves > ZERO:
            found.append(VenueCanceled(client_order_id=name, reason="asked"))
        return found

    def cancel(self, client_order_id: str) -> Sequence[VenueReport]:
        if client_order_id in self.closed:
            return ()
        resting = self.book.pop(client_order_id, None)
        if resting is None:
            self.never.add(client_order_id)
        else:
            self.closed[client_order_id] = resting
        return [VenueCanceled(client_order_id=client_order_id, reason="asked")]

    def advance(self, event: Bar | Quote) -> Sequence[VenueReport]:
        del event
        return ()

    def fill(self, name: str, most: int, price: Decimal) -> VenueFilled:
        """Trade some of an order that rests here, and return the report nobody has heard yet."""
        resting = self.book[name]
        quantity = min(Decimal(most), resting.leaves)
        resting.leaves -= quantity
        resting.traded += 1
        if resting.leaves == ZERO:
            self.closed[name] = self.book.pop(name)
        sent = resting.sent
        sign = 1 if sent.side is Side.BUY else -1
        held = self.positions.get(sent.instrument_id, ZERO)
        self.positions[sent.instrument_id] = held + quantity * sign
        report = VenueFilled(
            client_order_id=name,
            venue_order_id=f"v-{name}",
            trade_id=f"t-{name}-{resting.traded}",
            quantity=quantity,
            price=price,
            fee=ZERO,
        )
        self.trades.append(report)
        return report
