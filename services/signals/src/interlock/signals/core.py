"""Bars to features."""

from collections.abc import Sequence
from math import isfinite

from interlock.signals.state import SignalsState
from interlock.wire.base import Message, Report, caused_id
from interlock.wire.market import Bar, FeaturesComputed


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
        ret_1=_finite(known.ret_1),
        momentum_bps=_finite(known.momentum_bps),
        ema_fast=_finite(known.ema_fast.value),
        ema_slow=_finite(known.ema_slow.value),
        rsi=_finite(known.rsi.value),
        macd=_finite(macd.line),
        macd_signal=_finite(macd.signal),
        macd_hist=_finite(macd.histogram),
        atr=_finite(known.atr.value),
        volatility=_finite(volatility.value),
        volatility_z=_finite(volatility.z_score),
        correlation=_finite(known.correlation.value()),
        adv=_finite(known.adv.value),
        spread_bps=_finite(known.spread_bps),
    )
    return (features,)


def _finite(value: float | None) -> float | None:
    """Return none for what overflowed: such a feature is not known."""
    return value if value is not None and isfinite(value) else None
