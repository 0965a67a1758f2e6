"""Our book against the venue's: what is news to us, and what nobody can explain.

Numbered, as the tests are:

R1  Each fill counts once, by its trade id, whoever told it first (I11).
R2  An order in doubt is no break: it counts as exposure, and only the venue ends it (I12).
R3  An order that has its answer leaves as much at the venue as here, or is a break.
R4  What is held of an instrument is the same at the venue and here, or is a break (I13).
R5  An open order at the venue that we did not send is a break of its instrument.
R6  A break names its instrument, which is then blocked alone, or it blocks the account.
R7  What has moved since the venue was asked is not judged by that answer; it is asked again.
R8  Equal books have no breaks, in whatever order their parts come.

The shell reports what the venue tells of our orders, and what it answers on those that differ,
before it reports the book: missed fills and cancels go the way of all news.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from interlock.exec.state import ExecState
from interlock.model.order import CLOSED, OrderStatus, WorkingOrder
from interlock.model.values import ZERO
from interlock.venues.port import VenueBook
from interlock.wire.base import root_ids
from interlock.wire.orders import ReconciliationCompleted

_IN_DOUBT = (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
NOT_YET = "not held against the venue's book yet"


class Break(Struct, frozen=True, kw_only=True):
    """A difference. `instrument_id` is empty where it concerns the account."""

    instrument_id: str
    text: str


def doubtful(orders: Iterable[WorkingOrder], book: VenueBook) -> list[str]:
    """Return which of our open orders the venue's book does not show as they stand here."""
    return [
        order.client_order_id
        for order in orders
        if order.status not in CLOSED and book.leaves.get(order.client_order_id) != order.leaves
    ]


def breaks_between(
    orders: Mapping[str, WorkingOrder],
    closed: Mapping[str, WorkingOrder],
    positions: Mapping[str, Decimal],
    book: VenueBook,
) -> list[Break]:
    """Return every difference between our book and the venue's, in words."""
    found: list[Break] = []
    for name in sorted(orders.keys() | book.leaves.keys()):
        order, theirs = orders.get(name), book.leaves.get(name)
        ours = None if order is None else order.leaves
        if ours == theirs or (order is not None and order.status in _IN_DOUBT):
            continue
        known = order or closed.get(name)
        text = f"order {name}: ours {ours}, theirs {theirs}"
        found.append(Break(instrument_id="" if known is None else known.instrument_id, text=text))
    for foreign in sorted(book.foreign, key=lambda one: one.venue_order_id):
        text = f"external order {foreign.venue_order_id}: {foreign.side} {foreign.leaves}"
        found.append(Break(instrument_id=foreign.instrument_id, text=text))
    for name in sorted(positions.keys() | book.positions.keys()):
        ours, theirs = positions.get(name, ZERO), book.positions.get(name, ZERO)
        if ours != theirs:
            text = f"position {name}: ours {ours}, theirs {theirs}"
            found.append(Break(instrument_id=name, text=text))
    return found


def unsettled(breaks: Sequence[Break], moved: Mapping[str, int], asked_at: int) -> bool:
    """Return whether one of `breaks` may come of what has moved since the venue was asked."""
    if not any(moves > asked_at for moves in moved.values()):
        return False
    return any(
        not found.instrument_id or moved.get(found.instrument_id, 0) > asked_at for found in breaks
    )


def completed(
    state: ExecState, book: VenueBook, breaks: Sequence[Break], now: int
) -> ReconciliationCompleted:
    texts = [found.text for found in breaks]
    message_id, decision_id = root_ids(
        ReconciliationCompleted, state.desk, state.account, now, len(state.trades), *texts
    )
    return ReconciliationCompleted(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        open_orders=len(book.leaves),
        positions=sum(1 for held in book.positions.values() if held != ZERO),
        breaks=texts,
        instruments=sorted({found.instrument_id for found in breaks if found.instrument_id}),
        account_breaks=[found.text for found in breaks if not found.instrument_id],
    )


def unavailable(state: ExecState, reason: str, now: int) -> Sequence[ReconciliationCompleted]:
    """Return the word that the venue has not shown its book, once."""
    text = f"the venue is not available: {reason}"
    if state.last is not None and text in state.last.breaks:
        return ()
    return [_word(state, [text], [], [text], now)]


def blocked(
    state: ExecState, instrument_id: str, text: str, now: int
) -> Sequence[ReconciliationCompleted]:
    """Return the word that something impossible has happened; until the books are equal again.

    What was said to differ before still does.
    """
    last = state.last
    if last is not None and text in last.breaks:
        return ()
    breaks = [NOT_YET] if last is None else last.breaks
    named = [] if last is None else last.instruments
    account = [NOT_YET] if last is None else last.account_breaks
    instruments = sorted({*named, instrument_id})
    return [_word(state, [*breaks, text], instruments, list(account), now)]


def _word(
    state: ExecState,
    breaks: list[str],
    instruments: list[str],
    account_breaks: list[str],
    now: int,
) -> ReconciliationCompleted:
    """Return what is said without the venue's book."""
    message_id, decision_id = root_ids(
        ReconciliationCompleted, state.desk, state.account, now, *breaks
    )
    return ReconciliationCompleted(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        account=state.account,
        venue=state.venue,
        open_orders=len(state.orders),
        positions=sum(1 for held in state.positions.values() if held != ZERO),
        breaks=breaks,
        instruments=instruments,
        account_breaks=account_breaks,
    )
