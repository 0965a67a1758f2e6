"""A desk whose parts can be killed one by one: real servers, real processes, the real clock.

The feed and the strategy are ours, so that a fault decides what is asked and when. Everything
else is what `interlock up` starts.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from interlock.cli import stack
from interlock.cli.process import Child, Running, service_child, start
from interlock.cli.servers.nats import nats_password
from interlock.cli.stack import Addresses
from interlock.cli.state_folder import StateFolder, open_state_folder
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.permissions import OPERATOR
from interlock.runtime.config import DeskFile, load_desk_file
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.wire import catalogue
from interlock.wire.catalogue import EXEC, GATE, POLICY

from tests.bench.desk import PATH

NATS, REDIS, POSTGRES = "nats", "valkey", "postgres"
CORE = (POLICY, GATE, EXEC)
START_BOUND_SECONDS = 30.0
SETTLE_BOUND_SECONDS = 30.0
TIGHT = "IBM"
"""The one instrument with a limit that the load reaches."""
TIGHT_POSITION_NOTIONAL = 1_000

_WIDE = (
    "max_order_quantity = 1000000, max_order_notional = 1000000000, min_order_notional = 0,"
    " max_position_notional = "
)
LIMITS = {
    "INTERLOCK__DESK__EQUITY_USD": "1000000000000",
    "INTERLOCK__LOCAL_REASONER__PROVIDER": '"none"',
    "INTERLOCK__GATE__MAX_GROSS_NOTIONAL": "1000000000000",
    "INTERLOCK__GATE__MAX_DAY_NOTIONAL": "1000000000000",
    "INTERLOCK__GATE__MAX_ORDERS_PER_SECOND": "100000",
    "INTERLOCK__GATE__MAX_ORDERS_PER_MINUTE": "1000000",
    "INTERLOCK__GATE__HALT_ORDERS_PER_MINUTE": "1000000",
    "INTERLOCK__GATE__MAX_ENTRIES_WITHOUT_PERSON": "1000000",
    "INTERLOCK__GATE__MAX_CONSECUTIVE_LOSSES": "1000000",
    "INTERLOCK__GATE__DEFAULT_LIMITS": f"{{ {_WIDE} 1000000000000 }}",
    "INTERLOCK__GATE__LIMITS": f"{{ {TIGHT} = {{ {_WIDE} {TIGHT_POSITION_NOTIONAL} }} }}",
}
"""Overrides of the desk file `params`: no limit is in the way but that of one instrument."""


class NotInTimeError(AssertionError):
    """What should have happened did not, within its bound."""


def chaos_desk() -> DeskFile:
    return load_desk_file(PATH, LIMITS)


@dataclass(slots=True)
class Desk:
    """Processes by name. A second instance of a service is called ``<service>-<number>``."""

    state: StateFolder
    addresses: Addresses
    children: dict[str, Child]
    running: dict[str, Running] = field(default_factory=dict[str, Running])

    async def start(self, *names: str, **environment: str) -> None:
        """Start these and return when all of them are ready."""
        await asyncio.gather(*(self.launch(name, **environment) for name in names))
        await asyncio.gather(*(self.ready(name) for name in names))

    async def launch(self, name: str, **environment: str) -> None:
        child = self._child(name)
        child = replace(child, env={**child.env, **environment})
        self.running[name] = await start(child, self.state)

    async def ready(
        self, name: str, *, or_dead: bool = False, seconds: float = START_BOUND_SECONDS
    ) -> None:
        running = self.running[name]
        deadline = time.monotonic() + seconds
        while not await running.child.probe():
            if or_dead and running.process.returncode is not None:
                return
            if running.process.returncode is not None or time.monotonic() > deadline:
                raise NotInTimeError(f"{name} is not ready: {running.last_lines()}")
            await asyncio.sleep(0.01)

    def _child(self, name: str) -> Child:
        known = self.children.get(name)
        if known is None:
            model = self.children[name.partition("-")[0]]
            # Another port than that of the first one.
            known = service_child(name, model.argv, model.env)
            self.children[name] = known
        return known

    async def kill(self, name: str) -> None:
        """End it the hard way and return when it is gone."""
        self.running[name].process.kill()
        await self.running.pop(name).wait()

    async def wait(self, name: str, seconds: float = START_BOUND_SECONDS) -> int:
        """Wait for its own end and return the exit code."""
        try:
            async with asyncio.timeout(seconds):
                code = await self.running[name].wait()
        except TimeoutError:
            raise NotInTimeError(f"{name} has not ended") from None
        del self.running[name]
        return code

    async def stop(self, *names: str) -> None:
        stopping = [self.running.pop(name) for name in names or tuple(self.running)]
        await asyncio.gather(*(one.stop() for one in stopping))

    async def bus(self, user: str) -> NatsBus:
        """Return the bus as `user` sees it: a service that does not run, or the operator."""
        password = nats_password(self.state, user)
        client = await connect(self.addresses.nats_url, user, password, lambda _: None)
        return NatsBus(client, user)

    async def operator(self) -> NatsBus:
        return await self.bus(OPERATOR)

    async def settled(self, watching: NatsBus, services: Iterable[str] = CORE) -> None:
        """Return when these services have been given everything and acknowledged it."""
        wanted = list(services)
        await until(lambda: _idle(watching, wanted), SETTLE_BOUND_SECONDS, f"{wanted} to settle")


async def _idle(watching: NatsBus, services: list[str]) -> bool:
    for service in services:
        for stream in catalogue.filters_of(service):
            info = await watching._consumer_info(stream, service)
            if info is None or info["num_pending"] or info["num_ack_pending"]:
                return False
    return True


async def until(condition, seconds: float, what: str) -> None:
    """Ask `condition` (it may be asynchronous) until it holds, or raise `NotInTimeError`."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if asyncio.iscoroutine(holds):
            holds = await holds
        if holds:
            return
        if time.monotonic() > deadline:
            raise NotInTimeError(f"waited {seconds:g} s for {what}")
        await asyncio.sleep(0.01)


@asynccontextmanager
async def desk(
    services: Iterable[str] = CORE,
    *,
    servers: Iterable[str] = (NATS, REDIS),
    around: Callable[[StateFolder], AbstractContextManager[None]] = lambda _: nullcontext(),
    **environment: str,
) -> AsyncIterator[Desk]:
    """Start servers, make the streams, start services; end everything at the end.

    `around` is entered with the state folder before anything runs in it, and left at the end.
    """
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as folder, ExitStack() as stacked:
        state = open_state_folder(Path(folder))
        stacked.enter_context(around(state))
        create_keys(state.secrets)
        arm_at_first_start(state.root)
        embedded, addresses = stack.servers(state, None, None, None)
        settings = {**LIMITS, "INTERLOCK_DESK_FILE": str(PATH), "INTERLOCK_REPLAY": ""}
        everyone = [
            *embedded,
            *stack.services(state, addresses, {**settings, **environment}),
        ]
        made = Desk(state, addresses, {child.name: child for child in everyone})
        try:
            await made.start(*servers)
            client = await stack.administrator(state, addresses)
            await client.close()
            await made.start(*services)
            yield made
        finally:
            await made.stop()
