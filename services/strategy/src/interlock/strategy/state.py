"""What the strategy remembers, and how it changes."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite

from msgspec import Struct
from msgspec.structs import replace

from interlock.model.ids import client_order_id
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO
from interlock.strategy.config import StrategyConfig
from interlock.strategy.ensemble.state import EnsembleState, take
from interlock.strategy.waiting import CONCERNED, Waiting
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Message, Report
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import (
    CancelOrders,
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

TRIM = "trim"
"""The first reason of an intent that brings exposure back under its limit."""


LEAVES = f"{TRIM}: the strategy leaves the position"


class Slice(Struct, frozen=True, kw_only=True):
    """An order of a trim that may trade. `ending_at` is when its end was last asked for, or 0."""

    intent_id: str
    leaves: Decimal
    ts_event: int
    ending_at: int = 0


class ConfigReloaded(Report, frozen=True, kw_only=True):
    """The desk file changed and its section is usable."""

    config: StrategyConfig
    config_hash: str
    changes: list[ConfigLine]


@dataclass(slots=True)
class StrategyState:
    """`asking` holds, per instrument, the intent whose fate is not known yet.

    `flattening` is the trading state that demands that every position be closed, `closing` the last
    intent for that by instrument, `closes` the last close and its moment. `slices` are the orders
    of a trim that rest, `sliced_at` when the last of an instrument was asked for, `timed_out` the
    last that ended after its time, `leaving` where one was taken back for an exit, until the exit;
    `equity` and `marks` are the account's, none and empty until it was told. `ensemble` is what
    only the meta-ensemble remembers, `waiting` what people are asked first.
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
    spreads_bps: dict[str, float] = field(default_factory=dict[str, float])
    slices: dict[str, Slice] = field(default_factory=dict[str, Slice])
    sliced_at: dict[str, int] = field(default_factory=dict[str, int])
    timed_out: dict[str, str] = field(default_factory=dict[str, str])
    leaving: set[str] = field(default_factory=set[str])
    equity: Decimal | None = None
    marks: dict[str, float] = field(default_factory=dict[str, float])
    ensemble: EnsembleState | None = None
    waiting: Waiting = field(default_factory=Waiting)


def evolve(state: StrategyState, heard: Message | Report) -> StrategyState:
    _of_trim(state, heard)
    if state.ensemble is not None:
        take(state.ensemble, heard)
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
            _reconfigure(state, heard.config)
        case _:
            pass
    return state


def _answered(state: StrategyState, instrument_id: str, intent_id: str) -> None:
    if state.asking.get(instrument_id) == intent_id:
        del state.asking[instrument_id]
    one = state.slices.get(instrument_id)
    if one is not None and one.intent_id == intent_id:
        del state.slices[instrument_id]


def _of_trim(state: StrategyState, heard: Message | Report) -> None:
    match heard:
        case OrderIntent(instrument_id=name):
            state.leaving.discard(name)
            if heard.reasons[:1] == [TRIM]:
                _sliced(state, heard)
        case CancelOrders():
            _ending(state, heard)
        case OrderCanceled(instrument_id=name) if name not in state.leaving:
            one = state.slices.get(name)
            if one is not None and one.intent_id == heard.intent_id and one.ending_at:
                state.timed_out[name] = one.intent_id
        case OrderFilled():
            _traded(state, heard)
        case AccountUpdated() if heard.account == state.account:
            state.equity = heard.equity
            state.marks = {one.instrument_id: float(one.mark) for one in heard.positions}
        case FeaturesComputed(instrument_id=name):
            state.spreads_bps[name] = heard.spread_bps or 0.0
            if name not in state.asking:
                state.leaving.discard(name)
        case _:
            pass


def _sliced(state: StrategyState, asked: OrderIntent) -> None:
    state.sliced_at[asked.instrument_id] = asked.ts_event
    state.slices[asked.instrument_id] = Slice(
        intent_id=asked.intent_id, leaves=asked.quantity, ts_event=asked.ts_event
    )


def _ending(state: StrategyState, asked: CancelOrders) -> None:
    for name, one in state.slices.items():
        if client_order_id(one.intent_id) == asked.client_order_id:
            state.slices[name] = replace(one, ending_at=asked.ts_event)
            if asked.reason == LEAVES:
                state.leaving.add(name)
            return


def _traded(state: StrategyState, fill: OrderFilled) -> None:
    one = state.slices.get(fill.instrument_id)
    if one is not None and one.intent_id == fill.intent_id:
        left = min(fill.leaves_qty, max(one.leaves - fill.last_qty, ZERO))
        state.slices[fill.instrument_id] = replace(one, leaves=left)


def _reconfigure(state: StrategyState, config: StrategyConfig) -> None:
    state.config = config
    if state.ensemble is not None and config.ensemble is not None:
        state.ensemble.config = config.ensemble
        state.ensemble.savings.configure(config.sip, state.instruments)


def _take_over(state: StrategyState, policy: PolicyChanged) -> None:
    """Use a new policy at once; a value that cannot be used leaves the last good one standing."""
    value = policy.parameters.get(state.config.parameter)
    state.policy_version = policy.version
    if value is not None and isfinite(value) and value > 0:
        state.threshold_bps = value
