"""What the strategy answers: closing first, then a trim, then the engine of the desk."""

from collections.abc import Sequence

from interlock.strategy import threshold
from interlock.strategy.approvals import asked_first
from interlock.strategy.ensemble import engine
from interlock.strategy.ensemble.announcing import announcements
from interlock.strategy.ensemble.saving import save
from interlock.strategy.flatten import close_all, close_one, close_rest
from interlock.strategy.state import ConfigReloaded, StrategyState
from interlock.strategy.trim import ask_again, give_way, is_trimming, make_way, next_slices
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Heard, Said, root_ids
from interlock.wire.catalogue import STRATEGY
from interlock.wire.decisions import ScoreComputed
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderCanceled, OrderExpired, OrderFilled, OrderIntent
from interlock.wire.policy import TradingStateChanged
from interlock.wire.system import ConfigChanged


def decide(state: StrategyState, heard: Heard, now: int) -> Sequence[Said]:
    if state.ensemble is None:
        return _answered(state, heard, now)
    # People are told what fails before anything is done about it.
    return [*announcements(state, state.ensemble, heard, now), *_answered(state, heard, now)]


def _answered(state: StrategyState, heard: Heard, now: int) -> Sequence[Said]:
    return asked_first(state, heard, _answer(state, heard, now), now)


def _answer(state: StrategyState, heard: Heard, now: int) -> Sequence[Said]:
    match heard:
        case FeaturesComputed():
            return _on_bar(state, heard, now)
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


def _on_bar(state: StrategyState, heard: FeaturesComputed, now: int) -> Sequence[Said]:
    """Return the engine's view of a bar, and what follows from it unless all is to be closed."""
    score, wanted = _engine(state, heard, now)
    said: list[Said] = [*save(state, heard, now)] if score is None else [score]
    if state.flattening is not None:
        closing = close_one(state, heard.instrument_id, heard, now)
        return [*said, *give_way(state, heard, now), *closing]
    return said if wanted is None else [*said, *_in_turn(state, heard, wanted, now)]


def _engine(
    state: StrategyState, heard: FeaturesComputed, now: int
) -> tuple[ScoreComputed | None, OrderIntent | None]:
    """Return what the desk's engine makes of a bar, and what it wants."""
    if state.ensemble is None:
        return None, threshold.wanted(state, heard, now)
    score = engine.score(state, state.ensemble, heard, now)
    if score is None:
        return None, None
    return score, engine.wanted(state, state.ensemble, heard, score, now)


def _in_turn(
    state: StrategyState, heard: FeaturesComputed, wanted: OrderIntent, now: int
) -> Sequence[Said]:
    """Return what is wanted; while exposure is trimmed only what leaves, before its slices."""
    if wanted.instrument_id not in state.asking:
        return [wanted] if wanted.reduce_only or not is_trimming(state) else ()
    return make_way(state, wanted.instrument_id, heard, now) if wanted.reduce_only else ()
