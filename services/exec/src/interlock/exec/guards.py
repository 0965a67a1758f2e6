"""What protects a position: per entry, what is still held of it and at which price it is given up.

Theory of operation. An entry is signed together with the distances of its stops. Each fill of it
opens so much of its guard, each fill of a protective order closes so much of it, and whatever else
shrinks the position closes guards of that side, the oldest first. So all guards of a side together
never claim more than is held. The trailing distance runs from the best price seen before the
event at hand: one bar cannot both raise a stop and reach it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, OrderType, Side
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import OrderFilled, OrderSubmitted, Protection


@dataclass(slots=True)
class Guard:
    """One entry's protection.

    `bought` and `cost` are all the entry has filled, `open` what is still to be protected.
    `children` are the protective orders that are not closed, `generation` counts all there were.
    `best` and `seen` are the best price before and with the last event. What a venue has `refused`
    exec keeps itself, and it rests until `wait_until` after a refusal. `ended` are the last orders
    that would have closed it and were cut short: a trade of one of them may yet be told. `waited`
    counts how often in a row it could not be protected for that.
    """

    entry: OrderSubmitted
    protection: Protection
    bought: Decimal = ZERO
    cost: Decimal = ZERO
    open: Decimal = ZERO
    filled_at: int = 0
    generation: int = 0
    children: list[str] = field(default_factory=list[str])
    best: Decimal | None = None
    seen: Decimal | None = None
    refused: bool = False
    wait_until: int = 0
    waited: int = 0
    ended: list[str] = field(default_factory=list[str])

    @property
    def long(self) -> bool:
        return self.entry.side is Side.BUY

    @property
    def side(self) -> Side:
        """The side of what closes it."""
        return Side.SELL if self.long else Side.BUY

    @property
    def average(self) -> Decimal:
        return self.cost / self.bought


def take_fill(guards: dict[str, Guard], fill: OrderFilled, parent: str, held: Decimal) -> None:
    """Take in a fill after which `held` is the position; `parent` is the entry it protects."""
    if not guards:
        return
    own, protected = guards.get(fill.client_order_id), guards.get(parent)
    if own is not None:
        own.bought += fill.last_qty
        own.cost += fill.last_qty * fill.last_px
        own.open += fill.last_qty
        own.filled_at = fill.ts_event
        _see(own, fill.last_px)
    elif protected is not None:
        protected.open = max(protected.open - fill.last_qty, ZERO)
    for side in Side:
        mine = [one for one in of(guards.values(), fill.instrument_id) if one.entry.side is side]
        over = sum((one.open for one in mine), ZERO) - max(held * side.sign, ZERO)
        for guard in mine:
            closed = min(guard.open, max(over, ZERO))
            guard.open -= closed
            over -= closed


def of(guards: Iterable[Guard], instrument_id: str) -> list[Guard]:
    return [guard for guard in guards if guard.entry.instrument_id == instrument_id]


def see(guards: dict[str, Guard], event: Bar | Quote) -> None:
    """Take in a price: the trailing distance runs from it as of the next one."""
    for guard in of(guards.values(), event.instrument_id):
        if guard.bought:
            _see(guard, _favour(guard, event))


def _favour(guard: Guard, event: Bar | Quote) -> Decimal:
    """Return the best it could be closed at."""
    low, high = prices(event)
    return low if guard.long is isinstance(event, Quote) else high


def _see(guard: Guard, price: Decimal) -> None:
    guard.best = guard.seen
    before = price if guard.seen is None else guard.seen
    guard.seen = max(before, price) if guard.long else min(before, price)
    guard.best = guard.seen if guard.best is None else guard.best


def prices(event: Bar | Quote) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest price of a bar, or what one can sell and buy at."""
    low, high = (event.low, event.high) if isinstance(event, Bar) else (event.bid, event.ask)
    return Decimal(repr(low)), Decimal(repr(high))


def kind_at_venue(guard: Guard, keeps: frozenset[OrderType]) -> OrderType | None:
    """Return what the venue is to keep of this guard: one order, because each claims all of it.

    The nearer stop goes first. A target is left to the venue where there is nothing else.
    """
    signed = guard.protection
    if guard.refused:
        return None
    trails_nearer = signed.trail is not None and (
        signed.stop is None or signed.trail <= signed.stop
    )
    if trails_nearer and OrderType.TRAILING_STOP in keeps:
        return OrderType.TRAILING_STOP
    if signed.stop is not None and OrderType.STOP in keeps:
        return OrderType.STOP
    only_target = signed.stop is None and signed.trail is None
    return OrderType.LIMIT if only_target and OrderType.LIMIT in keeps else None


def stop_price(guard: Guard, tick: Decimal) -> Decimal | None:
    """Return the fixed stop, on the tick next to it that is nearer to the market."""
    distance = guard.protection.stop
    return None if distance is None else _away(guard, -distance, tick)


def target_price(guard: Guard, tick: Decimal) -> Decimal | None:
    distance = guard.protection.profit
    return None if distance is None else _away(guard, distance, tick)


def _away(guard: Guard, distance: Decimal, tick: Decimal) -> Decimal:
    exact = guard.average + distance * guard.entry.side.sign
    # Both a stop and a target are met sooner on this tick, never later than signed.
    up = guard.long == (distance < ZERO)
    steps = (exact / tick).quantize(Decimal(1), ROUND_CEILING if up else ROUND_FLOOR)
    return max(steps, Decimal(1)) * tick


def reached(
    guard: Guard, event: Bar | Quote, tick: Decimal, at_venue: OrderType | None
) -> str | None:
    """Return which of the stops kept by exec the market has come to, none where it has not.

    The venue answers for `at_venue`. Where a bar has met both, the stop came first; a target
    counts as of the bar after the fill.
    """
    low, high = prices(event)
    against, favour = low if guard.long else high, _favour(guard, event)
    sign = guard.entry.side.sign
    fixed, trail = stop_price(guard, tick), guard.protection.trail
    if fixed is not None and at_venue is None and (against - fixed) * sign <= 0:
        return "stop"
    if trail is not None and guard.best is not None and at_venue is not OrderType.TRAILING_STOP:
        level = guard.best - trail * sign
        if (against - level) * sign <= 0:
            return "trailing stop"
    target = target_price(guard, tick)
    if target is None or at_venue is OrderType.LIMIT or event.ts_event <= guard.filled_at:
        return None
    return "take profit" if (favour - target) * sign >= 0 else None


def wanted(
    mine: Sequence[Guard], orders: Iterable[WorkingOrder], held: Decimal
) -> list[tuple[Guard, Decimal]]:
    """Return for each guard of one instrument and side how much its protective order may close.

    What the other `orders` of the instrument are about to close is taken from what nobody guards,
    then from the oldest guards.
    """
    if not mine:
        return []
    leaving = sum(
        (one.leaves for one in orders if not one.parent and one.side is mine[0].side), ZERO
    )
    unguarded = abs(held) - sum((guard.open for guard in mine), ZERO)
    leaving = max(leaving - max(unguarded, ZERO), ZERO)
    found: list[tuple[Guard, Decimal]] = []
    for guard in mine:
        taken = min(guard.open, leaving)
        leaving -= taken
        found.append((guard, guard.open - taken))
    return found
