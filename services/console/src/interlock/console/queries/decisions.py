"""The decision list: intents and models' proposals, newest first, by what people filter for.

Theory of operation. Each filter by itself has an index in the order of the list, so that a page is
read from its place and nowhere else. Of several filters the rarest leads, and the others are held
against the next `WINDOW` lines of it: a page is bounded in time, may come out short, and says where
to go on.
"""

from dataclasses import dataclass
from typing import LiteralString

from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import maybe_money
from interlock.console.tables import Tables
from interlock.console.views.decisions import DecisionItem, DecisionsPage
from interlock.runtime.stores.postgres import Row

WINDOW = 2_000
ORDER, PROPOSAL = "order", "proposal"

_ORDERS: LiteralString = (
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
    rest = _rest_of(wanted)
    window = WINDOW if rest else limit + 1
    found = await tables.rows(
        _orders_sql(wanted),
        {
            "desk": wanted.desk,
            "instrument": wanted.instrument,
            "verdict": wanted.verdict,
            "code": wanted.code,
            "epoch": wanted.epoch,
            "moment": place[0],
            "name": place[1],
            "window": window,
        },
    )
    held = [row for row in found if _holds(row, wanted, rest)]
    items = [((row["key_ts"], row["key_id"]), _order_item(row)) for row in held[: limit + 1]]
    return _Found(items, _end(found, window, len(held) > limit, items))


def _end(
    found: list[Row],
    window: int,
    more: bool,
    items: list[tuple[tuple[int, str], DecisionItem]],
) -> tuple[int, str] | None:
    if more:
        return items[-1][0]
    if len(found) < window:
        return None
    return found[-1]["key_ts"], found[-1]["key_id"]


def _leader(wanted: DecisionFilter) -> str:
    """Return the filter whose index is walked along: the rarest that was asked for."""
    for name in ("code", "instrument", "epoch", "verdict"):
        if getattr(wanted, name) is not None:
            return name
    return ""


def _rest_of(wanted: DecisionFilter) -> list[str]:
    asked = ("code", "instrument", "epoch", "verdict", "min_conviction")
    leader = _leader(wanted)
    return [name for name in asked if getattr(wanted, name) is not None and name != leader]


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


def _holds(row: Row, wanted: DecisionFilter, rest: list[str]) -> bool:
    columns = {"instrument": "instrument_id", "epoch": "policy_version", "verdict": "verdict"}
    for name in rest:
        if name == "min_conviction":
            if row["conviction"] is None or row["conviction"] < wanted.min_conviction:
                return False
        elif row[columns[name]] != getattr(wanted, name):
            return False
    return True


async def _proposals(
    tables: Tables, wanted: DecisionFilter, place: tuple[int, str], limit: int
) -> _Found:
    narrow = wanted.verdict is not None or wanted.epoch is not None
    window = WINDOW if narrow else limit + 1
    found = await tables.rows(
        _PROPOSALS,
        {"desk": wanted.desk, "moment": place[0], "name": place[1], "window": window},
    )
    held = [
        row
        for row in found
        if wanted.verdict in (None, row["verdict"])
        and wanted.epoch in (None, row["policy_version"])
    ]
    items = [((row["key_ts"], row["key_id"]), _proposal_item(row)) for row in held[: limit + 1]]
    return _Found(items, _end(found, window, len(held) > limit, items))


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
