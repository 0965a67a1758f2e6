"""What a bucket holds, and how much more fits into it, by our own fills and open entries.

What cannot be valued leaves no room: the gate would deny it.
"""

from decimal import Decimal

from interlock.model.instrument import Instrument
from interlock.model.values import ZERO
from interlock.strategy.ensemble.sizing import unit_value
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.state import StrategyState

_ONE = Decimal(1)


def unit_of(
    state: StrategyState, ensemble: EnsembleState, instrument: Instrument
) -> Decimal | None:
    """Return the exposure of one unit at the last close, none where it is not known."""
    close, rate = _close(state, instrument.instrument_id), _rate(state, ensemble, instrument)
    if close is None or rate is None:
        return None
    delta = ensemble.deltas.get(instrument.instrument_id)
    return unit_value(instrument, close, rate, delta, _close(state, instrument.underlying))


def _close(state: StrategyState, name: str) -> float | None:
    known = state.closes.get(name)
    return None if known is None else known[0]


def _rate(state: StrategyState, ensemble: EnsembleState, instrument: Instrument) -> Decimal | None:
    if instrument.currency == ensemble.currency:
        return _ONE
    close = _close(state, f"{instrument.currency}/{ensemble.currency}")
    return None if close is None else Decimal(repr(close))


def room_for_order(
    state: StrategyState, ensemble: EnsembleState, bucket: str, cap: Decimal
) -> Decimal:
    """Return what one more order may come to in `bucket`, when that may come to `cap`."""
    room, most = room_of(state, ensemble, bucket, cap), ensemble.config.max_order_notional
    return room if most is None else min(room, most)


def room_of(state: StrategyState, ensemble: EnsembleState, bucket: str, cap: Decimal) -> Decimal:
    """Return what still fits into `bucket` when it may come to `cap`."""
    used = ZERO
    for name, instrument in state.instruments.items():
        if instrument.bucket != bucket:
            continue
        quantity = exposed(state, ensemble, name)
        if quantity == ZERO:
            continue
        unit = unit_of(state, ensemble, instrument)
        if unit is None:
            return ZERO
        used += quantity * unit
    return max(cap - used, ZERO)


def exposed(state: StrategyState, ensemble: EnsembleState, name: str) -> Decimal:
    """Return the units held of an instrument, and those an open entry may add."""
    quantity = abs(state.positions.get(name, ZERO))
    entry = ensemble.asked.get(name)
    if entry is not None and state.asking.get(name) == entry.intent_id:
        quantity += entry.quantity
    return quantity
