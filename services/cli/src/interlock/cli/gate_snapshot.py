"""A gate's state, written down: what ``interlock gate check --state FILE`` reads. Pure.

What is not given is not known, and what is not known denies.
"""

from collections import deque
from decimal import Decimal

from msgspec import Struct

from interlock.gate.book import (
    Book,
    keep_working,
    own_name,
    usable_price,
    value,
    whole_price,
    worst_price,
)
from interlock.gate.book import Reference as Price
from interlock.gate.counting import Tally, scope_of
from interlock.gate.state import GateState, evolve, tighten
from interlock.model.equity import EquityMarks, trading_day
from interlock.model.ids import UnixNanos
from interlock.model.order import WorkingOrder
from interlock.model.position import Position
from interlock.model.values import (
    ZERO,
    Side,
    Stage,
    TradingState,
    require_finite,
    require_not_negative,
    require_positive,
)
from interlock.wire.base import root_ids
from interlock.wire.market import FeaturesComputed
from interlock.wire.policy import PolicyChanged, TradingStateChanged

AUTHOR = "state file"
MOST_APPROVALS = 1_000_000


class ReferencePrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The latest price of an instrument and when it was true, in UNIX ns."""

    price: Decimal
    ts_event: UnixNanos

    def __post_init__(self) -> None:
        require_finite("price", self.price)


class StandingOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that may still trade. Quantities in units of the instrument."""

    client_order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    filled: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    limit_price: Decimal | None = None

    def __post_init__(self) -> None:
        require_positive("quantity", self.quantity)
        require_not_negative("price", self.price)
        if not 0 <= self.filled <= self.quantity:
            raise ValueError(f"filled must be from 0 to {self.quantity}, not {self.filled}")


class Marks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the account was worth, in its currency. `high` is that of five trading days."""

    day_start: Decimal
    week_start: Decimal
    high: Decimal
    losses_in_row: int = 0

    def __post_init__(self) -> None:
        for name in ("day_start", "week_start", "high"):
            require_finite(name, getattr(self, name))


class Features(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What signals said of an instrument, and when."""

    ts_event: UnixNanos
    adv: float | None = None
    spread_bps: float | None = None
    delta: float | None = None


class Permissions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far policy lets the desk out."""

    stage: Stage = Stage.DEMO
    demo_only: bool = False
    allow_short: bool = False
    allow_options: bool = False
    cap_scales: dict[str, float] = {}
    disabled: list[str] = []


class Counts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The day's approvals, and quantity times price of them together, in millionths."""

    approvals: int = 0
    notional_micros: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.approvals <= MOST_APPROVALS:
            raise ValueError(f"approvals must be 0 to {MOST_APPROVALS}, not {self.approvals}")


class GateSnapshot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the gate knows. A part that is missing denies.

    Parameters
    ----------
    trading
        ``active``, ``reduce_only`` or ``halted``.
    epoch
        The number of the trading state's last change.
    reconciled, breaks
        Whether the book was held against the venue's, and what differed.
    policy_version, parameters, do_not_trade
        The policy the gate knows.
    stored_policy_version, stored_epoch, stored_counts
        What the policy store answers with; none where it does not answer.
    counts
        The day's approvals as the gate counts them.
    standing
        How far policy lets the desk out.
    references
        Prices by instrument.
    features
        What signals know, by instrument.
    positions
        Signed quantities by instrument; ``{}`` says that there are none.
    working
        Orders that may still trade; ``[]`` says that there are none.
    approved
        Ids of the intents approved so far; ``[]`` says that there are none.
    cash, equity, day_notional
        The account, in its currency.
    fills
        When an instrument was filled last, in UNIX ns; ``{}`` says never.
    approvals_at, attempts_at
        When orders were approved, and asked for, lately, in UNIX ns; ``[]`` says never.
    entries
        How often a strategy has entered without a person; ``{}`` says never.
    """

    trading: TradingState = TradingState.HALTED
    epoch: int = 0
    reconciled: bool = False
    breaks: list[str] = []
    policy_version: int | None = None
    parameters: dict[str, float] = {}
    do_not_trade: list[str] = []
    stored_policy_version: int | None = None
    stored_epoch: int | None = None
    stored_counts: Counts | None = None
    counts: Counts | None = None
    standing: Permissions | None = None
    references: dict[str, ReferencePrice] = {}
    features: dict[str, Features] = {}
    positions: dict[str, Decimal] | None = None
    working: list[StandingOrder] | None = None
    approved: list[str] | None = None
    cash: Decimal | None = None
    equity: Marks | None = None
    day_notional: Decimal | None = None
    fills: dict[str, UnixNanos] | None = None
    approvals_at: list[UnixNanos] | None = None
    attempts_at: list[UnixNanos] | None = None
    entries: dict[str, int] | None = None

    def __post_init__(self) -> None:
        for name, quantity in (self.positions or {}).items():
            require_finite(f"the position in {name}", quantity)
        for name in ("cash", "day_notional"):
            amount = getattr(self, name)
            if amount is not None:
                require_finite(name, amount)


_OF_THE_BOOK = (
    "positions",
    "working",
    "approved",
    "standing",
    "counts",
    "fills",
    "approvals_at",
    "attempts_at",
    "entries",
)


def restore(state: GateState, snapshot: GateSnapshot, now: UnixNanos) -> None:
    """Bring a fresh gate into the state of `snapshot`.

    A part of the book that is not given is a break: nobody knows what the desk holds.
    """
    missing = [f"{name} not given" for name in _OF_THE_BOOK if getattr(snapshot, name) is None]
    state.approved |= set(snapshot.approved or ())
    if snapshot.policy_version is not None:
        evolve(state, _policy(state, snapshot, snapshot.policy_version))
    evolve(state, _standing(state, snapshot))
    state.reconciled = snapshot.reconciled and not snapshot.breaks and not missing
    state.breaks = [*snapshot.breaks, *missing]
    counts = snapshot.counts or Counts()
    state.tally = Tally(
        scope=scope_of(now),
        approvals={f"given {number}": 0 for number in range(counts.approvals)},
        notional_micros=counts.notional_micros,
    )
    _fill_book(state.book, snapshot)
    _fill_account(state.book, snapshot, now)
    moments = state.tempo
    moments.approvals = deque(sorted(snapshot.approvals_at or ()), moments.approvals.maxlen)
    moments.attempts = deque(sorted(snapshot.attempts_at or ()), moments.attempts.maxlen)
    moments.latest = max([*moments.approvals, *moments.attempts], default=0)
    moments.entries |= snapshot.entries or {}
    tighten(state)


def _policy(state: GateState, snapshot: GateSnapshot, version: int) -> PolicyChanged:
    message_id, decision_id = root_ids(PolicyChanged, AUTHOR)
    return PolicyChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=0,
        desk=state.desk,
        version=version,
        parameters=snapshot.parameters,
        changes=[],
        author=AUTHOR,
        reason="",
        proposal_id=None,
        config_hash=state.config_hash,
        do_not_trade=snapshot.do_not_trade,
    )


def _standing(state: GateState, snapshot: GateSnapshot) -> TradingStateChanged:
    given = snapshot.standing or Permissions()
    message_id, decision_id = root_ids(TradingStateChanged, AUTHOR)
    return TradingStateChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=0,
        desk=state.desk,
        state=snapshot.trading,
        epoch=snapshot.epoch,
        author=AUTHOR,
        reason="",
        stage=given.stage,
        cap_scales=given.cap_scales,
        allow_short=given.allow_short,
        allow_options=given.allow_options,
        demo_only=given.demo_only,
        disabled=given.disabled,
    )


def _fill_book(book: Book, snapshot: GateSnapshot) -> None:
    for name, reference in snapshot.references.items():
        book.references[own_name(book, name)] = Price(reference.price, reference.ts_event)
    for name, known in snapshot.features.items():
        own = own_name(book, name)
        message_id, decision_id = root_ids(FeaturesComputed, own)
        book.features[own] = FeaturesComputed(
            message_id=message_id,
            decision_id=decision_id,
            ts_event=known.ts_event,
            desk="",
            instrument_id=own,
            bar_seconds=0,
            close=0.0,
            adv=known.adv,
            spread_bps=known.spread_bps,
            delta=known.delta,
        )
    for instrument in book.instruments.values():
        value(book, instrument)
    for name, quantity in (snapshot.positions or {}).items():
        line = book.exposures.line(own_name(book, name))
        line.held += quantity
        book.positions[line.name] = Position(instrument_id=line.name, quantity=line.held)
        book.exposures.count(line)
    for order in snapshot.working or ():
        own = own_name(book, order.instrument_id)
        book.unit_costs[order.client_order_id] = _unit_cost(book, own, order)
        working = WorkingOrder(
            client_order_id=order.client_order_id,
            intent_id="",
            instrument_id=own,
            side=order.side,
            quantity=order.quantity,
            filled=order.filled,
            price=order.price,
            limit_price=order.limit_price,
        )
        keep_working(book, working)
    for name, moment in (snapshot.fills or {}).items():
        own = own_name(book, name)
        book.filled_at[own] = max(moment, book.filled_at.get(own, moment))


def _unit_cost(book: Book, name: str, order: StandingOrder) -> Decimal:
    """Return what a unit of an open order costs at worst: at its limit, or above the market."""
    instrument = book.instruments.get(name)
    if instrument is None:
        return ZERO
    market = max(order.price, usable_price(book, name) or ZERO)
    cost = whole_price(book, instrument, worst_price(book, order.limit_price, market))
    return ZERO if cost is None else cost


def _fill_account(book: Book, snapshot: GateSnapshot, now: UnixNanos) -> None:
    if snapshot.cash is None or snapshot.day_notional is None:
        book.unknown = "cash or day_notional not given"
        return
    book.cash, book.day_notional = snapshot.cash, snapshot.day_notional
    if snapshot.equity is None:
        return
    day = trading_day(now, book.day_starts_at_utc_hour)
    given = snapshot.equity
    book.marks = EquityMarks(
        equity=book.equity,
        day=day,
        equity_at_day_start=given.day_start,
        equity_at_week_start=given.week_start,
        losses_in_row=given.losses_in_row,
    )
    book.marks.highs.append((day, max(given.high, book.equity)))
