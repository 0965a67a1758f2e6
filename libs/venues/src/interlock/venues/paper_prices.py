"""At which price an order trades on a market event.

Theory of operation. Every event is a course of prices for a buyer and one for a seller: a bar is
open, low, high and close, a quote the touch four times. Only first and last are known to be in
this order. A market order trades at the first price, a limit order there or, later, at its limit,
a stop at its price or, where the first is beyond it already, at that one. A bar that had begun
when the order came shows it nothing but its close: the rest may have been before.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, Side
from interlock.venues.paper_book import Deal, PaperOrder
from interlock.wire.market import Bar, Quote

_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600


class Course(NamedTuple):
    """The prices of an event on one side; `cost` is the share that crossing it costs on top."""

    first: float
    low: float
    high: float
    last: float
    cost: Decimal


def course(event: Bar | Quote, side: Side, cost: Decimal) -> Course:
    if isinstance(event, Bar):
        return Course(event.open, event.low, event.high, event.close, cost)
    touch = event.ask if side is Side.BUY else event.bid
    return Course(touch, touch, touch, touch, ZERO)


def only_the_end(seen: Course) -> Course:
    return Course(seen.last, seen.last, seen.last, seen.last, seen.cost)


def exact(price: float) -> Decimal:
    """Return the number that a price was written as."""
    return Decimal(repr(price))


def begins(event: Bar | Quote) -> UnixNanos:
    """Return the moment of the event's first price."""
    if isinstance(event, Quote):
        return event.ts_event
    seconds = event.bar_seconds
    if seconds >= _DAY_SECONDS:
        # From close to close, a day in which the clocks go forward has an hour less.
        seconds -= _HOUR_SECONDS
    return event.ts_event - seconds * NANOS_PER_SECOND


def deal(order: PaperOrder, seen: Course, instrument: Instrument) -> Deal | None:
    """Return what `order` can have of an event, none where the price does not come to it."""
    if order.waits:
        return _stopped(order, seen, instrument)
    limit = order.limit_price
    if limit is None:
        return Deal(_crossing(exact(seen.first), order, seen, instrument), later=False, maker=False)
    buying = order.side is Side.BUY
    if not _within(order, exact(seen.low if buying else seen.high), limit):
        return None
    first = on_tick(exact(seen.first), order.side, instrument)
    if not _within(order, first, limit):
        return Deal(limit, later=True, maker=True)
    return Deal(limit if order.post_only else first, later=False, maker=order.post_only)


def would_cross(order: PaperOrder, seen: Course, instrument: Instrument) -> bool:
    """Return whether `order` would take what is there when it comes."""
    limit = order.limit_price
    first = on_tick(exact(seen.first), order.side, instrument)
    return limit is None or _within(order, first, limit)


def trailed(order: PaperOrder, seen: Course, instrument: Instrument) -> Decimal:
    """Return where a trailing stop stands after an event: it only ever comes nearer."""
    offset = order.trail_offset or ZERO
    if order.side is Side.BUY:
        moved = on_tick(exact(seen.low) + offset, order.side, instrument)
        return moved if order.stop_price is None else min(order.stop_price, moved)
    moved = on_tick(exact(seen.high) - offset, order.side, instrument)
    return moved if order.stop_price is None else max(order.stop_price, moved)


def on_tick(price: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Return `price` on the next tick against the order, at least one tick."""
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    steps = (price / instrument.tick).quantize(Decimal(1), rounding)
    return max(steps, Decimal(1)) * instrument.tick


def _stopped(order: PaperOrder, seen: Course, instrument: Instrument) -> Deal | None:
    first, stop = exact(seen.first), order.stop_price
    if stop is None:
        stop = first + (order.trail_offset or ZERO) * order.side.sign
    if _beyond(order, first, stop):
        return Deal(_crossing(first, order, seen, instrument), later=False, maker=False)
    if not _beyond(order, exact(seen.high if order.side is Side.BUY else seen.low), stop):
        if order.trail_offset is None:
            return None
        # Whatever came first, the last price came after the best: the stop had moved by then.
        stop = trailed(order, seen, instrument)
        if not _beyond(order, exact(seen.last), stop):
            return None
    return Deal(_crossing(stop, order, seen, instrument), later=True, maker=False)


def _crossing(price: Decimal, order: PaperOrder, seen: Course, instrument: Instrument) -> Decimal:
    return on_tick(price * (1 + order.side.sign * seen.cost), order.side, instrument)


def _within(order: PaperOrder, price: Decimal, limit: Decimal) -> bool:
    return price <= limit if order.side is Side.BUY else price >= limit


def _beyond(order: PaperOrder, price: Decimal, stop: Decimal) -> bool:
    return price >= stop if order.side is Side.BUY else price <= stop
