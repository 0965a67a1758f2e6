"""A desk for a drill: real servers and services in a temporary folder, each of which can be hurt.

There is no feed and no strategy in it: the drill speaks in their place, with their credentials. Its
limits are wide, because what is drilled is not the limits.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from interlock.cli import stack
from interlock.cli.errors import CliError
from interlock.cli.process import Child, Running, start
from interlock.cli.servers.nats import nats_password
from interlock.cli.stack import Addresses
from interlock.cli.state_folder import StateFolder, open_state_folder
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.tcp_only import Client
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.wire.catalogue import EXEC, GATE, POLICY

NATS, REDIS = "nats", "valkey"
START_BOUND_SECONDS = 30.0
ASK_SECONDS = 0.01
SILENCE_SECONDS = 5

DESK_TEXT = f"""\
[desk]
name = "drill"
account = "paper-drill"
venue = "paper"
cadence_seconds = 5
equity_usd = 1000000000
instruments = [
  {{ instrument_id = "D0", venue = "paper", bucket = "core", sector = "drill" }},
  {{ instrument_id = "D1", venue = "paper", bucket = "core", sector = "drill" }},
  {{ instrument_id = "D2", venue = "paper", bucket = "core", sector = "drill" }},
  {{ instrument_id = "D3", venue = "paper", bucket = "core", sector = "drill" }},
]

[policy.parameters.threshold_bps]
initial = 1.0
lower = 0.3
upper = 3.0
max_step = 0.2

[gate]
max_gross_notional = 1000000000
max_gross_pct = 100
max_net_pct = 100
max_sector_pct = 100
collar_bps = 5000
max_reference_age_seconds = 600
max_intent_age_seconds = 600
max_features_age_seconds = 600
approval_seconds = 5
max_orders_per_second = 1000000
max_orders_per_minute = 1000000
halt_orders_per_minute = 1000000
max_entries_without_person = 1000000
max_daily_loss_pct = 50
max_weekly_loss_pct = 50
max_drawdown_5d_pct = 50
max_consecutive_losses = 1000
min_cash = 0
max_day_notional = 1000000000000
fee_bps = 1
cooldown_seconds = 0
allowed_kinds = ["equity"]
sides = ["buy", "sell"]
session = "always"

[gate.default_limits]
max_order_quantity = 1000000
max_order_notional = 1000000000
min_order_notional = 1
max_position_notional = 1000000000

[gate.buckets.core]
max_gross_pct = 100
max_name_pct = 100
max_order_pct = 100

[exec]
gate_silence_seconds = {SILENCE_SECONDS}
"""


@dataclass(slots=True)
class ScratchDesk:
    """The running parts by name, and how to hurt them."""

    state: StateFolder
    desk_file: Path
    addresses: Addresses
    children: dict[str, Child]
    running: dict[str, Running] = field(default_factory=dict[str, Running])

    async def start(self, *names: str) -> None:
        """Start these and return when all of them are ready.

        Raises
        ------
        CliError
            When one of them does not come up.
        """
        for name in names:
            self.running[name] = await start(self.children[name], self.state)
        await asyncio.gather(*(self._ready(self.running[name]) for name in names))

    async def _ready(self, running: Running) -> None:
        deadline = time.monotonic() + START_BOUND_SECONDS
        while not await running.child.probe():
            if running.process.returncode is not None or time.monotonic() > deadline:
                said = " | ".join(running.last_lines()) or "it said nothing"
                raise CliError(f"{running.child.name} does not come up in the drill: {said}")
            await asyncio.sleep(ASK_SECONDS)

    async def kill(self, name: str) -> None:
        """End it the hard way and return when it is gone."""
        running = self.running.pop(name)
        running.process.kill()
        await running.wait()

    def pause(self, name: str) -> None:
        os.killpg(self.running[name].pid, signal.SIGSTOP)

    def go_on(self, name: str) -> None:
        os.killpg(self.running[name].pid, signal.SIGCONT)

    async def stop(self) -> None:
        stopping = [self.running.pop(name) for name in reversed(list(self.running))]
        for one in stopping:
            await one.stop()

    async def client(self, user: str) -> Client:
        password = nats_password(self.state, user)
        return await connect(self.addresses.nats_url, user, password, lambda _: None)

    async def bus(self, user: str) -> NatsBus:
        """Return the bus as `user` sees it."""
        return NatsBus(await self.client(user), user)


@asynccontextmanager
async def scratch_desk() -> AsyncGenerator[ScratchDesk]:
    """Start servers, policy, gate and exec in a temporary folder; end and remove everything."""
    with tempfile.TemporaryDirectory(prefix="interlock-drill-") as folder:
        state = open_state_folder(Path(folder) / "state")
        desk_file = Path(folder) / "drill.toml"
        desk_file.write_text(DESK_TEXT, encoding="utf-8")
        create_keys(state.secrets)
        arm_at_first_start(state.root)
        servers, addresses = stack.servers(state, None, None, None)
        settings = {"INTERLOCK_DESK_FILE": str(desk_file), "INTERLOCK_REPLAY": ""}
        everyone = [*servers, *stack.services(state, addresses, settings)]
        desk = ScratchDesk(state, desk_file, addresses, {child.name: child for child in everyone})
        try:
            await desk.start(NATS, REDIS)
            client = await stack.administrator(state, addresses)
            await client.close()
            await desk.start(POLICY, GATE, EXEC)
            yield desk
        finally:
            await desk.stop()
