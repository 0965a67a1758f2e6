"""The shell of a live feed: it listens to the source, and gives the core a beat.

Theory of operation. What the source says is kept until the next beat, ten a second, and then handed
to the core at once. The core asks for more when all of it is stored; while the bus is away nothing
is taken, and what is kept is bounded: of quotes the latest of each symbol stays, and where that is
not enough all is let go and the history is asked for again. While history is on its way what the
source says waits behind it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from interlock.feed.config import FeedConfig
from interlock.feed.live.reports import (
    ClockMeasured,
    FillHole,
    HoleFilled,
    LinkMoved,
    NewsRead,
    QuoteRead,
    TakeMore,
    TellCounts,
    TradeRead,
)
from interlock.feed.state import MomentPassed, RowRead
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import (
    MarketSource,
    RawNews,
    RawQuote,
    RawTrade,
    SourceEvent,
    SourceMoved,
    SourceUnavailableError,
)
from interlock.wire.base import Effect, Report

_log = logging.getLogger(__name__)

MOST_KEPT = 20_000
HISTORY_TRIES = 5
HISTORY_WAIT_SECONDS = 2.0
ASK_BOUND_SECONDS = 30.0
SOURCE_WAIT_SECONDS = 5.0
_OVERRUN = "more came than could be kept"


@dataclass(slots=True)
class Listening:
    """Everything between a source and the core. `report` hands the core a report."""

    source: MarketSource
    config: FeedConfig
    report: Callable[[Report], None]
    bar_seconds: int
    now: Callable[[], int] = time.time_ns
    _kept: list[Report] = field(default_factory=list[Report])
    _up: bool = False
    _taken: bool = True
    _filling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listen until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._beat())
                tasks.create_task(self._measure_clock())
        finally:
            if self._filling is not None:
                self._filling.cancel()
            await self.source.close()

    def perform(self, effect: Effect) -> Sequence[Report]:
        match effect:
            case TakeMore():
                self._taken = True
            case FillHole():
                if self._filling is not None:
                    self._filling.cancel()
                self._filling = asyncio.ensure_future(self._fill(effect))
            case TellCounts(counts=counts):
                _log.info("since the start: %s", ", ".join(f"{k} {v}" for k, v in counts.items()))
            case _:
                raise NotImplementedError(type(effect).__name__)
        return ()

    def tell(self, event: SourceEvent) -> None:
        """Keep what the source says until the next beat."""
        at = self.now()
        match event:
            case RawQuote():
                self._kept.append(QuoteRead(quote=event, at=at))
            case RawTrade():
                self._kept.append(TradeRead(trade=event, at=at))
            case RawBar():
                self._kept.append(RowRead(row=event, at=at))
            case RawNews():
                self._kept.append(NewsRead(news=event, at=at))
            case SourceMoved():
                self._moved(up=event.up, reason=event.reason, at=at)
        if len(self._kept) > MOST_KEPT:
            self._let_go(at)

    def _moved(self, *, up: bool, reason: str, at: int) -> None:
        self._up = up
        if not up and self._filling is not None:
            self._filling.cancel()
            self._filling = None
        self._kept.append(LinkMoved(up=up, reason=reason, at=at))

    def _let_go(self, at: int) -> None:
        """Keep the latest quote of each symbol and the rest; if that is too much, nothing."""
        latest = {one.quote.symbol: one for one in self._kept if isinstance(one, QuoteRead)}
        newest = {id(one) for one in latest.values()}
        before = len(self._kept)
        self._kept = [
            one for one in self._kept if not isinstance(one, QuoteRead) or id(one) in newest
        ]
        if len(self._kept) > MOST_KEPT // 2:
            self._kept.clear()
            self._kept.append(LinkMoved(up=False, reason=_OVERRUN, at=at))
            if self._up:
                self._kept.append(LinkMoved(up=True, reason=_OVERRUN, at=at))
        _log.warning("%d of %d kept events let go", before - len(self._kept), before)

    async def _listen(self) -> None:
        while True:
            try:
                await self.source.run(self.tell)
                reason = "the source has ended"
            except SourceUnavailableError as error:
                reason = str(error)
            _log.warning("%s; trying again", reason)
            if self._up or not self._kept:
                self._moved(up=False, reason=reason, at=self.now())
            await asyncio.sleep(SOURCE_WAIT_SECONDS)

    async def _beat(self) -> None:
        seconds = self.config.quotes_every_ms / 1_000
        while True:
            await asyncio.sleep(seconds)
            if self._taken:
                self._taken = False
                self._hand_over()
                self.report(MomentPassed(ts=self.now()))

    def _hand_over(self) -> None:
        """Report what is kept; news of the link go through while history is on its way."""
        filling = self._filling is not None
        waiting: list[Report] = []
        for one in self._kept:
            if filling and not isinstance(one, LinkMoved):
                waiting.append(one)
            else:
                self.report(one)
                filling = filling or (isinstance(one, LinkMoved) and one.up)
        self._kept = waiting

    async def _fill(self, hole: FillHole) -> None:
        """Hand over the history of a hole, and then say that it is filled."""
        reason = ""
        for _ in range(HISTORY_TRIES):
            try:
                rows = await self._history(hole)
            except (SourceUnavailableError, TimeoutError) as error:
                reason = f"the history cannot be had: {error or 'no answer in time'}"
                _log.warning("%s", reason)
                await asyncio.sleep(HISTORY_WAIT_SECONDS)
            else:
                reason = ""
                for row in rows:
                    self.report(RowRead(row=row, at=self.now(), from_history=True))
                break
        self.report(HoleFilled(reason=reason, at=self.now()))
        self._filling = None

    async def _history(self, hole: FillHole) -> list[RawBar]:
        """Ask once for all; of each symbol what is asked for, and only bars that are complete."""
        if not hole.since:
            return []
        async with asyncio.timeout(ASK_BOUND_SECONDS):
            rows = await self.source.history(
                sorted(hole.since), self.bar_seconds, min(hole.since.values()), hole.until
            )
        return [
            row
            for row in rows
            if row.ts_start >= hole.since.get(row.symbol, hole.until)
            and row.ts_complete <= hole.until
        ]

    async def _measure_clock(self) -> None:
        while True:
            offset_ns: int | None = None
            try:
                async with asyncio.timeout(ASK_BOUND_SECONDS):
                    offset_ns = await self.source.clock_offset_ns()
            except (SourceUnavailableError, TimeoutError) as error:
                _log.warning("our clock cannot be held against the source's: %s", error)
            self.report(ClockMeasured(offset_ns=offset_ns))
            await asyncio.sleep(self.config.clock_every_seconds)
