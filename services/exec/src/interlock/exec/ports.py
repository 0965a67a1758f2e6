"""What exec asks of its shell, and what it is told."""

from decimal import Decimal
from typing import ClassVar

from msgspec import field

from interlock.model.order import WorkingOrder
from interlock.model.trading import Way
from interlock.venues.port import TOO_LATE, ProtectiveOrder, VenueBook
from interlock.wire.base import Effect, Report
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder
from interlock.wire.policy import TradingStateChanged

NEVER_SENT = "the kill switch was pressed before it was sent"
STILL_STANDS = "what it was to take the place of still stands, or has traded"
NOT_SENT = frozenset({NEVER_SENT, TOO_LATE, STILL_STANDS})
"""Why exec itself has ended an order after its row was written: the venue has never had it."""


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
    """Send an order to the venue. Its write-ahead row is durable by now.

    `after` are protective orders that hold what it needs, and are about to end.
    """

    order: SubmitOrder
    after: tuple[str, ...] = ()


class CancelOrder(Effect, frozen=True, kw_only=True):
    """Ask the venue for the end of an order that may be there."""

    client_order_id: str


class LookUp(Effect, frozen=True, kw_only=True):
    """Ask the venue what became of an order."""

    client_order_id: str


class PlaceProtection(Effect, frozen=True, kw_only=True):
    """Send a protective order, its row is durable by now; nothing else may stand for its quantity.

    It takes the place of `instead_of`, which is ended first. `filled` is what was known to be
    traded of that and of each order that has ended before. Where the venue knows of more, or will
    not end it, or does not say, this one is not sent and ends as cancelled.
    """

    order: ProtectiveOrder
    instead_of: str = ""
    filled: dict[str, Decimal] = field(default_factory=dict[str, Decimal])


class CheckGuards(Effect, frozen=True, kw_only=True):
    """Hold the protective orders of an instrument against what they protect, once all is said."""

    harmless: ClassVar[bool] = True
    instrument_id: str


class GuardsDue(Report, frozen=True, kw_only=True):
    instrument_id: str


class WatchPrice(Effect, frozen=True, kw_only=True):
    """Hold the stops that exec keeps itself against a price, once the venue has lived it."""

    harmless: ClassVar[bool] = True
    event: Bar | Quote


class PriceSeen(Report, frozen=True, kw_only=True):
    event: Bar | Quote


class AdvanceVenue(Effect, frozen=True, kw_only=True):
    """Let a simulated venue live through a market event."""

    event: Bar | Quote
    cause: str


class OpenVenue(Effect, frozen=True, kw_only=True):
    """Connect to the venue and ask for its book.

    Among `orders` are some that have ended and may be asked about. `moves` is what
    `ExecState.moves` was then: what has moved since is not in the answer. It is asked again, up to
    some `round`, where that makes a difference.
    """

    orders: list[WorkingOrder]
    positions: dict[str, Decimal]
    trade_ids: set[str]
    moves: int = 0
    round: int = 1


class VenueOpened(Report, frozen=True, kw_only=True):
    """The venue's book. What happened to our orders has been reported before this."""

    book: VenueBook
    moves: int = 0
    round: int = 1


class VenueAway(Report, frozen=True, kw_only=True):
    """The venue did not show its book; it will be asked again."""

    reason: str


class Ticked(Report, frozen=True, kw_only=True):
    """So many seconds this exec has been awake. Only told where the venue is another house."""

    seconds: int


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
