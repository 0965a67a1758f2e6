"""The equity curve, alerts, and what was denied today."""

import msgspec

from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import money
from interlock.console.tables import Tables
from interlock.console.views.desk import EquityPoint, EquityView
from interlock.console.views.health import AlertsPage, AlertView
from interlock.wire.accounts import AccountUpdated

POINTS = 2_000


async def equity(tables: Tables, desk: str, account: str, since: int) -> EquityView:
    """Return the equity since a moment of the desk's clock, thinned to `POINTS` at most.

    The curve's rows are numbered in order, so even steps of the number are looked up one by one,
    however many rows lie between.
    """
    found = await tables.rows(
        "WITH ends AS (SELECT"
        " (SELECT n FROM accounts WHERE desk = %(desk)s AND account = %(account)s"
        "   AND ts_event >= %(since)s ORDER BY ts_event LIMIT 1) AS low,"
        " (SELECT n FROM accounts WHERE desk = %(desk)s AND account = %(account)s"
        "   ORDER BY n DESC LIMIT 1) AS high),"
        " places AS (SELECT DISTINCT low + (high - low) * step / %(points)s AS place"
        "   FROM ends, generate_series(0, %(points)s) AS step WHERE low <= high)"
        " SELECT DISTINCT ON (a.n) a.ts_event, a.equity, a.day_pnl, a.drawdown_5d_pct, a.n"
        " FROM places JOIN LATERAL (SELECT * FROM accounts WHERE desk = %(desk)s"
        "   AND account = %(account)s AND n >= place ORDER BY n LIMIT 1) AS a ON true"
        " ORDER BY a.n",
        {"desk": desk, "account": account, "since": since, "points": POINTS - 1},
    )
    return EquityView(
        items=[
            EquityPoint(
                ts_event=str(row["ts_event"]),
                equity=money(row["equity"]),
                day_pnl=money(row["day_pnl"]),
                drawdown_5d_pct=row["drawdown_5d_pct"],
            )
            for row in found
        ]
    )


async def alerts(
    tables: Tables, desk: str, severity: str | None, cursor: str | None, limit: int
) -> AlertsPage:
    """Return a page of alerts, newest first."""
    moment, name = place_of(cursor)
    found = await tables.rows(
        "SELECT message_id, ts_event, service, severity, code, text, dedupe_key FROM alerts"
        " WHERE desk = %(desk)s AND (ts_event, message_id) < (%(moment)s, %(name)s)"
        " AND (%(severity)s::text IS NULL OR severity = %(severity)s)"
        " ORDER BY ts_event DESC, message_id DESC LIMIT %(limit)s",
        {
            "desk": desk,
            "severity": severity,
            "moment": moment,
            "name": name,
            "limit": limit + 1,
        },
    )
    more = len(found) > limit
    return AlertsPage(
        items=[
            AlertView(
                message_id=row["message_id"],
                ts_event=str(row["ts_event"]),
                service=row["service"],
                severity=row["severity"],
                code=row["code"],
                text=row["text"],
                dedupe_key=row["dedupe_key"],
            )
            for row in found[:limit]
        ],
        next=cursor_after(found[limit - 1]["ts_event"], found[limit - 1]["message_id"])
        if more
        else None,
    )


async def denials_since(tables: Tables, desk: str, since: int) -> dict[str, tuple[int, int]]:
    """Return by code how often it has denied since a moment, and when it did last."""
    found = await tables.rows(
        "SELECT code, count(*) AS many, max(ts_event) AS last FROM denials"
        " WHERE desk = %(desk)s AND ts_event >= %(since)s GROUP BY code ORDER BY code",
        {"desk": desk, "since": since},
    )
    return {row["code"]: (row["many"], row["last"]) for row in found}


async def account_before(tables: Tables, desk: str, moment: int) -> AccountUpdated | None:
    """Return the account as it was last said up to a moment; none where there is none."""
    columns = ", ".join(f'"{name}"' for name in AccountUpdated.__struct_fields__)
    row = await tables.row(
        f"SELECT {columns} FROM accounts"  # noqa: S608 - names of ours
        " WHERE desk = %(desk)s AND ts_event <= %(moment)s ORDER BY ts_event DESC LIMIT 1",
        {"desk": desk, "moment": moment},
    )
    return None if row is None else msgspec.convert(row, AccountUpdated)
