"""A console as a real process over a real PostgreSQL and a real bus, and policy to obey people."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import httpx
from interlock.cli.process import HEALTH_PORT, Running, free_port, start
from interlock.cli.servers.nats import desk_users, nats_password, nats_server
from interlock.cli.servers.postgres import postgres_server
from interlock.cli.state_folder import StateFolder, open_state_folder
from interlock.console.sessions import CSRF_HEADER
from interlock.console.tokens import add_token
from interlock.console.views.people import Role
from interlock.ledger.adapters.postgres import PostgresTables
from interlock.ledger.recorder import Recorder
from interlock.ledger.rows import Stamp
from interlock.model.values import Side, TradingMode
from interlock.policy.app import build
from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.runtime.bus import admin
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.clock import DataClock
from interlock.runtime.journal import Journal
from interlock.runtime.loop import Loop, Recorded, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell
from interlock.runtime.signing import create_keys, load_rules_signer
from interlock.runtime.stores.postgres import Postgres
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.runtime.switch_file import arm_at_first_start
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.decisions import desk as small_desk
from interlock.testkit.decisions import policy as policy_version
from interlock.testkit.decisions import proposal, reconciled
from interlock.testkit.desk_messages import accepted, bar, denied, fill, intent, judged, submitted
from interlock.wire import catalogue, codec
from interlock.wire.base import Message
from interlock.wire.catalogue import EXEC, POLICY, Stream
from interlock.wire.policy import ProposalVerdict

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 20.0
SCRIPT = "<script>alert(1)</script>"
THESIS = SCRIPT + "x" * 900_000
DIAL = """
[policy.parameters.aggressiveness]
initial = 1
lower = 0
upper = 3
max_step = 3
"""
PEOPLE = {"vera": Role.VIEWER, "otto": Role.OPERATOR, "ada": Role.APPROVER, "ben": Role.APPROVER}


@dataclass(slots=True)
class ConsoleDesk:
    """Everything that stands around one console, and the console."""

    state: StateFolder
    nats_url: str
    nats: Running
    database: Running
    postgres_url: str
    port: int
    tokens: dict[str, str]
    more_environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    loops: list[Loop] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def bus(self, service: str) -> NatsBus:
        password = nats_password(self.state, service)
        client = await connect(self.nats_url, service, password, lambda _: None)
        return NatsBus(client, service)

    async def say(self, service: str, *messages: Message) -> None:
        """Publish in a service's name, as it would."""
        bus = await self.bus(service)
        await bus.publish(list(messages), {})
        await bus.close()

    async def start_console(self) -> None:
        self.process = self._process()
        async with httpx.AsyncClient() as client:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    assert self.process.poll() is None, self.log()
                    with contextlib.suppress(httpx.TransportError):
                        await client.get(f"{self.url}/api/session")
                        return
                    await asyncio.sleep(0.05)

    def _process(self) -> subprocess.Popen[bytes]:
        with (self.state.logs / "console.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "interlock.console"],
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={
                    **os.environ,
                    "INTERLOCK_DESK_FILE": str(self.state.root / "desk.toml"),
                    "INTERLOCK_STATE": str(self.state.root),
                    "INTERLOCK_NATS_URL": self.nats_url,
                    "INTERLOCK_NATS_PASSWORD": nats_password(self.state, "console"),
                    "INTERLOCK_REDIS_URL": "",
                    "INTERLOCK_POSTGRES_URL": self.postgres_url,
                    "INTERLOCK_CONSOLE_PORT": str(self.port),
                    HEALTH_PORT: str(free_port()),
                    **self.more_environment,
                },
            )

    def log(self) -> str:
        return (self.state.logs / "console.log").read_text()

    def stop_console(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)

    @contextlib.asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """Log a person in."""
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_SECONDS) as client:
            answer = await client.post("/api/login", json={"token": self.tokens[name]})
            assert answer.status_code == 200, answer.text
            client.headers[CSRF_HEADER] = answer.json()["csrf"]
            await until_bus_is_up(client)
            yield client


async def until_bus_is_up(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await client.get("/api/state")).json()["bus_up"]:
            await asyncio.sleep(0.05)


def day_of_trading() -> list[Message]:
    """Return a small day: a model call with a huge answer, a denied intent, a closed trade."""
    return [
        bar(0, 100.0),
        policy_version(1, 1.0),
        proposal(1, 1.1, answer=THESIS, rationale=SCRIPT, prompt="What now?", prompt_hash="c0ffee"),
        judged(1, ProposalVerdict.ACCEPTED),
        policy_version(2, 1.1),
        *(intent(3), denied(3)),
        *(intent(4), submitted(4), accepted(4), fill(4, Side.BUY, 10, 100)),
        *(intent(6, Side.SELL), submitted(6, Side.SELL)),
        fill(6, Side.SELL, 10, Decimal("99.5")),
        *(intent(8), submitted(8), accepted(8)),
    ]


async def write_down(folder: Path, url: str, messages: list[Message]) -> None:
    """Have the ledger's own recorder make the tables of `messages`."""
    tables = PostgresTables(Postgres(url, application="test"))
    stamp = Stamp(mode=TradingMode.DEMO, config_hash="c0ffee")
    recorder = Recorder(Journal(folder / "journal.jsonl"), tables, stamp)
    await recorder.record(
        [
            Recorded(
                stream=catalogue.entry_of(m).stream or Stream.DESK,
                subject=catalogue.subject_of(m),
                body=codec.encode(m),
                message=m,
            )
            for m in messages
        ]
    )
    await recorder.flush()
    await recorder.close()


async def _ready(child, state: StateFolder) -> Running:
    running = await start(child, state)
    while not await child.probe():
        assert running.process.returncode is None, running.last_lines()
    return running


@contextlib.asynccontextmanager
async def policy_on(desk: ConsoleDesk) -> AsyncIterator[None]:
    """Run the real policy service in this process, its book equal to the venue's."""
    create_keys(desk.state.secrets)
    limits = ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)
    dial = ParameterLimits(initial=1.0, lower=0.0, upper=3.0, max_step=3.0)
    config = PolicyConfig(parameters={"threshold_bps": limits, "aggressiveness": dial})
    signer = load_rules_signer(desk.state.secrets)
    service = build(small_desk(), config, "c0ffee", MemoryRulesStore(), signer)
    bus = await desk.bus(POLICY)
    loop = Loop(
        cell=Cell(service, service.state),
        bus=bus,
        clock=DataClock(0),
        telemetry=Telemetry(POLICY, {}),
        metrics=Metrics(),
        streams=streams_of(POLICY),
    )
    await loop.recover()
    await loop.begin()
    task = asyncio.create_task(loop.run())
    try:
        await desk.say(EXEC, reconciled())
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@contextlib.asynccontextmanager
async def console_desk(
    folder: Path, *more: Message, sections: str = "", environment: dict[str, str] | None = None
) -> AsyncIterator[ConsoleDesk]:
    """Start everything, with a day of trading and `more` in the tables.

    `sections` go into the desk file besides, `environment` into the console's.
    """
    state = open_state_folder(folder)
    text = (ROOT / "deploy" / "desks" / "params.toml").read_text()
    text = text.replace('"paper-params"', '"paper-1"')
    (state.root / "desk.toml").write_text(f"{text}{DIAL}\n{sections}")
    arm_at_first_start(state.root)
    server, tables = nats_server(state, desk_users(state)), postgres_server(state)
    nats, database = await asyncio.gather(_ready(server.child, state), _ready(tables.child, state))
    client = await connect(server.url, "admin", nats_password(state, "admin"), lambda _: None)
    await admin.prepare(client)
    await client.close()
    await write_down(state.root, tables.url, [*day_of_trading(), *more])
    tokens = {name: add_token(state.secrets, name, role) for name, role in PEOPLE.items()}
    desk = ConsoleDesk(
        state=state,
        nats_url=server.url,
        nats=nats,
        database=database,
        postgres_url=tables.url,
        port=free_port(),
        tokens=tokens,
        more_environment=environment or {},
    )
    try:
        await desk.start_console()
        yield desk
    finally:
        if desk.process is not None and desk.process.poll() is None:
            desk.stop_console()
        await desk.nats.stop()
        await desk.database.stop()
