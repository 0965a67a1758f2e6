"""The ledger's tables, asked by several people at once and never for long.

Theory of operation. A few connections, read-only: the least busy one answers. A question that is
not answered within its bound is given up, its connection thrown away in the background, and the
person gets a 503; nothing here waits for a database that has stopped.
"""

import asyncio
from collections.abc import Mapping, Sequence

from interlock.runtime.errors import UnavailableError
from interlock.runtime.stores.postgres import Postgres, Row

CONNECTIONS = 3
ANSWER_SECONDS = 5.0
_DSN_IS_EMPTY = "PostgreSQL: this desk has none"


class Tables:
    """A small pool. `up` is whether the last question was answered."""

    def __init__(self, dsn: str, *, connections: int = CONNECTIONS) -> None:
        self._dsn = dsn
        self._free: asyncio.LifoQueue[Postgres] = asyncio.LifoQueue()
        self._endings: set[asyncio.Task[None]] = set()
        for _ in range(connections):
            self._free.put_nowait(self._fresh())
        self.up = True

    def _fresh(self) -> Postgres:
        return Postgres(
            self._dsn, application="console", read_only=True, statement_seconds=ANSWER_SECONDS
        )

    async def rows(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[Row]:
        """Return what a query answers, a dictionary a row.

        Raises
        ------
        UnavailableError
            When there is no answer within `ANSWER_SECONDS`.
        """
        if not self._dsn:
            raise UnavailableError(_DSN_IS_EMPTY)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                store = await self._free.get()
        except TimeoutError:
            self.up = False
            raise UnavailableError("PostgreSQL: too many questions at once") from None
        asking = asyncio.create_task(store.rows(sql, parameters))
        try:
            done, _ = await asyncio.wait((asking,), timeout=ANSWER_SECONDS)
        except asyncio.CancelledError:
            self._give_up(asking, store)
            raise
        if not done:
            self._give_up(asking, store)
            self.up = False
            raise UnavailableError(f"PostgreSQL: no answer within {ANSWER_SECONDS:g} s")
        self._free.put_nowait(store)
        self.up = asking.exception() is None
        return asking.result()

    async def row(self, sql: str, parameters: Mapping[str, object]) -> Row | None:
        """Return the first row of the answer, none where there is none."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    def _give_up(self, asking: asyncio.Task[list[Row]], store: Postgres) -> None:
        async def end() -> None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await store.close()

        ending = asyncio.create_task(end())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        self._free.put_nowait(self._fresh())

    async def close(self) -> None:
        while not self._free.empty():
            await self._free.get_nowait().close()
