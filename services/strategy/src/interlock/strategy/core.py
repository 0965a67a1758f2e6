"""What the strategy answers: closing first, then the engine that the desk is configured for."""

from collections.abc import Sequence

from interlock.strategy import threshold
from interlock.strategy.ensemble import engine
from interlock.strategy.flatten import close_all, close_one, close_rest
from interlock.strategy.state import ConfigReloaded, StrategyState
from interlock.wire.base import Heard, Said, root_ids
from interlock.wire.catalogue import STRATEGY
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderCanceled, OrderExpired, OrderFilled
from interlock.wire.policy import TradingStateChanged
from interlock.wire.system import ConfigChanged


def decide(state: StrategyState, heard: Heard, now: int) -> Sequence[Said]:
    match heard:
        case TradingStateChanged():
            return close_all(state, heard, now)
        case OrderFilled() | OrderCanceled() | OrderExpired():
            return close_rest(state, heard, now)
        case ConfigReloaded():
            return [_reloaded(state, heard, now)]
        case _ if state.ensemble is not None:
            return engine.decide(state, state.ensemble, heard, now)
        case FeaturesComputed() if state.flattening is not None:
            return close_one(state, heard.instrument_id, heard, now)
        case FeaturesComputed():
            return threshold.follow(state, heard, now)
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
