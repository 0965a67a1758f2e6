"""A desk in one process: all services on the memory bus, on the data's clock."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from interlock.cli.closing import journaled_entries
from interlock.cli.rooms import assembly_of
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.clock import DataClock
from interlock.runtime.config import DeskFile
from interlock.runtime.launch import Process, Settings, loop_of
from interlock.runtime.loop import Loop
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.runtime.telemetry import Telemetry
from interlock.wire.base import tag_of
from interlock.wire.catalogue import FEED, Stream, services_of
from interlock.wire.market import Bar, Quote


@dataclass(slots=True)
class InProcessDesk:
    """The services of a desk as tasks of this process."""

    file: DeskFile
    settings: Settings
    server: MemoryServer = field(default_factory=MemoryServer)
    _processes: list[Process] = field(default_factory=list[Process])
    _loops: list[Loop[Any]] = field(default_factory=list[Loop[Any]])
    _endless: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])
    _replay: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start every service; the last of them, the feed, begins the replay."""
        rules = MemoryRulesStore()
        for name in services_of(self.file.sections):
            process = Process(
                settings=self.settings,
                desk_file=self.file,
                clock=DataClock(self.settings.replay_starts_at),
                bus=MemoryBus(self.server, name),
                telemetry=Telemetry(name),
                memory_rules=rules,
            )
            self._processes.append(process)
            parts = await assembly_of(name)(process)
            loop = loop_of(parts, process)
            await loop.begin()
            self._loops.append(loop)
            self._endless.append(asyncio.create_task(loop.run()))
            if parts.work is not None:
                task = asyncio.create_task(_run(parts.work))
                if name == FEED:
                    self._replay = task
                else:
                    self._endless.append(task)

    async def wait(self, seconds: float) -> bool:
        """Wait a while and return whether the replay has ended; what failed meanwhile raises."""
        assert self._replay is not None
        tasks = {self._replay, *self._endless}
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return self._replay.done()

    def bars(self) -> int:
        """Return how many market events have been published."""
        return sum(
            1 for row in self.server.rows(Stream.MARKET) if isinstance(row.message, Bar | Quote)
        )

    def stored(self) -> dict[str, int]:
        """Return the messages on the bus by type, those that pass the ledger."""
        counts = Counter(
            tag_of(type(row.message))
            for stream in Stream
            for row in self.server.rows(stream)
            if row.message is not None
        )
        return {entry.tag: counts[entry.tag] for entry in journaled_entries()}

    @property
    def parked(self) -> int:
        return sum(loop.parked for loop in self._loops)

    async def stop(self) -> None:
        tasks = [*self._endless, *([self._replay] if self._replay else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for process in self._processes:
            for close in reversed(process.closers):
                await close()
            process.telemetry.close()


async def _run(work: Any) -> None:
    await work()
