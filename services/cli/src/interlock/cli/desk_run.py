"""One run of a desk, from its first server to its last.

Theory of operation. What can be wrong with the request is found before anything starts: the desk
file, every section, the data. Then the servers come up, the administrator's step makes streams and
consumers, the services come up, and the feed begins when all others listen. A replay is watched
through the broker, so that a crash of anything but this process is only a pause. What is needed
late is imported late: the servers start the sooner.
"""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import typer

from interlock.cli import closing, replay_record, stack
from interlock.cli.alert_routes import routes_in_use
from interlock.cli.closing import Closing
from interlock.cli.console_place import OFF, console_port, invitation
from interlock.cli.desks import read_section, with_scenario
from interlock.cli.errors import CliError
from interlock.cli.own_servers import require_own_servers
from interlock.cli.replay_record import ReplayRecord
from interlock.cli.rooms import check_sections
from interlock.cli.servers.postgres import postgres_server
from interlock.cli.stack import Addresses
from interlock.cli.state_folder import StateFolder, locked, open_state_folder
from interlock.cli.supervisor import ChildFailedError, Supervisor, stop_requested
from interlock.feed.core import window_scale
from interlock.feed.dataset import data_for, setting_of, source_of
from interlock.runtime.bus.tcp_only import BusError, Client
from interlock.runtime.config import (
    SCENARIO_VARIABLE,
    ConfigError,
    DeskFile,
    load_desk_file,
)
from interlock.runtime.errors import UnavailableError
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.venues.registry import PAPER
from interlock.venues.replay_rows import ReplayData
from interlock.wire.catalogue import services_of

WATCH_SECONDS = 0.25
CATCH_UP_SECONDS = 60.0
SETTLE_SECONDS = 180.0
"""Longer than a slow model takes to write about the last day."""
SETTLE_ASK_SECONDS = 0.02
ENOUGH_QUIET = 2
DATABASE = "postgres"
MEGABYTE = 1024**2
FREE_DISK_BYTES = 200 * MEGABYTE


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskRun:
    """What `interlock up` was asked for. `speed` is a factor, none for as fast as possible."""

    desk_path: Path
    replay: str | None
    speed: float | None
    exit_at_end: bool
    state: Path
    single_process: bool
    port: int | None
    nats_url: str | None
    redis_url: str | None
    postgres_url: str | None
    as_json: bool
    confirm_live: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """A replay that was asked for and found to be sound."""

    wanted: DeskRun
    file: DeskFile
    source: str
    data: ReplayData
    state: StateFolder
    alert_routes: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended:
    """What only the run itself can tell of a replay."""

    stored: dict[str, int]
    parked: int
    unreadable: int
    restarts: int
    seconds: float


def run(wanted: DeskRun) -> int:
    """Run the desk and return the exit code."""
    from interlock.cli import live_run

    file = _read(wanted)
    if live_run.is_live(wanted, file):
        return live_run.run(wanted, file)
    file = with_scenario(file, wanted.replay or file.desk.default_replay)
    check_sections(file)
    plan = _plan(wanted, file)
    with alone(plan.state):
        return _run_locked(plan)


@contextmanager
def alone(state: StateFolder) -> Generator[None]:
    """Hold the state folder; what goes wrong meanwhile becomes one line for the person."""
    try:
        with locked(state):
            yield
    except (ConfigError, UnavailableError) as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(
            f"{error.filename or state.root} cannot be used ({error.strerror or error}): "
            "mend it, or give another --state"
        ) from error


def _run_locked(plan: _Plan) -> int:
    wanted = plan.wanted
    record = ReplayRecord(
        desk=plan.file.desk.name,
        source=plan.source,
        config_hash=plan.file.config_hash,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    supervisor = Supervisor(plan.state, plan.file.desk.name)
    supervisor.clear_stale()
    # While the last run's journal is still there: beside one, a switch that is missing is pressed.
    arm_at_first_start(plan.state.root)
    resumed = replay_record.begin(plan.state, record, resumable=not wanted.single_process)
    if resumed and not wanted.as_json:
        typer.echo("going on with the replay that was interrupted", err=True)
    create_keys(plan.state.secrets)
    work = _in_process if wanted.single_process else _as_processes
    return asyncio.run(guarded(lambda stop: work(plan, supervisor, stop), supervisor))


def _read(wanted: DeskRun) -> DeskFile:
    try:
        file = load_desk_file(wanted.desk_path.resolve())
    except ConfigError as error:
        raise CliError(str(error)) from error
    check_sections(file)
    return file


def _plan(wanted: DeskRun, file: DeskFile) -> _Plan:
    source = wanted.replay or file.desk.default_replay
    if not source:
        raise CliError(f"desk {file.desk.name} has no default replay: give --replay")
    if file.desk.venue != PAPER:
        raise CliError(
            f"a replay trades on paper, and desk {file.desk.name} at {file.desk.venue}: "
            'give it a desk file with venue = "paper"'
        )
    try:
        if file.scenario is None and Path(source).exists():
            source = str(Path(source).resolve())
        source = source_of(source, file.scenario)
        data = data_for(file.desk, source, file.scenario)
    except ConfigError as error:
        raise CliError(str(error)) from error
    alert_routes = routes_in_use(file, replaying=True)
    if alert_routes and wanted.single_process:
        raise CliError(
            "--single-process has no console to send alerts: leave it out, or in_replays of "
            f"alert route {alert_routes[0]}"
        )
    return _Plan(
        wanted=wanted,
        file=file,
        source=source,
        data=data,
        state=place_for(wanted),
        alert_routes=alert_routes,
    )


def place_for(wanted: DeskRun) -> StateFolder:
    """Return the state folder, once it is known that a desk can run on it and on its servers."""
    require_own_servers(wanted.nats_url, wanted.redis_url, wanted.postgres_url)
    console_port(wanted.port)
    state = open_state_folder(wanted.state)
    free = shutil.disk_usage(state.root).free
    if free < FREE_DISK_BYTES:
        raise CliError(
            f"{free // MEGABYTE} MB are free under {state.root}, a desk needs "
            f"{FREE_DISK_BYTES // MEGABYTE}: make room, or give another --state"
        )
    return state


async def guarded(work: Callable[[asyncio.Event], Awaitable[None]], supervisor: Supervisor) -> int:
    """Do the work until it is done, a child gives up, or a person stops it."""
    stop = stop_requested()
    tasks = [
        asyncio.ensure_future(work(stop)),
        asyncio.create_task(_stopped(stop)),
        asyncio.create_task(supervisor.watch()),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await supervisor.stop()
    return 0


async def _stopped(stop: asyncio.Event) -> None:
    await stop.wait()


async def start_processes(
    wanted: DeskRun,
    state: StateFolder,
    supervisor: Supervisor,
    environment: dict[str, str],
    names: Sequence[str],
) -> tuple[Client, Addresses]:
    """Start the servers, make what the bus needs, and start the services."""
    children, addresses = stack.servers(
        state, wanted.nats_url, wanted.redis_url, wanted.postgres_url
    )
    supervisor.servers = addresses.public
    # Only the ledger needs the database, and not at once: it starts beside the services.
    needed_at_once = [child for child in children if child.name != DATABASE]
    await supervisor.start(needed_at_once)
    try:
        client = await stack.administrator(state, addresses, names)
    except (BusError, OSError, TimeoutError) as error:
        raise CliError(f"the bus at {addresses.public['nats']} cannot be used: {error}") from error
    everyone = stack.services(state, addresses, environment, names)
    # Together with it, but a stage of its own: the ledger's last rows are written before it stops.
    await supervisor.start([c for c in children if c.name == DATABASE], everyone)
    return client, addresses


async def start_console(
    wanted: DeskRun,
    state: StateFolder,
    supervisor: Supervisor,
    addresses: Addresses,
    environment: dict[str, str],
    alert_routes: Sequence[str],
) -> None:
    """Start the console, where its page is wanted or alerts are sent, and say where it is.

    It is a stage of its own, after all others: a desk starts no later because of it.
    """
    port = console_port(wanted.port)
    if port == OFF and not alert_routes:
        return
    try:
        await supervisor.start([stack.console(state, addresses, environment, port)])
    except ChildFailedError as failure:
        lost = ", and nobody is sent alerts" if alert_routes else ""
        typer.echo(f"there is no console{lost}; the desk goes on: {failure}", err=True)
        return
    # Not among the results that --json writes to standard output.
    if port != OFF:
        typer.echo(invitation(state, port), err=True)
    if alert_routes:
        typer.echo(f"alerts go to {', '.join(alert_routes)}", err=True)


async def _as_processes(plan: _Plan, supervisor: Supervisor, stop: asyncio.Event) -> None:
    wanted = plan.wanted
    environment = {
        "INTERLOCK_DESK_FILE": plan.file.path,
        "INTERLOCK_REPLAY": plan.source,
        SCENARIO_VARIABLE: plan.file.scenario_path,
        "INTERLOCK_REPLAY_STARTS_AT": str(plan.data.ts_first),
        "INTERLOCK_SPEED": "max" if wanted.speed is None else str(wanted.speed),
    }
    names = services_of(plan.file.sections)
    client, addresses = await start_processes(wanted, plan.state, supervisor, environment, names)
    began = time.monotonic()
    await start_console(wanted, plan.state, supervisor, addresses, environment, plan.alert_routes)
    from interlock.cli.progress import ReplayProgress

    with ReplayProgress(_title(plan), plan.data.bars) as progress:
        while not await _tolerant(
            stack.replay_finished(client, plan.file.desk.name), default=False
        ):
            progress.show(await _tolerant(stack.bars_published(client), default=0))
            await asyncio.sleep(WATCH_SECONDS)
        progress.show(plan.data.bars)
    await _settle(client, names)
    ended = _Ended(
        stored=await stack.stored(client),
        parked=await stack.parked(client),
        unreadable=await stack.unreadable(client),
        restarts=supervisor.restarts,
        seconds=time.monotonic() - began,
    )
    await _close(plan, addresses.postgres_url, ended)
    await client.close()
    if not wanted.exit_at_end:
        await stop.wait()


async def _settle(client: Client, names: Sequence[str]) -> None:
    """Wait until everybody is done: a model may still be writing about the last day."""
    quiet, deadline = 0, time.monotonic() + SETTLE_SECONDS
    while quiet < ENOUGH_QUIET and time.monotonic() < deadline:
        idle = await _tolerant(stack.settled(client, names), default=False)
        quiet = quiet + 1 if idle else 0
        await asyncio.sleep(SETTLE_ASK_SECONDS)


async def _tolerant[T](asking: Awaitable[T], *, default: T) -> T:
    """Ask the broker; while it is away or coming back, there is nothing new."""
    try:
        return await asking
    except (BusError, OSError, TimeoutError, KeyError):
        return default


async def _in_process(plan: _Plan, supervisor: Supervisor, stop: asyncio.Event) -> None:
    from interlock.cli.in_process import InProcessDesk
    from interlock.cli.progress import ReplayProgress
    from interlock.runtime.launch import Settings

    wanted = plan.wanted
    url = wanted.postgres_url
    if url is None:
        server = postgres_server(plan.state)
        supervisor.servers = {"postgres": server.address}
        await supervisor.start([server.child])
        url = server.url
    settings = Settings(
        desk_file=Path(plan.file.path),
        state=plan.state.root,
        postgres_url=url,
        replay=plan.source,
        replay_starts_at=plan.data.ts_first,
        speed=wanted.speed,
    )
    desk = InProcessDesk(plan.file, settings)
    began = time.monotonic()
    try:
        await desk.start()
        with ReplayProgress(_title(plan), plan.data.bars) as progress:
            while not await desk.wait(WATCH_SECONDS):
                progress.show(desk.bars())
            progress.show(plan.data.bars)
        ended = _Ended(
            stored=desk.stored(),
            parked=desk.parked,
            unreadable=0,
            restarts=0,
            seconds=time.monotonic() - began,
        )
    finally:
        await desk.stop()
    await _close(plan, url, ended)
    if not wanted.exit_at_end:
        await stop.wait()


def _title(plan: _Plan) -> str:
    return f"{plan.file.desk.name} on {plan.data.dataset}"


async def _close(plan: _Plan, postgres_url: str, ended: _Ended) -> None:
    """Ask the ledger's tables what it came to, and show it."""
    from interlock.cli.desk_scorecard import judged
    from interlock.ledger import queries
    from interlock.ledger.app import journal_path
    from interlock.ledger.config import LedgerConfig
    from interlock.ledger.story_query import story_in
    from interlock.runtime.stores.postgres import Postgres

    store = Postgres(postgres_url, application="cli")
    try:
        journal = journal_path(plan.state.root)
        if not await queries.caught_up(store, journal, CATCH_UP_SECONDS):
            raise CliError("the ledger's tables did not catch up with its journal")
        desk = plan.file.desk
        story = story_in(journal, desk.day_starts_at_utc_hour)
        summary = await queries.summary(store, desk.name, Decimal(desk.equity_usd), story)
        rules = read_section(plan.file, "ledger", LedgerConfig).scorecard
        card = None if rules is None else await judged(store, plan.file, rules)
    finally:
        await store.close()
    replay_record.finish(plan.state)
    scale = window_scale(setting_of(desk, plan.data))
    closing.show(
        Closing(
            desk=desk.name,
            dataset=plan.data.dataset,
            origin=plan.data.origin,
            window_note=closing.window_note(plan.data.bar_seconds, scale),
            seconds=ended.seconds,
            summary=summary,
            stored=ended.stored,
            journaled=summary.messages,
            lost=closing.lost_messages(ended.stored, summary.messages, ended.unreadable),
            parked=ended.parked,
            restarts=ended.restarts,
            scorecard=card,
        ),
        as_json=plan.wanted.as_json,
    )
