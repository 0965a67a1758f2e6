"""A real PostgreSQL for the ledger's tables."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from interlock.cli.process import Running, start
from interlock.cli.servers.postgres import postgres_server
from interlock.cli.state_folder import open_state_folder
from interlock.ledger.adapters.postgres import migrations
from interlock.runtime.stores.postgres import Postgres


class Database:
    """A running PostgreSQL that can be killed and started again on its data."""

    def __init__(self, folder: Path) -> None:
        self.state = open_state_folder(folder)
        self.server = postgres_server(self.state)
        self.running: Running | None = None

    async def start(self) -> None:
        self.running = await start(self.server.child, self.state)
        while not await self.server.child.probe():
            assert self.running.process.returncode is None, self.running.last_lines()

    async def stop(self) -> None:
        if self.running is not None:
            await self.running.stop()
            self.running = None

    def store(self) -> Postgres:
        return Postgres(self.server.url, application="test")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    running = Database(tmp_path / "state")
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Postgres]:
    async with database.store() as opened:
        await opened.migrate(migrations())
        yield opened
