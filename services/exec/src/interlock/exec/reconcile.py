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
R9  Cash is the same at the venue and here, within the tolerance, in each currency the desk trades
    and the venue names, or is a break of the account. The venue's figure is taken over when it is
    first heard, when it agrees, and when a named person has resumed knowing the difference.

The shell reports what the venue tells of our orders, and what it answers on those that differ,
before it reports the book: missed fills and cancels go the way of all news.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from interlock.exec.state import ExecState
from interlock.model.order import CLOSED, OrderStatus, WorkingOrder
from interlock.model.values import ZERO, Severity
from interlock.venues.port import VenueBook
from interlock.wire.base import caused_id, root_ids
from interlock.wire.catalogue import EXEC
from interlock.wire.orders import ReconciliationCompleted
from interlock.wire.system import AlertRaised

_IN_DOUBT = (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN)
NOT_YET = "not held against the venue's book yet"


class Break(Struct, frozen=True, kw_only=True):
    """A difference. `instrument_id` is empty where it concerns the account.

    One of cash has its `currency`, and by how much more the venue holds.
    """

    instrument_id: str
    text: str
    currency: str = ""
    difference: Decimal = ZERO


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


def cash_breaks(state: ExecState, book: VenueBook) -> list[Break]:
    """Return where the venue's cash is not ours, and nobody has accepted that."""
    found: list[Break] = []
    for currency, own in sorted(state.cash.items()):
        theirs = book.cash.get(currency)
        if theirs is None or _agrees(state, currency, theirs):
            continue
        text = f"cash {currency}: ours {_plain(own.amount)}, theirs {_plain(theirs)}"
        if theirs.is_finite():
            more = theirs - own.amount
            found.append(Break(instrument_id="", text=text, currency=currency, difference=more))
        else:
            # Nobody can accept what is no number.
            found.append(Break(instrument_id="", text=text))
    return found


def taken_over(state: ExecState, book: VenueBook, asked_at: int) -> dict[str, Decimal]:
    """Return the venue's cash that exec counts on from now; none while fills came in meanwhile."""
    if state.last_fill > asked_at:
        return {}
    traded = {one.currency for one in state.instruments.values()}
    return {
        currency: theirs
        for currency, theirs in sorted(book.cash.items())
        if currency in traded and _agrees(state, currency, theirs)
    }


def _agrees(state: ExecState, currency: str, theirs: Decimal) -> bool:
    if not theirs.is_finite():
        return False
    own = state.cash.get(currency)
    if own is None:
        return True
    difference, most = theirs - own.amount, state.tolerance.of(own.traded)
    accepted = state.accepted.get(currency, ZERO)
    return abs(difference) <= most or (accepted != ZERO and abs(difference - accepted) <= most)


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if amount.is_finite() else str(amount)


def unsettled(breaks: Sequence[Break], moved: Mapping[str, int], asked_at: int) -> bool:
    """Return whether one of `breaks` may come of what has moved since the venue was asked."""
    if not any(moves > asked_at for moves in moved.values()):
        return False
    return any(
        not found.instrument_id or moved.get(found.instrument_id, 0) > asked_at for found in breaks
    )


def completed(
    state: ExecState, book: VenueBook, breaks: Sequence[Break], cash: dict[str, Decimal], now: int
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
        cash=cash,
        cash_breaks={found.currency: found.difference for found in breaks if found.currency},
    )


def cash_alerts(
    last: ReconciliationCompleted | None, word: ReconciliationCompleted, breaks: Sequence[Break]
) -> list[AlertRaised]:
    """Return what a person is told of cash that differs, once for each difference."""
    told = {} if last is None else last.cash_breaks
    return [
        AlertRaised(
            message_id=caused_id(word, AlertRaised, found.currency),
            decision_id=word.decision_id,
            ts_event=word.ts_event,
            desk=word.desk,
            service=EXEC,
            severity=Severity.CRITICAL,
            code="reconciliation.cash",
            text=f"{found.text}. Nothing that increases risk is let through. Look for a deposit, "
            f"dividend, interest, fee or foreign trade in {word.account} at {word.venue}; "
            f"`interlock resume --by NAME` then takes over {word.venue}'s figure",
            dedupe_key=f"{EXEC}.cash.{found.currency}.{found.difference}",
        )
        for found in breaks
        if found.currency and told.get(found.currency) != found.difference
    ]


def unavailable(state: ExecState, reason: str, now: int) -> Sequence[ReconciliationCompleted]:
    """Return the word that the venue has not shown its book, once."""
    text = f"the venue is not available: {reason}"
    if state.last is not None and text in state.last.breaks:
        return ()
    return [_word(state, [text], [], [text], {}, now)]


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
    cash = {} if last is None else dict(last.cash_breaks)
    return [_word(state, [*breaks, text], instruments, list(account), cash, now)]


def _word(
    state: ExecState,
    breaks: list[str],
    instruments: list[str],
    account_breaks: list[str],
    cash_breaks: dict[str, Decimal],
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
        cash_breaks=cash_breaks,
    )
