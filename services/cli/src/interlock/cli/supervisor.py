"""The supervisor: starts children stage by stage, keeps them running, stops them in order.

Theory of operation. A stage is a set of children that may start at the same time; the next one
starts when all of this one answer their probes. From then on each child has a keeper, which starts
it again when it ends, later each time, until it has been well for a while. Two things are not
repeated: a configuration error, because it would be the same again, and a child that never once
came up. Both stop everything. `stop` goes through the stages backwards.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Never

from interlock.cli.errors import CliError
from interlock.cli.leash import CONFIGURATION_ERROR
from interlock.cli.process import Child, Running, end_stale, identity, start
from interlock.cli.run_record import ProcessRecord, RunRecord, write_run_record
from interlock.cli.state_folder import StateFolder

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
WELL_AFTER_SECONDS = 30.0
START_TRIES = 3
# How NATS, PostgreSQL and Valkey mark the line that says why they stop.
GRAVE_MARKS = ("[FTL]", "FATAL:", "PANIC:", " # ")
FIRST_PROBE_PAUSE_SECONDS = 0.01
LONGEST_PROBE_PAUSE_SECONDS = 0.1


class ChildFailedError(CliError):
    """A child cannot be kept running. The text names it and shows what it said last.

    `again` tells whether another try may go better.
    """

    def __init__(self, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


def next_pause(pause_seconds: float, well_seconds: float) -> float:
    """Return how long to wait before the next start of a child that was well for so long."""
    if well_seconds >= WELL_AFTER_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)


@dataclass(slots=True)
class _Kept:
    child: Child
    running: Running | None = None
    ready: bool = False
    restarts: int = -1
    keeper: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Supervisor:
    """Keeps the children of one desk. Hold the lock of the state folder around its life.

    `servers` maps nats, redis and postgres to addresses without passwords, for ``run.json``.
    """

    state: StateFolder
    desk: str
    servers: Mapping[str, str] = field(default_factory=dict[str, str])
    _stages: list[list[_Kept]] = field(default_factory=list[list[_Kept]])
    _failed: asyncio.Event = field(default_factory=asyncio.Event)
    _failure: CliError | None = None
    _started_at: str = ""
    _stopping: bool = False

    def clear_stale(self) -> list[str]:
        """End what a crashed earlier run left behind, and return the names of it."""
        return end_stale(self.state)

    async def start(self, *stages: Sequence[Child]) -> None:
        """Start stages together and return when all of them are ready.

        They are stopped one after the other, the last one first.

        Raises
        ------
        ChildFailedError
            When one child does not come up. The others are stopped by `stop`.
        """
        self._started_at = self._started_at or datetime.now(UTC).isoformat(timespec="milliseconds")
        fresh = [[_Kept(child) for child in children] for children in stages]
        self._stages += fresh
        self._write_record()
        everyone = [kept for stage in fresh for kept in stage]
        comings = [asyncio.create_task(self._come_up(kept)) for kept in everyone]
        try:
            await asyncio.gather(*comings)
        finally:
            for coming in comings:
                coming.cancel()
            await asyncio.gather(*comings, return_exceptions=True)
        for kept in everyone:
            kept.keeper = asyncio.create_task(self._keep(kept))

    @property
    def restarts(self) -> int:
        """How often a child had to be started again."""
        return sum(kept.restarts for stage in self._stages for kept in stage)

    async def watch(self) -> Never:
        """Wait until a child cannot be kept running, and raise its `ChildFailedError`."""
        await self._failed.wait()
        assert self._failure is not None
        raise self._failure

    async def stop(self) -> None:
        """Stop all children, the last stage first, and remove ``run.json``."""
        self._stopping = True
        for stage in reversed(self._stages):
            keepers = [kept.keeper for kept in stage if kept.keeper is not None]
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await asyncio.gather(*(k.running.stop() for k in stage if k.running is not None))
        self._stages.clear()
        self.state.run_file.unlink(missing_ok=True)

    async def _come_up(self, kept: _Kept) -> None:
        pause = FIRST_PAUSE_SECONDS
        for tries_left in reversed(range(START_TRIES)):
            try:
                await self._launch(kept)
            except ChildFailedError as failure:
                if tries_left == 0 or not failure.again:
                    raise
                await asyncio.sleep(pause)
                pause = next_pause(pause, 0.0)
            else:
                return

    async def _keep(self, kept: _Kept) -> None:
        pause = FIRST_PAUSE_SECONDS
        well_since = time.monotonic()
        while True:
            assert kept.running is not None
            code = await kept.running.wait()
            kept.ready = False
            self._write_record()
            if code == CONFIGURATION_ERROR:
                self._fail(_died(kept.running, code))
                return
            await asyncio.sleep(pause)
            pause = next_pause(pause, time.monotonic() - well_since)
            try:
                await self._launch(kept)
            except ChildFailedError as failure:
                if _said_configuration_error(kept):
                    self._fail(failure)
                    return
            except CliError as failure:
                self._fail(failure)
                return
            else:
                well_since = time.monotonic()

    async def _launch(self, kept: _Kept) -> None:
        """Start a child and wait until it is ready; end it where it does not become so."""
        kept.running = running = await start(kept.child, self.state)
        kept.restarts += 1
        self._write_record()
        ended = asyncio.create_task(running.wait())
        try:
            async with asyncio.timeout(kept.child.start_bound_seconds):
                await _ready_or_ended(kept.child, ended)
        except TimeoutError:
            await running.stop()
            bound = kept.child.start_bound_seconds
            raise ChildFailedError(_text(running, f"is not ready after {bound:g} s")) from None
        finally:
            if not ended.done():
                ended.cancel()
        if ended.done() and not ended.cancelled():
            raise _died(running, ended.result())
        kept.ready = True
        self._write_record()

    def _fail(self, failure: CliError) -> None:
        self._failure = self._failure or failure
        self._failed.set()

    def _write_record(self) -> None:
        if self._stopping:
            return
        children = {
            kept.child.name: ProcessRecord(
                pid=kept.running.pid,
                identity=kept.running.identity,
                ready=kept.ready,
                restarts=kept.restarts,
                health_url=kept.child.health_url,
            )
            for stage in self._stages
            for kept in stage
            if kept.running is not None
        }
        record = RunRecord(
            desk=self.desk,
            started_at=self._started_at,
            pid=os.getpid(),
            identity=identity(os.getpid()) or "",
            servers=dict(self.servers),
            children=children,
        )
        write_run_record(self.state.run_file, record)


async def _ready_or_ended(child: Child, ended: asyncio.Task[int]) -> None:
    pause = FIRST_PROBE_PAUSE_SECONDS
    while not ended.done() and not await child.probe():
        await asyncio.wait((ended,), timeout=pause)
        pause = min(1.5 * pause, LONGEST_PROBE_PAUSE_SECONDS)


def _said_configuration_error(kept: _Kept) -> bool:
    running = kept.running
    return running is not None and running.process.returncode == CONFIGURATION_ERROR


def _died(running: Running, code: int) -> ChildFailedError:
    if code == CONFIGURATION_ERROR:
        name = running.child.name
        last = [line.removeprefix(f"interlock {name}: ") for line in running.last_lines(1)]
        return ChildFailedError(f"{name}: {last[0]}" if last else _text(running, "stopped"))
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return ChildFailedError(_text(running, f"died at start with {how}"), again=True)


def _text(running: Running, what: str) -> str:
    lines = running.last_lines()
    if any(line.startswith('File "') for line in lines):
        # A traceback; what went wrong stands in its last line.
        lines = lines[-1:]
    grave = [line for line in lines if any(mark in line for mark in GRAVE_MARKS)]
    said = " | ".join(grave or lines) or "it said nothing"
    return f"{running.child.name} {what}: {said} (log: {running.log_path})"


def stop_requested() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set. Call it in the running loop, once."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, event.set)
    return event
