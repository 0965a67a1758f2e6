"""Live markets for a desk under test: the stub of Alpaca, and the stub of an exchange.

Each says what the desk's venue holds in the same words, and moves its prices when it is told to.
`level` is what all prices are multiplied with. `desk_file` and `environ` are a desk's that trades
there.
"""

import asyncio
import re
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.testkit.exchange_stub import KEY, SECRET, ExchangeStub
from interlock.testkit.exchange_stub_book import StubMarket

DESKS = Path(__file__).parents[2] / "deploy" / "desks"
SYMBOLS = ("SPY", "AAPL", "GOOG", "IBM", "MSFT")
COINS = {"BTC": 60_000, "ETH": 3_000, "SOL": 150}
LOTS = {"BTC": "0.0001", "ETH": "0.001", "SOL": "0.01"}
PRICE = 100.0
MONEY = Decimal(30_000)
MINUTE = 60
UP, DOWN = 0.003, -0.0045
"""Steps of all prices: less than the gate's collar, more than any threshold, and down again."""


def text(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:26] + "Z"


def bar(symbol, minute, before, after):
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


class AtAlpaca:
    """`newest` is the last minute whose bar is known."""

    desk_file = DESKS / "params.toml"
    venue = "alpaca"
    secret_name = "ALPACA_SECRET_KEY"

    def __init__(self, stub):
        self.stub = stub
        self.level = 1.0
        stub.book.cash = MONEY
        self.secret = stub.secret
        self.newest = int(time.time()) // MINUTE - 3
        self.stub.data.bars = {
            symbol: [
                bar(symbol, minute, PRICE, PRICE)
                for minute in range(self.newest - 40, self.newest + 1)
            ]
            for symbol in SYMBOLS
        }
        self.environ = {
            "INTERLOCK__ALPACA__TRADING_URL": stub.url,
            "INTERLOCK__ALPACA__DATA_URL": stub.url,
            "INTERLOCK__ALPACA__DATA_STREAM_URL": stub.data_stream_url,
            **stub.environ,
        }

    @property
    def no_network(self):
        return {"INTERLOCK__ALPACA__DATA_URL": "http://127.0.0.1:1"}

    @property
    def instruments(self):
        return SYMBOLS

    @property
    def cash(self):
        return self.stub.book.cash

    @property
    def held(self):
        return {name: held for name, held in self.stub.book.positions.items() if held}

    @property
    def sent(self):
        return [one["client_order_id"] for one in self.stub.placed]

    def price(self, _instrument):
        return round(PRICE * self.level, 2)

    def open_orders(self, side):
        return [name for name, one in self._open() if (one.side, one.kind) == (side, "market")]

    def stops(self, instrument):
        """Return the quantity of each stop that stands there."""
        return [
            one.quantity
            for _, one in self._open()
            if one.kind == "stop" and one.symbol == instrument
        ]

    def _open(self):
        return sorted((name, one) for name, one in self.stub.book.orders.items() if one.is_open)

    async def fill(self, orders, part=1, *, tell=True):
        """Trade a part of what is left of these orders."""
        for name in orders:
            leaves = self.stub.book.orders[name].leaves
            quantity = max(1, int(float(leaves) * part))
            await self.stub.fill(name, quantity, str(self.price(None)), tell=tell)

    async def cut(self):
        await self.stub.cut()
        await self.stub.data.cut()

    @asynccontextmanager
    async def moving(self, step):
        """Let a minute end with the price a step further."""
        self.level *= 1 + step
        await self.next_bar()
        yield

    async def next_bar(self, *, told=True):
        """Let a minute that is over be known, with `told` on the stream, too."""
        self.newest += 1
        bars = [
            bar(symbol, self.newest, self.stub.data.bars[symbol][-1]["c"], self.price(symbol))
            for symbol in SYMBOLS
        ]
        for one in bars:
            self.stub.data.bars[one["S"]].append(one)
        if told:
            await self.stub.data.tell(*bars)

    async def live(self):
        """Tell quotes of all symbols, for ever."""
        while True:
            await self.stub.data.tell(*(quote(symbol, self.price(symbol)) for symbol in SYMBOLS))
            await asyncio.sleep(0.1)


class AtExchange:
    """Binance's protocol. Bars are of one second, and made of trades that go on all the time."""

    desk_file = DESKS / "coins.toml"
    venue = "ccxt"
    secret_name = "BINANCE_API_SECRET"
    secret = SECRET

    def __init__(self, stub):
        self.stub = stub
        self.level, self._step = 1.0, 0.0
        now_ms = int(time.time() * 1000)
        for coin in COINS:
            for ago in range(60, 0, -1):
                stub.trade(f"{coin}USDT", str(self.price(coin)), "1", now_ms - 1000 * ago)
        self.environ = {
            "INTERLOCK__FEED__BAR_SECONDS": "1",
            "INTERLOCK__CCXT__URLS": toml(stub.urls),
            "INTERLOCK__CCXT__REQUEST_MS": "1",
            "BINANCE_API_KEY": KEY,
            "BINANCE_API_SECRET": SECRET,
        }

    @property
    def no_network(self):
        return {"INTERLOCK__CCXT__URLS": re.sub(r":\d+", ":1", toml(self.stub.urls))}

    @property
    def instruments(self):
        return [f"{coin}-USDT" for coin in COINS]

    @property
    def cash(self):
        return self.stub.balances["USDT"]

    @property
    def held(self):
        held = {f"{coin}-USDT": self.stub.balances.get(coin) for coin in COINS}
        return {name: quantity for name, quantity in held.items() if quantity}

    @property
    def sent(self):
        # What was sent twice is refused and no order: then there are more requests than orders.
        assert self.stub.posts == len(self.stub.orders)
        return [one.client_order_id for one in self.stub.orders]

    def price(self, coin):
        return round(COINS[coin[:3]] * self.level, 2)

    def open_orders(self, side):
        return [
            one.client_order_id
            for one in self._open()
            if (one.side.lower(), one.kind) == (side, "MARKET")
        ]

    def stops(self, instrument):
        """Return the quantity of each stop that stands there."""
        symbol = instrument.replace("-", "")
        return [
            one.quantity - one.filled
            for one in self._open()
            if (one.symbol, one.kind) == (symbol, "STOP_LOSS")
        ]

    def _open(self):
        return [one for one in self.stub.orders if not one.ended]

    async def fill(self, orders, part=1, *, tell=True):
        """Trade a part of what is left of these orders."""
        for name in orders:
            order = self.stub.order(name)
            lot = self.stub.markets[order.symbol].lot
            left = order.quantity - order.filled
            quantity = max(lot, left * Decimal(str(part)) // lot * lot)
            self.stub.fill(name, str(quantity), str(self.price(order.symbol)), tell=int(tell))

    async def cut(self):
        await self.stub.sockets.cut()

    @asynccontextmanager
    async def moving(self, step):
        """Let the price go a step further twice a second."""
        self._step = step / 2
        try:
            yield
        finally:
            self._step = 0.0

    async def live(self):
        """Tell quotes and trades of all coins, for ever."""
        for beat in range(10**9):
            if beat % 5 == 0:
                self.level *= 1 + self._step
            for coin in COINS:
                price = Decimal(str(self.price(coin)))
                self.stub.quote(f"{coin}USDT", str(price - 1 / Decimal(100)), str(price))
                self.stub.trade(f"{coin}USDT", str(price), "1")
            await asyncio.sleep(0.1)


def toml(value):
    """Return a value as TOML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml(one)}" for name, one in value.items()) + "}"
    return f'"{value}"'


@asynccontextmanager
async def alpaca():
    async with AlpacaStub() as stub, _alive(AtAlpaca(stub)) as market:
        yield market


@asynccontextmanager
async def exchange():
    markets = [StubMarket(base=coin, quote="USDT", lot=Decimal(LOTS[coin])) for coin in COINS]
    async with (
        ExchangeStub(markets, {"USDT": str(MONEY)}) as stub,
        _alive(AtExchange(stub)) as market,
    ):
        yield market


@asynccontextmanager
async def _alive(market):
    living = asyncio.create_task(market.live())
    try:
        yield market
    finally:
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living
