"""What the gate remembers, and how it changes."""

from dataclasses import dataclass, field
from decimal import Decimal
from math import nan

from interlock.gate.config import GateConfig
from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, TradingMode, TradingState
from interlock.wire.base import Message, Report
from interlock.wire.market import Bar, Quote
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


@dataclass(frozen=True, slots=True)
class Reference:
    """The latest price of an instrument and the moment it was true."""

    price: Decimal
    ts_event: int


@dataclass(slots=True)
class GateState:
    """Exposure is `positions` plus `working`; an order leaves `working` only by venue evidence.

    `approved` holds intent ids, `denials` message ids of `OrderDenied`.
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
    approved: set[str] = field(default_factory=set[str])
    denials: set[str] = field(default_factory=set[str])
    trades: set[str] = field(default_factory=set[str])
    policy_version: int | None = None
    trading: TradingState = TradingState.HALTED
    epoch: int = 0
    reconciled: bool = False
    breaks: list[str] = field(default_factory=list[str])


def evolve(state: GateState, heard: Message | Report) -> GateState:
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
            state.working.pop(heard.client_order_id, None)
        case PolicyChanged():
            state.policy_version = heard.version
        case TradingStateChanged() if heard.epoch >= state.epoch:
            state.trading, state.epoch = heard.state, heard.epoch
        case ReconciliationCompleted():
            state.reconciled, state.breaks = not heard.breaks, heard.breaks
        case _:
            pass
    return state


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
    state.working[order.client_order_id] = WorkingOrder(
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        instrument_id=order.instrument_id,
        side=order.side,
        quantity=order.quantity,
        price=order.reference_price,
    )


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
        del state.working[fill.client_order_id]
    else:
        state.working[fill.client_order_id] = WorkingOrder(
            client_order_id=order.client_order_id,
            intent_id=order.intent_id,
            instrument_id=order.instrument_id,
            side=order.side,
            quantity=order.quantity,
            filled=fill.cum_qty,
            price=order.price,
        )
