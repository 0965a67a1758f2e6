"""Entries that wait for people, and what people decided."""

from typing import Any

from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import money
from interlock.console.tables import Tables
from interlock.console.views.people import ApprovalsPage, ApprovalView
from interlock.runtime.stores.postgres import Row

PENDING = "pending"
WINDOW = 500
"""Requests that are looked through for those that wait: far more than can."""


def _view(row: Row) -> ApprovalView:
    decided_at: Any = row["decided_at"]
    return ApprovalView(
        request_id=row["request_id"],
        decision_id=row["decision_id"],
        ts_event=str(row["ts_event"]),
        strategy=row["strategy"],
        instrument_id=row["instrument_id"],
        side=row["side"],
        quantity=money(row["quantity"]),
        reference_price=money(row["reference_price"]),
        notional=money(row["notional"]),
        held=money(row["held"]),
        conviction=row["conviction"],
        dissent=row["dissent"],
        reasons=row["reasons"],
        expires_at=str(row["expires_at"]),
        needed=row["needed"],
        given=row["by"] if row["state"] == PENDING else [],
        status=row["state"],
        decided_by=[] if row["state"] == PENDING else row["by"],
        decided_at=None if decided_at is None else str(decided_at),
        reason=row["reason"],
    )


async def approvals(
    tables: Tables, desk: str, *, only_pending: bool, cursor: str | None, limit: int
) -> ApprovalsPage:
    """Return a page of requests, newest first. They are numbered: the number is their place."""
    place, _ = place_of(cursor)
    window = WINDOW if only_pending else limit + 1
    found = await tables.rows(
        "SELECT a.* FROM (SELECT n FROM approval_requests WHERE desk = %(desk)s AND n < %(place)s"
        "  ORDER BY n DESC LIMIT %(window)s) AS newest"
        " JOIN approvals a ON a.n = newest.n"
        " WHERE %(pending)s::text IS NULL OR a.state = %(pending)s"
        " ORDER BY a.n DESC LIMIT %(limit)s",
        {
            "desk": desk,
            "place": place,
            "window": window,
            "pending": PENDING if only_pending else None,
            "limit": limit + 1,
        },
    )
    more = len(found) > limit
    return ApprovalsPage(
        items=[_view(row) for row in found[:limit]],
        next=cursor_after(found[limit - 1]["n"], "") if more else None,
    )


async def approval(tables: Tables, desk: str, request_id: str) -> ApprovalView | None:
    """Return one request as it stands, none where nobody has asked it."""
    row = await tables.row(
        "SELECT * FROM approvals WHERE desk = %(desk)s AND request_id = %(id)s",
        {"desk": desk, "id": request_id},
    )
    return None if row is None else _view(row)
