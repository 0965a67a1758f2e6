"""What the gate remembers, and how it changes."""

from dataclasses import dataclass, field
from decimal import Context, Decimal
from math import nan

from msgspec import Struct
from msgspec.structs import replace

from interlock.gate.config import GateConfig
from interlock.gate.witness import Witness, note
from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, Side, TradingMode, TradingState
from interlock.wire.base import Message, Report
from interlock.wire.market import Bar, FeedCondition, FeedStatusChanged, Quote
from interlock.wire.orders import (
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    ReconciliationCompleted,
    SubmitOrder,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged

DOUBTFUL = frozenset(
    {FeedCondition.STALE, FeedCondition.GAP, FeedCondition.JUMP, FeedCondition.CROSSED}
)
_EXACT = Context(prec=100)
"""A sum that runs along must not round: what was lost would be missing from it for ever."""


class Reference(Struct, frozen=True):
    """The latest price of an instrument and the moment it was true."""

    price: Decimal
    ts_event: int


@dataclass(slots=True)
class GateState:
    """Exposure is `positions` plus `working`; an order leaves `working` only by venue evidence.

    `leaves` is the sum over `working` per instrument and side, so that no control has to add it
    up; only `keep_working` and `stop_working` change the two. `approved` holds intent ids,
    `denials` message ids of `OrderDenied`.
    """

    desk: str
    account: str
    venue: str
    mode: TradingMode
    config: GateConfig
    config_hash: str
    key_id: str
    instruments: dict[str, Instrument]
    references: dict[str, Reference] = field(default_factory=dict[str, Reference])
    positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    working: dict[str, WorkingOrder] = field(default_factory=dict[str, WorkingOrder])
    leaves: dict[tuple[str, Side], Decimal] = field(default_factory=dict[tuple[str, Side], Decimal])
    approved: set[str] = field(default_factory=set[str])
    denials: set[str] = field(default_factory=set[str])
    trades: set[str] = field(default_factory=set[str])
    policy_version: int | None = None
    trading: TradingState = TradingState.HALTED
    epoch: int = 0
    reconciled: bool = False
    breaks: list[str] = field(default_factory=list[str])
    suspect: dict[str, FeedCondition] = field(default_factory=dict[str, FeedCondition])
    witness: Witness = field(default_factory=Witness)


def evolve(state: GateState, heard: Message | Report) -> GateState:
    note(state.witness, heard)
    match heard:
        case Bar():
            _refer(state, heard.instrument_id, heard.close, heard.ts_event)
        case Quote():
            _refer(state, heard.instrument_id, _middle(heard), heard.ts_event)
        case SubmitOrder():
            _approve(state, heard)
        case OrderDenied():
            state.denials.add(heard.message_id)
        case OrderFilled():
            _fill(state, heard)
        case OrderCanceled() | OrderExpired() | OrderRejected() | OrderRefused():
            stop_working(state, heard.client_order_id)
        case FeedStatusChanged():
            _suspect(state, heard)
        case PolicyChanged():
            state.policy_version = heard.version
        case TradingStateChanged() if heard.epoch >= state.epoch:
            state.trading, state.epoch = heard.state, heard.epoch
        case ReconciliationCompleted():
            state.reconciled, state.breaks = not heard.breaks, heard.breaks
        case _:
            pass
    return state


def _suspect(state: GateState, status: FeedStatusChanged) -> None:
    """Distrust an instrument's price while its feed reports what makes a price doubtful."""
    instrument = state.instruments.get(status.instrument_id)
    if instrument is None:
        return
    if status.condition is FeedCondition.OK:
        state.suspect.pop(instrument.instrument_id, None)
    elif status.condition in DOUBTFUL:
        state.suspect[instrument.instrument_id] = status.condition


def _middle(quote: Quote) -> float:
    """Return the middle of the quote; a crossed one has none."""
    return (quote.bid + quote.ask) / 2 if 0 < quote.bid <= quote.ask else nan


def _refer(state: GateState, name: str, price: float, ts_event: int) -> None:
    instrument = state.instruments.get(name)
    if instrument is None:
        return
    known = state.references.get(instrument.instrument_id)
    if known is None or known.ts_event <= ts_event:
        reference = Reference(Decimal(repr(price)), ts_event)
        state.references[instrument.instrument_id] = reference


def _approve(state: GateState, order: SubmitOrder) -> None:
    state.approved.add(order.intent_id)
    working = WorkingOrder(
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity,
        price=order.reference_price,
    )
    keep_working(state, working)


def keep_working(state: GateState, order: WorkingOrder) -> None:
    """Count `order` as open, in the place of what was known of it."""
    stop_working(state, order.client_order_id)
    state.working[order.client_order_id] = order
    _add(state, order, order.leaves)


def stop_working(state: GateState, client_order_id: str) -> None:
    """Count an order as open no longer; one that was not changes nothing."""
    order = state.working.pop(client_order_id, None)
    if order is not None:
        _add(state, order, -order.leaves)


def _add(state: GateState, order: WorkingOrder, change: Decimal) -> None:
    where = order.instrument_id, order.side
    state.leaves[where] = _EXACT.add(state.leaves.get(where, ZERO), change)


def _fill(state: GateState, fill: OrderFilled) -> None:
    if fill.trade_id in state.trades:
        return
    state.trades.add(fill.trade_id)
    held = state.positions.get(fill.instrument_id, ZERO)
    state.positions[fill.instrument_id] = held + fill.last_qty * fill.side.sign
    order = state.working.get(fill.client_order_id)
    if order is None:
        return
    if fill.leaves_qty == ZERO:
        stop_working(state, fill.client_order_id)
    else:
        keep_working(state, replace(order, filled=fill.cum_qty))
