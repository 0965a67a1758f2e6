"""Real servers for tests: they start in a tenth of a second, so nothing stands in for them."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from interlock.cli.process import Running, start
from interlock.cli.servers.nats import desk_users, nats_password, nats_server
from interlock.cli.state_folder import StateFolder, open_state_folder
from interlock.runtime.bus import admin
from interlock.runtime.bus.nats import NatsBus, connect

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

settings.register_profile("nightly", max_examples=10_000, deadline=None)


@pytest.fixture(scope="session", autouse=True)
def second_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the anchors of every journal a test writes out of the real home."""
    folder = tmp_path_factory.mktemp("anchors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERLOCK_ANCHORS", str(folder))
        yield folder


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the recorded market data is not here: it is no part of the repository")
    return SHARED_DATA


@dataclass(slots=True)
class Broker:
    """A running NATS server, prepared as `interlock up` prepares it."""

    state: StateFolder
    url: str
    running: Running

    async def bus(self, service: str) -> NatsBus:
        return NatsBus(await self.client(service), service)

    async def client(self, user: str, on_error: Callable[[str], None] = lambda _: None):
        return await connect(self.url, user, nats_password(self.state, user), on_error)

    async def kill(self) -> None:
        """End the server the hard way and start it again on its port and its data."""
        self.running.process.kill()
        await self.running.wait()
        self.running = await _ready(self.running.child, self.state)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    state = open_state_folder(tmp_path / "state")
    server = nats_server(state, desk_users(state))
    running = await _ready(server.child, state)
    broker = Broker(state, server.url, running)
    client = await broker.client("admin")
    await admin.prepare(client)
    await client.close()
    yield broker
    await broker.running.stop()


async def _ready(child, state: StateFolder) -> Running:
    running = await start(child, state)
    while not await child.probe():
        assert running.process.returncode is None, running.last_lines()
    return running
