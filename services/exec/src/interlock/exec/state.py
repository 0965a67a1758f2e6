"""What exec remembers, and how it changes."""

from dataclasses import dataclass, field
from decimal import Decimal

from msgspec.structs import replace

from interlock.model.order import CLOSED, OrderStatus, OrderTrigger, WorkingOrder, next_status
from interlock.model.values import ZERO, TradingMode, TradingState
from interlock.wire.base import Message, Report, caused_id
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
)
from interlock.wire.policy import ResumeTrading, TradingStateChanged
from interlock.wire.system import SwitchChanged


@dataclass(slots=True)
class ExecState:
    """`orders` holds every order that is not closed, `submitted` every intent ever sent.

    `refused` holds the intents we refused: the gate counts on their never being sent.

    `cost` is money paid for the filled part of an open order, for its average price.

    `pressed_at` is when the kill switch was last seen pressed, 0 while it is armed. `resumes` maps
    the id of the answer that a person's resume will bring about to that resume; `resumed` is one
    that was answered, until the desk has been active by it: not before tomorrow on a kill day.
    """

    desk: str
    account: str
    venue: str
    key_id: str
    read_only: bool
    mode: TradingMode
    build: str = ""
    orders: dict[str, WorkingOrder] = field(default_factory=dict[str, WorkingOrder])
    decisions: dict[str, str] = field(default_factory=dict[str, str])
    cost: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    submitted: set[str] = field(default_factory=set[str])
    refused: set[str] = field(default_factory=set[str])
    positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    trades: set[str] = field(default_factory=set[str])
    epoch: int = 0
    trading: TradingState = TradingState.HALTED
    demo_only: bool = False
    pressed_at: int = 0
    resumes: dict[str, ResumeTrading] = field(default_factory=dict[str, ResumeTrading])
    resumed: ResumeTrading | None = None


def evolve(state: ExecState, heard: Message | Report) -> ExecState:
    match heard:
        case OrderSubmitted():
            _submit(state, heard)
        case OrderRefused():
            state.refused.add(heard.intent_id)
        case OrderFilled():
            _fill(state, heard)
        case OrderAccepted():
            _move(state, heard, OrderTrigger.ACCEPT)
        case OrderRejected():
            _move(state, heard, OrderTrigger.REJECT)
        case OrderCanceled():
            _move(state, heard, OrderTrigger.CANCEL)
        case OrderExpired():
            _move(state, heard, OrderTrigger.EXPIRE)
        case OrderUnknown():
            _move(state, heard, OrderTrigger.LOSE)
        case TradingStateChanged() if heard.epoch >= state.epoch:
            _follow(state, heard)
        case ResumeTrading() if heard.by.strip():
            state.resumes[caused_id(heard, TradingStateChanged)] = heard
        case SwitchChanged(pressed=pressed):
            state.pressed_at = heard.seen_at if pressed else 0
            # Who resumed before the press has not resumed from it.
            state.resumes.clear()
            state.resumed = None
        case _:
            pass
    return state


def _follow(state: ExecState, change: TradingStateChanged) -> None:
    waiting = None if state.trading is TradingState.ACTIVE else state.resumed
    state.resumed = state.resumes.pop(change.message_id, waiting)
    state.epoch, state.trading = change.epoch, change.state
    state.demo_only = change.demo_only


def _submit(state: ExecState, event: OrderSubmitted) -> None:
    state.submitted.add(event.intent_id)
    state.decisions[event.client_order_id] = event.decision_id
    state.cost[event.client_order_id] = ZERO
    state.orders[event.client_order_id] = WorkingOrder(
        client_order_id=event.client_order_id,
        intent_id=event.intent_id,
        instrument_id=event.instrument_id,
        side=event.side,
        quantity=event.quantity,
        status=next_status(OrderStatus.INITIALIZED, OrderTrigger.SUBMIT),
        price=event.reference_price,
        limit_price=event.limit_price,
        time_in_force=event.time_in_force,
        ts_event=event.ts_event,
        order_type=event.order_type,
        reduce_only=event.reduce_only,
        post_only=event.post_only,
        parent=event.parent,
        stop_price=event.stop_price,
        trail_offset=event.trail_offset,
    )


def _move(state: ExecState, event: OrderEvent, trigger: OrderTrigger) -> None:
    order = state.orders[event.client_order_id]
    _keep(state, replace(order, status=next_status(order.status, trigger)))


def _fill(state: ExecState, fill: OrderFilled) -> None:
    if fill.trade_id in state.trades:
        return
    state.trades.add(fill.trade_id)
    held = state.positions.get(fill.instrument_id, ZERO)
    state.positions[fill.instrument_id] = held + fill.last_qty * fill.side.sign
    order = state.orders[fill.client_order_id]
    trigger = OrderTrigger.PARTIAL_FILL if fill.leaves_qty else OrderTrigger.FILL
    state.cost[fill.client_order_id] += fill.last_qty * fill.last_px
    _keep(state, replace(order, status=next_status(order.status, trigger), filled=fill.cum_qty))


def _keep(state: ExecState, order: WorkingOrder) -> None:
    if order.status in CLOSED:
        for table in (state.orders, state.decisions, state.cost):
            table.pop(order.client_order_id, None)
    else:
        state.orders[order.client_order_id] = order
