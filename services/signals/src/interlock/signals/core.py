"""Bars to features, and where the desk has models, their forecasts."""

from collections.abc import Sequence
from math import isfinite

from msgspec.structs import astuple, replace

from interlock.signals.context import Context
from interlock.signals.inputs import inputs_of
from interlock.signals.model_sets import MODELS, P_MID, P_SHORT, SIZE_HINT
from interlock.signals.ports import Forecast, Forecasted
from interlock.signals.state import SignalsState
from interlock.wire.base import Heard, Said, caused_id
from interlock.wire.market import Bar, FeaturesComputed

_FIRST_FEATURE = FeaturesComputed.__struct_fields__.index("ret_1")
_AFTER_FEATURES = FeaturesComputed.__struct_fields__.index("turnover_ratio")
"""Between the two stands what may overflow."""
_DIGITS = 6
"""A forecast is rounded, so that processors whose last bits differ say the same."""


def decide(state: SignalsState, heard: Heard, _now: int) -> Sequence[Said]:
    """Answer a bar of an instrument the desk trades with its features."""
    if isinstance(heard, Bar):
        return _answer(state, heard) if heard.instrument_id in state.traded else ()
    return (_with_forecasts(heard),) if isinstance(heard, Forecasted) else ()


def _answer(state: SignalsState, bar: Bar) -> Sequence[Said]:
    known = state.instruments[bar.instrument_id]
    if known.ts != bar.ts_event:
        return ()  # An older bar, heard again: its features are long known.
    macd, volatility = known.macd, known.volatility
    features = FeaturesComputed(
        message_id=caused_id(bar, FeaturesComputed),
        decision_id=bar.decision_id,
        ts_event=bar.ts_event,
        desk=state.desk,
        instrument_id=bar.instrument_id,
        bar_seconds=bar.bar_seconds,
        close=bar.close,
        ret_1=known.ret_1,
        momentum_bps=known.momentum_bps,
        ema_fast=known.ema_fast.value,
        ema_slow=known.ema_slow.value,
        rsi=known.rsi.value,
        macd=macd.line,
        macd_signal=macd.signal,
        macd_hist=macd.histogram,
        atr=known.atr.value,
        volatility=volatility.value,
        volatility_z=volatility.z_score,
        correlation=known.correlation.value(),
        adv=known.adv.value,
        spread_bps=known.spread_bps,
    )
    if not _is_finite(features):
        features = _finite_part(features)
    if known.context is None:
        return (features,)
    features = _with_context(state, features, known.context)
    return (features if state.config.models is None else _to_forecast(state, features),)


def _with_context(
    state: SignalsState, features: FeaturesComputed, context: Context
) -> FeaturesComputed:
    return replace(
        features,
        turnover_ratio=context.turnover_ratio,
        liquidity=context.liquidity,
        sector_dispersion=state.dispersion.get(state.sectors.get(features.instrument_id, "")),
        volatility_regime=context.regime,
    )


def _to_forecast(state: SignalsState, features: FeaturesComputed) -> Said:
    """Return the question to the models that may serve, or the features without an answer."""
    one = state.serving[features.bar_seconds]
    if one is None or features.ts_event <= one.seen_until:
        return replace(features, missing_models=MODELS)
    inputs = inputs_of(features, state.switched_off)
    return Forecast(features=features, model_set=one.name, inputs=inputs)


def _with_forecasts(heard: Forecasted) -> FeaturesComputed:
    said = {
        P_SHORT: _probability(heard.p_short),
        P_MID: _probability(heard.p_mid),
        SIZE_HINT: _number(heard.size_hint),
    }
    missing = tuple(name for name, value in said.items() if value is None)
    return replace(
        heard.features,
        p_short=said[P_SHORT],
        p_mid=said[P_MID],
        size_hint=said[SIZE_HINT],
        model_set=heard.model_set,
        missing_models=missing,
    )


def _number(value: float | None) -> float | None:
    return round(value, _DIGITS) if value is not None and isfinite(value) else None


def _probability(value: float | None) -> float | None:
    number = _number(value)
    return number if number is not None and 0.0 <= number <= 1.0 else None


def _is_finite(features: FeaturesComputed) -> bool:
    """Return whether nothing overflowed: one sum tells it cheaper than a look at each."""
    return isfinite(sum(filter(None, astuple(features)[_FIRST_FEATURE:_AFTER_FEATURES])))


def _finite_part(features: FeaturesComputed) -> FeaturesComputed:
    """Return the features less those that overflowed: they are not known."""
    lost = {
        name: None
        for name in features.__struct_fields__[_FIRST_FEATURE:_AFTER_FEATURES]
        if (value := getattr(features, name)) is not None and not isfinite(value)
    }
    return replace(features, **lost)
