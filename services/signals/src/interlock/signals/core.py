"""Bars to features."""

from collections.abc import Sequence
from math import isfinite

from msgspec.structs import astuple, replace

from interlock.signals.state import SignalsState
from interlock.wire.base import Message, Report, caused_id
from interlock.wire.market import Bar, FeaturesComputed

_FIRST_FEATURE = FeaturesComputed.__struct_fields__.index("ret_1")


def decide(state: SignalsState, heard: Message | Report, _now: int) -> Sequence[Message]:
    """Answer a bar of an instrument the desk trades with its features."""
    if not isinstance(heard, Bar) or heard.instrument_id not in state.traded:
        return ()
    known = state.instruments[heard.instrument_id]
    if known.ts != heard.ts_event:
        return ()  # An older bar, heard again: its features are long known.
    macd, volatility = known.macd, known.volatility
    features = FeaturesComputed(
        message_id=caused_id(heard, FeaturesComputed),
        decision_id=heard.decision_id,
        ts_event=heard.ts_event,
        desk=state.desk,
        instrument_id=heard.instrument_id,
        bar_seconds=heard.bar_seconds,
        close=heard.close,
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
    return (features if _is_finite(features) else _finite_part(features),)


def _is_finite(features: FeaturesComputed) -> bool:
    """Return whether nothing overflowed: one sum tells it cheaper than a look at each."""
    return isfinite(sum(filter(None, astuple(features)[_FIRST_FEATURE:])))


def _finite_part(features: FeaturesComputed) -> FeaturesComputed:
    """Return the features less those that overflowed: they are not known."""
    lost = {
        name: None
        for name in features.__struct_fields__[_FIRST_FEATURE:]
        if (value := getattr(features, name)) is not None and not isfinite(value)
    }
    return replace(features, **lost)
