"""The meta-ensemble: each bar becomes a score, and where score and position ask for it an intent.

Theory of operation. A score is said at every bar, whatever follows from it. "Buy" enters where
nothing is held, "sell" closes what is held, and enters the other way only where configuration,
stage and bucket allow it; a position on the wanted side is not resized bar by bar. An entry carries
the distances of its protective orders, and without a range to take them from there is none. Nothing
here asks a model: forecasts come with the features, or they do not.
"""

from decimal import Decimal

from msgspec.structs import replace

from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, Side
from interlock.strategy.ensemble.exposure import room_for_order, unit_of
from interlock.strategy.ensemble.modes import halves, heeded_in, may_act
from interlock.strategy.ensemble.permission import limits_for, may_enter, may_short
from interlock.strategy.ensemble.protection import protection_of
from interlock.strategy.ensemble.score import score_of
from interlock.strategy.ensemble.sizing import fraction_of, quantity_within
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.intents import Order, intent_of, is_old
from interlock.strategy.state import StrategyState
from interlock.wire.base import caused_id
from interlock.wire.decisions import ScoreAction, ScoreComputed
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderIntent

_SIDES = {ScoreAction.BUY: Side.BUY, ScoreAction.SELL: Side.SELL}


def score(
    state: StrategyState, ensemble: EnsembleState, features: FeaturesComputed, now: int
) -> ScoreComputed | None:
    """Return the score of a bar, none where it is not for the ensemble to score."""
    name = features.instrument_id
    instrument = state.instruments.get(name)
    if instrument is None or features.close <= 0 or is_old(state, features, now):
        return None
    if name == ensemble.savings.instrument_id:
        return None
    return _computed(state, ensemble, features, instrument, now)


def _computed(
    state: StrategyState,
    ensemble: EnsembleState,
    features: FeaturesComputed,
    instrument: Instrument,
    now: int,
) -> ScoreComputed:
    mode = ensemble.mode(instrument.instrument_id)
    made = score_of(ensemble.inputs(features), ensemble.weights, heeded_in(mode), ensemble.config)
    computed = ScoreComputed(
        message_id=caused_id(features, ScoreComputed),
        decision_id=features.decision_id,
        ts_event=now,
        desk=state.desk,
        instrument_id=features.instrument_id,
        p_short=features.p_short,
        p_mid=features.p_mid,
        size_hint=features.size_hint,
        weights=made.weights,
        penalties=made.penalties,
        base=made.base,
        score=made.score,
        action=made.action if may_act(mode) else ScoreAction.HOLD,
        size_fraction=0.0,
        mode=mode,
        features_id=features.message_id,
        policy_version=state.policy_version,
    )
    fraction = _fraction(ensemble, instrument, computed)
    return replace(computed, size_fraction=float(fraction))


def _fraction(ensemble: EnsembleState, instrument: Instrument, computed: ScoreComputed) -> Decimal:
    """Return what may be entered for a score, as a fraction of the equity."""
    limits = limits_for(ensemble, instrument)
    if computed.score is None or limits is None or computed.action is ScoreAction.HOLD:
        return ZERO
    if computed.action is ScoreAction.SELL and not may_short(ensemble, instrument):
        return ZERO
    return fraction_of(computed.score, limits, halved=halves(computed.mode))


def wanted(
    state: StrategyState,
    ensemble: EnsembleState,
    features: FeaturesComputed,
    computed: ScoreComputed,
    now: int,
) -> OrderIntent | None:
    """Return the intent that a score asks for, given what is held."""
    side, name = _SIDES.get(computed.action), features.instrument_id
    if side is None:
        return None
    instrument = state.instruments[name]
    held = state.positions.get(name, ZERO)
    order = Order(
        instrument=instrument, side=side, close=features.close, ts_market=features.ts_event
    )
    if held * side.sign < ZERO:
        order = replace(order, quantity=abs(held), leaving=True)
    elif held != ZERO or not may_enter(state, ensemble, instrument):
        return None
    else:
        protection = protection_of(instrument, features.atr, ensemble.config, ensemble.parameters)
        fraction = _fraction(ensemble, instrument, computed)
        quantity = _quantity(state, ensemble, instrument, fraction)
        if protection is None or quantity <= ZERO:
            return None
        order = replace(order, quantity=quantity, protection=protection)
    reasons = ["exit" if order.leaving else "entry", *_reasons(computed)]
    return intent_of(state, features, order, reasons, now)


def _quantity(
    state: StrategyState, ensemble: EnsembleState, instrument: Instrument, fraction: Decimal
) -> Decimal:
    """Return the lots of a new position; none before the account is known."""
    account, limits = ensemble.account, limits_for(ensemble, instrument)
    unit = unit_of(state, ensemble, instrument)
    if account is None or limits is None or unit is None:
        return ZERO
    equity = max(account.equity_at_day_start, ZERO)
    room = room_for_order(state, ensemble, instrument.bucket, limits.bucket * equity)
    return quantity_within(instrument, min(fraction * equity, room), unit)


def _reasons(computed: ScoreComputed) -> list[str]:
    taken = [f"{name}={points:+.2f}" for name, points in computed.penalties.items()]
    score, base = f"score={computed.score:.4f}", f"base={computed.base:.4f}"
    return [score, base, *taken, f"mode={computed.mode}"]
