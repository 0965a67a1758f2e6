"""How a service becomes a process: settings, wiring, health, heartbeat, and an orderly end."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvloop
from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

from interlock.model.ids import derive_id
from interlock.model.values import Severity
from interlock.runtime import health
from interlock.runtime.alone import require_alone
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.port import Bus
from interlock.runtime.clock import Clock, DataClock, WallClock
from interlock.runtime.config import ConfigError, DeskFile, load_desk_file
from interlock.runtime.errors import UnavailableError
from interlock.runtime.loop import Loop, Record, streams_of
from interlock.runtime.metrics import Metrics
from interlock.runtime.service import Cell, Service
from interlock.runtime.stores.rules import MemoryRulesStore, RulesStore
from interlock.runtime.telemetry import Telemetry, log_as
from interlock.wire.base import Report
from interlock.wire.catalogue import Stream
from interlock.wire.system import AlertRaised, Heartbeat

_log = logging.getLogger(__name__)

EXIT_CONFIGURATION = 2
EXIT_LOST_LINK = 3
HEARTBEAT_SECONDS = 1.0
REPLAY_HOLD_SECONDS = 5.0
LIVE_HOLD_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a process is told by its environment. An empty URL means: in this process's memory."""

    desk_file: Path
    state: Path
    nats_url: str = ""
    nats_password: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    postgres_url: str = field(default="", repr=False)
    health_port: int = 0
    replay: str = ""
    replay_starts_at: int = 0
    wait_for_ports: tuple[int, ...] = ()
    speed: float | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read ``INTERLOCK_*``; raise `ConfigError` for what is missing or no number."""
        try:
            speed = environment.get("INTERLOCK_SPEED", "max")
            return cls(
                desk_file=Path(environment["INTERLOCK_DESK_FILE"]),
                state=Path(environment["INTERLOCK_STATE"]),
                nats_url=environment["INTERLOCK_NATS_URL"],
                nats_password=environment["INTERLOCK_NATS_PASSWORD"],
                redis_url=environment["INTERLOCK_REDIS_URL"],
                postgres_url=environment["INTERLOCK_POSTGRES_URL"],
                health_port=int(environment["INTERLOCK_HEALTH_PORT"]),
                replay=environment.get("INTERLOCK_REPLAY", ""),
                wait_for_ports=tuple(
                    int(port) for port in environment.get("INTERLOCK_WAIT_FOR_PORTS", "").split()
                ),
                replay_starts_at=int(environment.get("INTERLOCK_REPLAY_STARTS_AT", "0")),
                speed=None if speed == "max" else float(speed),
            )
        except KeyError as error:
            raise ConfigError(f"the environment lacks {error.args[0]}") from None
        except ValueError as error:
            raise ConfigError(f"the environment: {error}") from None


def _too_early(report: Report) -> None:
    raise RuntimeError(f"no loop runs that could hear {type(report).__name__}")


@dataclass(kw_only=True, slots=True)
class Process:
    """What a service's wiring may use. `report` tells the core what its shell noticed by itself."""

    settings: Settings
    desk_file: DeskFile
    clock: Clock
    bus: Bus
    telemetry: Telemetry
    closers: list[Callable[[], Awaitable[None]]] = field(
        default_factory=list[Callable[[], Awaitable[None]]]
    )
    report: Callable[[Report], None] = _too_early
    memory_rules: MemoryRulesStore = field(default_factory=MemoryRulesStore)

    def rules_store(self) -> RulesStore:
        if not self.settings.redis_url:
            return self.memory_rules
        # redis-py takes 0.3 s to import, and most services do without it.
        from interlock.runtime.stores.redis_rules import RedisRulesStore

        store = RedisRulesStore(self.settings.redis_url)
        self.closers.append(store.close)
        return store


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts[S]:
    """A wired service, and what its process does besides handling messages.

    `work` runs beside the loop (the feed's replay). `reload` turns a changed desk file into a
    report for the core, or raises `ConfigError`.
    """

    service: Service[S]
    record: Record | None = None
    batch: int = 1
    extra_streams: tuple[Stream, ...] = ()
    work: Callable[[], Awaitable[None]] | None = None
    reload: Callable[[DeskFile], Report | None] | None = None


type Assemble[S] = Callable[[Process], Awaitable[Parts[S]]]


def loop_of[S](parts: Parts[S], process: Process) -> Loop[S]:
    """Return the loop that runs `parts` on the process's bus and clock."""
    name = parts.service.name
    replaying = isinstance(process.clock, DataClock)
    loop = Loop(
        cell=Cell(parts.service, parts.service.state),
        bus=process.bus,
        clock=process.clock,
        telemetry=process.telemetry,
        metrics=Metrics(),
        streams=[*streams_of(name), *parts.extra_streams],
        hold_seconds=REPLAY_HOLD_SECONDS if replaying else LIVE_HOLD_SECONDS,
        tell_settled=replaying,
        record=parts.record,
        batch=parts.batch,
    )
    process.report = loop.report
    return loop


def run[S](name: str, assemble: Assemble[S]) -> None:
    """Run one service until it is told to stop. The process's entry point."""
    log_as(name)
    try:
        code = uvloop.run(_run(name, assemble))
    except ConfigError as error:
        sys.stderr.write(f"interlock {name}: {error}\n")
        code = EXIT_CONFIGURATION
    sys.exit(code)


async def _run[S](name: str, assemble: Assemble[S]) -> int:
    settings = Settings.from_environment()
    desk_file = load_desk_file(settings.desk_file)
    require_alone(settings.state, name)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    missing = ["starting"]
    metrics: list[Metrics] = []
    server = await health.serve(
        settings.health_port,
        lambda: missing[0],
        lambda: metrics[0].text() if metrics else b"",
    )
    client = await connect(settings.nats_url, name, settings.nats_password, _log.warning)
    bus = NatsBus(client, name)
    clock: Clock = DataClock(settings.replay_starts_at) if settings.replay else WallClock()
    process = Process(
        settings=settings, desk_file=desk_file, clock=clock, bus=bus, telemetry=Telemetry(name)
    )
    try:
        parts = await assemble(process)
        loop = loop_of(parts, process)
        metrics.append(loop.metrics)
        recovered = await loop.recover()
        await loop.begin()
        bus.start_watchdog()
        _log.info("ready after reading back %d messages", recovered)
        missing[0] = ""
        return await _until_stopped(parts, process, loop, bus, stopping)
    finally:
        server.close()
        for close in reversed(process.closers):
            await close()
        process.telemetry.close()
        await bus.close()


async def _until_stopped[S](
    parts: Parts[S], process: Process, loop: Loop[S], bus: NatsBus, stopping: asyncio.Event
) -> int:
    """Return the exit code: 0 when told to stop, otherwise what went wrong raises."""
    endless: list[asyncio.Task[Any]] = [
        asyncio.create_task(loop.run()),
        asyncio.create_task(_beat(loop, process)),
        asyncio.create_task(stopping.wait()),
        asyncio.create_task(bus.lost_link.wait()),
    ]
    if parts.reload is not None:
        endless.append(asyncio.create_task(_watch(parts.reload, process, loop)))
    work = asyncio.create_task(_work(parts))
    try:
        await asyncio.wait([*endless, work], return_when=asyncio.FIRST_COMPLETED)
        if work.done() and work.exception() is None:
            await asyncio.wait(endless, return_when=asyncio.FIRST_COMPLETED)
        for task in (*endless, work):
            if task.done() and task.exception() is not None:
                task.result()
        return EXIT_LOST_LINK if bus.lost_link.is_set() else 0
    finally:
        for task in (*endless, work):
            task.cancel()
        await asyncio.gather(*endless, work, return_exceptions=True)


async def _work[S](parts: Parts[S]) -> None:
    if parts.work is not None:
        await parts.work()


async def _beat[S](loop: Loop[S], process: Process) -> None:
    name = loop.cell.service.name
    clock, build = WallClock(), version(f"interlock-{name}")
    while True:
        now = clock.now()
        identity = derive_id("heartbeat", name, os.getpid(), now)
        beat = Heartbeat(
            message_id=identity,
            decision_id=identity,
            ts_event=now,
            desk=process.desk_file.desk.name,
            service=name,
            instance=str(os.getpid()),
            build=build,
            config_hash=process.desk_file.config_hash,
            handled=loop.handled,
            published=loop.published,
            parked=loop.parked,
        )
        await process.bus.publish([beat], {})
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _watch[S](
    reload: Callable[[DeskFile], Report | None], process: Process, loop: Loop[S]
) -> None:
    """Hand a changed desk file to the core; an unusable one is reported and changes nothing."""
    async for _ in awatch(process.settings.desk_file):
        try:
            report = reload(load_desk_file(process.settings.desk_file))
        except ConfigError as error:
            await _alert(process, loop.cell.service.name, str(error))
            continue
        if report is not None:
            loop.report(report)


async def _alert(process: Process, service: str, text: str) -> None:
    now = WallClock().now()
    identity = derive_id("alert", service, "config", now)
    alert = AlertRaised(
        message_id=identity,
        decision_id=identity,
        ts_event=now,
        desk=process.desk_file.desk.name,
        service=service,
        severity=Severity.WARNING,
        code="config.unusable",
        text=f"{text}; the last good configuration stays",
        dedupe_key=f"{service}.config.unusable",
    )
    with contextlib.suppress(UnavailableError):
        await process.bus.publish([alert], {})
