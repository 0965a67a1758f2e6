"""The kill drill's desk with its ledger and its console, and people who may log in to it.

Policy, gate, exec and ledger are the real ones, on a real bus; the tests speak as feed, signals and
strategy, with those services' own credentials.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import httpx
from interlock.cli import stack
from interlock.cli.drill_load import DrillLoad, market_on
from interlock.cli.process import LOOPBACK, free_port
from interlock.cli.scratch_desk import ScratchDesk, scratch_desk
from interlock.console.sessions import CSRF_HEADER
from interlock.console.tokens import add_token
from interlock.console.views.people import Role
from interlock.runtime.config import load_desk_file
from interlock.testkit.approvals import asked
from interlock.testkit.decisions import wanted
from interlock.wire.approvals import ApprovalRequested
from interlock.wire.catalogue import CONSOLE, LEDGER
from msgspec.structs import replace

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02
NANOS_PER_SECOND = 1_000_000_000
PEOPLE = {"vera": Role.VIEWER, "otto": Role.OPERATOR, "ada": Role.APPROVER, "ben": Role.APPROVER}


@dataclass(slots=True)
class DrillDesk:
    """The desk, who speaks as its market and strategy, and the console in front of it."""

    scratch: ScratchDesk
    load: DrillLoad
    url: str
    tokens: dict[str, str]

    async def open_orders(self, count: int) -> None:
        """Have so many more orders rest at the venue."""
        before = self.load.accepted
        for _ in range(count):
            await self.load.ask()
        await until(lambda: self.load.accepted >= before + count)

    async def ask_people(self, number: int, *, seconds: float = 300, **more: object) -> str:
        """Ask, as the strategy, for an entry; return the request's id."""
        now = time.time_ns()
        desk = self.load.desk
        named = {"desk": desk.name, "ts_event": now}
        intent = replace(
            wanted(number),
            **named,
            account=desk.account,
            instrument_id=desk.instruments[0].instrument_id,
            ts_market=now,
        )
        fields = {
            **named,
            "intent": intent,
            "notional": Decimal(1_000),
            "expires_at": now + int(seconds * NANOS_PER_SECOND),
        }
        request: ApprovalRequested = asked(number, **(fields | more))
        await self.load.strategy.publish([request], {})
        return request.request_id

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """Log a person in without a page."""
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_SECONDS) as client:
            answer = await client.post("/api/login", json={"token": self.tokens[name]})
            assert answer.status_code == 200, answer.text
            client.headers[CSRF_HEADER] = answer.json()["csrf"]
            yield client


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def drill_desk(*more: str) -> AsyncIterator[DrillDesk]:
    """Start everything, `more` services too, and yield when the desk is active."""
    async with scratch_desk() as scratch:
        port = free_port()
        settings = {"INTERLOCK_DESK_FILE": str(scratch.desk_file), "INTERLOCK_REPLAY": ""}
        secrets = scratch.state.secrets
        tokens = {name: add_token(secrets, name, role) for name, role in PEOPLE.items()}
        scratch.children[CONSOLE] = stack.console(scratch.state, scratch.addresses, settings, port)
        await scratch.start("postgres", LEDGER, CONSOLE, *more)
        desk = load_desk_file(scratch.desk_file, {}).desk
        async with market_on(scratch, desk) as load:
            running = DrillDesk(scratch, load, f"http://{LOOPBACK}:{port}", tokens)
            async with running.person("vera") as viewer:
                await _active(viewer, load)
            yield running


async def _active(viewer: httpx.AsyncClient, load: DrillLoad) -> None:
    """Resume until the desk trades; a fresh one is halted until its books were compared."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await viewer.get("/api/state")).json()["trading_state"] != "active":
            await load.resume()
            await asyncio.sleep(0.5)
