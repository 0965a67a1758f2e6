"""What the controls look at: one intent, gathered once."""

from decimal import Decimal

from msgspec import Struct

from interlock.gate.book import Book, Reference, is_amount, whole_price, worst_price
from interlock.gate.caps import BucketCaps
from interlock.gate.config import BucketLimits, GateConfig, InstrumentLimits
from interlock.gate.exposure import Line
from interlock.gate.ports import PolicyStoreAnswered
from interlock.gate.state import GateState
from interlock.model.ids import UnixNanos
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, Side
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import ControlFailure, OrderIntent

NOT_CONFIGURED = "not configured"
UNKNOWN = "unknown"


class Case(Struct, frozen=True, kw_only=True, gc=False):
    """Everything a control may look at. Money is in the account's currency.

    Parameters
    ----------
    name
        The instrument's own id where the intent used an alias, so that no alias splits a limit.
    now
        The moment of the verdict, `tempo_now` the same, but never before an earlier verdict.
    instrument, reference, quantity
        None where the desk does not trade it, where there is no price, where it is no size.
    notional
        What the order adds to the exposure at the market's price.
    cost
        What it may come to cost at its worst price, without the fee.
    caps
        None before the first trading day, and for a bucket that is not configured.
    high, low, gross
        The exposure of its instrument with it, worst case; none where it cannot be known.
    """

    state: GateState
    book: Book
    config: GateConfig
    intent: OrderIntent
    answer: PolicyStoreAnswered
    name: str
    now: UnixNanos
    tempo_now: UnixNanos
    instrument: Instrument | None
    line: Line
    limits: InstrumentLimits
    bucket: BucketLimits | None
    caps: BucketCaps | None
    reference: Reference | None
    features: FeaturesComputed | None
    quantity: Decimal | None
    notional: Decimal | None
    cost: Decimal | None
    high: Decimal | None
    low: Decimal | None
    gross: Decimal | None


def case_of(
    state: GateState, intent: OrderIntent, answer: PolicyStoreAnswered, now: UnixNanos
) -> Case:
    """Gather what the controls look at."""
    book, config = state.book, state.config
    instrument = book.instruments.get(intent.instrument_id)
    name = intent.instrument_id if instrument is None else instrument.instrument_id
    line = book.exposures.lines.get(name) or Line(name=name)
    reference = book.references.get(name)
    if reference is not None and not is_amount(reference.price):
        reference = None
    quantity = intent.quantity if is_amount(intent.quantity) else None
    notional = cost = high = low = gross = None
    if quantity is not None and instrument is not None and reference is not None:
        cost = _cost(book, instrument, intent, quantity, reference)
        if line.unit is not None:
            notional = quantity * abs(line.unit)
            high, low = line.span(intent.side, quantity, line.unit)
            gross = max(high, -low)
    buckets = state.caps.buckets
    return Case(
        state=state,
        book=book,
        config=config,
        intent=intent,
        answer=answer,
        name=name,
        now=now,
        tempo_now=max(now, state.tempo.latest),
        instrument=instrument,
        line=line,
        limits=config.limits_of(name),
        bucket=config.buckets.get(line.bucket),
        caps=None if buckets is None else buckets.get(line.bucket),
        reference=reference,
        features=book.features.get(name),
        quantity=quantity,
        notional=notional,
        cost=cost,
        high=high,
        low=low,
        gross=gross,
    )


def _cost(
    book: Book,
    instrument: Instrument,
    intent: OrderIntent,
    quantity: Decimal,
    reference: Reference,
) -> Decimal | None:
    price = intent.limit_price
    if price is not None and not is_amount(price):
        return None
    whole = whole_price(book, instrument, worst_price(book, price, reference.price))
    return None if whole is None else quantity * whole


def worst(case: Case) -> Decimal | None:
    """Return the largest position that this order could lead to on its own side, signed."""
    if case.quantity is None:
        return None
    if case.intent.side is Side.BUY:
        return case.line.held + case.line.buying + case.quantity
    return case.line.held - case.line.selling - case.quantity


def closing_room(case: Case) -> Decimal:
    """Return how much an order on this side may trade and still only shrink the position."""
    if case.intent.side is Side.SELL:
        return max(case.line.held - case.line.selling, ZERO)
    return max(-case.line.held - case.line.buying, ZERO)


def fail(code: str, observed: object, limit: object) -> ControlFailure:
    return ControlFailure(code=code, observed=str(observed), limit=str(limit))
