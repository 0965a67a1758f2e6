"""What exec asks of its shell, and what it is told."""

from decimal import Decimal
from enum import StrEnum

from interlock.model.order import WorkingOrder
from interlock.venues.port import VenueBook
from interlock.wire.base import Effect, Report
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder
from interlock.wire.policy import TradingStateChanged


class Way(StrEnum):
    """How the kill switch came to stand where it stands. ``start``: no desk has run here yet."""

    FILE = "file"
    COMMAND = "command"
    RULE = "rule"
    SILENCE = "silence"
    START = "start"


class VerifySignature(Effect, frozen=True, kw_only=True):
    """Check the gate's signature over an order."""

    order: SubmitOrder


class SignatureVerified(Report, frozen=True, kw_only=True):
    order: SubmitOrder
    genuine: bool


class LookAgain(Effect, frozen=True, kw_only=True):
    """Read back what the desk's standing is by now: the order is not fresh any more."""

    order: SubmitOrder


class LookedAgain(Report, frozen=True, kw_only=True):
    """The latest trading state, and the latest words of people, none where there are none."""

    order: SubmitOrder
    standing: TradingStateChanged | None
    halted_at: int
    resumed_at: int


class PlaceOrder(Effect, frozen=True, kw_only=True):
    """Send an order to the venue. Its write-ahead row is durable by now."""

    order: SubmitOrder


class CancelOrder(Effect, frozen=True, kw_only=True):
    """Ask the venue for the end of an order that may be there."""

    client_order_id: str


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


class PressSwitch(Effect, frozen=True, kw_only=True):
    """Send nothing that increases risk any more, and cancel every open order at the venue."""

    way: Way
    by: str
    reason: str


class ArmSwitch(Effect, frozen=True, kw_only=True):
    """Let orders through again. `by_person`: a named person has resumed since it was pressed."""

    by: str
    reason: str
    by_person: bool


class RestoreSwitch(Effect, frozen=True, kw_only=True):
    """Hold the switch on the disk against what exec has said: it was pressed then, or 0."""

    pressed_at: int


class SwitchMoved(Report, frozen=True, kw_only=True):
    """The switch was pressed or armed; fields as in `SwitchChanged`."""

    pressed: bool
    way: Way
    by: str
    reason: str
    seen_at: int
    last_submit_at: int
    cancelled_at: int
    cancelled: int
