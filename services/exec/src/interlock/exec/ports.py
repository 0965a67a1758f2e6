"""What exec asks of its shell, and what it is told."""

from decimal import Decimal

from interlock.model.order import WorkingOrder
from interlock.venues.port import VenueBook
from interlock.wire.base import Effect, Report
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder


class VerifySignature(Effect, frozen=True, kw_only=True):
    """Check the gate's signature over an order."""

    order: SubmitOrder


class SignatureVerified(Report, frozen=True, kw_only=True):
    order: SubmitOrder
    genuine: bool


class PlaceOrder(Effect, frozen=True, kw_only=True):
    """Send an order to the venue. Its write-ahead row is durable by now."""

    order: SubmitOrder


class AdvanceVenue(Effect, frozen=True, kw_only=True):
    """Let a simulated venue live through a market event."""

    event: Bar | Quote
    cause: str


class OpenVenue(Effect, frozen=True, kw_only=True):
    """Connect to the venue and ask for its book."""

    orders: list[WorkingOrder]
    positions: dict[str, Decimal]
    trade_ids: set[str]


class VenueOpened(Report, frozen=True, kw_only=True):
    book: VenueBook
