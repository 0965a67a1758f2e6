"""What the models are shown: features made free of scale, so that all instruments look alike.

The same function makes them for training and for serving. What is not known, and what policy has
switched off, is NaN; the models have learned with gaps.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from math import log, nan

from msgspec import Struct

from interlock.wire.market import FeaturesComputed
from interlock.wire.parameters import FEATURE_PREFIX

_SWITCHED_ON_FROM = 0.5
_BPS = 10_000.0
_RSI_MIDDLE, _RSI_HALF = 50.0, 50.0
_LEAST_RATIO = 1e-3
"""Bars without a trade have no logarithm."""


class ModelInput(Struct, frozen=True):
    """One column of what the models see. `of` gives none where it is not known."""

    name: str
    definition: str
    of: Callable[[FeaturesComputed], float | None]


def _per_volatility(value: float | None, f: FeaturesComputed) -> float | None:
    return value / f.volatility if value is not None and f.volatility else None


def _of_close(value: float | None, f: FeaturesComputed) -> float | None:
    return value / f.close if value is not None and f.close else None


def _momentum(f: FeaturesComputed) -> float | None:
    return None if f.momentum_bps is None else _per_volatility(f.momentum_bps / _BPS, f)


def _ema_gap(f: FeaturesComputed) -> float | None:
    if f.ema_fast is None or not f.ema_slow:
        return None
    return f.ema_fast / f.ema_slow - 1.0


def _rsi(f: FeaturesComputed) -> float | None:
    return None if f.rsi is None else (f.rsi - _RSI_MIDDLE) / _RSI_HALF


def _turnover(f: FeaturesComputed) -> float | None:
    return None if f.turnover_ratio is None else log(max(f.turnover_ratio, _LEAST_RATIO))


INPUTS: tuple[ModelInput, ...] = (
    ModelInput("ret_1", "ret_1 / volatility", lambda f: _per_volatility(f.ret_1, f)),
    ModelInput("momentum", "momentum_bps / 10,000 / volatility", _momentum),
    ModelInput("ema_gap", "ema_fast / ema_slow - 1", _ema_gap),
    ModelInput("rsi", "(rsi - 50) / 50", _rsi),
    ModelInput("macd", "macd / close", lambda f: _of_close(f.macd, f)),
    ModelInput("macd_hist", "macd_hist / close", lambda f: _of_close(f.macd_hist, f)),
    ModelInput("atr", "atr / close", lambda f: _of_close(f.atr, f)),
    ModelInput("volatility", "volatility", lambda f: f.volatility),
    ModelInput("volatility_z", "volatility_z", lambda f: f.volatility_z),
    ModelInput("correlation", "correlation", lambda f: f.correlation),
    ModelInput("turnover", "ln(turnover_ratio), at least ln(0.001)", _turnover),
    ModelInput("dispersion", "sector_dispersion", lambda f: f.sector_dispersion),
)
"""In the order in which the models take them. A changed list needs models trained anew."""


def inputs_of(
    features: FeaturesComputed, switched_off: AbstractSet[str] = frozenset()
) -> list[float]:
    """Return one row for the models, NaN where a value is not known or switched off."""
    row: list[float] = []
    for one in INPUTS:
        value = None if one.name in switched_off else one.of(features)
        row.append(nan if value is None else value)
    return row


def switched_off_by(parameters: dict[str, float]) -> frozenset[str]:
    """Return the inputs that a policy's parameters switch off."""
    return frozenset(
        name.removeprefix(FEATURE_PREFIX)
        for name, value in parameters.items()
        if name.startswith(FEATURE_PREFIX) and value < _SWITCHED_ON_FROM
    )
