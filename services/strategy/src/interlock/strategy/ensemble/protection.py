"""Distances of the protective orders that an entry carries, from the average true range."""

from collections.abc import Mapping

from interlock.model.instrument import Instrument
from interlock.strategy.ensemble.config import EnsembleConfig
from interlock.wire.orders import Protection
from interlock.wire.parameters import STOP_ATR, TRAIL_ATR

_LARGEST = 1e12
"""A larger range is none, and on its way to what no decimal can hold."""


def protection_of(
    instrument: Instrument,
    atr: float | None,
    config: EnsembleConfig,
    parameters: Mapping[str, float],
) -> Protection | None:
    """Return the distances, one tick at least; none without a range: then nothing is entered."""
    if atr is None or not 0.0 < atr <= _LARGEST:
        return None
    stop = parameters.get(STOP_ATR, config.stop_atr) * atr
    trail = parameters.get(TRAIL_ATR, config.trail_atr) * atr
    profit = config.profit_atr * atr
    return Protection(
        stop=max(instrument.price(stop), instrument.tick),
        trail=max(instrument.price(trail), instrument.tick),
        profit=max(instrument.price(profit), instrument.tick),
    )
