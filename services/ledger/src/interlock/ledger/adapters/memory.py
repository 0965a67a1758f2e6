"""The tables of a desk that lives in one process."""

from collections.abc import Sequence
from typing import Any

import msgspec

from interlock.ledger.rows import TABLES, AnyRow, OrderChange, merged
from interlock.runtime.journal import START, Place


class MemoryTables:
    """`rows` by table name and key, in order of arrival; `orders` by intent id."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[tuple[Any, ...], AnyRow]] = {
            name: {} for name, _ in TABLES.values()
        }
        self.orders: dict[str, OrderChange] = {}
        self.place = START

    async def open(self) -> Place:
        return self.place

    async def write(self, rows: Sequence[AnyRow], place: Place | None) -> None:
        for row in rows:
            name, key_columns = TABLES[type(row)]
            key = tuple(getattr(row, column) for column in key_columns)
            if key in self.rows[name]:
                continue
            self.rows[name][key] = row
            if isinstance(row, OrderChange):
                self.orders[row.intent_id] = merged(self.orders.get(row.intent_id), row)
        if place is not None:
            self.place = place

    async def close(self) -> None:
        """Nothing is open."""

    def all(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of one table as they would stand in JSON."""
        kept = list(self.orders.values()) if name == "orders" else list(self.rows[name].values())
        return [msgspec.to_builtins(row) for row in kept]
