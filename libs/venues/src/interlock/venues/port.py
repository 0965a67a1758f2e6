"""What exec asks of a venue, and what a venue reports. Every adapter speaks these.

Theory of operation. A venue takes orders that the gate has signed, and orders that only reduce and
were signed together with the entry they protect; nothing else. It answers at once or as an
awaitable, and what it learns by itself, on its stream of order events, it hands to `run`'s
`report`. An answer that did not come is `VenueLost`, never a refusal: only `look_up`, which asks
the venue what became of an order, ends the doubt.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct, field

from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, OrderType, Side
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
    """One fill. `fee` is in the account's currency, above zero a cost.

    `fee_elsewhere` is what of it was taken out of another currency or coin than the price's.
    """

    venue_order_id: str
    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_elsewhere: Decimal = ZERO


class VenueCanceled(VenueReport, frozen=True, kw_only=True):
    reason: str


TOO_LATE = "never sent: the approval ended before the order could go out"
"""Why an order is canceled that the venue has never had: not its word, but ours."""


class VenueExpired(VenueReport, frozen=True, kw_only=True):
    """Its time in force has run out."""


class VenueLost(VenueReport, frozen=True, kw_only=True):
    """No answer: the order may or may not be there."""

    reason: str


class VenueKept(VenueReport, frozen=True, kw_only=True):
    """The venue would not end it, in its own words: it goes on working."""

    reason: str


class VenueBusy(VenueReport, frozen=True, kw_only=True):
    """Too many requests: the venue has done nothing, and is to be asked later."""

    reason: str


class VenueNeverSeen(VenueReport, frozen=True, kw_only=True):
    """The venue has answered, and knows no such order: it never came there."""


class VenueMoved(VenueReport, frozen=True, kw_only=True):
    """Where an order stands that a simulated venue would have to be told again after a restart.

    `stop_price` is where a trailing stop is by now. `live`: a stop that has been reached and is a
    market order now, or a post-only order that has come to rest.
    """

    stop_price: Decimal | None
    live: bool


class VenueLinkMoved(Report, frozen=True, kw_only=True):
    """The stream of order events is up again, with all that was missed, or it is not."""

    up: bool
    reason: str


class ForeignOrder(Struct, frozen=True, kw_only=True):
    """An open order at the venue that we did not send."""

    venue_order_id: str
    instrument_id: str
    side: Side
    leaves: Decimal


class VenueBook(Struct, frozen=True, kw_only=True):
    """What the venue says it holds for us.

    `leaves` are our open orders by client order id, `positions` signed, by instrument id; `cash` is
    by currency, without those that something else than trades and fees moves, such as the margin
    of contracts; a currency that is missing is not held against ours. `news` is what happened to
    our orders since exec last asked, oldest first; some of it may be known.
    """

    leaves: dict[str, Decimal]
    positions: dict[str, Decimal]
    cash: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    foreign: list[ForeignOrder] = field(default_factory=list[ForeignOrder])
    news: list[VenueReport] = field(default_factory=list[VenueReport])


class ProtectiveOrder(Struct, frozen=True, kw_only=True):
    """An order that can only shrink what its entry has filled.

    `order_type` is ``stop`` (with `stop_price`), ``trailing_stop`` (with `trail_offset`, a distance
    in price), ``limit`` (with `limit_price`: the take-profit) or ``market``: what exec kept itself
    and has come to. `parent` is the entry's client order id.
    """

    client_order_id: str
    parent: str
    instrument_id: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    stop_price: Decimal | None = None
    trail_offset: Decimal | None = None
    limit_price: Decimal | None = None
    ts_event: int = 0


type Reports = Sequence[VenueReport] | Awaitable[Sequence[VenueReport]]
type Tell = Callable[[Report], None]


class Venue(Protocol):
    """A place that trades."""

    @property
    def keeps(self) -> frozenset[OrderType]:
        """The kinds of protective orders the venue itself keeps; exec keeps the others."""
        ...

    @property
    def cancels_per_second(self) -> float | None:
        """How many calls of `cancel` it takes a second for as long as one likes; none: any."""
        ...

    @property
    def cancels_all(self) -> bool:
        """Whether it ends all orders of the account with one request, and may be asked to."""
        ...

    def open(
        self,
        orders: Sequence[WorkingOrder],
        positions: dict[str, Decimal],
        trade_ids: set[str],
    ) -> VenueBook | Awaitable[VenueBook]:
        """Connect, and return the venue's book. What exec remembers is told; real venues know.

        `orders` are those that are not closed, and closed ones that may be looked up.

        It is asked again at each reconciliation. Raises `VenueUnavailableError` where the venue
        does not answer.
        """
        ...

    def place(self, order: SubmitOrder, now: int) -> Reports:
        """Place an order. A second call with one client order id places nothing new."""
        ...

    def protect(self, order: ProtectiveOrder, now: int) -> Reports:
        """Place a protective order of a kind the venue keeps, or a market order, which all take.

        It may only reduce. Of one client order id a second call places nothing new.
        """
        ...

    def cancel(self, client_order_id: str) -> Reports:
        """Ask for an order's end, and return what the venue says of it.

        An order that has just been filled is filled: nothing is reported of it but that. One the
        venue has never seen is cancelled, too, and may not come to life later.
        """
        ...

    def cancel_all(self) -> Reports:
        """Ask for the end of all open orders of the account, whoever has placed them.

        It is not called unless `cancels_all`, and raises where the venue did not take it. What it
        says of our orders may be little: each is looked up afterwards.
        """
        ...

    def look_up(self, client_order_id: str) -> Reports:
        """Ask what became of an order: all its fills, and how it stands.

        `VenueNeverSeen` only where the venue has answered so; no answer is `VenueLost`.
        """
        ...

    def advance(self, event: Bar | Quote) -> Reports:
        """Let the market move: only a simulated venue has something to report."""
        ...

    async def run(self, report: Tell) -> None:
        """Listen to the venue's stream of order events until cancelled; reconnect without end.

        The link is reported up when the stream is and what was missed has been reported, and down
        within 2 s of falling silent.
        """
        ...

    async def close(self) -> None: ...


class VenueUnavailableError(Exception):
    """The venue does not answer now. The text is its own words, without secrets."""
