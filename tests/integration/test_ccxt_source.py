"""Live data through the unmodified ccxt, from a stub of Binance's spot API."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from interlock.model.ids import NANOS_PER_SECOND
from interlock.testkit.exchange_stub import Answer, ExchangeStub
from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.ccxt_source import CcxtSource
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import RawQuote, RawTrade, SourceMoved, SourceUnavailableError

pytest.importorskip("ccxt")

MINUTE_MS = 60_000
MINUTE_NS = 60 * NANOS_PER_SECOND


@pytest.fixture
async def stub() -> AsyncIterator[ExchangeStub]:
    async with ExchangeStub() as stub:
        yield stub


@pytest.fixture
async def source(stub) -> AsyncIterator[CcxtSource]:
    config = CcxtConfig(exchange="binance", urls=stub.urls, timeout_seconds=1.0, request_ms=1.0)
    source = CcxtSource(config, ["BTC/USDT"], bar_seconds=1)
    yield source
    await source.close()


async def heard_until(heard: list, kind: type, count: int = 1, seconds: float = 15.0):
    async with asyncio.timeout(seconds):
        while sum(isinstance(event, kind) for event in heard) < count:
            await asyncio.sleep(0.01)


@pytest.fixture
async def heard(source) -> AsyncIterator[list]:
    heard: list = []
    running = asyncio.create_task(source.run(heard.append))
    await heard_until(heard, SourceMoved)
    assert heard[-1].up
    yield heard
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def klines(first_ms: int, count: int, step_ms: int = MINUTE_MS) -> list[list]:
    return [
        [first_ms + n * step_ms, "100.0", "101.5", "99.5", str(100 + n), "2.5", 0, "0", 1, "0", "0"]
        for n in range(count)
    ]


async def test_history_comes_page_by_page_and_without_the_bar_that_grows(stub, source):
    now_ms = time.time_ns() // 1_000_000
    first_ms = (now_ms // MINUTE_MS - 700) * MINUTE_MS
    stub.bars.recorded = klines(first_ms, 701)
    since, until = first_ms * 1_000_000, (now_ms + 10 * MINUTE_MS) * 1_000_000
    bars = await source.history(["BTC/USDT"], 60, since, until)
    assert len(bars) == 700
    assert bars[0] == RawBar(since, since + MINUTE_NS, "BTC/USDT", 100.0, 101.5, 99.5, 100.0, 2.5)
    assert [bar.close for bar in bars] == [100.0 + n for n in range(700)]
    assert stub.requests.count("GET klines") == 2


async def test_history_stops_before_its_end(stub, source):
    stub.bars.recorded = klines(0, 10)
    bars = await source.history(["BTC/USDT"], 60, 2 * MINUTE_NS, 5 * MINUTE_NS)
    assert [bar.ts_start for bar in bars] == [2 * MINUTE_NS, 3 * MINUTE_NS, 4 * MINUTE_NS]


@pytest.mark.parametrize("fault", [Answer(503, "<html>"), Answer(200, ""), Answer(200, "<html>")])
async def test_no_history_is_said_in_one_line(stub, source, fault):
    stub.next_requests("klines", [fault])
    with pytest.raises(SourceUnavailableError, match=r"^binance: [a-z_]+: .*") as caught:
        await source.history(["BTC/USDT"], 60, 0, MINUTE_NS)
    assert "\n" not in str(caught.value)


async def test_bars_that_the_exchange_does_not_make_are_refused(source):
    with pytest.raises(SourceUnavailableError, match="no bars of 7 s"):
        await source.history(["BTC/USDT"], 7, 0, MINUTE_NS)


async def test_our_clock_is_held_against_the_exchanges(stub, source):
    stub.clock_ahead_ms = 3_600_000
    offset = await source.clock_offset_ns()
    assert abs(offset + 3600 * NANOS_PER_SECOND) < 60 * NANOS_PER_SECOND


async def test_quotes_and_trades_come_as_the_exchange_said_them(stub, heard):
    stub.quote("BTCUSDT", "99.5", "100.5", "2")
    stub.trade("BTCUSDT", "100.25", "0.5", time_ms=1_700_000_000_123)
    await heard_until(heard, RawQuote)
    await heard_until(heard, RawTrade)
    [quote] = [event for event in heard if isinstance(event, RawQuote)]
    assert (quote.symbol, quote.bid, quote.ask, quote.bid_size) == ("BTC/USDT", 99.5, 100.5, 2.0)
    [trade] = [event for event in heard if isinstance(event, RawTrade)]
    assert (trade.ts, trade.price, trade.size) == (1_700_000_000_123_000_000, 100.25, 0.5)


async def test_trades_become_bars(stub, heard):
    await asyncio.sleep(1.1)
    start_ms = (time.time_ns() // 1_000_000_000 + 1) * 1000
    for offset, price in ((0, "100"), (300, "103"), (600, "98"), (999, "101")):
        stub.trade("BTCUSDT", price, "0.5", time_ms=start_ms + offset)
    await heard_until(heard, RawBar)
    [bar] = [event for event in heard if isinstance(event, RawBar)]
    assert bar == RawBar(
        start_ms * 1_000_000, (start_ms + 1000) * 1_000_000,
        "BTC/USDT", 100.0, 103.0, 98.0, 101.0, 2.0,
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["mute", "cut"])
async def test_the_hole_is_filled_before_the_source_is_up_again(stub, heard, fault):
    first_ms = time.time_ns() // 1_000_000 // 1000 * 1000
    stub.trade("BTCUSDT", "100", "1", time_ms=first_ms + 2000)
    await heard_until(heard, RawBar)
    stub.sockets.refused = True
    if fault == "mute":
        stub.sockets.muted = True
    else:
        await stub.sockets.cut()
    await heard_until(heard, SourceMoved, 2)
    assert not heard[-1].up
    before = len(heard)
    stub.bars.recorded = klines(first_ms, 60, step_ms=1000)
    await asyncio.sleep(1.5)
    stub.sockets.muted = stub.sockets.refused = False
    await heard_until(heard, SourceMoved, 3)
    up = heard.index(next(e for e in heard[before:] if isinstance(e, SourceMoved)), before)
    filled = heard[before:up]
    assert filled
    assert all(isinstance(event, RawBar) for event in filled)
    starts = [bar.ts_start for bar in heard[:up] if isinstance(bar, RawBar)]
    assert starts == sorted(set(starts))
    assert starts[starts.index(filled[0].ts_start) - 1] + NANOS_PER_SECOND == filled[0].ts_start
