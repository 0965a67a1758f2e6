"""A live market for a desk under test: the stub of Alpaca, whose prices rise minute by minute."""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from interlock.runtime.journal import JournalError, read
from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.wire import codec
from interlock.wire.market import FeedStatusChanged

DESK_FILE = Path(__file__).parents[2] / "deploy" / "desks" / "params.toml"
SYMBOLS = ("SPY", "AAPL", "GOOG", "IBM", "MSFT")
MINUTE = 60
BEGINS = int(time.time()) // MINUTE
PATIENCE_SECONDS = 60.0
PATIENT = {
    # A minute is long for a test: a bar may be told when it is nearly that old.
    "INTERLOCK__GATE__MAX_FEATURES_AGE_SECONDS": "300",
    "INTERLOCK__GATE__MAX_INTENT_AGE_SECONDS": "300",
    "INTERLOCK__STRATEGY__MAX_FEATURES_AGE_SECONDS": "300",
}


def price(minute):
    """Return the price at the end of a minute: it rises by a tenth of a per cent in each."""
    return round(100.0 * 1.001 ** (minute - BEGINS), 2)


def text(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:26] + "Z"


def bar(symbol, minute, level=1.0):
    before, after = price(minute - 1), round(price(minute) * level, 2)
    low, high = sorted((before, after))
    return {
        "T": "b", "S": symbol, "t": text(minute * MINUTE), "o": before, "h": high, "l": low,
        "c": after, "v": 90_000, "n": 7, "vw": after,
    }  # fmt: skip


def quote(symbol, middle):
    return {
        "T": "q", "S": symbol, "t": text(time.time()), "bx": "V", "bp": round(middle - 0.01, 2),
        "bs": 500, "ax": "V", "ap": round(middle + 0.01, 2), "as": 500, "c": ["R"], "z": "B",
    }  # fmt: skip


def news(number):
    now = text(time.time())
    return {
        "T": "n", "id": number, "headline": "Up\u200b again", "summary": "", "author": "",
        "created_at": now, "updated_at": now, "url": "https://news.test/1", "content": "",
        "symbols": ["SPY"], "source": "benzinga",
    }  # fmt: skip


class Market:
    """The stub, and what it has told.

    `newest` is the last minute whose bar it knows; `level` is what prices are multiplied with.
    """

    def __init__(self, stub):
        self.stub = stub
        self.level = 1.0
        self.newest = int(time.time()) // MINUTE - 3
        self.stub.data.bars = {
            symbol: [bar(symbol, minute) for minute in range(self.newest - 40, self.newest + 1)]
            for symbol in SYMBOLS
        }

    @property
    def price(self):
        return round(price(self.newest) * self.level, 2)

    async def fill(self, orders, part=1, *, tell=True):
        """Trade a part of what is left of these orders."""
        for name in orders:
            leaves = self.stub.book.orders[name].leaves
            await self.stub.fill(
                name, max(1, int(float(leaves) * part)), str(self.price), tell=tell
            )

    def open_orders(self, side):
        orders = self.stub.book.orders.items()
        return sorted(name for name, one in orders if one.is_open and one.side == side)

    async def quote_on(self):
        """Tell quotes of all symbols, for ever."""
        while True:
            await self.stub.data.tell(*(quote(symbol, self.price) for symbol in SYMBOLS))
            await asyncio.sleep(0.1)

    async def next_bar(self, *, told=True):
        """Let a minute that is over be known, with `told` on the stream, too."""
        self.newest += 1
        bars = [bar(symbol, self.newest, self.level) for symbol in SYMBOLS]
        for one in bars:
            self.stub.data.bars[one["S"]].append(one)
        if told:
            await self.stub.data.tell(*bars)

    def environment(self, **more):
        urls = {
            "INTERLOCK__ALPACA__TRADING_URL": self.stub.url,
            "INTERLOCK__ALPACA__DATA_URL": self.stub.url,
            "INTERLOCK__ALPACA__DATA_STREAM_URL": self.stub.data_stream_url,
        }
        mine = {k: v for k, v in os.environ.items() if not k.startswith("INTERLOCK__")}
        return mine | urls | PATIENT | self.stub.environ | more


class Desk:
    """A desk that `interlock up` runs."""

    def __init__(self, state, process):
        self.state, self.process = state, process

    async def until(self, holds):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := holds()):
                assert self.process.returncode is None, await self.process.stderr.read()
                # Each look reads the whole journal, on the desk's own cores.
                await asyncio.sleep(0.25)
        return found

    def journaled(self, kind):
        """Return the messages of a kind in the journal, as far as it is written."""
        path = self.state / "journal" / "journal.jsonl"
        messages = []
        with suppress(FileNotFoundError, JournalError):
            for row in read(path):
                body = row.body if isinstance(row.body, bytes) else row.body.encode()
                with suppress(codec.UndecodableError):
                    messages.append(codec.decode_on(row.subject, body))
        return [one for one in messages if isinstance(one, kind)]

    async def hears_quotes(self):
        """Return when no instrument is stale: what comes earlier finds no fresh price."""

        def fine():
            last = {one.instrument_id: one for one in self.journaled(FeedStatusChanged)}
            return len(last) == len(SYMBOLS) and {one.condition.value for one in last.values()} == {
                "ok"
            }

        await self.until(fine)

    def pid(self, name):
        return json.loads((self.state / "run.json").read_text())["children"][name]["pid"]

    async def kill(self, name):
        """End a service the hard way, and return when it is ready again."""
        before = self.pid(name)
        os.killpg(before, signal.SIGKILL)

        def again():
            child = json.loads((self.state / "run.json").read_text())["children"][name]
            return child["ready"] and child["pid"] != before

        await self.until(again)


@asynccontextmanager
async def market():
    async with AlpacaStub() as stub:
        made = Market(stub)
        quoting = asyncio.create_task(made.quote_on())
        try:
            yield made
        finally:
            quoting.cancel()
            await asyncio.gather(quoting, return_exceptions=True)


def words(state, *more):
    program = [sys.executable, "-c", "from interlock.cli.main import app; app()"]
    return [*program, "up", "--desk", str(DESK_FILE), "--state", str(state), *more]


@asynccontextmanager
async def live_desk(market, state, *more, **environment):
    """Run the shipped desk on the market until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *words(state, "--json", *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=market.environment(**environment),
    )
    desk = Desk(state, process)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            told = await process.stdout.readline()
        assert told, (await process.stderr.read()).decode()
        desk.told = json.loads(told)
        yield desk
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()
