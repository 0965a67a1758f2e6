"""Signed orders to the venue, the venue's news to the desk. Nothing unsigned is sent."""

from collections.abc import Iterable, Sequence

from interlock.exec import protective
from interlock.exec.alerts import alert
from interlock.exec.checks import STOPPED, is_old, overtaken, refusal
from interlock.exec.news import IN_DOUBT, PENDING, news
from interlock.exec.ports import (
    AdvanceVenue,
    ArmSwitch,
    CancelOrder,
    CheckGuards,
    GuardsDue,
    LookAgain,
    LookedAgain,
    LookUp,
    OpenVenue,
    PlaceOrder,
    PressSwitch,
    PriceSeen,
    RestoreSwitch,
    SignatureVerified,
    SwitchMoved,
    Ticked,
    VenueAway,
    VenueOpened,
    VerifySignature,
    WatchPrice,
)
from interlock.exec.reconcile import (
    breaks_between,
    cash_alerts,
    cash_breaks,
    completed,
    taken_over,
    unavailable,
    unsettled,
)
from interlock.exec.rows import ask_end, moved, refused, submitted
from interlock.exec.state import ExecState, may_yet_trade
from interlock.exec.urgency import urgency
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.order import OrderStatus, WorkingOrder
from interlock.model.trading import Way
from interlock.model.values import Severity, TradingState
from interlock.venues.port import VenueLinkMoved, VenueLost, VenueMoved, VenueReport
from interlock.wire.base import Effect, Message, Report, root_ids
from interlock.wire.market import Bar, Quote, VenueBar
from interlock.wire.orders import CancelOrders, SubmitOrder, VenueLinkChanged
from interlock.wire.policy import HaltTrading, ResumeTrading, TradingStateChanged
from interlock.wire.system import SwitchChanged

LOOK_SECONDS = 2
RECONCILE_SECONDS = 60
ROUNDS = 5
"""How often the venue is asked anew because orders moved meanwhile, before it counts as a break."""


def ready(state: ExecState, message: Message) -> bool:
    """An order waits until the trading state it was approved under has been heard here, too."""
    return not isinstance(message, SubmitOrder) or message.epoch <= state.epoch


def begin(state: ExecState, now: int) -> Sequence[Message | Effect]:
    """Ask the venue for its book; the desk may trade once it equals ours and the switch is armed.

    Start-up and recovery are one path: a switch that was pressed cancels what is open once more,
    and every order in doubt is looked up. A venue that is another house has no link yet.
    """
    restore = RestoreSwitch(pressed_at=state.pressed_at)
    if state.simulated:
        return [_open(state), restore]
    return [*_linked(state, up=False, reason="exec starts", now=now), _open(state), restore]


def decide(state: ExecState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case SubmitOrder():
            return _submit(state, heard, now)
        case SignatureVerified():
            return _verified(state, heard, now)
        case LookedAgain():
            return _looked_again(state, heard, now)
        case VenueBar(bar=event) | (Quote() as event):
            return _market(state, event, heard.message_id)
        case VenueMoved():
            return moved(state, heard, now)
        case VenueReport():
            return news(state, heard, now)
        case GuardsDue(instrument_id=name):
            return protective.adjust(state, name, now)
        case PriceSeen(event=event):
            return protective.watch(state, event, now)
        case _:
            return _watch_venue(state, heard, now)


def _market(state: ExecState, event: Bar | Quote, cause: str) -> Sequence[Effect]:
    """Let a simulated venue live through a price first: what it fills may be protected at once."""
    effects: list[Effect] = []
    if state.orders and state.simulated:
        effects.append(AdvanceVenue(event=event, cause=cause))
    if state.guards:
        effects.append(WatchPrice(event=event))
    return effects


def _watch_venue(state: ExecState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case VenueOpened():
            return _opened(state, heard, now)
        case VenueAway(reason=reason):
            return () if state.opened else unavailable(state, reason, now)
        case VenueLinkMoved(up=up, reason=reason):
            said = _linked(state, up=up, reason=reason, now=now)
            return [*said, *_look_ups(state.orders.values()), _open(state)] if up else said
        case Ticked():
            return _ticked(state, heard, now)
        case CancelOrders() if heard.account == state.account:
            return _cancel(state, heard, now)
        case _:
            return _stop_or_go(state, heard, now)


def _open(state: ExecState, asked: int = 0) -> OpenVenue:
    return OpenVenue(
        orders=[*state.orders.values(), *may_yet_trade(state)],
        positions=dict(state.positions),
        trade_ids=set(state.trades),
        moves=state.moves,
        round=asked + 1,
    )


def _opened(state: ExecState, opened: VenueOpened, now: int) -> Sequence[Message | Effect]:
    """Say how the books differ, once what moved meanwhile cannot be the reason."""
    book = opened.book
    breaks = breaks_between(state.orders, state.closed, state.positions, book)
    breaks += cash_breaks(state, book)
    if opened.round < ROUNDS and unsettled(breaks, state.moved, opened.moves):
        return [_open(state, opened.round)]
    cash = taken_over(state, book, opened.moves)
    word = completed(state, book, breaks, cash, now)
    alerts = cash_alerts(state.last, word, breaks)
    return [word, *alerts, *_doubts(state), *_guards(state)]


def _doubts(state: ExecState) -> Sequence[Effect]:
    """Return what asks for the orders in doubt.

    An approved order at a simulated venue is answered for when its approval comes again.
    """
    orders = state.orders.values()
    return _look_ups(one for one in orders if one.parent or not state.simulated)


def _look_ups(orders: Iterable[WorkingOrder]) -> Sequence[Effect]:
    return [LookUp(client_order_id=one.client_order_id) for one in orders if one.status in IN_DOUBT]


def _guards(state: ExecState) -> Sequence[Effect]:
    names = sorted({guard.entry.instrument_id for guard in state.guards.values()})
    return [CheckGuards(instrument_id=name) for name in names]


def _linked(state: ExecState, *, up: bool, reason: str, now: int) -> Sequence[Message]:
    if state.link_up == up:
        return ()
    message_id, decision_id = root_ids(
        VenueLinkChanged, state.desk, state.account, up, now, state.moves
    )
    changed = VenueLinkChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        up=up,
        reason=reason,
    )
    return [changed]


def _ticked(state: ExecState, tick: Ticked, now: int) -> Sequence[Message | Effect]:
    """Ask again for what has no answer, and hold the books against each other once a minute."""
    effects: list[Effect] = []
    if tick.seconds % LOOK_SECONDS == 0:
        before = now - LOOK_SECONDS * NANOS_PER_SECOND
        effects += _look_ups(one for one in state.orders.values() if one.ts_event <= before)
        effects += [
            CancelOrder(client_order_id=one.client_order_id)
            for one in state.orders.values()
            if one.status in PENDING and not state.read_only
        ]
        effects += _guards(state)
        if not state.opened:
            effects.append(_open(state))
    if tick.seconds % RECONCILE_SECONDS == 0 and state.opened:
        effects.append(_open(state))
    return effects


def _cancel(state: ExecState, heard: CancelOrders, now: int) -> Sequence[Message | Effect]:
    """Ask for the end of orders, first of what adds risk. One in doubt may be there, too."""
    if state.read_only:
        return ()
    said: list[Message | Effect] = []
    for order in sorted(state.orders.values(), key=urgency):
        if order.status is OrderStatus.PENDING_CANCEL or not _meant(heard, order):
            continue
        if order.status is not OrderStatus.UNKNOWN:
            reason = f"{heard.by}: {heard.reason}"
            said.append(ask_end(state, order, now, reason))
        said.append(CancelOrder(client_order_id=order.client_order_id))
    return said


def _meant(heard: CancelOrders, order: WorkingOrder) -> bool:
    if heard.client_order_id:
        return heard.client_order_id == order.client_order_id
    return not order.parent and heard.instrument_id in ("", order.instrument_id)


def _stop_or_go(state: ExecState, heard: Message | Report, now: int) -> Sequence[Message | Effect]:
    match heard:
        case ResumeTrading() if state.accepted:
            return [_open(state)]
        case HaltTrading():
            return [PressSwitch(way=Way.COMMAND, by=heard.by, reason=heard.reason)]
        case TradingStateChanged() if heard.epoch == state.epoch:
            return _obeyed(state, heard)
        case SwitchMoved():
            return _moved(state, heard, now)
        case _:
            return ()


def _obeyed(state: ExecState, change: TradingStateChanged) -> Sequence[Effect]:
    """Follow the trading state: stop with it, and go on after it where a person has said so.

    What a rule has pressed, the policy service may take back; what a person, a file or a silence
    has, only the answer to a person's resume.
    """
    if change.state is TradingState.HALTED and change.cancel_orders:
        return [PressSwitch(way=Way.RULE, by=change.author, reason=change.reason)]
    if change.state is not TradingState.ACTIVE:
        return ()
    if state.resumed is None:
        return [ArmSwitch(by=change.author, reason=change.reason, by_person=False)]
    return [ArmSwitch(by=state.resumed.by, reason=state.resumed.reason, by_person=True)]


def _moved(state: ExecState, switch: SwitchMoved, now: int) -> Sequence[Message]:
    message_id, decision_id = root_ids(SwitchChanged, state.desk, switch.pressed, switch.seen_at)
    changed = SwitchChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        pressed=switch.pressed,
        way=switch.way,
        by=switch.by,
        reason=switch.reason,
        seen_at=switch.seen_at,
        last_submit_at=switch.last_submit_at,
        cancelled_at=switch.cancelled_at,
        cancelled=switch.cancelled,
    )
    if not switch.pressed:
        return [changed]
    text = (
        f"the kill switch is pressed by {switch.by} ({switch.way}): {switch.reason}; "
        f"{switch.cancelled} orders cancelled"
    )
    about = f"kill_switch.{switch.seen_at}"
    return [changed, alert(changed, Severity.CRITICAL, "kill_switch.pressed", text, about)]


def _sent(state: ExecState, order: SubmitOrder, now: int) -> Sequence[Message | Effect]:
    """Return the row and the sending of an order that may be sent; stops make room for it."""
    room, after = protective.make_room(state, order, now)
    return [submitted(order, now), *room, PlaceOrder(order=order, after=after)]


def _submit(state: ExecState, order: SubmitOrder, now: int) -> Sequence[Message | Effect]:
    if order.intent_id in state.submitted:
        standing = state.orders.get(order.client_order_id)
        unanswered = standing is not None and standing.status is OrderStatus.SUBMITTED
        return [VerifySignature(order=order)] if unanswered else ()
    if order.intent_id in state.refused:
        return ()
    why = refusal(state, order, now)
    if why is not None:
        return [refused(order, *why, now)]
    return [VerifySignature(order=order)]


def _verified(state: ExecState, heard: SignatureVerified, now: int) -> Sequence[Message | Effect]:
    order = heard.order
    if order.intent_id in state.submitted:
        return _again(state, heard, now)
    if not heard.genuine:
        return [refused(order, "signature", "not the gate's over these fields", now)]
    if is_old(order, now):
        return [LookAgain(order=order)]
    return _sent(state, order, now)


def _again(state: ExecState, heard: SignatureVerified, now: int) -> Sequence[Message | Effect]:
    """An order that was written ahead, seen again after a restart.

    A venue in this process takes one client order id once, so sending again is safe while the
    approval holds; after that nobody knows, and it counts as exposure until the venue says more.
    Another house is not sent it twice but asked what became of it. A forgery is
    passed over: to refuse it would tell the gate that the true one was never sent. Where nothing
    may increase risk any more it is not sent again but cancelled: it may have arrived.
    """
    order = heard.order
    if not heard.genuine:
        return ()
    why = refusal(state, order, now)
    if why is None and not state.simulated:
        return [LookUp(client_order_id=order.client_order_id)]
    if why is None:
        return [LookAgain(order=order)] if is_old(order, now) else [PlaceOrder(order=order)]
    return _not_again(state, order, why[0], now)


def _not_again(
    state: ExecState, order: SubmitOrder, code: str, now: int
) -> Sequence[Message | Effect]:
    if code in STOPPED:
        return [CancelOrder(client_order_id=order.client_order_id)]
    if not state.simulated:
        return [LookUp(client_order_id=order.client_order_id)]
    lost = VenueLost(client_order_id=order.client_order_id, reason="restarted before an answer")
    return news(state, lost, now)


def _looked_again(state: ExecState, seen: LookedAgain, now: int) -> Sequence[Message | Effect]:
    """Send an order that waited, unless what waits behind it forbids that.

    A process that was stopped for a while finds approvals before the halt that followed them.
    """
    order = seen.order
    why = overtaken(order, seen) or refusal(state, order, now)
    if order.intent_id not in state.submitted:
        if why is not None:
            return [refused(order, *why, now)]
        return _sent(state, order, now)
    if why is None:
        return [PlaceOrder(order=order)]
    return _not_again(state, order, why[0], now)
