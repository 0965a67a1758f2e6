"""The console's process: its parts wired, and their lives.

On port 0 there is no page: the process only sends alerts.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop

from interlock.console.alerts.addresses import read_addresses
from interlock.console.alerts.routes import AlertRoute
from interlock.console.alerts.telling import Telling
from interlock.console.api import application
from interlock.console.changes import Changes
from interlock.console.config import ConsoleConfig
from interlock.console.console import Console
from interlock.console.desk_views import dial_of
from interlock.console.hearing import Hearing
from interlock.console.news import News
from interlock.console.sessions import Sessions
from interlock.console.state import Live
from interlock.console.tables import Tables
from interlock.console.tokens import first_token
from interlock.runtime import health
from interlock.runtime.alone import require_alone
from interlock.runtime.config import ConfigError, DeskFile, load_desk_file
from interlock.runtime.launch import EXIT_CONFIGURATION, Settings
from interlock.runtime.telemetry import log_as
from interlock.wire.base import Message
from interlock.wire.catalogue import CONSOLE
from interlock.wire.system import AlertRaised

_log = logging.getLogger(__name__)

PORT = "INTERLOCK_CONSOLE_PORT"
SECRETS = "secrets"
NO_PAGE = 0
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
CLOSE_SECONDS = 2


class _Server(uvicorn.Server):
    """uvicorn takes signals for itself; ours end the process in our order."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: int


def _place(config: ConsoleConfig, environment: Mapping[str, str]) -> _Place:
    try:
        return _Place(config.host, int(environment[PORT]))
    except (KeyError, ValueError):
        raise ConfigError(f"the environment lacks {PORT}") from None


def assemble(settings: Settings, file: DeskFile, config: ConsoleConfig) -> tuple[Console, News]:
    """Wire the parts of one desk's console."""
    secrets = settings.state / SECRETS
    first_token(secrets)
    live, changes = Live(), Changes()
    hearing = Hearing(
        url=settings.nats_url,
        password=settings.nats_password,
        live=live,
    )
    console = Console(
        desk=file.desk,
        sections=file.sections,
        folder=settings.state,
        tables=Tables(settings.postgres_url),
        live=live,
        hearing=hearing,
        changes=changes,
        sessions=Sessions(secrets, config.session_hours),
        allowed_hosts=frozenset(
            name.lower() for name in (*OWN_NAMES, config.host, *config.allowed_hosts)
        ),
        dial=dial_of(
            config.dial, file.sections.get("policy", {}).get("parameters", {}).get(config.dial, {})
        ),
    )
    news = News(console)
    hearing.heard, hearing.missed = news.hear, news.missed
    return console, news


async def _run() -> int:
    settings = Settings.from_environment()
    file = load_desk_file(settings.desk_file)
    config = file.section(CONSOLE, ConsoleConfig)
    place = _place(config, os.environ)
    require_alone(settings.state, CONSOLE)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    console, news = assemble(settings, file, config)
    server = None if place.port == NO_PAGE else _server(console, place)
    probe = await health.serve(
        settings.health_port,
        lambda: "" if server is None or server.started else "starting",
        lambda: b"",
    )
    beside = [asyncio.create_task(work) for work in (console.hearing.run(), news.run())]
    routes = config.routes_in_use(replaying=bool(settings.replay))
    if routes:
        beside.append(asyncio.create_task(_alerts(settings, console, news, routes)))
    if server is not None:
        beside.append(asyncio.create_task(server.serve()))
    try:
        ended = asyncio.create_task(stopping.wait())
        await asyncio.wait((ended, *beside), return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        for task in beside:
            if task.done() and not task.cancelled():
                task.result()
    finally:
        console.changes.close()
        if server is not None:
            server.should_exit = True
            await asyncio.gather(beside.pop(), return_exceptions=True)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        probe.close()
        await console.tables.close()
    return 0


def _server(console: Console, place: _Place) -> _Server:
    return _Server(
        uvicorn.Config(
            application(console),
            host=place.host,
            port=place.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
    )


async def _alerts(
    settings: Settings, console: Console, news: News, routes: list[AlertRoute]
) -> None:
    """Tell people of alerts until cancelled."""
    # It loads a library for seconds; the page is there meanwhile.
    folder = Path(settings.desk_file).parent
    addresses = await asyncio.to_thread(read_addresses, routes, folder, os.environ)
    telling = Telling(
        desk=console.desk.name,
        addresses=addresses,
        folder=settings.state,
        bus=lambda: console.hearing.bus,
        on_data=bool(settings.replay),
        own=news.alert,
    )
    console.telling = telling
    passed = console.hearing.heard

    def hear(message: Message) -> None:
        passed(message)
        if isinstance(message, AlertRaised):
            telling.wake()

    console.hearing.heard = hear
    await telling.run()


def main() -> None:
    """Serve until told to stop."""
    log_as(CONSOLE)
    try:
        code = uvloop.run(_run())
    except ConfigError as error:
        sys.stderr.write(f"interlock {CONSOLE}: {error}\n")
        code = EXIT_CONFIGURATION
    sys.exit(code)
