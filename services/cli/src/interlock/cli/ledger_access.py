"""The ledger's tables for a command: of the desk that runs, or started for as long as it reads.

Theory of operation. While a desk runs, its PostgreSQL is asked. While none does, the embedded one
is started on the folder's data, under the folder's lock, and stopped again; it takes a few tenths
of a second. Two commands at the same time take turns.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from interlock.cli.errors import CliError
from interlock.cli.process import Running, end_stale, start
from interlock.cli.run_record import RunRecord, read_run_record
from interlock.cli.servers.postgres import postgres_server, postgres_url
from interlock.cli.state_folder import StateFolder, locked
from interlock.ledger import queries
from interlock.runtime.errors import UnavailableError
from interlock.runtime.stores.postgres import Postgres

PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_PROBE_SECONDS = 0.01


@asynccontextmanager
async def open_ledger(state: StateFolder, own_url: str | None = None) -> AsyncGenerator[Postgres]:
    """Connect to the tables of the desk in `state`, or to those at `own_url`.

    Raises
    ------
    CliError
        When there are no tables, another process holds the folder, or the server cannot be
        reached, also later, while it is asked.
    """
    with ExitStack() as held:
        async with _address(state, own_url, held) as url, Postgres(url, application="cli") as store:
            try:
                if not await queries.are_there(store):
                    raise CliError(f"{state.root}: the database holds no tables of a ledger yet")
                yield store
            except UnavailableError as error:
                raise CliError(f"the ledger's tables cannot be read: {error}") from error


@asynccontextmanager
async def _address(state: StateFolder, own_url: str | None, held: ExitStack) -> AsyncGenerator[str]:
    if own_url is not None:
        yield own_url
        return
    record = await _run_or_lock(state, held)
    if record is not None:
        yield _url_of_run(state, record)
        return
    end_stale(state)
    server = postgres_server(state)
    running = await start(server.child, state)
    try:
        await _ready(running)
        yield server.url
    finally:
        await running.stop()


async def _run_or_lock(state: StateFolder, held: ExitStack) -> RunRecord | None:
    """Return the run that goes on; where there is none, hold the state folder instead."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        record = read_run_record(state)
        if record is not None and record.alive:
            return record
        if not (state.postgres / "PG_VERSION").is_file():
            raise CliError(
                f"{state.root} holds no data of a desk: run one with `interlock up`, "
                "or give its --state or --postgres"
            )
        try:
            held.enter_context(locked(state))
        except CliError:
            if time.monotonic() > deadline:
                raise
        except OSError as error:
            raise CliError(f"{state.root} cannot be used: {error.strerror}") from error
        else:
            return None
        await asyncio.sleep(_PAUSE_SECONDS)


def _url_of_run(state: StateFolder, record: RunRecord) -> str:
    address = record.servers.get("postgres")
    if address is None:
        raise CliError(f"desk {record.desk} is still starting: ask again in a moment")
    if "postgres" not in record.children:
        raise CliError(f"desk {record.desk} keeps its tables at {address}: give --postgres URL")
    return postgres_url(state, address)


async def _ready(running: Running) -> None:
    child = running.child
    try:
        async with asyncio.timeout(child.start_bound_seconds):
            while not await child.probe():
                if running.process.returncode is not None:
                    said = " | ".join(running.last_lines()) or "it said nothing"
                    raise CliError(f"postgres does not start: {said} (log: {running.log_path})")
                await asyncio.sleep(_PROBE_SECONDS)
    except TimeoutError:
        bound = child.start_bound_seconds
        raise CliError(
            f"postgres is not ready after {bound:g} s (log: {running.log_path})"
        ) from None


def ask_ledger[T](
    state: Path, own_url: str | None, question: Callable[[Postgres], Awaitable[T]]
) -> T:
    """Put one question to the tables of a state folder, or to those at `own_url`."""
    folder = StateFolder(state.resolve())

    async def ask() -> T:
        async with open_ledger(folder, own_url) as store:
            return await question(store)

    return asyncio.run(ask())
