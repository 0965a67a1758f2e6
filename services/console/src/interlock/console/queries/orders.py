"""Orders, fills and denials: pages of them, and what a chart marks."""

from collections.abc import Sequence

from interlock.console.pages import cursor_after, place_of
from interlock.console.plain import maybe_money, money
from interlock.console.tables import Tables
from interlock.console.views.orders import (
    DenialView,
    FillView,
    MarksView,
    OrdersPage,
    OrderView,
)
from interlock.runtime.stores.postgres import Row

MARKS = 500
ORDER_COLUMNS = (
    "intent_id, decision_id, ts_event, desk, account, venue, mode, client_order_id, strategy,"
    " instrument_id, side, order_type, status, limit_price, reference_price, requested_quantity,"
    " quantity, filled_quantity, entry_price, exit_price, reasons, policy_version, detail, parent,"
    " reduce_only"
)
_FILL_COLUMNS = (
    "message_id, decision_id, intent_id, ts_event, instrument_id, side, last_qty, last_px, fee,"
    " trade_id"
)
_DENIAL_COLUMNS = (
    "decision_id, intent_id, ts_event, instrument_id, strategy, side, requested_quantity, code,"
    ' observed, "limit", policy_version'
)
_OPEN = " AND status NOT IN ('filled', 'canceled', 'expired', 'rejected', 'denied')"
_OF_INSTRUMENT = " AND instrument_id = %(instrument)s"


def order_view(row: Row) -> OrderView:
    return OrderView(
        intent_id=row["intent_id"],
        decision_id=row["decision_id"],
        ts_event=str(row["ts_event"]),
        desk=row["desk"],
        account=row["account"],
        venue=row["venue"],
        mode=row["mode"],
        client_order_id=row["client_order_id"],
        strategy=row["strategy"],
        instrument_id=row["instrument_id"],
        side=row["side"],
        order_type=row["order_type"],
        status=row["status"],
        limit_price=maybe_money(row["limit_price"]),
        reference_price=maybe_money(row["reference_price"]),
        requested_quantity=maybe_money(row["requested_quantity"]),
        quantity=maybe_money(row["quantity"]),
        filled_quantity=maybe_money(row["filled_quantity"]),
        entry_price=maybe_money(row["entry_price"]),
        exit_price=maybe_money(row["exit_price"]),
        reasons=row["reasons"] or [],
        policy_version=row["policy_version"],
        detail=row["detail"],
        parent=row["parent"],
        reduce_only=row["reduce_only"],
    )


def fill_view(row: Row) -> FillView:
    return FillView(
        message_id=row["message_id"],
        decision_id=row["decision_id"],
        intent_id=row["intent_id"],
        ts_event=str(row["ts_event"]),
        instrument_id=row["instrument_id"],
        side=row["side"],
        quantity=money(row["last_qty"]),
        price=money(row["last_px"]),
        fee=money(row["fee"]),
        trade_id=row["trade_id"],
    )


def denial_view(row: Row) -> DenialView:
    return DenialView(
        decision_id=row["decision_id"],
        intent_id=row["intent_id"],
        ts_event=str(row["ts_event"]),
        instrument_id=row["instrument_id"],
        strategy=row["strategy"],
        side=row["side"],
        requested_quantity=row["requested_quantity"],
        code=row["code"],
        observed=row["observed"],
        limit=row["limit"],
        policy_version=row["policy_version"],
    )


async def orders_page(
    tables: Tables,
    desk: str,
    *,
    only_open: bool,
    instrument: str | None,
    cursor: str | None,
    limit: int,
) -> OrdersPage:
    """Return a page of orders, newest first."""
    moment, name = place_of(cursor)
    found = await tables.rows(
        f"SELECT {ORDER_COLUMNS} FROM orders WHERE desk = %(desk)s"  # noqa: S608 - names of ours
        + (_OPEN if only_open else "")
        + (_OF_INSTRUMENT if instrument else "")
        + " AND (ts_event, intent_id) < (%(moment)s, %(name)s)"
        " ORDER BY ts_event DESC, intent_id DESC LIMIT %(limit)s",
        {
            "desk": desk,
            "instrument": instrument,
            "moment": moment,
            "name": name,
            "limit": limit + 1,
        },
    )
    return OrdersPage(items=[order_view(row) for row in found[:limit]], next=_next(found, limit))


def _next(found: Sequence[Row], limit: int) -> str | None:
    """Return the cursor of the following page, none where this one is the last."""
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return cursor_after(last["ts_event"], last["intent_id"])


async def orders_of(tables: Tables, intent_ids: Sequence[str]) -> list[OrderView]:
    """Return the orders of these intents, those that the ledger knows."""
    found = await tables.rows(
        f"SELECT {ORDER_COLUMNS} FROM orders"  # noqa: S608 - names of ours
        " WHERE intent_id = ANY(%(ids)s)",
        {"ids": list(intent_ids)},
    )
    return [order_view(row) for row in found]


async def marks(tables: Tables, desk: str, instrument: str) -> MarksView:
    """Return what a chart of one instrument marks, the newest of it."""
    asked = {"desk": desk, "instrument": instrument, "limit": MARKS}
    where = " WHERE desk = %(desk)s AND instrument_id = %(instrument)s"
    end = " ORDER BY ts_event DESC LIMIT %(limit)s"
    intents = await tables.rows(f"SELECT {ORDER_COLUMNS} FROM orders{where}{end}", asked)  # noqa: S608
    fills = await tables.rows(f"SELECT {_FILL_COLUMNS} FROM fills{where}{end}", asked)  # noqa: S608
    denials = await tables.rows(f"SELECT {_DENIAL_COLUMNS} FROM denials{where}{end}", asked)  # noqa: S608
    return MarksView(
        intents=[order_view(row) for row in intents],
        denials=[denial_view(row) for row in denials],
        fills=[fill_view(row) for row in fills],
    )


async def fills_of(tables: Tables, intent_ids: Sequence[str]) -> list[FillView]:
    """Return the fills of these intents' orders, oldest first."""
    found = await tables.rows(
        f"SELECT {_FILL_COLUMNS} FROM fills"  # noqa: S608 - names of ours
        " WHERE intent_id = ANY(%(ids)s) ORDER BY ts_event LIMIT %(limit)s",
        {"ids": list(intent_ids), "limit": MARKS},
    )
    return [fill_view(row) for row in found]


async def denials_of(tables: Tables, intent_ids: Sequence[str]) -> list[DenialView]:
    """Return every control that said no to these intents, in the gate's order."""
    found = await tables.rows(
        f"SELECT {_DENIAL_COLUMNS} FROM denials"  # noqa: S608 - names of ours
        " WHERE intent_id = ANY(%(ids)s) ORDER BY ts_event, place LIMIT %(limit)s",
        {"ids": list(intent_ids), "limit": MARKS},
    )
    return [denial_view(row) for row in found]
