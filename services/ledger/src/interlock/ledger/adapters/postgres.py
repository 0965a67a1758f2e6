"""The tables in PostgreSQL.

Rows travel as one JSON array a table and batch: the database turns it into rows by the column
names, which are the field names. Orders change, so each change is first kept under its message's
id, and only a change that was not there yet is laid over the order.
"""

from collections.abc import Sequence
from importlib.resources import files

import msgspec

from interlock.ledger.rows import KEPT_FROM_FIRST, TABLES, AnyRow, OrderChange, by_kind
from interlock.ledger.tables import RowsRefusedError
from interlock.runtime.journal import START, Place
from interlock.runtime.stores.postgres import (
    Migration,
    Postgres,
    Statement,
    StatementRefusedError,
)

_encoder = msgspec.json.Encoder()


def migrations() -> list[Migration]:
    """Return the numbered steps of the ledger's schema, in order."""
    folder = files("interlock.ledger") / "migrations"
    steps = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return sorted(
        (Migration(step.name, step.read_text(encoding="utf-8")) for step in steps),
        key=lambda step: step.name,
    )


class PostgresTables:
    """`store` is closed with the tables."""

    def __init__(self, store: Postgres) -> None:
        self._store = store

    async def open(self) -> Place:
        await self._store.migrate(migrations())
        found = await self._store.rows("SELECT journal_offset, seq, hash FROM journal_place")
        if not found:
            return START
        return Place(found[0]["journal_offset"], found[0]["seq"], found[0]["hash"])

    async def write(self, rows: Sequence[AnyRow], place: Place | None) -> None:
        statements = list[Statement]()
        for kind, group in by_kind(rows).items():
            if kind is OrderChange:
                statements += [Statement(_CHANGE_ORDER, (_json(change),)) for change in group]
            else:
                statements.append(Statement(_INSERT[kind], (_json(group),)))
        if place is not None:
            parameters = (place.offset, place.seq, place.hash)
            statements.append(Statement(_KEEP_PLACE, parameters))
        if not statements:
            return
        try:
            await self._store.transact(statements)
        except StatementRefusedError as error:
            raise RowsRefusedError(str(error)) from error

    async def close(self) -> None:
        await self._store.close()


def _json(value: object) -> str:
    r"""Encode for the database, whose text knows no NUL: a model's answer may hold ``\u0000``."""
    return _encoder.encode(value).decode().replace("\\u0000", "\\ufffd")


def _columns(kind: type[AnyRow]) -> str:
    return ", ".join(f'"{name}"' for name in kind.__struct_fields__)


def _insert(kind: type[AnyRow]) -> str:
    table, columns = TABLES[kind][0], _columns(kind)
    return (
        f"INSERT INTO {table} ({columns})"  # noqa: S608 - names of ours
        f" SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)"
        " ON CONFLICT DO NOTHING"
    )


def _change_order() -> str:
    columns = _columns(OrderChange)
    latest = [
        f'"{name}" = COALESCE(EXCLUDED."{name}", orders."{name}")'
        for name in OrderChange.__struct_fields__
        if name not in (*KEPT_FROM_FIRST, "intent_id", "entry_price")
    ]
    latest.append(
        "entry_price = CASE WHEN orders.exit_price IS NOT NULL THEN orders.entry_price"
        " ELSE COALESCE(EXCLUDED.entry_price, orders.entry_price) END"
    )
    return (
        f"WITH fresh AS (INSERT INTO order_changes ({columns})"  # noqa: S608 - names of ours
        f" SELECT {columns} FROM json_populate_record(NULL::order_changes, %s::json)"
        f" ON CONFLICT DO NOTHING RETURNING {columns})"
        f" INSERT INTO orders ({columns}) SELECT {columns} FROM fresh"
        f" ON CONFLICT (intent_id) DO UPDATE SET {', '.join(latest)}"
    )


_INSERT = {kind: _insert(kind) for kind in TABLES if kind is not OrderChange}
_CHANGE_ORDER = _change_order()
_KEEP_PLACE = (
    "INSERT INTO journal_place (only_row, journal_offset, seq, hash) VALUES (true, %s, %s, %s)"
    " ON CONFLICT (only_row) DO UPDATE SET journal_offset = EXCLUDED.journal_offset,"
    " seq = EXCLUDED.seq, hash = EXCLUDED.hash"
)
