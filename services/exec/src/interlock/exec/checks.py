"""What makes exec refuse an order that claims to be approved."""

from interlock.exec.ports import LookedAgain
from interlock.exec.state import ExecState
from interlock.model.values import ZERO, Side, TradingMode, TradingState
from interlock.wire.orders import SubmitOrder

FRESH_NS = 100_000_000
"""A tenth of a second: what the kill switch's quarter of a second leaves for looking again."""
HALTED, KILL_SWITCH = "halted", "kill_switch"
VENUE_LINK, BREAK = "venue_link", "break"
STOPPED = frozenset({HALTED, KILL_SWITCH})
"""Codes of what is refused because nothing may increase risk now."""


def refusal(state: ExecState, order: SubmitOrder, now: int) -> tuple[str, str] | None:
    """Return the code and the detail of why `order` is not sent, none where it may be.

    The signature is not looked at here: it is asked for once nothing else speaks against it.
    """
    if state.read_only:
        return "read_only", "the desk runs read-only"
    if (order.desk, order.account, order.venue) != (state.desk, state.account, state.venue):
        return "account", f"{order.desk}: {order.account} at {order.venue}"
    if order.key_id != state.key_id:
        return "key", f"signed with {order.key_id}, not {state.key_id}"
    if order.build != state.build:
        return "build", f"approved by build {order.build!r}, not {state.build!r}"
    if order.mode is TradingMode.LIVE and (state.mode is not TradingMode.LIVE or state.demo_only):
        return "mode", "a live order on a desk that trades on paper now"
    if order.epoch != state.epoch:
        older = "older" if order.epoch < state.epoch else "newer"
        return "epoch", f"epoch {order.epoch} is {older} than {state.epoch}"
    late = _out_of_time(order, now, state.max_clock_offset_ns)
    if late is not None:
        return late
    return _growing(state, order) if order.reduce_only else _stopped(state, order)


def _out_of_time(order: SubmitOrder, now: int, max_offset_ns: int) -> tuple[str, str] | None:
    """Refuse what has expired, and what is only to come: one of the two clocks is wrong then.

    Where ours went back, an approval of an hour ago would look fresh.
    """
    if order.expires_at <= now:
        return "expired", f"{(now - order.expires_at) / 1e9:.3f} s ago"
    if order.ts_event > now + max_offset_ns:
        return "clock", f"approved {(order.ts_event - now) / 1e9:.3f} s from now"
    return None


def is_old(order: SubmitOrder, now: int) -> bool:
    """Return whether a halt may have been stored since, that waits behind this order."""
    return now - order.ts_event > FRESH_NS


def overtaken(order: SubmitOrder, seen: LookedAgain) -> tuple[str, str] | None:
    """Return what has been stored since and forbids sending `order`."""
    standing = seen.standing
    if standing is not None and standing.epoch != order.epoch:
        return "epoch", f"epoch {order.epoch} is not {standing.epoch}, which is in the stream"
    if order.reduce_only:
        return None
    if seen.halted_at > seen.resumed_at:
        return HALTED, "a halt is in the stream, and nobody has resumed since"
    if standing is not None and standing.state is not TradingState.ACTIVE:
        return HALTED, f"the desk is {standing.state} in the stream"
    return None


def _stopped(state: ExecState, order: SubmitOrder) -> tuple[str, str] | None:
    if state.pressed_at:
        return KILL_SWITCH, "the kill switch is pressed"
    if not state.link_up:
        return VENUE_LINK, f"the venue's news of orders does not come in: {state.link_reason}"
    if not (state.opened or state.simulated):
        return VENUE_LINK, "the venue has not shown its book since this start"
    if state.trading is not TradingState.ACTIVE:
        return HALTED, f"the desk is {state.trading}, and this order increases risk"
    if state.last is not None and state.last.blocks_account:
        return BREAK, "our book of the account is not the venue's"
    if state.last is not None and order.instrument_id in state.last.instruments:
        return BREAK, f"our book of {order.instrument_id} is not the venue's"
    return None


def _growing(state: ExecState, order: SubmitOrder) -> tuple[str, str] | None:
    """Refuse what calls itself reduce-only and would grow or turn the position of our own book.

    Protective orders do not count: they make room for it.
    """
    held = state.positions.get(order.instrument_id, ZERO)
    closing = held if order.side is Side.SELL else -held
    working = sum(
        (
            other.leaves
            for name, other in state.orders.items()
            if name != order.client_order_id
            and not other.parent
            and (other.instrument_id, other.side) == (order.instrument_id, order.side)
        ),
        ZERO,
    )
    room = max(closing - working, ZERO)
    if order.quantity <= room:
        return None
    return "reduce_only", f"{order.quantity} is more than the {room} that would only reduce"
