"""The threshold engine: follow a move that is larger than the threshold, leave on its opposite.

The threshold is in basis points per cadence. Prices spread with the square root of time, so on
bars longer than the cadence it is scaled by the square root of bar length over cadence.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import sqrt

from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.strategy.approvals import asked_first
from interlock.strategy.flatten import close_all, close_one, close_rest
from interlock.strategy.state import ConfigReloaded, StrategyState
from interlock.strategy.trim import ask_again, give_way, is_trimming, make_way, next_slices
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Heard, Said, caused_id, root_ids
from interlock.wire.build import build_of
from interlock.wire.catalogue import STRATEGY
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderCanceled, OrderExpired, OrderFilled, OrderIntent
from interlock.wire.policy import TradingStateChanged
from interlock.wire.system import ConfigChanged


def decide(state: StrategyState, heard: Heard, now: int) -> Sequence[Said]:
    return asked_first(state, heard, _answer(state, heard, now), now)


def _answer(state: StrategyState, heard: Heard, now: int) -> Sequence[Said]:
    match heard:
        case FeaturesComputed() if state.flattening is not None:
            closing = close_one(state, heard.instrument_id, heard, now)
            return [*give_way(state, heard, now), *closing]
        case FeaturesComputed():
            return _follow(state, heard, now)
        case AccountUpdated():
            return next_slices(state, heard, now)
        case TradingStateChanged() if state.flattening is not None:
            return [*give_way(state, heard, now), *close_all(state, heard, now)]
        case OrderFilled() | OrderCanceled() | OrderExpired() if state.flattening is not None:
            return close_rest(state, heard, now)
        case OrderCanceled():
            return ask_again(state, heard, now)
        case ConfigReloaded():
            return [_reloaded(state, heard, now)]
        case _:
            return ()


def _reloaded(state: StrategyState, report: ConfigReloaded, now: int) -> ConfigChanged:
    message_id, decision_id = root_ids(ConfigChanged, state.desk, STRATEGY, report.config_hash, now)
    return ConfigChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        service=STRATEGY,
        config_hash=report.config_hash,
        changes=report.changes,
    )


def _follow(state: StrategyState, heard: FeaturesComputed, now: int) -> Sequence[Said]:
    """Follow the move; while exposure is trimmed only out of a position, before its slices."""
    name, wanted = heard.instrument_id, _wanted(state, heard, now)
    if wanted is None:
        return ()
    if name not in state.asking:
        return [wanted] if wanted.reduce_only or not is_trimming(state) else ()
    return make_way(state, name, heard, now) if wanted.reduce_only else ()


def _wanted(state: StrategyState, heard: FeaturesComputed, now: int) -> OrderIntent | None:
    instrument = state.instruments.get(heard.instrument_id)
    if instrument is None or state.threshold_bps is None or heard.momentum_bps is None:
        return None
    if heard.close <= 0:
        return None
    if now - heard.ts_event > state.config.max_features_age_seconds * NANOS_PER_SECOND:
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
    intent_id = caused_id(features, OrderIntent, state.config.name)
    return OrderIntent(
        message_id=intent_id,
        decision_id=features.decision_id,
        ts_event=now,
        desk=state.desk,
        intent_id=intent_id,
        account=state.account,
        venue=state.venue,
        strategy=state.config.name,
        instrument_id=features.instrument_id,
        side=Side.BUY if change > ZERO else Side.SELL,
        order_type=OrderType.MARKET,
        quantity=abs(change),
        limit_price=None,
        time_in_force=TimeInForce.GTC,
        reduce_only=leaving,
        reference_price=instrument.price(features.close),
        ts_market=features.ts_event,
        policy_version=state.policy_version,
        reasons=[
            "exit" if leaving else "entry",
            f"momentum_bps={features.momentum_bps:.2f}",
            f"threshold_bps={threshold:.2f}",
        ],
        currency=instrument.currency,
        build=build_of(),
    )


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
