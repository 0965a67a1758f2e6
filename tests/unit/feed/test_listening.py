"""The shell of a live feed, on a source that says what the test wants and a bus in memory."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from interlock.feed.adapters import listening as shell
from interlock.feed.adapters.listening import Listening
from interlock.feed.app import build_live
from interlock.feed.config import FeedConfig
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.clock import WallClock
from interlock.runtime.launch import Parts, Process, Settings, loop_of
from interlock.runtime.telemetry import Telemetry
from interlock.testkit.stub_source import StubSource
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawQuote
from interlock.wire.catalogue import FEED, Stream
from interlock.wire.market import Bar, ClockTicked, FeedStatusChanged, Quote

from tests.unit.feed.live_desk import SECOND, desk

CONFIG = FeedConfig(source="stub", quotes_every_ms=10)
BAR_NS = 60 * SECOND


class Running:
    """A live feed that runs."""

    def __init__(self, source, server, listening):
        self.source, self.server, self.listening = source, server, listening
        self.begins = WallClock().now() // BAR_NS * BAR_NS

    def bar(self, ago, symbol="SPY"):
        """Return a bar that was complete so many minutes before this one began."""
        ends = self.begins - ago * BAR_NS
        return RawBar(ends - BAR_NS, ends, symbol, 100.0, 101.0, 99.0, 100.0, 5.0)

    def said(self, kind):
        rows = [*self.server.rows(Stream.MARKET), *self.server.rows(Stream.DESK)]
        return [row.message for row in rows if isinstance(row.message, kind)]

    def bars(self):
        return [(self.begins - one.ts_event) // BAR_NS for one in self.said(Bar)]

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running(tmp_path, config=CONFIG):
    source, server = StubSource(), MemoryServer()
    bus = MemoryBus(server, FEED)
    process = Process(
        settings=Settings(desk_file=tmp_path, state=tmp_path),
        desk_file=None,
        clock=WallClock(),
        bus=bus,
        telemetry=Telemetry(FEED),
    )

    def report(one):
        # The loop, which hears it, is made after this.
        process.report(one)

    listening = Listening(source, config, report, config.bar_seconds)
    parts = Parts(service=build_live(config, desk(), listening), work=listening.run)
    loop = loop_of(parts, process)
    await loop.begin()
    tasks = [asyncio.create_task(one) for one in (loop.run(), listening.run())]
    try:
        yield Running(source, server, listening)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert source.closed


async def test_what_was_missed_before_the_start_and_in_a_cut_is_told_once_and_in_order(tmp_path):
    async with running(tmp_path) as feed:
        feed.source.remember(feed.bar(6), feed.bar(5))
        feed.source.go_up()
        feed.source.say(feed.bar(4))
        await feed.until(lambda: len(feed.bars()) == 3)
        feed.source.go_down()
        feed.source.say(feed.bar(3), feed.bar(2))
        feed.source.go_up()
        feed.source.say(feed.bar(2), feed.bar(1))
        await feed.until(lambda: len(feed.bars()) == 6)
        feed.source.say(feed.bar(0))
        await feed.until(lambda: len(feed.bars()) == 7)
        assert feed.bars() == [6, 5, 4, 3, 2, 1, 0]
        conditions = [one.condition.value for one in feed.said(FeedStatusChanged)]
        assert set(conditions) == {"stale", "ok"}


async def test_a_history_that_does_not_answer_is_asked_again_while_the_stream_waits(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(shell, "HISTORY_WAIT_SECONDS", 0.01)
    async with running(tmp_path) as feed:
        feed.source.history_fails = 2
        feed.source.remember(feed.bar(2), feed.bar(1))
        feed.source.go_up()
        feed.source.say(feed.bar(0))
        await feed.until(lambda: len(feed.bars()) == 3)
        assert feed.bars() == [2, 1, 0]
        assert len(feed.source.asked) == 3


async def test_the_desks_clock_ticks_and_tells_the_offset_that_was_measured(tmp_path):
    async with running(tmp_path) as feed:
        feed.source.clock_offset = 7
        await feed.until(lambda: feed.said(ClockTicked))
        assert feed.said(ClockTicked)[0].clock_offset_ns == 7


async def test_of_a_flood_of_quotes_the_latest_is_told_and_all_are_counted(tmp_path):
    async with running(tmp_path) as feed:
        feed.source.go_up()
        now = WallClock().now()
        for number in range(5_000):
            feed.source.say(RawQuote(now + number, "SPY", 99.0 + number / 10_000, 101.0, 1.0, 1.0))
        last = 99.0 + 4_999 / 10_000
        await feed.until(lambda: [one for one in feed.said(Quote) if one.bid == last])
        assert len(feed.said(Quote)) < 500


@pytest.mark.parametrize("up", [True, False])
def test_what_is_kept_is_bounded_and_what_is_let_go_is_asked_for_again(up):
    reports = []
    listening = Listening(StubSource(), CONFIG, reports.append, 60)
    listening._up = up
    for number in range(shell.MOST_KEPT + 1):
        listening.tell(RawQuote(number, f"S{number % 7}", 99.0, 101.0, 1.0, 1.0))
    assert len(listening._kept) == 7
    for number in range(shell.MOST_KEPT):
        listening.tell(RawBar(number, number + 1, "SPY", 1.0, 1.0, 1.0, 1.0, 1.0))
    moves = [one.up for one in listening._kept if isinstance(one, shell.LinkMoved)]
    assert moves == ([False, True] if up else [False])
    assert len(listening._kept) <= shell.MOST_KEPT
