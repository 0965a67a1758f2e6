"""The put/call ratio: rows of a file judged, and said on the day they are of.

A row is of a day's session, so it is said when that session has closed: with the day's own bar, and
never before. A row that is no good is refused and announced as the status of `PUT_CALL`, as a bar's
is of its instrument.
"""

from collections.abc import Sequence
from datetime import date
from math import isfinite

from interlock.feed.checks import Fault
from interlock.feed.core import fine_again, status_of
from interlock.feed.state import FeedState, PutCallRead
from interlock.wire.base import Message, root_ids
from interlock.wire.market import FeedCondition, PutCallRatioObserved

PUT_CALL = "put-call"
"""What the status of these rows is said of: it is no instrument, so nothing is traded on it."""
HIGHEST = 100.0
_TOLD_CHARS = 40


def on_put_call(state: FeedState, row: PutCallRead) -> Sequence[Message]:
    """Return the ratio, or the status that a row which is no good brings about."""
    feed = state.of(PUT_CALL)
    fault = _fault(row, state.put_call_as_of)
    if fault is not None:
        known = fault.condition in feed.wrong
        return () if known else (status_of(state, PUT_CALL, row.ts, fault),)
    said: list[Message] = []
    if feed.wrong:
        said.append(status_of(state, PUT_CALL, row.ts, fine_again(feed)))
    message_id, decision_id = root_ids(PutCallRatioObserved, state.setting.dataset, row.as_of)
    said.append(
        PutCallRatioObserved(
            message_id=message_id,
            decision_id=decision_id,
            ts_event=row.ts,
            source=state.config.put_call_source,
            as_of=row.as_of,
            ratio=float(row.value),
        )
    )
    return said


def is_sound(row: PutCallRead) -> bool:
    """Return whether a row is good, whatever came before it."""
    return _fault(row, "") is None


def _fault(row: PutCallRead, last_as_of: str) -> Fault | None:
    where = f"line {row.line}"
    try:
        date.fromisoformat(row.as_of)
    except ValueError:
        return _bad(FeedCondition.INVALID, f"{where}: {row.as_of[:_TOLD_CHARS]!r} is no date")
    try:
        value = float(row.value)
    except ValueError:
        told = f"{where}: {row.value[:_TOLD_CHARS]!r} is no number"
        return _bad(FeedCondition.NOT_A_NUMBER, told)
    if not isfinite(value):
        return _bad(FeedCondition.NOT_A_NUMBER, f"{where}: the ratio is not finite")
    if value <= 0:
        return _bad(FeedCondition.ZERO, f"{where}: the ratio is not above zero", value)
    if value > HIGHEST:
        return _bad(FeedCondition.INVALID, f"{where}: no ratio is that large", value)
    if row.as_of == last_as_of:
        return _bad(FeedCondition.DUPLICATE, f"{where}: {row.as_of} was told before")
    if row.as_of < last_as_of:
        return _bad(FeedCondition.OUT_OF_ORDER, f"{where}: {row.as_of} is before {last_as_of}")
    return None


def _bad(condition: FeedCondition, detail: str, observed: float | None = None) -> Fault:
    return Fault(condition=condition, detail=detail, drops=True, observed=observed)
