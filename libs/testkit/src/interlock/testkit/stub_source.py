"""A live source of market data that says what a test tells it to, and remembers its history."""

import asyncio
from collections.abc import Sequence

from interlock.model.ids import UnixNanos
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import SourceEvent, SourceMoved, SourceUnavailableError, TellFeed


class StubSource:
    """Speaks to one feed. Bars belong to the history also while the link is down.

    Attributes
    ----------
    asked : list
        What history was asked for: symbols, first and last moment.
    history_fails : int
        So many questions for history are not answered.
    clock_offset : int, optional
        What our clock is ahead of the source's, in nanoseconds.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], UnixNanos, UnixNanos]] = []
        self.history_fails = 0
        self.clock_offset: int | None = 0
        self.closed = False
        self._bars: list[RawBar] = []
        self._up = False
        self._events: asyncio.Queue[SourceEvent] = asyncio.Queue()

    def say(self, *events: SourceEvent) -> None:
        """Say this on the stream, if it is up; bars go into the history all the same."""
        for event in events:
            if isinstance(event, RawBar):
                self._bars.append(event)
            if self._up:
                self._events.put_nowait(event)

    def remember(self, *bars: RawBar) -> None:
        """Put bars into the history that the stream never tells."""
        self._bars += bars

    def go_up(self) -> None:
        self._up = True
        self._events.put_nowait(SourceMoved(True, ""))

    def go_down(self, reason: str = "cut") -> None:
        self._up = False
        self._events.put_nowait(SourceMoved(False, reason))

    async def history(
        self, symbols: Sequence[str], bar_seconds: int, since: UnixNanos, until: UnixNanos
    ) -> Sequence[RawBar]:
        del bar_seconds
        self.asked.append((tuple(symbols), since, until))
        # Others get a word in, as with a real answer over the wire.
        await asyncio.sleep(0)
        if self.history_fails:
            self.history_fails -= 1
            raise SourceUnavailableError("HTTP 503")
        found = [
            one for one in self._bars if one.symbol in symbols and since <= one.ts_start < until
        ]
        return sorted(found, key=lambda one: (one.ts_complete, one.symbol))

    async def run(self, tell: TellFeed) -> None:
        while True:
            tell(await self._events.get())

    async def clock_offset_ns(self) -> int | None:
        return self.clock_offset

    async def close(self) -> None:
        self.closed = True
