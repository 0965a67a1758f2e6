"""What one instrument's market is like just now, compared with its own past."""

from math import isfinite

from interlock.signals.config import ContextConfig
from interlock.signals.rolling import RollingMoments
from interlock.wire.market import VolatilityRegime


class Context:
    """Turnover against its own mean, and the regime of the volatility.

    The regime changes late on purpose: what has become stressed stays so until its z-score is
    well below where the stress began, and what is calm until it is well above.
    """

    __slots__ = ("_config", "_few", "_many", "liquidity", "regime", "turnover_ratio")

    def __init__(self, config: ContextConfig) -> None:
        self._config = config
        self._few = RollingMoments(config.liquidity_bars)
        self._many = RollingMoments(config.turnover_window)
        self.turnover_ratio: float | None = None
        self.liquidity: float | None = None
        self.regime: VolatilityRegime | None = None

    def update(self, turnover: float, volatility_z: float | None) -> None:
        """Take in a bar's turnover in the quote currency, and the z-score after it."""
        few, many = self._few, self._many
        few.push(turnover)
        many.push(turnover)
        if many.full:
            self.turnover_ratio = _multiple(turnover, many.mean())
            of_few = _multiple(few.mean(), many.mean())
            self.liquidity = None if of_few is None else min(of_few, 1.0)
        if volatility_z is not None:
            self.regime = regime_after(self.regime, volatility_z, self._config)


def regime_after(
    regime: VolatilityRegime | None, z_score: float, config: ContextConfig
) -> VolatilityRegime:
    """Return the regime in force after `z_score`, given the one before."""
    stressed = config.stressed_until if regime is VolatilityRegime.STRESSED else config.stressed_at
    if z_score >= stressed:
        return VolatilityRegime.STRESSED
    calm = config.calm_until if regime is VolatilityRegime.CALM else config.calm_at
    return VolatilityRegime.CALM if z_score <= calm else VolatilityRegime.NORMAL


def _multiple(value: float, mean: float) -> float | None:
    if not mean > 0.0:
        return None
    ratio = max(0.0, value) / mean
    return ratio if isfinite(ratio) else None
