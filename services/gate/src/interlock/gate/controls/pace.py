"""How many orders in how little time, how many entries without a person, and none with oneself."""

from collections import deque

from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail
from interlock.gate.controls.control import FIA, RTS6, Control, Level
from interlock.gate.tempo import MINUTE, SECOND, count_within, is_full
from interlock.model.ids import UnixNanos
from interlock.model.values import Side
from interlock.wire.orders import ControlFailure


def second(case: Case) -> ControlFailure | None:
    limit = case.config.max_orders_per_second
    return _slow("rate.second", case, case.state.tempo.approvals, limit, SECOND)


def minute(case: Case) -> ControlFailure | None:
    limit = case.config.max_orders_per_minute
    return _slow("rate.minute", case, case.state.tempo.approvals, limit, MINUTE)


def runaway(case: Case) -> ControlFailure | None:
    limit = case.config.halt_orders_per_minute
    return _slow("rate.runaway", case, case.state.tempo.attempts, limit, MINUTE)


def _slow(
    code: str, case: Case, moments: deque[UnixNanos], limit: int | None, window: int
) -> ControlFailure | None:
    if limit is None:
        return fail(code, UNKNOWN, NOT_CONFIGURED)
    if not is_full(moments, limit, window, case.tempo_now):
        return None
    return fail(code, count_within(moments, window, case.tempo_now) + 1, limit)


def entries(case: Case) -> ControlFailure | None:
    limit = case.config.max_entries_without_person
    if limit is None:
        return fail("repeat.entries", UNKNOWN, NOT_CONFIGURED)
    made = case.state.tempo.entries.get(case.intent.strategy, 0)
    return None if made < limit else fail("repeat.entries", made + 1, limit)


def self_match(case: Case) -> ControlFailure | None:
    line, price, side = case.line, case.intent.limit_price, case.intent.side
    if not (line.selling if side is Side.BUY else line.buying):
        return None
    for order in line.orders.values():
        other = order.limit_price
        if order.side is side:
            continue
        if price is None or other is None or (price - other) * side.sign >= 0:
            observed = f"{order.side} {order.leaves} at {other or 'the market'}"
            return fail("self_match.order", observed, "no own order it could trade with")
    return None


CONTROLS = (
    Control("rate.second", "at most so many orders in a second", "count", RTS6, second),
    Control("rate.minute", "at most so many orders in a minute", "count", RTS6, minute),
    Control(
        "rate.runaway",
        "at most so many attempts in a minute, denied ones too",
        "count",
        RTS6,
        runaway,
        Level.HALT,
    ),
    Control(
        "repeat.entries",
        "a strategy enters only so often until a named person enables it again",
        "count",
        RTS6,
        entries,
        Level.DISABLE,
    ),
    Control(
        "self_match.order",
        "no own order on the other side could trade with it",
        "price",
        FIA,
        self_match,
    ),
)
