"""Intents, signed orders, denials and the events of an order's life.

*Denied* is ours, *rejected* is the venue's.
"""

from decimal import Decimal

from msgspec import Struct, field

from interlock.model.ids import UnixNanos
from interlock.model.values import (
    ZERO,
    OrderType,
    Side,
    TimeInForce,
    TradingMode,
    require_finite,
    require_not_negative,
    require_positive,
)
from interlock.wire.base import DeskMessage


class Protection(Struct, frozen=True, kw_only=True):
    """Orders that only reduce, to stand as soon as an entry has filled.

    Distances in price from the average fill: `stop` against the position, `trail` the same from
    the best price since, `profit` in its favour. Of `stop` and `trail` the nearer one holds.
    """

    stop: Decimal | None = None
    trail: Decimal | None = None
    profit: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("stop", "trail", "profit"):
            distance = getattr(self, name)
            if distance is not None:
                require_positive(name, distance)


class OrderIntent(DeskMessage, frozen=True, kw_only=True, tag="order.intent.v1"):
    """What a strategy wants. It is no order: only the gate can make one of it.

    `ts_market` is the moment of the market event it was decided on, `reference_price` the price
    the strategy saw there. `p_win` (0 to 1), `reward_risk` (a ratio) and `expected_value_pct` are
    what the strategy claims for it; `currency` is that of its prices, `build` the sender's.
    """

    intent_id: str
    account: str
    venue: str
    strategy: str
    instrument_id: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    reduce_only: bool
    reference_price: Decimal
    ts_market: UnixNanos
    policy_version: int
    reasons: list[str]
    p_win: float | None = None
    reward_risk: float | None = None
    expected_value_pct: float | None = None
    currency: str = ""
    build: str = ""
    post_only: bool = False
    protection: Protection | None = None


class SubmitOrder(DeskMessage, frozen=True, kw_only=True, tag="order.submit.v1"):
    """An order the gate has approved: exact fields, one use, until `expires_at`.

    `requested_quantity` is the size before the gate. `signature` is Ed25519 over
    `interlock.wire.signing.canonical_bytes`, in base64; only exec reads it.
    """

    intent_id: str
    client_order_id: str
    account: str
    venue: str
    mode: TradingMode
    strategy: str
    instrument_id: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    requested_quantity: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    reduce_only: bool
    reference_price: Decimal
    reasons: list[str]
    policy_version: int
    config_hash: str
    epoch: int
    expires_at: UnixNanos
    nonce: str
    key_id: str
    signature: str
    build: str = ""
    post_only: bool = False
    protection: Protection | None = None

    def __post_init__(self) -> None:
        require_positive("quantity", self.quantity)
        if self.limit_price is not None:
            require_positive("limit_price", self.limit_price)


class ControlFailure(Struct, frozen=True, kw_only=True):
    """One control that said no: its code, what it saw and what it allows, as text with units."""

    code: str
    observed: str
    limit: str


class OrderDenied(DeskMessage, frozen=True, kw_only=True, tag="order.denied.v1"):
    """The gate's refusal, with every control that failed."""

    intent_id: str
    account: str
    strategy: str
    instrument_id: str
    side: Side
    requested_quantity: str
    failures: list[ControlFailure]
    policy_version: int
    epoch: int


class OrderEvent(DeskMessage, frozen=True, kw_only=True):
    """What every event of an order's life names."""

    account: str
    venue: str
    client_order_id: str
    intent_id: str
    instrument_id: str


class OrderSubmitted(OrderEvent, frozen=True, kw_only=True, tag="order.submitted.v1"):
    """The write-ahead row: durable before the venue hears of the order.

    A protective order names its `parent`, the client order id of the entry it was signed with.
    """

    mode: TradingMode
    strategy: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    requested_quantity: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    reference_price: Decimal
    reduce_only: bool
    reasons: list[str]
    policy_version: int
    config_hash: str
    epoch: int
    post_only: bool = False
    protection: Protection | None = None
    parent: str = ""
    stop_price: Decimal | None = None
    trail_offset: Decimal | None = None


class OrderRefused(OrderEvent, frozen=True, kw_only=True, tag="order.refused.v1"):
    """Exec would not send it: unsigned, altered, expired, reused or of an older epoch."""

    code: str
    detail: str


class OrderAccepted(OrderEvent, frozen=True, kw_only=True, tag="order.accepted.v1"):
    """The venue has the order."""

    venue_order_id: str


class OrderRejected(OrderEvent, frozen=True, kw_only=True, tag="order.rejected.v1"):
    """The venue refused, in its own words."""

    reason: str


class OrderFilled(OrderEvent, frozen=True, kw_only=True, tag="order.filled.v1"):
    """One fill, by the venue's trade id. `fee` is in the account's currency, above zero a cost.

    `fee_elsewhere` is what of it was taken out of another currency or coin than the price's.
    """

    venue_order_id: str
    trade_id: str
    side: Side
    last_qty: Decimal
    last_px: Decimal
    cum_qty: Decimal
    leaves_qty: Decimal
    avg_px: Decimal
    fee: Decimal
    fee_elsewhere: Decimal = ZERO

    def __post_init__(self) -> None:
        require_positive("last_qty", self.last_qty)
        require_positive("last_px", self.last_px)
        require_not_negative("leaves_qty", self.leaves_qty)
        require_finite("fee", self.fee)
        require_finite("fee_elsewhere", self.fee_elsewhere)


class OrderCanceled(OrderEvent, frozen=True, kw_only=True, tag="order.canceled.v1"):
    """The venue will fill no more of it."""

    reason: str
    leaves_qty: Decimal


class OrderExpired(OrderEvent, frozen=True, kw_only=True, tag="order.expired.v1"):
    """Its time in force ran out at the venue."""

    leaves_qty: Decimal


class OrderUnknown(OrderEvent, frozen=True, kw_only=True, tag="order.unknown.v1"):
    """Sent, and no answer: it counts as exposure until the venue or a person says more."""

    reason: str


class CancelOrders(DeskMessage, frozen=True, kw_only=True, tag="exec.cancel.v1"):
    """Somebody wants orders ended: one, those of an instrument, or, with neither named, all.

    Protective orders are ended only where they are named one by one.
    """

    account: str
    by: str
    reason: str
    client_order_id: str = ""
    instrument_id: str = ""


class OrderCancelRequested(OrderEvent, frozen=True, kw_only=True, tag="order.cancel-requested.v1"):
    """The venue is about to be asked for an order's end; `replacing`: another takes its place."""

    reason: str
    replacing: bool = False


class OrderKept(OrderEvent, frozen=True, kw_only=True, tag="order.kept.v1"):
    """The venue would not end it: it goes on working."""

    reason: str


class OrderMoved(OrderEvent, frozen=True, kw_only=True, tag="order.moved.v1"):
    """Where an order stands at a simulated venue, which must be told again after a restart.

    `stop_price` is where its stop is by now. `live`: a stop that has been reached and is a market
    order now, or a post-only order that has come to rest.
    """

    stop_price: Decimal | None
    live: bool


class VenueLinkChanged(DeskMessage, frozen=True, kw_only=True, tag="exec.venue-link.v1"):
    """The venue's own word on orders comes in again, or does not: then no new risk is sent."""

    account: str
    venue: str
    up: bool
    reason: str


class ReconciliationCompleted(DeskMessage, frozen=True, kw_only=True, tag="exec.reconciled.v1"):
    """Our book was held against the venue's. `breaks` names every difference found.

    `instruments` are those with a difference, which block new risk in them alone; a break that
    belongs to none of them, such as cash, blocks the account. `cash` is, by currency, what the
    venue holds where that was taken over: exec counts on from there. `cash_breaks` is by how much
    the venue holds more than exec counts, where that is a break.
    """

    account: str
    venue: str
    open_orders: int
    positions: int
    breaks: list[str]
    instruments: list[str] = field(default_factory=list[str])
    account_breaks: list[str] = field(default_factory=list[str])
    cash: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    cash_breaks: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    @property
    def blocks_account(self) -> bool:
        return bool(self.account_breaks) or (bool(self.breaks) and not self.instruments)

    @property
    def awaits_person(self) -> bool:
        """Whether nothing but cash blocks the account: a person's resume takes that over."""
        return 0 < len(self.account_breaks) == len(self.cash_breaks)


class QuoteSeen(Struct, frozen=True, kw_only=True):
    """What the gate saw of the quotes, which are not in the journal.

    Of all the quotes of one instrument between two messages the last one counts; `after` is the
    number of `GateHeard.message_ids` taken in before it.
    """

    instrument_id: str
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    ts_event: UnixNanos
    after: int = 0


class GateHeard(DeskMessage, frozen=True, kw_only=True, tag="gate.heard.v1"):
    """What the gate has taken in since it last said so, in its own order.

    With it every verdict can be computed again from the journal: `message_ids` in order, each of
    the `quotes` in its place between them, then, where `intent_id` is not empty, the verdict on
    that intent with the policy store's answer, at `ts_event`. What the gate said itself is listed
    like what it heard.
    """

    message_ids: list[str]
    quotes: list[QuoteSeen]
    intent_id: str = ""
    store_answer: dict[str, int] = field(default_factory=dict[str, int])
    store_error: str = ""


class GateConfigured(DeskMessage, frozen=True, kw_only=True, tag="gate.configured.v1"):
    """The limits the gate starts with: sections ``[desk]`` and ``[gate]`` as JSON text."""

    config_hash: str
    build: str
    desk_section: str
    gate_section: str
    key_id: str
