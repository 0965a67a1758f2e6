"""One connection to PostgreSQL that comes back after the server did.

A unit of work is one transaction, sent in one pipeline. Where the connection is lost, nobody
knows whether the commit arrived: the error is `UnavailableError`, the next call connects anew,
and the caller repeats the work, so statements must be safe to do twice.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

import psycopg
from msgspec import Struct
from psycopg.rows import dict_row

from interlock.runtime.errors import UnavailableError

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
# Any number will do as long as nobody else locks it: the first bytes of SHA-256("interlock").
_MIGRATION_LOCK = int.from_bytes(hashlib.sha256(b"interlock").digest()[:7])

type Row = dict[str, Any]


class Statement(Struct, frozen=True):
    """One SQL statement and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()


class Migration(Struct, frozen=True):
    """One numbered step of a schema: its file's name and its SQL."""

    name: str
    sql: str


class StatementRefusedError(Exception):
    """The server understood the statement and will not do it: repeating it is of no use."""


class MigrationError(Exception):
    """The schema in the database is not one this code can work with."""


class Postgres:
    """A connection for one task at a time; others wait their turn."""

    def __init__(
        self,
        dsn: str,
        *,
        application: str,
        read_only: bool = False,
        statement_seconds: float = STATEMENT_SECONDS,
    ) -> None:
        self._dsn = dsn
        self._application = application
        self._options = f"-c statement_timeout={statement_seconds:g}s -c timezone=UTC"
        if read_only:
            self._options += " -c default_transaction_read_only=on"
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._turn = asyncio.Lock()

    async def transact(self, statements: Sequence[Statement]) -> None:
        """Do all of `statements` in one transaction, or none of them.

        Raises
        ------
        UnavailableError
            When the server is away, full or too slow; whether the work was done is unknown.
        StatementRefusedError
            When it will not take a statement; nothing was done.
        """
        async with self._turn:
            connection = await self._connected()
            try:
                async with connection.transaction(), connection.pipeline():
                    for statement in statements:
                        await connection.execute(statement.sql.encode(), statement.parameters)
            except psycopg.OperationalError as error:
                await self._drop()
                raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error
            except psycopg.Error as error:
                raise StatementRefusedError(f"PostgreSQL: {_first_line(error)}") from error

    async def rows(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> list[Row]:
        """Return what a query answers, a dictionary a row.

        Raises
        ------
        UnavailableError
            When the server is away or too slow, or its tables have not been made yet.
        """
        async with self._turn:
            connection = await self._connected()
            try:
                cursor = await connection.execute(sql.encode(), parameters)
                return await cursor.fetchall()
            except psycopg.errors.UndefinedTable as error:
                raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error
            except psycopg.OperationalError as error:
                await self._drop()
                raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error

    async def migrate(self, migrations: Sequence[Migration]) -> list[str]:
        """Bring the schema up to date and return the names of the steps that were missing.

        Each step and its line in ``schema_migrations`` are one transaction, under an advisory
        lock, so that two services that start together do not do it twice.

        Raises
        ------
        MigrationError
            When a step that was applied here reads differently now, or is unknown to this code.
        UnavailableError
            When the server cannot be reached.
        """
        async with self._turn:
            connection = await self._connected()
            try:
                async with connection.transaction():
                    return await _migrate(connection, migrations)
            except psycopg.OperationalError as error:
                await self._drop()
                raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error

    async def _connected(self) -> psycopg.AsyncConnection[Row]:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = await psycopg.AsyncConnection[Row].connect(
                    self._dsn,
                    autocommit=True,
                    row_factory=dict_row,
                    connect_timeout=CONNECT_SECONDS,
                    application_name=self._application,
                    options=self._options,
                    keepalives_idle=5,
                )
            except psycopg.OperationalError as error:
                raise UnavailableError(f"PostgreSQL: {_first_line(error)}") from error
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        async with self._turn:
            await self._drop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _migrate(
    connection: psycopg.AsyncConnection[Row], migrations: Sequence[Migration]
) -> list[str]:
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        " name text PRIMARY KEY, sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    cursor = await connection.execute("SELECT name, sha256 FROM schema_migrations")
    applied = {row["name"]: row["sha256"] for row in await cursor.fetchall()}
    stray = sorted(applied.keys() - {migration.name for migration in migrations})
    if stray:
        raise MigrationError(f"the database has {stray[0]}, which this version does not know")
    fresh = list[str]()
    for migration in sorted(migrations, key=lambda step: step.name):
        digest = hashlib.sha256(migration.sql.encode()).hexdigest()
        if migration.name not in applied:
            await connection.execute(migration.sql.encode())
            await connection.execute(
                "INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)",
                (migration.name, digest),
            )
            fresh.append(migration.name)
        elif applied[migration.name] != digest:
            raise MigrationError(f"{migration.name} has changed since it was applied")
    return fresh


def _first_line(error: psycopg.Error) -> str:
    return str(error).strip().split("\n", 1)[0]
