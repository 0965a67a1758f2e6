"""One run of a desk on live data, with paper fills or at a real venue.

Theory of operation. What can be wrong is found before anything starts: the keys, a person's word
where the money is real, and whether source and venue answer at all. Then the desk comes up as for a
replay, on the machine's clock, and stays up until it is told to stop. A second start with the same
state folder goes on with the same books.
"""

import asyncio
import os
import sys
import time
from collections.abc import Awaitable
from datetime import UTC, datetime

import typer
from msgspec import Struct

from interlock.cli import desk_run, replay_record
from interlock.cli.alert_routes import routes_in_use
from interlock.cli.desk_run import DeskRun
from interlock.cli.desks import read_section
from interlock.cli.errors import CliError
from interlock.cli.frame import print_json
from interlock.cli.replay_record import LiveRecord
from interlock.cli.state_folder import StateFolder
from interlock.cli.supervisor import Supervisor
from interlock.exec.adapters.choosing import LIVE_CONFIRMED, venue_of
from interlock.exec.config import ExecConfig
from interlock.feed.config import FeedConfig
from interlock.model.desk import DeskConfig
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import TradingMode
from interlock.runtime.config import ConfigError, DeskFile
from interlock.runtime.signing import create_keys
from interlock.runtime.switch_file import arm_at_first_start
from interlock.venues.port import VenueBook, VenueUnavailableError
from interlock.venues.registry import PAPER, VenueConfigError, has_keys, source_for
from interlock.venues.source import SourceUnavailableError
from interlock.wire.catalogue import EXEC, FEED, services_of

ANSWER_SECONDS = 15.0
_ASKED_BARS = 2


class LiveDesk(Struct, frozen=True, kw_only=True):
    """What runs, for ``--json``."""

    desk: str
    source: str
    venue: str
    account: str
    mode: str
    state: str


def is_live(wanted: DeskRun, file: DeskFile) -> bool:
    """Return whether the desk runs on live data.

    It does where it has a source and nothing of a replay was asked for. One that has a replay of
    its own besides, and paper to trade on, does so only with its source's keys at hand: it is to
    run on a machine that knows nobody.
    """
    source = read_section(file, FEED, FeedConfig).source
    if not source or wanted.replay is not None:
        return False
    if not file.desk.default_replay or file.desk.venue != PAPER:
        return True
    try:
        keys = has_keys(source, file.section, os.environ)
    except ConfigError as error:
        raise CliError(str(error)) from error
    return keys and not _of_a_replay(wanted)


def _of_a_replay(wanted: DeskRun) -> bool:
    return wanted.single_process or wanted.exit_at_end or wanted.speed is not None


def run(wanted: DeskRun, file: DeskFile) -> int:
    """Run the desk and return the exit code."""
    desk, config = file.desk, read_section(file, FEED, FeedConfig)
    if _of_a_replay(wanted):
        raise CliError(
            "--single-process, --exit and --speed are for replays: leave them out, or give --replay"
        )
    alert_routes = routes_in_use(file, replaying=False)
    confirmed = _confirmed(desk, wanted.confirm_live)
    asyncio.run(_require_answers(file, config, confirmed))
    state = desk_run.place_for(wanted)
    with desk_run.alone(state):
        supervisor = Supervisor(state, desk.name)
        supervisor.clear_stale()
        arm_at_first_start(state.root)
        record = LiveRecord(
            desk=desk.name,
            account=desk.account,
            venue=desk.venue,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        if replay_record.begin_live(state, record) and not wanted.as_json:
            typer.echo("going on with the books of this state folder", err=True)
        create_keys(state.secrets)
        environment = {"INTERLOCK_DESK_FILE": file.path, "INTERLOCK_REPLAY": "", **confirmed}

        async def work(stop: asyncio.Event) -> None:
            names = services_of(file.sections)
            client, addresses = await desk_run.start_processes(
                wanted, state, supervisor, environment, names
            )
            await client.close()
            await desk_run.start_console(
                wanted, state, supervisor, addresses, environment, alert_routes
            )
            _tell(wanted, desk, config, state)
            await stop.wait()

        return asyncio.run(desk_run.guarded(work, supervisor))


def _tell(wanted: DeskRun, desk: DeskConfig, config: FeedConfig, state: StateFolder) -> None:
    if wanted.as_json:
        print_json(
            LiveDesk(
                desk=desk.name,
                source=config.source,
                venue=desk.venue,
                account=desk.account,
                mode=desk.mode,
                state=str(state.root),
            )
        )
        return
    typer.echo(
        f"{desk.name} is up on live data of {config.source}; orders go to {desk.venue}, "
        f"account {desk.account}, mode {desk.mode}. Ctrl-C or `interlock down` ends it"
    )


def _confirmed(desk: DeskConfig, typed: str | None) -> dict[str, str]:
    """Return what exec is told of a person's word; ask for it where there is none yet."""
    if desk.mode is not TradingMode.LIVE or not desk.require_live_confirm:
        return {}
    if typed is None and sys.stdin.isatty():
        typed = typer.prompt(
            f"Desk {desk.name} trades with real money of account {desk.account} at {desk.venue}. "
            "Type the account's name to go on"
        )
    if typed is None:
        raise CliError(
            f"desk {desk.name} trades with real money: say so with --confirm-live and the name "
            "of its account"
        )
    if typed != desk.account:
        raise CliError(f"{typed!r} is not the name of the account of desk {desk.name}")
    return {LIVE_CONFIRMED: desk.account}


async def _require_answers(file: DeskFile, config: FeedConfig, confirmed: dict[str, str]) -> None:
    """Raise `CliError` where the source or the venue cannot be used, in one line."""
    await _require_source(file, config)
    if file.desk.venue != PAPER:
        await _require_venue(file, confirmed)


async def _require_source(file: DeskFile, config: FeedConfig) -> None:
    symbols = [one.symbol for one in file.desk.instruments]
    try:
        source = source_for(config.source, symbols, config.bar_seconds, file.section, os.environ)
    except (VenueConfigError, ConfigError) as error:
        raise CliError(str(error)) from error
    now = time.time_ns()
    since = now - _ASKED_BARS * config.bar_seconds * NANOS_PER_SECOND
    try:
        await _bounded(source.history(symbols, config.bar_seconds, since, now), config.source)
    except SourceUnavailableError as error:
        raise CliError(
            f"no live data of {config.source}, look at the network and the keys: {error}"
        ) from error
    finally:
        await source.close()


async def _require_venue(file: DeskFile, confirmed: dict[str, str]) -> None:
    desk, config = file.desk, read_section(file, EXEC, ExecConfig)
    try:
        venue = venue_of(desk, config, file.section, {**os.environ, **confirmed})
    except ConfigError as error:
        raise CliError(str(error)) from error
    try:
        book = venue.open([], {}, set())
        if not isinstance(book, VenueBook):
            await _bounded(book, desk.venue)
    except VenueUnavailableError as error:
        raise CliError(
            f"no account at {desk.venue}, look at the network and the keys: {error}"
        ) from error
    finally:
        await venue.close()


async def _bounded[T](asking: Awaitable[T], whom: str) -> T:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asking
    except TimeoutError:
        raise CliError(
            f"{whom} has not answered within {ANSWER_SECONDS:g} s: look at the network"
        ) from None
    except OSError as error:
        raise CliError(f"{whom} cannot be reached: {error}") from error
