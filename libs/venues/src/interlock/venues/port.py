"""What exec asks of a venue, and what a venue reports. Every adapter speaks these."""

from collections.abc import Awaitable, Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from interlock.model.order import WorkingOrder
from interlock.wire.base import Report
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder


class VenueReport(Report, frozen=True, kw_only=True):
    """News of one order."""

    client_order_id: str


class VenueAccepted(VenueReport, frozen=True, kw_only=True):
    venue_order_id: str


class VenueRejected(VenueReport, frozen=True, kw_only=True):
    """The venue's refusal, in its own words."""

    reason: str


class VenueFilled(VenueReport, frozen=True, kw_only=True):
    """One fill. `fee` is in the account's currency, above zero a cost."""

    venue_order_id: str
    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal


class VenueCanceled(VenueReport, frozen=True, kw_only=True):
    reason: str


class VenueExpired(VenueReport, frozen=True, kw_only=True):
    """Its time in force has run out."""


class VenueLost(VenueReport, frozen=True, kw_only=True):
    """No answer: the order may or may not be there."""

    reason: str


class VenueBook(Struct, frozen=True, kw_only=True):
    """What the venue says it holds for us: open client order ids with leaves, signed positions."""

    leaves: dict[str, Decimal]
    positions: dict[str, Decimal]


type Reports = Sequence[VenueReport] | Awaitable[Sequence[VenueReport]]


class Venue(Protocol):
    """A place that trades."""

    def open(
        self,
        orders: Sequence[WorkingOrder],
        positions: dict[str, Decimal],
        trade_ids: set[str],
    ) -> VenueBook | Awaitable[VenueBook]:
        """Connect, and return the venue's book. What exec remembers is told; real venues know."""
        ...

    def place(self, order: SubmitOrder, now: int) -> Reports:
        """Place an order. A second call with one client order id places nothing new."""
        ...

    def cancel(self, client_order_id: str) -> Reports:
        """Ask for an order's end, and return what the venue says of it.

        An order that has just been filled is filled: nothing is reported of it but that. One the
        venue has never seen is cancelled, too, and may not come to life later.
        """
        ...

    def advance(self, event: Bar | Quote) -> Reports:
        """Let the market move: only a simulated venue has something to report."""
        ...
