"""Bringing exposure back under its limit: reduce-only, at the passive side, a slice at a time.

Theory of operation. Exposure is what all positions are worth, long or short, against the equity.
Above `max_exposure_pct` each position gives up its share of what is too much; where lots are coarse
the largest gives the rest. Of each share one slice is asked for, post-only at the price where it
adds to the book, and no sooner than `slice_seconds` later the next: what of a slice has not traded
by then is cancelled, and once that is known it is asked for again at the price of that moment. What
rests counts as given up already, so that no two slices stand for the same lots. Nothing is planned
ahead: each slice follows from positions, prices and equity, and a restart finds them all in the
messages. Slices are asked for when the account is marked, once a cadence, with all that came before
settled, so that every driver cuts them alike. What increases risk is not asked for from the first
price or fill that lifts exposure over the limit until it is below and no slice rests.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND, client_order_id
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, Side
from interlock.strategy.intents import Order, intent_of
from interlock.strategy.state import LEAVES, TRIM, Slice, StrategyState
from interlock.wire.base import Message, caused_id
from interlock.wire.catalogue import STRATEGY
from interlock.wire.orders import CancelOrders, OrderCanceled, OrderIntent

_PERCENT = Decimal(100)
_BPS = Decimal(10_000)
HAD_ITS_TIME = f"{TRIM}: this slice has had its time"

type Answer = Sequence[OrderIntent | CancelOrders]


class Holding(Struct, frozen=True, kw_only=True):
    """A position without its sign. `unit_value` is what one unit is worth, `lot` its least step."""

    quantity: Decimal
    unit_value: Decimal
    lot: Decimal

    @property
    def value(self) -> Decimal:
        return self.quantity * self.unit_value


def shares(holdings: Mapping[str, Holding], limit: Decimal) -> dict[str, Decimal]:
    """Return how much of each position to give up so that all are worth `limit` at most.

    Whole lots, in proportion; what that leaves over, less than a lot of each, the largest gives.
    Together it is less than one lot too much.
    """
    gross = sum((one.value for one in holdings.values()), ZERO)
    excess = gross - max(limit, ZERO)
    if excess <= ZERO:
        return {}
    given = {
        name: _lots(min(one.quantity, one.quantity * excess / gross), one.lot, ROUND_FLOOR)
        for name, one in holdings.items()
    }
    left = excess - sum((given[name] * one.unit_value for name, one in holdings.items()), ZERO)
    for name, one in sorted(holdings.items(), key=lambda item: (-item[1].value, item[0])):
        if left <= ZERO:
            break
        room = _lots(one.quantity, one.lot, ROUND_FLOOR) - given[name]
        more = min(_lots(left / one.unit_value, one.lot, ROUND_CEILING), room)
        given[name] += more
        left -= more * one.unit_value
    return {name: quantity for name, quantity in given.items() if quantity > ZERO}


def slice_of(share: Decimal, one: Holding, most: Decimal, least: Decimal) -> Decimal:
    """Return the part of `share` to ask for now: worth `most` at most, `least` at least.

    It is one lot at least, and never more than what is held.
    """
    largest = max(_lots(most / one.unit_value, one.lot, ROUND_FLOOR), one.lot)
    smallest = _lots(least / one.unit_value, one.lot, ROUND_CEILING)
    held = _lots(one.quantity, one.lot, ROUND_FLOOR)
    return min(max(min(share, largest), smallest), held)


def passive_price(instrument: Instrument, side: Side, close: float, spread_bps: float) -> Decimal:
    """Return the nearest price that adds to the book: half a spread away, one tick at least."""
    last, tick = Decimal(str(close)), instrument.tick
    away = max(last * Decimal(str(spread_bps)) / 2 / _BPS, tick)
    if side is Side.SELL:
        return _lots(last + away, tick, ROUND_CEILING)
    return max(_lots(last - away, tick, ROUND_FLOOR), tick)


def is_trimming(state: StrategyState) -> bool:
    """Return whether nothing may be asked for that increases risk."""
    limit = _limit(state)
    if limit is None:
        return bool(state.slices)
    return bool(state.slices) or _worth(_holdings(state)) > limit


def next_slices(state: StrategyState, heard: Message, now: int) -> Answer:
    """Return the ends of slices that have had their time, and the slices that are due."""
    limit = _limit(state)
    if limit is None or state.flattening is not None:
        return give_way(state, heard, now)
    holdings = _holdings(state)
    worth = _worth(holdings)
    if worth <= limit:
        return give_way(state, heard, now)
    said: list[OrderIntent | CancelOrders] = [
        _end(state, one, heard, now)
        for name, one in state.slices.items()
        if _is_due(state, name, now) and _may_be_asked(state, one, now)
    ]
    free = {
        name: Holding(
            quantity=one.quantity - _resting(state, name), unit_value=one.unit_value, lot=one.lot
        )
        for name, one in holdings.items()
    }
    for name, share in sorted(shares(free, limit).items()):
        if name in state.asking or name in state.leaving or not _is_due(state, name, now):
            continue
        config = state.config
        part = slice_of(share, free[name], config.slice_notional, config.min_slice_notional)
        said.append(_ask(state, name, part, worth, heard, now))
    return said


def ask_again(state: StrategyState, heard: OrderCanceled, now: int) -> Answer:
    """Return the rest of a slice that has had its time, at the price of now."""
    name, limit = heard.instrument_id, _limit(state)
    if state.timed_out.get(name) != heard.intent_id or name in state.asking or limit is None:
        return ()
    holdings = _holdings(state)
    worth = _worth(holdings)
    if worth <= limit or name not in holdings or not heard.leaves_qty > ZERO:
        return ()
    one = holdings[name]
    most = _lots((worth - limit) / one.unit_value, one.lot, ROUND_CEILING)
    rest = slice_of(min(heard.leaves_qty, most), one, worth, state.config.min_slice_notional)
    return [_ask(state, name, rest, worth, heard, now)]


def give_way(state: StrategyState, heard: Message, now: int) -> Answer:
    """Return what ends every slice that rests: something else is to come, or nothing."""
    return [
        _end(state, one, heard, now)
        for one in state.slices.values()
        if _may_be_asked(state, one, now)
    ]


def _limit(state: StrategyState) -> Decimal | None:
    share = state.config.max_exposure_pct
    return None if share is None or state.equity is None else state.equity * share / _PERCENT


def _worth(holdings: Mapping[str, Holding]) -> Decimal:
    return sum((one.value for one in holdings.values()), ZERO)


def _holdings(state: StrategyState) -> dict[str, Holding]:
    """Return the positions that have a price; what has none, nobody can say the worth of."""
    found: dict[str, Holding] = {}
    for name, held in state.positions.items():
        instrument, price = state.instruments.get(name), _price(state, name)
        if instrument is None or held == ZERO or price <= 0:
            continue
        value = Decimal(str(price)) * instrument.multiplier
        found[name] = Holding(quantity=abs(held), unit_value=value, lot=instrument.lot)
    return found


def _price(state: StrategyState, name: str) -> float:
    """Return the last close, else the account's mark."""
    return state.closes.get(name, (state.marks.get(name, 0.0), 0))[0]


def _resting(state: StrategyState, name: str) -> Decimal:
    held, one = abs(state.positions.get(name, ZERO)), state.slices.get(name)
    return ZERO if one is None else min(one.leaves, held)


def _is_due(state: StrategyState, name: str, now: int) -> bool:
    """Return whether the last slice of an instrument has had its time, or there was none."""
    return name not in state.sliced_at or _is_over(state, state.sliced_at[name], now)


def _is_over(state: StrategyState, since: int, now: int) -> bool:
    return now - since >= state.config.slice_seconds * NANOS_PER_SECOND


def _may_be_asked(state: StrategyState, one: Slice, now: int) -> bool:
    """Return whether its end was not asked for just now: the venue may have kept it."""
    return not one.ending_at or _is_over(state, one.ending_at, now)


def make_way(state: StrategyState, name: str, heard: Message, now: int) -> Answer:
    """Return what ends the slice of one instrument: the strategy wants to leave it."""
    one = state.slices.get(name)
    if one is None or not _may_be_asked(state, one, now):
        return ()
    return [_end(state, one, heard, now, LEAVES)]


def _end(
    state: StrategyState, one: Slice, heard: Message, now: int, reason: str = HAD_ITS_TIME
) -> CancelOrders:
    return CancelOrders(
        message_id=caused_id(heard, CancelOrders, one.intent_id),
        decision_id=heard.decision_id,
        ts_event=now,
        desk=state.desk,
        account=state.account,
        by=STRATEGY,
        reason=reason,
        client_order_id=client_order_id(one.intent_id),
    )


def _ask(
    state: StrategyState, name: str, quantity: Decimal, worth: Decimal, heard: Message, now: int
) -> OrderIntent:
    instrument, close = state.instruments[name], _price(state, name)
    side = Side.SELL if state.positions[name] > ZERO else Side.BUY
    order = Order(
        instrument=instrument,
        side=side,
        close=close,
        ts_market=state.closes.get(name, (0.0, 0))[1],
        quantity=quantity,
        leaving=True,
        resting_at=passive_price(instrument, side, close, state.spreads_bps.get(name, 0.0)),
    )
    reasons = [TRIM, f"exposure={worth:.2f}", f"limit={_limit(state):.2f}"]
    return intent_of(state, heard, order, reasons, now, key=f"{TRIM} {name}")


def _lots(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding) * step
