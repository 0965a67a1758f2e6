"""The threshold engine: follow a move that is larger than the threshold, leave on its opposite.

The threshold is in basis points per cadence. Prices spread with the square root of time, so on
bars longer than the cadence it is scaled by the square root of bar length over cadence.
"""

from decimal import Decimal
from math import sqrt

from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, Side
from interlock.strategy.intents import Order, intent_of, is_old
from interlock.strategy.state import StrategyState
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderIntent


def wanted(state: StrategyState, heard: FeaturesComputed, now: int) -> OrderIntent | None:
    """Return the intent that a bar asks for, given what is held."""
    instrument = state.instruments.get(heard.instrument_id)
    if instrument is None or state.threshold_bps is None or heard.momentum_bps is None:
        return None
    if heard.close <= 0 or is_old(state, heard, now):
        return None
    threshold = scaled_threshold_bps(state.threshold_bps, heard.bar_seconds, state.cadence_seconds)
    return _intent(state, heard, instrument, threshold, now)


def scaled_threshold_bps(threshold_bps: float, bar_seconds: int, cadence_seconds: int) -> float:
    """Return the threshold for a bar of this length, in basis points."""
    return threshold_bps * sqrt(max(1.0, bar_seconds / cadence_seconds))


def target_quantity(
    state: StrategyState, features: FeaturesComputed, instrument: Instrument, threshold: float
) -> Decimal | None:
    """Return the signed quantity to hold, none where the move says nothing."""
    assert features.momentum_bps is not None
    if not abs(features.momentum_bps) > threshold:
        return None
    size = instrument.quantity(float(state.config.position_notional) / features.close)
    if features.momentum_bps > threshold:
        return size
    return -size if state.config.allow_short else ZERO


def _intent(
    state: StrategyState,
    features: FeaturesComputed,
    instrument: Instrument,
    threshold: float,
    now: int,
) -> OrderIntent | None:
    held = state.positions.get(features.instrument_id, ZERO)
    target = target_quantity(state, features, instrument, threshold)
    if target is None or _stands(held, target) or _favoured(held, features):
        return None
    change = target - held
    leaving = held != ZERO and abs(target) < abs(held) and target * held >= ZERO
    order = Order(
        instrument=instrument,
        side=Side.BUY if change > ZERO else Side.SELL,
        close=features.close,
        ts_market=features.ts_event,
        quantity=abs(change),
        leaving=leaving,
    )
    reasons = [
        "exit" if leaving else "entry",
        f"momentum_bps={features.momentum_bps:.2f}",
        f"threshold_bps={threshold:.2f}",
    ]
    return intent_of(state, features, order, reasons, now)


def _favoured(held: Decimal, features: FeaturesComputed) -> bool:
    """Return whether the move is for the position: no price makes a reason to leave it then."""
    assert features.momentum_bps is not None
    return (held > ZERO and features.momentum_bps > 0) or (
        held < ZERO and features.momentum_bps < 0
    )


def _stands(held: Decimal, target: Decimal) -> bool:
    """Return whether the position is on the wanted side already: it is not resized bar by bar."""
    if target == ZERO:
        return held == ZERO
    return held * target > ZERO
