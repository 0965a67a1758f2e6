"""The decision list: intents and models' proposals, newest first, by what people filter for.

Theory of operation. Each filter by itself has an index in the order of the list, so that a page is
read from its place and nowhere else. Of several filters the rarest leads, and the others are held
against the next `WINDOW` lines of it: a page is bounded in time, may come out short, and says where
to go on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import maybe_money
from interlock.console.tables import Tables
from interlock.console.views.decisions import DecisionItem, DecisionsPage
from interlock.runtime.stores.postgres import Row

WINDOW = 1_000
ORDER, PROPOSAL = "order", "proposal"

_ORDERS = (
    "SELECT {key} AS key_ts, o.intent_id AS key_id, o.decision_id, o.ts_event, o.desk,"
    " o.instrument_id, o.strategy, o.side, o.requested_quantity, o.quantity, o.verdict, o.detail,"
    " o.conviction, o.policy_version, o.status, o.reasons, o.intent_id FROM "
)
_PROPOSALS = (
    "SELECT ts_event AS key_ts, message_id AS key_id, decision_id, ts_event, desk, provider,"
    " parameter, old, proposed, applied, verdict, freeze_reasons, policy_version FROM proposals p"
    " WHERE p.desk = %(desk)s AND (p.ts_event, p.message_id) < (%(moment)s, %(name)s)"
    " ORDER BY p.ts_event DESC, p.message_id DESC LIMIT %(window)s"
)
_HELD: Mapping[str, str] = {
    "code": "code = %(code)s",
    "instrument": "instrument_id = %(instrument)s",
    "epoch": "policy_version = %(epoch)s",
    "verdict": "verdict = %(verdict)s",
    "min_conviction": "conviction >= %(min_conviction)s",
}
"""What each filter asks of a line, in the order in which they are rare."""
_LEAD = ("code", "instrument", "epoch", "verdict")
"""Filters with an index of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionFilter:
    """What people look for; none where they do not mind."""

    desk: str
    kind: str | None = None
    instrument: str | None = None
    min_conviction: float | None = None
    verdict: str | None = None
    code: str | None = None
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """Lines with their place in the list; `end` is where the window ended, none at the list's."""

    items: list[tuple[tuple[int, str], DecisionItem]]
    end: tuple[int, str] | None


async def decisions_page(
    tables: Tables, wanted: DecisionFilter, cursor: str | None, limit: int
) -> DecisionsPage:
    """Return a page of decisions."""
    place = place_of(cursor)
    parts = list[_Found]()
    if wanted.kind in (None, ORDER):
        parts.append(await _orders(tables, wanted, place, limit))
    if wanted.kind in (None, PROPOSAL) and _could_be_proposals(wanted):
        parts.append(await _proposals(tables, wanted, place, limit))
    # What lies behind the end of another part's window may come before lines of that part.
    ends = [part.end for part in parts if part.end is not None]
    floor = max(ends, default=None)
    lines = sorted((line for part in parts for line in part.items), key=lambda one: one[0])[::-1]
    shown = [line for line in lines if floor is None or line[0] >= floor]
    page = shown[:limit]
    if len(shown) > limit:
        after: tuple[int, str] | None = page[-1][0]
    else:
        after = floor
    return DecisionsPage(
        items=[item for _, item in page], next=None if after is None else cursor_after(*after)
    )


def _could_be_proposals(wanted: DecisionFilter) -> bool:
    return wanted.instrument is None and wanted.min_conviction is None and wanted.code is None


async def _orders(
    tables: Tables, wanted: DecisionFilter, place: tuple[int, str], limit: int
) -> _Found:
    rest = [name for name in _HELD if getattr(wanted, name) is not None and name != _leader(wanted)]
    return await _window(
        tables,
        _orders_sql(wanted),
        [_HELD[name] for name in rest],
        {
            **_asked(wanted, place, limit),
            "window": WINDOW if rest else limit + 1,
        },
        _order_item,
    )


def _asked(wanted: DecisionFilter, place: tuple[int, str], limit: int) -> dict[str, object]:
    return {
        "desk": wanted.desk,
        "instrument": wanted.instrument,
        "verdict": wanted.verdict,
        "code": wanted.code,
        "epoch": wanted.epoch,
        "min_conviction": wanted.min_conviction,
        "moment": place[0],
        "name": place[1],
        "limit": limit + 1,
    }


async def _window(
    tables: Tables,
    window_sql: str,
    held: list[str],
    asked: dict[str, object],
    item: Callable[[Row], DecisionItem],
) -> _Found:
    """Return the lines of the next window that hold, and where to go on behind it.

    The last row of the answer is the window's own last line, whether it holds or not.
    """
    where = f" WHERE {' AND '.join(held)}" if held else ""
    found = await tables.rows(
        f"WITH w AS MATERIALIZED ({window_sql})"  # noqa: S608 - texts of ours
        f" (SELECT 0 AS many, w.* FROM w{where} ORDER BY key_ts DESC, key_id DESC LIMIT %(limit)s)"
        " UNION ALL (SELECT (SELECT count(*) FROM w), w.* FROM w ORDER BY key_ts, key_id LIMIT 1)",
        asked,
    )
    if not found:
        return _Found([], None)
    *lines, edge = found
    items = [((row["key_ts"], row["key_id"]), item(row)) for row in lines]
    if len(items) == asked["limit"]:
        return _Found(items, items[-1][0])
    if edge["many"] < asked["window"]:
        return _Found(items, None)
    return _Found(items, (edge["key_ts"], edge["key_id"]))


def _leader(wanted: DecisionFilter) -> str:
    """Return the filter whose index is walked along: the rarest that was asked for."""
    for name in _LEAD:
        if getattr(wanted, name) is not None:
            return name
    return ""


def _orders_sql(wanted: DecisionFilter) -> str:
    leader = _leader(wanted)
    if leader == "code":
        return (
            _ORDERS.format(key="d.ts_event") + "denials d JOIN orders o"
            " ON o.intent_id = d.intent_id"
            " WHERE d.desk = %(desk)s AND d.code = %(code)s"
            " AND (d.ts_event, d.intent_id) < (%(moment)s, %(name)s)"
            " ORDER BY d.ts_event DESC, d.intent_id DESC LIMIT %(window)s"
        )
    where = {
        "instrument": " AND o.instrument_id = %(instrument)s",
        "epoch": " AND o.policy_version = %(epoch)s",
        "verdict": " AND o.verdict = %(verdict)s",
    }.get(leader, "")
    return (
        _ORDERS.format(key="o.ts_event")
        + "orders o WHERE o.desk = %(desk)s"
        + where
        + " AND (o.ts_event, o.intent_id) < (%(moment)s, %(name)s)"
        " ORDER BY o.ts_event DESC, o.intent_id DESC LIMIT %(window)s"
    )


async def _proposals(
    tables: Tables, wanted: DecisionFilter, place: tuple[int, str], limit: int
) -> _Found:
    rest = [name for name in ("epoch", "verdict") if getattr(wanted, name) is not None]
    return await _window(
        tables,
        _PROPOSALS,
        [_HELD[name] for name in rest],
        {**_asked(wanted, place, limit), "window": WINDOW if rest else limit + 1},
        _proposal_item,
    )


def _order_item(row: Row) -> DecisionItem:
    said: str = row["detail"] if row["verdict"] == "denied" and row["detail"] else ""
    return DecisionItem(
        decision_id=row["decision_id"],
        kind=ORDER,
        ts_event=str(row["ts_event"]),
        desk=row["desk"],
        instrument_id=row["instrument_id"],
        strategy=row["strategy"],
        side=row["side"],
        requested_quantity=maybe_money(row["requested_quantity"]),
        quantity=maybe_money(row["quantity"]),
        verdict=row["verdict"],
        codes=said.split(", ") if said else [],
        conviction=row["conviction"],
        epoch=row["policy_version"],
        status=row["status"],
        summary=", ".join(row["reasons"] or []),
        intent_id=row["intent_id"],
    )


def _proposal_item(row: Row) -> DecisionItem:
    return DecisionItem(
        decision_id=row["decision_id"],
        kind=PROPOSAL,
        ts_event=str(row["ts_event"]),
        desk=row["desk"],
        instrument_id=None,
        strategy=row["provider"],
        side=None,
        requested_quantity=None,
        quantity=None,
        verdict=row["verdict"],
        codes=row["freeze_reasons"],
        conviction=None,
        epoch=row["policy_version"],
        status=None,
        summary=f"{row['parameter']} from {row['old']:g} to {row['proposed']:g}",
        intent_id=None,
    )


async def items_of_decision(tables: Tables, decision_id: str) -> list[DecisionItem]:
    """Return the lines of the list that belong to one decision, oldest first."""
    orders = await tables.rows(
        _ORDERS.format(key="o.ts_event")
        + "orders o WHERE o.decision_id = %(id)s ORDER BY o.ts_event, o.intent_id LIMIT 200",
        {"id": decision_id},
    )
    proposals = await tables.rows(
        "SELECT decision_id, ts_event, desk, provider, parameter, old, proposed, applied, verdict,"
        " freeze_reasons, policy_version FROM proposals WHERE decision_id = %(id)s"
        " ORDER BY ts_event LIMIT 200",
        {"id": decision_id},
    )
    return [
        *(_proposal_item(row) for row in proposals),
        *(_order_item(row) for row in orders),
    ]
