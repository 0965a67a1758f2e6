"""What exec remembers, and how it changes.

What exec has said is taken in without a check: nothing is said that the table of an order's life
does not list. What the table does not list is named as a break instead (`news`).
"""

from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite

from msgspec.structs import replace

from interlock.exec.cash import USUAL, Cash, Tolerance, pay
from interlock.exec.guards import Guard, of, see, take_fill
from interlock.exec.ports import NOT_SENT, STILL_STANDS, Ticked, VenueOpened
from interlock.model.instrument import Instrument
from interlock.model.order import CLOSED, OrderStatus, OrderTrigger, WorkingOrder, next_status
from interlock.model.values import ZERO, OrderType, TradingMode, TradingState
from interlock.venues.port import VenueNeverSeen
from interlock.wire.base import Message, Report, caused_id
from interlock.wire.market import Bar, Quote, VenueBar
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRequested,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderKept,
    OrderMoved,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
    ReconciliationCompleted,
    VenueLinkChanged,
)
from interlock.wire.policy import ResumeTrading, TradingStateChanged, names_person
from interlock.wire.system import SwitchChanged

CLOSED_KEPT = 10_000
"""So many closed orders are remembered: a trade may be told after the end of its order."""
NEVER_SEEN = "the venue has never seen it"
LOOK_NS = 1_000_000_000
"""How long exec waits where the venue did not say what an order has traded."""
ENDED_KEPT = 8
REST_NS = 5_000_000_000
"""How long exec waits after a venue has refused a protective order."""


@dataclass(slots=True)
class ExecState:
    """`orders` holds every order that is not closed, `submitted` every intent ever sent.

    `refused` holds the intents we refused: the gate counts on their never being sent.

    `cost` is money paid for the filled part of an open order, for its average price.

    `pressed_at` is when the kill switch was last seen pressed, 0 while it is armed. `resumes` maps
    the id of the answer that a person's resume will bring about to that resume; `resumed` is one
    that was answered, until the desk has been active by it: not before tomorrow on a kill day.

    A venue that is `simulated` lives in this process and answers at once. `keeps` are the kinds
    of protective orders the venue keeps, `instruments` what the desk trades, by id. `closed`
    holds the last orders that have ended, with what their filled part cost in `cost`. `doubts`
    counts how often an order has been in doubt, which keeps the ids of its events apart.
    `guards` has the protected entries that are held or may fill, `spent` those that may only
    fill by a trade that is told late. `seconds` and `opened` are this process's own: how long
    it has been awake, and whether the venue has shown its book; `unseen` is when the venue
    first knew nothing of an order.
    `moves` counts what has happened to orders, `moved` its value per instrument at the last event,
    `last_fill` its value at the last fill.

    `cash` is ours by currency, where the venue names it. `accepted` is by how much a named person
    has let the venue's cash differ, which is taken over when it is next held against ours.
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
    simulated: bool = True
    keeps: frozenset[OrderType] = frozenset()
    instruments: dict[str, Instrument] = field(default_factory=dict[str, Instrument])
    closed: dict[str, WorkingOrder] = field(default_factory=dict[str, WorkingOrder])
    doubts: dict[str, int] = field(default_factory=dict[str, int])
    guards: dict[str, Guard] = field(default_factory=dict[str, Guard])
    spent: dict[str, Guard] = field(default_factory=dict[str, Guard])
    link_up: bool = True
    link_reason: str = ""
    last: ReconciliationCompleted | None = None
    seconds: int = 0
    opened: bool = False
    unseen: dict[str, int] = field(default_factory=dict[str, int])
    moves: int = 0
    moved: dict[str, int] = field(default_factory=dict[str, int])
    last_fill: int = 0
    tolerance: Tolerance = USUAL
    max_clock_offset_ns: int = 0
    cash: dict[str, Cash] = field(default_factory=dict[str, Cash])
    accepted: dict[str, Decimal] = field(default_factory=dict[str, Decimal])


def evolve(state: ExecState, heard: Message | Report) -> ExecState:
    match heard:
        case OrderEvent():
            _happen(state, heard)
        case VenueBar(bar=event) | (Quote() as event):
            _see(state, event)
        case TradingStateChanged() if heard.epoch >= state.epoch:
            _follow(state, heard)
        case ResumeTrading() if names_person(heard.by):
            _resume(state, heard)
        case SwitchChanged(pressed=pressed):
            state.pressed_at = heard.seen_at if pressed else 0
            # Who resumed before the press has not resumed from it, and what the press has
            # cancelled stays cancelled: only what fills after it is protected again.
            state.resumes.clear()
            state.resumed = None
            if pressed:
                state.guards.clear()
                state.spent.clear()
        case VenueLinkChanged():
            state.link_up, state.link_reason = heard.up, heard.reason
        case ReconciliationCompleted():
            _reconcile(state, heard)
        case _:
            _notice(state, heard)
    return state


def _notice(state: ExecState, heard: Message | Report) -> None:
    """Take in what only this process knows."""
    match heard:
        case Ticked():
            state.seconds = heard.seconds
        case VenueOpened():
            state.opened = True
        case VenueNeverSeen():
            state.unseen.setdefault(heard.client_order_id, state.seconds)
        case _:
            pass


def _happen(state: ExecState, event: OrderEvent) -> None:
    match event:
        case OrderRefused():
            state.refused.add(event.intent_id)
            return
        case OrderMoved():
            _stand(state, event)
            return
        case OrderSubmitted():
            _submit(state, event)
        case OrderFilled():
            _fill(state, event)
        case OrderKept():
            _keep_on(state, event)
        case OrderCancelRequested():
            asks = OrderTrigger.ASK_REPLACE if event.replacing else OrderTrigger.ASK_CANCEL
            _move(state, event, asks)
        case _:
            _move(state, event, _TRIGGERS[type(event)])
    state.moves += 1
    state.moved[event.instrument_id] = state.moves
    state.unseen.pop(event.client_order_id, None)


_TRIGGERS: dict[type[OrderEvent], OrderTrigger] = {
    OrderAccepted: OrderTrigger.ACCEPT,
    OrderRejected: OrderTrigger.REJECT,
    OrderCanceled: OrderTrigger.CANCEL,
    OrderExpired: OrderTrigger.EXPIRE,
    OrderUnknown: OrderTrigger.LOSE,
}


def _see(state: ExecState, event: Bar | Quote) -> None:
    if state.guards and is_price(event):
        see(state.guards, event)


def is_price(event: Bar | Quote) -> bool:
    """Return whether stops can be held against it."""
    numbers = (event.low, event.high) if isinstance(event, Bar) else (event.bid, event.ask)
    return all(isfinite(number) and number > 0 for number in numbers)


def _follow(state: ExecState, change: TradingStateChanged) -> None:
    waiting = None if state.trading is TradingState.ACTIVE else state.resumed
    state.resumed = state.resumes.pop(change.message_id, waiting)
    state.epoch, state.trading = change.epoch, change.state
    state.demo_only = change.demo_only


def _resume(state: ExecState, heard: ResumeTrading) -> None:
    state.resumes[caused_id(heard, TradingStateChanged)] = heard
    if state.last is not None and state.last.cash_breaks and names_person(heard.by):
        # This difference only: another one is nothing that this person has looked at.
        state.accepted = dict(state.last.cash_breaks)


def _reconcile(state: ExecState, heard: ReconciliationCompleted) -> None:
    state.last = heard
    for currency, amount in heard.cash.items():
        state.cash[currency] = Cash(amount)
        state.accepted.pop(currency, None)


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

    if event.parent in state.guards:
        guard = state.guards[event.parent]
        guard.generation += 1
        guard.children.append(event.client_order_id)
    elif event.protection is not None and not event.parent and not event.reduce_only:
        state.guards[event.client_order_id] = Guard(event, event.protection)


def _move(state: ExecState, event: OrderEvent, trigger: OrderTrigger) -> None:
    order = state.orders[event.client_order_id]
    if trigger in (OrderTrigger.LOSE, OrderTrigger.ASK_CANCEL, OrderTrigger.ASK_REPLACE):
        state.doubts[order.client_order_id] = state.doubts.get(order.client_order_id, 0) + 1
    if isinstance(event, OrderAccepted):
        order = replace(order, venue_order_id=event.venue_order_id)
    guard = state.guards.get(order.parent)
    if guard is not None and isinstance(event, OrderRejected) and event.reason != NEVER_SEEN:
        guard.refused = guard.refused or order.order_type is not OrderType.MARKET
        guard.wait_until = event.ts_event + REST_NS
    elif guard is not None and isinstance(event, OrderCanceled) and event.reason == STILL_STANDS:
        guard.waited += 1
        guard.wait_until = event.ts_event + LOOK_NS
    elif guard is not None and isinstance(event, OrderAccepted):
        guard.waited = 0
        guard.ended.clear()
    if _may_have_traded(event):
        _mark_ended(state, order)
    _keep(state, replace(order, status=next_status(order.status, trigger)))


def _may_have_traded(event: OrderEvent) -> bool:
    """Return whether an order has ended at the venue, which may yet tell a trade of it."""
    sent = not isinstance(event, OrderCanceled) or event.reason not in NOT_SENT
    return isinstance(event, OrderCanceled | OrderExpired) and sent


def _mark_ended(state: ExecState, order: WorkingOrder) -> None:
    for guard in of(state.guards.values(), order.instrument_id):
        if guard.side is order.side:
            guard.ended = [*guard.ended, order.client_order_id][-ENDED_KEPT:]


def _stand(state: ExecState, event: OrderMoved) -> None:
    order = state.orders[event.client_order_id]
    _keep(state, replace(order, stop_price=event.stop_price, live=event.live))


def _keep_on(state: ExecState, event: OrderKept) -> None:
    order = state.orders[event.client_order_id]
    _move(state, event, OrderTrigger.KEEP_PARTLY if order.filled else OrderTrigger.KEEP)


def _fill(state: ExecState, fill: OrderFilled) -> None:
    if fill.trade_id in state.trades:
        return
    state.trades.add(fill.trade_id)
    state.last_fill = state.moves + 1
    pay(state.cash, fill, state.instruments.get(fill.instrument_id))
    held = state.positions.get(fill.instrument_id, ZERO) + fill.last_qty * fill.side.sign
    state.positions[fill.instrument_id] = held
    name = fill.client_order_id
    order = state.orders.get(name) or state.closed[name]
    if name in state.spent:
        state.guards[name] = state.spent.pop(name)
    take_fill(state.guards, fill, order.parent, held)
    state.cost[name] += fill.last_qty * fill.last_px
    order = replace(order, filled=fill.cum_qty)
    if order.status in CLOSED:
        state.closed[name] = order
        return
    trigger = OrderTrigger.PARTIAL_FILL if fill.leaves_qty else OrderTrigger.FILL
    _keep(state, replace(order, status=next_status(order.status, trigger)))


def _keep(state: ExecState, order: WorkingOrder) -> None:
    name = order.client_order_id
    if order.status not in CLOSED:
        state.orders[name] = order
        return
    state.orders.pop(name, None)
    state.closed[name] = order
    if len(state.closed) > CLOSED_KEPT:
        oldest = next(iter(state.closed))
        for table in (state.closed, state.decisions, state.cost, state.doubts, state.spent):
            table.pop(oldest, None)
    _let_go(state, order)


def may_yet_trade(state: ExecState) -> list[WorkingOrder]:
    """Return the orders that have ended and are asked about before a stop follows them."""
    guards = [*state.guards.values(), *state.spent.values()]
    names = {name: None for guard in guards for name in guard.ended}
    return [state.closed[name] for name in names if name in state.closed]


def _let_go(state: ExecState, order: WorkingOrder) -> None:
    """Forget the guards of this instrument that have nothing left to protect."""
    guard = state.guards.get(order.parent)
    if guard is not None and order.client_order_id in guard.children:
        guard.children.remove(order.client_order_id)
    if state.guards:
        done = [
            name
            for name, one in state.guards.items()
            if one.entry.instrument_id == order.instrument_id
            and not (one.open or one.children or name in state.orders)
        ]
        for name in done:
            state.spent[name] = state.guards.pop(name)
