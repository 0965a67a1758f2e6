"""Alpaca as a source of market data, over real HTTP and websockets, against a stub."""

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from interlock.testkit.alpaca_stub import AlpacaStub, Answer
from interlock.venues.alpaca.config import AlpacaConfig, DataFeed
from interlock.venues.alpaca.market import nanos
from interlock.venues.alpaca.source import AlpacaSource
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import (
    RawNews,
    RawQuote,
    RawTrade,
    SourceMoved,
    SourceUnavailableError,
)

OPENING = "2024-03-11T13:30:00Z"
MINUTE_NS = 60_000_000_000


def bar(minute, symbol=None, close=100.5):
    told = {
        "t": f"2024-03-11T13:{minute:02}:00Z",
        "o": 100.0,
        "h": 101.0,
        "l": 99.0,
        "c": close,
        "v": 1200,
        "n": 7,
        "vw": 100.2,
    }
    return told if symbol is None else {"T": "b", "S": symbol, **told}


def quote(symbol="SPY", bid=99.99):
    return {
        "T": "q",
        "S": symbol,
        "t": "2024-03-11T13:30:00.123456789Z",
        "bx": "V",
        "bp": bid,
        "bs": 2,
        "ax": "V",
        "ap": 100.01,
        "as": 3,
        "c": ["R"],
        "z": "B",
    }


def trade(number=1):
    return {
        "T": "t",
        "S": "SPY",
        "i": number,
        "x": "V",
        "p": 100.0,
        "s": 10,
        "t": OPENING,
        "c": ["@"],
        "z": "B",
    }


def news(number, created=OPENING):
    return {
        "id": number,
        "headline": f"Item {number}",
        "summary": "",
        "author": "A. Writer",
        "created_at": created,
        "updated_at": created,
        "url": "https://example.org/1",
        "content": "",
        "symbols": ["SPY"],
        "source": "benzinga",
    }


@dataclass
class Listener:
    stub: AlpacaStub
    source: AlpacaSource
    told: list = field(default_factory=list)

    def of(self, kind):
        return [each for each in self.told if isinstance(each, kind)]

    async def until(self, fits, seconds=5.0):
        async with asyncio.timeout(seconds):
            while not fits():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listener(*, listen=True, symbols=("SPY", "QQQ"), **changes):
    async with AlpacaStub() as stub:
        urls = {
            "trading_url": stub.url,
            "data_url": stub.url,
            "data_stream_url": stub.data_stream_url,
        }
        source = AlpacaSource(AlpacaConfig(**urls | changes), symbols, stub.environ)
        made = Listener(stub, source)
        task = asyncio.create_task(source.run(made.told.append)) if listen else None
        try:
            if listen:
                await made.until(lambda: made.of(SourceMoved))
                await made.until(lambda: len(stub.data.subscribed) == 1 + changes.get("news", True))
            yield made
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await source.close()


async def test_live_prices_and_news():
    async with listener() as at:
        await at.stub.data.tell(bar(30, "SPY"), quote(), trade(), {"T": "n", **news(7)})
        await at.until(lambda: at.of(RawNews) and at.of(RawTrade))
        (row,) = at.of(RawBar)
        assert (row.symbol, row.ts_start, row.close, row.volume) == (
            "SPY",
            nanos(OPENING),
            100.5,
            1200,
        )
        assert row.ts_complete == row.ts_start + MINUTE_NS
        assert at.of(RawQuote) == [
            RawQuote(nanos(OPENING) + 123_456_789, "SPY", 99.99, 100.01, 2.0, 3.0)
        ]
        assert at.of(RawTrade) == [RawTrade(nanos(OPENING), "SPY", 100.0, 10.0, "1")]
        (item,) = at.of(RawNews)
        assert (item.news_id, item.symbols, item.headline) == ("7", ("SPY",), "Item 7")


async def test_what_is_asked_for():
    async with listener(feed=DataFeed.SIP) as at:
        wanted = sorted(at.stub.data.subscribed, key=len)
        assert wanted == [
            {"news": ["SPY", "QQQ"]},
            {key: ["SPY", "QQQ"] for key in ("bars", "updatedBars", "trades", "quotes")},
        ]


async def test_an_updated_bar_comes_again():
    async with listener() as at:
        await at.stub.data.tell(bar(30, "SPY"), {**bar(30, "SPY", close=100.7), "T": "u"})
        await at.until(lambda: len(at.of(RawBar)) == 2)
        assert [row.close for row in at.of(RawBar)] == [100.5, 100.7]


async def test_what_cannot_be_read_does_not_hide_the_rest():
    async with listener() as at:
        correction = {"T": "c", "S": "SPY", "x": "V", "oi": 1, "op": 1.0, "t": OPENING}
        await at.stub.data.tell(correction, quote(), {**quote(), "bp": "much"}, trade())
        await at.until(lambda: at.of(RawTrade))
        assert len(at.of(RawQuote)) == 1
        assert [each.up for each in at.of(SourceMoved)] == [True]


async def test_history_comes_in_pages_by_time_and_then_symbol():
    async with listener(listen=False) as at:
        at.stub.data.bars = {"SPY": [bar(n) for n in range(30, 45)], "QQQ": [bar(31)]}
        at.stub.data.page = 4
        since, until = nanos(OPENING), nanos("2024-03-11T13:40:00Z")
        rows = await at.source.history(["SPY", "QQQ"], 60, since, until)
        assert [(row.ts_start, row.symbol) for row in rows] == sorted(
            (row.ts_start, row.symbol) for row in rows
        )
        assert [row.symbol for row in rows].count("SPY") == 10
        assert rows[-1].ts_complete == until
        assert len(at.stub.asked) == 3
        assert all("feed=iex" in path and "timeframe=1Min" in path for path in at.stub.asked)


@pytest.mark.parametrize(("seconds", "words"), [(3600, "1Hour"), (86_400, "1Day"), (300, "5Min")])
async def test_longer_bars(seconds, words):
    async with listener(listen=False) as at:
        assert await at.source.history(["SPY"], seconds, 0, MINUTE_NS) == []
        assert f"timeframe={words}" in at.stub.asked[0]


@pytest.mark.parametrize("seconds", [1, 90])
async def test_bars_that_alpaca_does_not_have(seconds):
    async with listener(listen=False) as at:
        with pytest.raises(SourceUnavailableError, match=f"no bars of {seconds} s"):
            await at.source.history(["SPY"], seconds, 0, MINUTE_NS)


async def test_history_that_fails_is_asked_for_again_within_bounds():
    async with listener(listen=False) as at:
        at.stub.question_faults += [Answer(500, ""), Answer(429, "")]
        assert await at.source.history(["SPY"], 60, 0, MINUTE_NS) == []
        at.stub.question_faults += [Answer(200, "<html>")] * 3
        with pytest.raises(SourceUnavailableError):
            await at.source.history(["SPY"], 60, 0, MINUTE_NS)
        at.stub.question_faults.append(
            Answer(403, '{"message": "subscription does not permit querying recent SIP data"}')
        )
        with pytest.raises(SourceUnavailableError, match="does not permit"):
            await at.source.history(["SPY"], 60, 0, MINUTE_NS)


async def test_a_lost_stream_comes_back_with_the_news_of_the_hole():
    async with listener() as at:
        await at.stub.data.tell({"T": "n", **news(1)})
        await at.until(lambda: at.of(RawNews))
        at.stub.data.news = [
            news(1),
            news(3, "2024-03-11T13:33:00Z"),
            news(2, "2024-03-11T13:32:00Z"),
        ]
        await at.stub.data.cut()
        await at.until(lambda: len(at.of(RawNews)) == 3 and len(at.of(SourceMoved)) == 3)
        assert [each.up for each in at.of(SourceMoved)] == [True, False, True]
        assert [each.news_id for each in at.of(RawNews)] == ["1", "2", "3"]
        await at.until(lambda: len(at.stub.data.subscribed) == 4)
        await at.stub.data.tell(quote())
        await at.until(lambda: at.of(RawQuote))


async def test_news_can_be_left_out():
    async with listener(news=False) as at:
        await at.stub.data.tell(quote())
        await at.until(lambda: at.of(RawQuote))
        assert len(at.stub.data.subscribed) == 1


async def test_an_error_on_the_stream_is_its_loss_in_the_venues_words():
    async with listener() as at:
        await at.stub.data.tell({"T": "error", "code": 407, "msg": "slow client"})
        await at.until(lambda: len(at.of(SourceMoved)) >= 2)
        assert at.of(SourceMoved)[1] == SourceMoved(
            up=False, reason="the stream says: slow client (407)"
        )


async def test_refused_keys_are_named_without_being_shown(caplog):
    caplog.set_level(logging.DEBUG)
    async with listener() as at:
        key, secret = at.stub.key, at.stub.secret
        at.stub.revoke()
        await at.stub.data.cut()
        await at.until(lambda: len(at.of(SourceMoved)) >= 3)
        assert at.of(SourceMoved)[-1].reason == "the stream refuses: auth failed (402)"
        with pytest.raises(SourceUnavailableError, match="unauthorized"):
            await at.source.clock_offset_ns()
        assert caplog.records, "the log was looked at"
        for text in (caplog.text, repr(at.told), repr(at.source)):
            assert key not in text
            assert secret not in text


@pytest.mark.parametrize("ahead_seconds", [-3600.0, 0.0, 2.5])
async def test_our_clock_against_the_venues(ahead_seconds):
    async with listener(listen=False) as at:
        at.stub.clock_skew_seconds = -ahead_seconds
        offset_ns = await at.source.clock_offset_ns()
        assert abs(offset_ns - ahead_seconds * 1e9) < 1e9


def test_pairs_are_refused():
    with pytest.raises(SourceUnavailableError, match="BTC/USD"):
        AlpacaSource(
            AlpacaConfig(), ["SPY", "BTC/USD"], {"ALPACA_API_KEY": "a", "ALPACA_SECRET_KEY": "b"}
        )
