"""Real servers and real service processes, started as `interlock up` starts them."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from interlock.cli import stack
from interlock.cli.servers.nats import nats_password
from interlock.cli.stack import Addresses
from interlock.cli.state_folder import StateFolder, open_state_folder
from interlock.cli.supervisor import Supervisor
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.permissions import OPERATOR
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.wire.catalogue import FEED, services_of

from tests.bench.desk import PATH, UNLIMITED


@dataclass(frozen=True, slots=True)
class World:
    """A broker with its streams, a policy store, and some of the desk's services."""

    state: StateFolder
    addresses: Addresses
    supervisor: Supervisor

    async def bus(self, user: str) -> NatsBus:
        """Return the bus as `user` sees it: a service that does not run, or the operator."""
        password = nats_password(self.state, user)
        client = await connect(self.addresses.nats_url, user, password, lambda _: None)
        return NatsBus(client, user)

    async def operator(self) -> NatsBus:
        return await self.bus(OPERATOR)


@asynccontextmanager
async def world(
    services: Sequence[str] = services_of(),
    *,
    replaying: bool = False,
    overrides: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[World]:
    """Start the servers and `services`, but never the feed: the benchmark is the feed.

    `replaying` puts them on the data's clock and has them tell when they have settled. `overrides`
    are of the desk file, by environment.
    """
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        state = open_state_folder(Path(folder))
        create_keys(state.secrets)
        arm_at_first_start(state.root)
        supervisor = Supervisor(state, "params")
        children, addresses = stack.servers(state, None, None, None)
        supervisor.servers = addresses.public
        try:
            await supervisor.start(children)
            client = await stack.administrator(state, addresses)
            await client.close()
            environment = {
                **UNLIMITED,
                **overrides,
                "INTERLOCK_DESK_FILE": str(PATH),
                "INTERLOCK_REPLAY": "bench" if replaying else "",
                "INTERLOCK_SPEED": "max",
            }
            everyone = stack.services(state, addresses, environment)
            wanted = [child for child in everyone if child.name in services and child.name != FEED]
            await supervisor.start(wanted)
            yield World(state, addresses, supervisor)
        finally:
            await supervisor.stop()
