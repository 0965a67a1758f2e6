"""The gate's own book: cash, positions, open orders, prices, and what it is all worth.

Theory of operation. It is a fold over fills, order events, prices and clock ticks, and trusts no
other service's sums. What is left of an order is its quantity without what was traded and without
what the venue or exec said will never trade; both are counted per order id, so events in any order,
and any number of times, come to the same book. Positions are kept in the account's currency per
unit, so that a multiplier or another currency is applied once, at the fill.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from interlock.gate.exposure import EXACT, Exposures, Line
from interlock.model.equity import EquityMarks, trading_day
from interlock.model.ids import UnixNanos
from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.position import Position, apply_fill
from interlock.model.values import ZERO, InstrumentKind, Side
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderFilled, SubmitOrder

MAX_EXPONENT = 18
"""What is traded has no more digits than this before the point; decimals may overflow beyond."""
ONE = Decimal(1)
BPS = Decimal(10_000)


def is_amount(value: Decimal) -> bool:
    """Return whether `value` is a size or a price that arithmetic can be done with."""
    return value.is_finite() and value > ZERO and abs(value.adjusted()) <= MAX_EXPONENT


class Reference(Struct, frozen=True):
    """The latest price of an instrument and the moment it was true."""

    price: Decimal
    ts_event: UnixNanos


@dataclass(slots=True, kw_only=True)
class Book:
    """The account as the gate sees it. Money is in the account's currency.

    Parameters
    ----------
    instruments
        By id and by alias.
    working
        Orders that may still trade, by client order id.
    reserves, reserved
        What each open purchase may still cost at its worst price, with the fee, and their sum.
    traded, gone
        Per client order id, what was filled and what will never be.
    day_notional
        What was approved since the trading day began.
    filled_at
        The latest fill of an instrument.
    unknown
        Why nobody knows what the account is worth; empty where it is known.
    """

    currency: str
    day_starts_at_utc_hour: int
    cash: Decimal
    marks: EquityMarks
    instruments: dict[str, Instrument]
    exposures: Exposures
    dependents: dict[str, tuple[str, ...]]
    worst_market_price: Decimal = ONE
    with_fee: Decimal = ONE
    references: dict[str, Reference] = field(default_factory=dict[str, Reference])
    features: dict[str, FeaturesComputed] = field(default_factory=dict[str, FeaturesComputed])
    positions: dict[str, Position] = field(default_factory=dict[str, Position])
    working: dict[str, WorkingOrder] = field(default_factory=dict[str, WorkingOrder])
    unit_costs: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    reserves: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    reserved: Decimal = ZERO
    trades: set[str] = field(default_factory=set[str])
    traded: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    gone: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    day_notional: Decimal = ZERO
    filled_at: dict[str, UnixNanos] = field(default_factory=dict[str, UnixNanos])
    unknown: str = ""

    @property
    def equity(self) -> Decimal:
        return self.cash + self.exposures.worth

    @property
    def buying_power(self) -> Decimal:
        """Cash that no short position and no open order lays claim to."""
        return self.cash - self.exposures.claims - self.reserved


def open_book(
    instruments: Iterable[Instrument],
    currency: str,
    cash: Decimal,
    day_starts_at_utc_hour: int,
    collar_bps: Decimal | None,
    fee_bps: Decimal | None,
) -> Book:
    """Return the book of an account that holds nothing but `cash`."""
    known = list(instruments)
    names = {name: one for one in known for name in (one.instrument_id, *one.aliases)}
    dependents: dict[str, tuple[str, ...]] = {}
    for one in known:
        for name in (one.underlying, f"{one.currency}/{currency}"):
            other = names.get(name)
            if other is not None:
                of_it = dependents.get(other.instrument_id, ())
                dependents[other.instrument_id] = (*of_it, one.instrument_id)
    lines = {
        one.instrument_id: Line(name=one.instrument_id, bucket=one.bucket, sector=one.sector)
        for one in known
    }
    return Book(
        currency=currency,
        day_starts_at_utc_hour=day_starts_at_utc_hour,
        cash=cash,
        marks=EquityMarks(equity=cash),
        instruments=names,
        exposures=Exposures(lines=lines),
        dependents=dependents,
        worst_market_price=ONE + (collar_bps or ZERO) / BPS,
        with_fee=ONE + (fee_bps or ZERO) / BPS,
    )


def own_name(book: Book, name: str) -> str:
    """Return the instrument's own id, so that no alias splits a limit."""
    instrument = book.instruments.get(name)
    return name if instrument is None else instrument.instrument_id


# Prices.


def refer(book: Book, name: str, price: float, ts_event: UnixNanos) -> None:
    """Take a price of the market, unless a later one is known."""
    instrument = book.instruments.get(name)
    if instrument is None:
        return
    own = instrument.instrument_id
    known = book.references.get(own)
    if known is not None and known.ts_event > ts_event:
        return
    book.references[own] = Reference(Decimal(repr(price)), ts_event)
    value(book, instrument)
    for dependent in book.dependents.get(own, ()):
        value(book, book.instruments[dependent])


def take_features(book: Book, features: FeaturesComputed) -> None:
    """Take what signals know of an instrument, unless something later is known."""
    instrument = book.instruments.get(features.instrument_id)
    if instrument is None:
        return
    known = book.features.get(instrument.instrument_id)
    if known is None or known.ts_event <= features.ts_event:
        book.features[instrument.instrument_id] = features
        if instrument.kind is InstrumentKind.OPTION:
            value(book, instrument)


def value(book: Book, instrument: Instrument) -> None:
    """Work out anew what a unit of an instrument counts, and what it is worth."""
    line = book.exposures.line(instrument.instrument_id)
    whole = whole_price(book, instrument)
    line.unit = whole
    if whole is not None:
        line.mark = whole
        if instrument.kind is InstrumentKind.OPTION:
            line.unit = _option_unit(book, instrument, whole)
    if not line.is_flat:
        book.exposures.count(line)


def usable_price(book: Book, name: str) -> Decimal | None:
    """Return the market price of an instrument by its own id, none where it is no price."""
    reference = book.references.get(name)
    return reference.price if reference is not None and is_amount(reference.price) else None


def rate_of(book: Book, instrument: Instrument) -> Decimal | None:
    """Return what one unit of the instrument's currency is worth in the account's."""
    if instrument.currency == book.currency:
        return ONE
    pair = book.instruments.get(f"{instrument.currency}/{book.currency}")
    return None if pair is None else usable_price(book, pair.instrument_id)


def whole_price(book: Book, instrument: Instrument, price: Decimal | None = None) -> Decimal | None:
    """Return what one unit costs in the account's currency, at `price` or at the market's."""
    price = usable_price(book, instrument.instrument_id) if price is None else price
    rate = rate_of(book, instrument)
    if price is None or rate is None:
        return None
    return price * instrument.multiplier * rate


def delta_of(book: Book, instrument: Instrument) -> Decimal | None:
    """Return an option's delta, none where it is not known or cannot be one."""
    features = book.features.get(instrument.instrument_id)
    delta = None if features is None else features.delta
    return Decimal(repr(delta)) if delta is not None and -1 <= delta <= 1 else None


def _option_unit(book: Book, instrument: Instrument, premium: Decimal) -> Decimal | None:
    """Return an option's exposure: what its delta moves with, and never less than its premium.

    Without the floor an option far out of the money would count next to nothing, and any number of
    them would pass.
    """
    underlying = book.instruments.get(instrument.underlying)
    delta = delta_of(book, instrument)
    if underlying is None or delta is None:
        return None
    price = whole_price(book, instrument, usable_price(book, underlying.instrument_id))
    if price is None or usable_price(book, underlying.instrument_id) is None:
        return None
    size = max(abs(delta) * price, premium)
    return -size if delta < ZERO else size


# Days.


def tick(book: Book, ts_event: UnixNanos) -> None:
    """Mark the account; the first mark of a day starts its counts anew."""
    day = trading_day(ts_event, book.day_starts_at_utc_hour)
    if book.marks.mark(day, book.equity):
        book.day_notional = ZERO


# Orders and fills.


def approve(book: Book, order: SubmitOrder) -> None:
    """Count an approved order as open, less what is known of its end already."""
    name = own_name(book, order.instrument_id)
    instrument = book.instruments.get(name)
    cost = None
    if instrument is not None:
        worst = worst_price(book, order.limit_price, order.reference_price)
        cost = whole_price(book, instrument, worst)
    book.unit_costs[order.client_order_id] = ZERO if cost is None else cost
    if cost is not None:
        book.day_notional = EXACT.add(book.day_notional, order.quantity * cost)
    elif not order.reduce_only:
        book.unknown = f"order {order.client_order_id} has no price in {book.currency}"
    keep_working(
        book,
        WorkingOrder(
            client_order_id=order.client_order_id,
            intent_id=order.intent_id,
            instrument_id=name,
            side=order.side,
            quantity=order.quantity,
            price=order.reference_price,
            limit_price=order.limit_price,
            ts_event=order.ts_event,
        ),
    )


def worst_price(book: Book, limit_price: Decimal | None, reference: Decimal) -> Decimal:
    """Return the highest price an order may trade at: its limit, or the edge of the collar."""
    return reference * book.worst_market_price if limit_price is None else limit_price


def keep_working(book: Book, order: WorkingOrder) -> None:
    """Count what is left of `order` as open, in the place of what was known of it."""
    key = order.client_order_id
    stop_working(book, key)
    done = book.traded.get(key, ZERO) + book.gone.get(key, ZERO)
    if done > order.filled:
        order = replace(order, filled=min(done, order.quantity))
    if order.leaves <= ZERO:
        return
    book.working[key] = order
    line = book.exposures.line(order.instrument_id)
    line.orders[key] = order
    _open(book, line, order, order.leaves)
    if order.side is Side.BUY:
        cost = book.unit_costs.get(key, ZERO)
        reserve = book.reserves[key] = order.leaves * cost * book.with_fee
        book.reserved = EXACT.add(book.reserved, reserve)


def stop_working(book: Book, client_order_id: str) -> None:
    """Count an order as open no longer; one that was not changes nothing."""
    order = book.working.pop(client_order_id, None)
    if order is None:
        return
    line = book.exposures.line(order.instrument_id)
    del line.orders[client_order_id]
    _open(book, line, order, -order.leaves)
    book.reserved = EXACT.subtract(book.reserved, book.reserves.pop(client_order_id, ZERO))


def _open(book: Book, line: Line, order: WorkingOrder, change: Decimal) -> None:
    if order.side is Side.BUY:
        line.buying = EXACT.add(line.buying, change)
    else:
        line.selling = EXACT.add(line.selling, change)
    book.exposures.count(line)


def end(book: Book, client_order_id: str, leaves: Decimal | None) -> None:
    """Take the word that `leaves` of an order will never trade; none means nothing of it will."""
    order = book.working.get(client_order_id)
    gone = leaves
    if gone is None or not gone.is_finite():
        gone = Decimal("Infinity") if order is None else order.quantity
    book.gone[client_order_id] = max(gone, book.gone.get(client_order_id, ZERO))
    if order is not None:
        keep_working(book, order)


def fill(book: Book, fill: OrderFilled) -> None:
    """Apply a fill, once for each trade id of the venue."""
    if fill.trade_id in book.trades:
        return
    book.trades.add(fill.trade_id)
    name, key = own_name(book, fill.instrument_id), fill.client_order_id
    instrument = book.instruments.get(name)
    price = None if instrument is None else whole_price(book, instrument, fill.last_px)
    if price is None:
        price, book.unknown = fill.last_px, f"a fill of {name} has no price in {book.currency}"
    line = book.exposures.line(name)
    before = book.positions.get(name) or Position(instrument_id=name)
    after = apply_fill(before, fill.side, fill.last_qty, price, fill.fee)
    book.marks.fill(before, after)
    book.positions[name] = after
    book.cash = EXACT.subtract(book.cash, fill.last_qty * price * fill.side.sign + fill.fee)
    line.held = after.quantity
    line.mark = price if line.mark is None else line.mark
    book.filled_at[name] = max(fill.ts_event, book.filled_at.get(name, fill.ts_event))
    book.traded[key] = book.traded.get(key, ZERO) + fill.last_qty
    order = book.working.get(key)
    if order is None:
        book.exposures.count(line)
    else:
        keep_working(book, order)
