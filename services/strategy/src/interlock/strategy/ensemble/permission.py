"""What the rules in force leave the ensemble to ask for. The gate asks all of it again."""

from interlock.model.instrument import Instrument
from interlock.model.values import InstrumentKind, TradingState
from interlock.strategy.ensemble.sizing import Limits, limits_of
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.state import StrategyState


def limits_for(ensemble: EnsembleState, instrument: Instrument) -> Limits | None:
    """Return the limits of an instrument's bucket in force, none where it is not configured."""
    rules = ensemble.config.buckets.get(instrument.bucket)
    if rules is None:
        return None
    scale = None
    if ensemble.trading is not None:
        scale = ensemble.trading.cap_scales.get(instrument.bucket)
    return limits_of(instrument.bucket, rules, ensemble.parameters, scale)


def may_short(ensemble: EnsembleState, instrument: Instrument) -> bool:
    rules, trading = ensemble.config.buckets.get(instrument.bucket), ensemble.trading
    if rules is None or trading is None:
        return False
    return ensemble.config.allow_short and trading.allow_short and not rules.long_only


def may_enter(state: StrategyState, ensemble: EnsembleState, instrument: Instrument) -> bool:
    """Return whether the rules in force let anything be entered in an instrument."""
    trading, banned = ensemble.trading, ensemble.do_not_trade
    if state.policy_version == 0:
        return False
    if trading is None or trading.state is not TradingState.ACTIVE or trading.flatten:
        return False
    if state.config.label in trading.disabled:
        return False
    if not banned.isdisjoint((instrument.instrument_id, *instrument.aliases, instrument.sector)):
        return False
    if instrument.kind is InstrumentKind.OPTION:
        return ensemble.config.allow_options and trading.allow_options
    return True
