"""What the strategy remembers, and how it changes."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite

from interlock.model.instrument import Instrument
from interlock.model.values import ZERO
from interlock.strategy.config import StrategyConfig
from interlock.strategy.waiting import CONCERNED, Waiting
from interlock.wire.base import Message, Report
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import (
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.system import ConfigLine


class ConfigReloaded(Report, frozen=True, kw_only=True):
    """The desk file changed and its section is usable."""

    config: StrategyConfig
    config_hash: str
    changes: list[ConfigLine]


@dataclass(slots=True)
class StrategyState:
    """`asking` holds, per instrument, the intent whose fate is not known yet.

    `flattening` is the trading state that demands that every position be closed, `closing` the last
    intent for that by instrument, `closes` the last close and its moment. `waiting` is what people
    are asked first.
    """

    desk: str
    account: str
    venue: str
    cadence_seconds: int
    config: StrategyConfig
    instruments: dict[str, Instrument]
    threshold_bps: float | None = None
    policy_version: int = 0
    positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    asking: dict[str, str] = field(default_factory=dict[str, str])
    epoch: int = 0
    flattening: TradingStateChanged | None = None
    closing: dict[str, str] = field(default_factory=dict[str, str])
    closes: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    waiting: Waiting = field(default_factory=Waiting)


def evolve(state: StrategyState, heard: Message | Report) -> StrategyState:
    if isinstance(heard, CONCERNED):
        state.waiting.take(heard)
    match heard:
        case OrderIntent():
            state.asking[heard.instrument_id] = heard.intent_id
            if heard.reasons[:1] == ["flatten"]:
                state.closing[heard.instrument_id] = heard.intent_id
        case FeaturesComputed() if heard.close > 0:
            state.closes[heard.instrument_id] = heard.close, heard.ts_event
        case OrderFilled():
            held = state.positions.get(heard.instrument_id, ZERO)
            state.positions[heard.instrument_id] = held + heard.last_qty * heard.side.sign
            if heard.leaves_qty == ZERO:
                _answered(state, heard.instrument_id, heard.intent_id)
        case OrderDenied() | OrderRefused() | OrderRejected() | OrderCanceled() | OrderExpired():
            _answered(state, heard.instrument_id, heard.intent_id)
        case PolicyChanged():
            _take_over(state, heard)
        case TradingStateChanged() if heard.epoch > state.epoch:
            state.epoch = heard.epoch
            state.flattening = heard if heard.flatten else None
        case ConfigReloaded():
            state.config = heard.config
        case _:
            pass
    return state


def _answered(state: StrategyState, instrument_id: str, intent_id: str) -> None:
    if state.asking.get(instrument_id) == intent_id:
        del state.asking[instrument_id]


def _take_over(state: StrategyState, policy: PolicyChanged) -> None:
    """Use a new policy at once; a value that cannot be used leaves the last good one standing."""
    value = policy.parameters.get(state.config.parameter)
    state.policy_version = policy.version
    if value is not None and isfinite(value) and value > 0:
        state.threshold_bps = value
