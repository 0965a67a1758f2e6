"""Escalations, scores, days that are over, and what was written about them."""

import msgspec

from interlock.console.desk_views import day_number, day_text
from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import money, share
from interlock.console.problems import unknown, unusable
from interlock.console.tables import Tables
from interlock.console.views.judgement import (
    DaysPage,
    DayView,
    EscalationsPage,
    EscalationView,
    PostMortemsView,
    PostMortemView,
    ScoreView,
)
from interlock.runtime.stores.postgres import Row

_ESCALATION_COLUMNS = (
    "message_id, decision_id, ts_event, day, trigger, call, observed, limits, granted, reason,"
    " calls_today"
)
_SCORE_COLUMNS = (
    "message_id, decision_id, ts_event, instrument_id, p_short, p_mid, size_hint, weights,"
    " penalties, base, score, action, size_fraction, mode, policy_version"
)
_POST_MORTEM_COLUMNS = (
    "message_id, decision_id, ts_event, day, root_cause, recommendations, figures, source,"
    " provider, model"
)
_OF_A_DECISION = 50


async def calls_granted(tables: Tables, desk: str, day: int) -> int:
    """Return how many calls of the cloud model a trading day was granted."""
    row = await tables.row(
        "SELECT count(*) AS calls FROM escalations"
        " WHERE desk = %(desk)s AND day = %(day)s AND granted",
        {"desk": desk, "day": day},
    )
    return 0 if row is None else row["calls"]


def _escalation(row: Row) -> EscalationView:
    return EscalationView(
        message_id=row["message_id"],
        decision_id=row["decision_id"],
        ts_event=str(row["ts_event"]),
        day=day_text(row["day"]),
        trigger=row["trigger"],
        call=row["call"],
        observed=row["observed"],
        limits=row["limits"],
        granted=row["granted"],
        reason=row["reason"],
        calls_today=row["calls_today"],
    )


async def escalations_page(
    tables: Tables, desk: str, cursor: str | None, limit: int
) -> EscalationsPage:
    """Return a page of triggers that fired, newest first."""
    moment, name = place_of(cursor)
    found = await tables.rows(
        f"SELECT {_ESCALATION_COLUMNS} FROM escalations"  # noqa: S608 - names of ours
        " WHERE desk = %(desk)s AND (ts_event, message_id) < (%(moment)s, %(name)s)"
        " ORDER BY ts_event DESC, message_id DESC LIMIT %(limit)s",
        {"desk": desk, "moment": moment, "name": name, "limit": limit + 1},
    )
    shown = found[:limit]
    more = len(found) > limit
    return EscalationsPage(
        items=[_escalation(row) for row in shown],
        next=cursor_after(shown[-1]["ts_event"], shown[-1]["message_id"]) if more else None,
    )


async def escalations_of(tables: Tables, decision_id: str) -> list[EscalationView]:
    """Return the triggers that fired in one decision."""
    found = await tables.rows(
        f"SELECT {_ESCALATION_COLUMNS} FROM escalations"  # noqa: S608 - names of ours
        " WHERE decision_id = %(id)s ORDER BY ts_event, message_id LIMIT %(limit)s",
        {"id": decision_id, "limit": _OF_A_DECISION},
    )
    return [_escalation(row) for row in found]


async def scores_of(tables: Tables, decision_id: str) -> list[ScoreView]:
    """Return the scores of one decision."""
    found = await tables.rows(
        f"SELECT {_SCORE_COLUMNS} FROM scores"  # noqa: S608 - names of ours
        " WHERE decision_id = %(id)s ORDER BY ts_event, instrument_id LIMIT %(limit)s",
        {"id": decision_id, "limit": _OF_A_DECISION},
    )
    return [
        msgspec.convert(row | {"ts_event": str(row["ts_event"]), "sentiment": None}, ScoreView)
        for row in found
    ]


async def days_page(
    tables: Tables, desk: str, cursor: str | None, limit: int, *, eventful: bool
) -> DaysPage:
    """Return a page of days that are over, newest first; `eventful` had a kill or an escalation.

    A day that was told twice, by two replays, is shown as it was told last.
    """
    before, _ = place_of(cursor)
    found = await tables.rows(
        "SELECT DISTINCT ON (d.day) d.day, d.equity, d.equity_at_day_start, d.day_pnl, d.fees,"
        " d.drawdown_5d_pct, d.max_drawdown_pct, d.intents, d.approvals, d.fills, d.killed,"
        " d.escalations, d.proposals_applied, d.denials_by_code, d.failures,"
        " (SELECT count(*) FROM post_mortems p WHERE p.desk = d.desk AND p.day = d.day) AS written"
        " FROM days d WHERE d.desk = %(desk)s AND d.day < %(before)s"
        " AND (NOT %(eventful)s OR d.killed OR d.escalations > 0)"
        " ORDER BY d.day DESC, d.n DESC LIMIT %(limit)s",
        {"desk": desk, "before": before, "limit": limit + 1, "eventful": eventful},
    )
    shown = found[:limit]
    return DaysPage(
        items=[_day(row) for row in shown],
        next=cursor_after(shown[-1]["day"], "") if len(found) > limit else None,
    )


def _day(row: Row) -> DayView:
    return DayView(
        day=day_text(row["day"]),
        equity=money(row["equity"]),
        day_pnl=money(row["day_pnl"]),
        day_pnl_pct=share(row["day_pnl"], row["equity_at_day_start"]),
        drawdown_5d_pct=row["drawdown_5d_pct"],
        max_drawdown_pct=row["max_drawdown_pct"],
        intents=row["intents"],
        approvals=row["approvals"],
        denials=sum(row["denials_by_code"].values()),
        fills=row["fills"],
        fees=money(row["fees"]),
        killed=row["killed"],
        escalations=row["escalations"],
        proposals_applied=row["proposals_applied"],
        model_failures=sum(row["failures"].values()),
        post_mortems=row["written"],
    )


async def sessions_over(tables: Tables, desk: str, most: int) -> list[int]:
    """Return the latest trading days that are over."""
    found = await tables.rows(
        "SELECT DISTINCT day FROM days WHERE desk = %(desk)s ORDER BY day DESC LIMIT %(most)s",
        {"desk": desk, "most": most},
    )
    return [row["day"] for row in found]


async def post_mortems(tables: Tables, desk: str, day: str | None) -> PostMortemsView:
    """Return what was written about a day, or about the last one that anything was written about.

    Raises
    ------
    ProblemError
        When that is no day, or nothing was written about it.
    """
    try:
        number = None if day is None else day_number(day)
    except ValueError:
        raise unusable("day is written like 2008-09-29") from None
    found = await tables.rows(
        f"SELECT {_POST_MORTEM_COLUMNS} FROM post_mortems"  # noqa: S608 - names of ours
        " WHERE desk = %(desk)s AND day = COALESCE(%(day)s::bigint,"
        "  (SELECT day FROM post_mortems WHERE desk = %(desk)s ORDER BY n DESC LIMIT 1))"
        " ORDER BY n LIMIT %(limit)s",
        {"desk": desk, "day": number, "limit": _OF_A_DECISION},
    )
    if day is not None and not found:
        raise unknown(f"nothing was written about {day}")
    return PostMortemsView(
        day=day_text(found[0]["day"]) if found else None,
        items=[
            msgspec.convert(
                row | {"ts_event": str(row["ts_event"]), "day": day_text(row["day"])},
                PostMortemView,
            )
            for row in found
        ],
    )
