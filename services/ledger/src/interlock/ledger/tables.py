"""Where the ledger keeps its tables: a border of its shell, which the core never sees."""

from collections.abc import Sequence
from typing import Protocol

from interlock.ledger.rows import AnyRow
from interlock.runtime.journal import Place


class Tables(Protocol):
    """The ledger's tables. Every call raises `UnavailableError` where they cannot be reached."""

    async def open(self) -> Place:
        """Make the tables ready and return the journal's place up to which they were made."""
        ...

    async def write(self, rows: Sequence[AnyRow], place: Place | None) -> None:
        """Take in `rows` all together or not at all, and with them the journal's place.

        Rows that are there already change nothing. `place` is none where the rows are not the
        journal's.
        """
        ...

    async def close(self) -> None: ...


class RowsRefusedError(Exception):
    """The tables will never take these rows as they are; trying again is of no use."""
