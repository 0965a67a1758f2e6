"""Alpaca as a live source: minute bars, quotes and trades of US equities, and news.

Theory of operation. Prices and news come on two streams. Whether the source is up is whether the
prices come: news that fail are asked for again, and are no reason to stop trading. After a
reconnect the news of the hole are asked for here; the bars of the hole are the feed's to ask for,
through `history`, as soon as it hears that the source is up. A bar comes again, corrected, when
trades were reported late; the feed takes each bar once.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import assert_never

import msgspec

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.alpaca.config import AlpacaConfig, keys_from
from interlock.venues.alpaca.errors import AlpacaRefusedError, AlpacaWireError
from interlock.venues.alpaca.market import (
    MINUTE_SECONDS,
    BarData,
    ErrorData,
    MarketMessage,
    MinuteBar,
    NewsData,
    QuoteData,
    SubscriptionData,
    SuccessData,
    TradeData,
    UpdatedBar,
    messages,
    nanos,
)
from interlock.venues.alpaca.rest import ask, of_the_sdk, prepare
from interlock.venues.alpaca.stream import (
    OPENING_SECONDS,
    LinkLostError,
    answer_pings,
    as_lost,
    first_to_end,
    open_socket,
)
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import SourceMoved, SourceUnavailableError, TellFeed

_log = logging.getLogger(__name__)

_DAY_SECONDS = 86_400
_HOUR_SECONDS = 3_600
_MICRO = 1_000
_SYMBOLS_A_QUESTION = 100
_ASK_SECONDS = 30.0
_QUESTIONS_AT_ONCE = 4
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_STEADY_SECONDS = 5.0

type Session = Callable[[], Awaitable[None]]
type Fields = dict[str, object]


class ClockData(msgspec.Struct, frozen=True):
    timestamp: str


class AlpacaSource:
    """Market data of some symbols.

    Parameters
    ----------
    config
        Where Alpaca is reached, and which feed of prices is paid for.
    symbols
        US equities, as Alpaca spells them.
    environ
        The environment, which holds the keys under the names that `config` gives.
    """

    def __init__(
        self, config: AlpacaConfig, symbols: Sequence[str], environ: Mapping[str, str]
    ) -> None:
        self._config = config
        self._symbols = list(symbols)
        self._keys = keys_from(config, environ)
        pairs = [symbol for symbol in symbols if "/" in symbol]
        if pairs:
            raise SourceUnavailableError(
                f"Alpaca's stream of equities has no {pairs[0]}: crypto comes through ccxt"
            )
        with of_the_sdk():
            from alpaca.data.historical.news import NewsClient
            from alpaca.data.historical.stock import StockHistoricalDataClient
            from alpaca.trading.client import TradingClient

        key, secret = self._keys.key, self._keys.secret
        self._bars = StockHistoricalDataClient(key, secret, raw_data=True, url_override=config.data)
        self._news = NewsClient(key, secret, raw_data=True, url_override=config.data)
        self._trading = TradingClient(
            key, secret, paper=config.paper, raw_data=True, url_override=config.trading
        )
        for client in (self._bars, self._news, self._trading):
            prepare(client, config)
        self._pool = ThreadPoolExecutor(_QUESTIONS_AT_ONCE, "alpaca-data")
        self._last_news: UnixNanos = 0

    async def history(
        self, symbols: Sequence[str], bar_seconds: int, since: UnixNanos, until: UnixNanos
    ) -> Sequence[RawBar]:
        rows: list[RawBar] = []
        for start in range(0, len(symbols), _SYMBOLS_A_QUESTION):
            some = list(symbols[start : start + _SYMBOLS_A_QUESTION])
            raw = await self._ask(partial(self._ask_bars, some, bar_seconds, since, until))
            found = _read(raw, dict[str, list[BarData]])
            rows += [bar.row(symbol, bar_seconds) for symbol, bars in found.items() for bar in bars]
        within = (row for row in rows if since <= row.ts_start < until)
        return sorted(within, key=lambda row: (row.ts_start, row.symbol))

    async def run(self, tell: TellFeed) -> None:
        jobs = [self._forever(partial(self._prices, tell), tell)]
        if self._config.news:
            jobs.append(self._forever(partial(self._headlines, tell), None))
        await first_to_end(jobs)

    async def clock_offset_ns(self) -> int | None:
        asked_at = time.time_ns()
        raw = await self._ask(self._trading.get_clock)
        ours = (asked_at + time.time_ns()) // 2
        return ours - nanos(_read(raw, ClockData).timestamp)

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for client in (self._bars, self._news, self._trading):
            client._session.close()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    async def _forever(self, session: Session, tell: TellFeed | None) -> None:
        """Open a stream again and again. `tell` hears of its loss."""
        clock = asyncio.get_running_loop().time
        pause = _FIRST_PAUSE_SECONDS
        while True:
            began = clock()
            try:
                await session()
            except LinkLostError as lost:
                if tell is None:
                    _log.warning("news: %s", lost)
                else:
                    tell(SourceMoved(up=False, reason=str(lost)))
            steady = clock() - began > _STEADY_SECONDS
            pause = _FIRST_PAUSE_SECONDS if steady else min(2 * pause, _LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def _prices(self, tell: TellFeed) -> None:
        channels = ("bars", "updatedBars", "trades", "quotes")
        wanted: dict[str, list[str]] = dict.fromkeys(channels, self._symbols)

        async def ready() -> None:
            tell(SourceMoved(up=True, reason="the stream of prices is open"))

        await self._listen(f"v2/{self._config.feed}", wanted, ready, tell)

    async def _headlines(self, tell: TellFeed) -> None:
        async def ready() -> None:
            if self._last_news:
                for item in await self._missed_news():
                    self._on_message(item, tell)

        await self._listen("v1beta1/news", {"news": self._symbols}, ready, tell)

    async def _listen(
        self, path: str, wanted: dict[str, list[str]], ready: Session, tell: TellFeed
    ) -> None:
        """Hand over what one stream says until it is lost, which raises `LinkLostError`."""
        from websockets.exceptions import WebSocketException

        socket = await open_socket(f"{self._config.data_stream}/{path}", self._keys)

        async def hear() -> Sequence[MarketMessage]:
            return messages(await socket.recv())

        async def read() -> None:
            await ready()
            while True:
                for message in await hear():
                    self._on_message(message, tell)

        try:
            async with asyncio.timeout(OPENING_SECONDS):
                _expect(await hear(), SuccessData)
                keys = {"key": self._keys.key, "secret": self._keys.secret}
                await socket.send(json.dumps({"action": "auth", **keys}))
                _expect(await hear(), SuccessData)
                await socket.send(json.dumps({"action": "subscribe", **wanted}))
                _expect(await hear(), SubscriptionData)
            await first_to_end([read(), answer_pings(socket)])
        except TimeoutError:
            raise LinkLostError("the stream does not let us in") from None
        except (OSError, WebSocketException, msgspec.MsgspecError) as error:
            raise as_lost(error, self._keys) from None
        finally:
            socket.transport.abort()

    def _on_message(self, message: MarketMessage, tell: TellFeed) -> None:
        match message:
            case QuoteData() | TradeData():
                tell(message.raw())
            case MinuteBar() | UpdatedBar():
                tell(message.row(message.S, MINUTE_SECONDS))
            case NewsData():
                news = message.raw()
                self._last_news = max(self._last_news, news.ts)
                tell(news)
            case ErrorData():
                raise LinkLostError(f"the stream says: {message.msg} ({message.code})")
            case SuccessData() | SubscriptionData():
                pass
            case _:
                assert_never(message)

    async def _missed_news(self) -> list[NewsData]:
        """Return what was written since the last item, and nothing that was told."""
        last = self._last_news
        try:
            raw = await self._ask(self._ask_news)
            found = _read(raw, dict[str, list[Fields]]).get("news", [])
            items = msgspec.convert([{"T": "n", **item} for item in found], list[NewsData])
        except (SourceUnavailableError, msgspec.ValidationError) as error:
            raise LinkLostError(f"what was missed cannot be asked for: {error}") from None
        return sorted(
            (item for item in items if nanos(item.created_at) > last),
            key=lambda item: (nanos(item.created_at), item.id),
        )

    def _ask_news(self) -> object:
        from alpaca.data.requests import NewsRequest

        start = _moment(self._last_news)
        return self._news.get_news(NewsRequest(start=start, symbols=",".join(self._symbols)))

    def _ask_bars(
        self, symbols: list[str], bar_seconds: int, since: UnixNanos, until: UnixNanos
    ) -> object:
        from alpaca.data.enums import DataFeed
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame, TimeFrameUnit

        if bar_seconds == _DAY_SECONDS:
            frame = TimeFrame(1, TimeFrameUnit("Day"))
        elif bar_seconds % _HOUR_SECONDS == 0:
            frame = TimeFrame(bar_seconds // _HOUR_SECONDS, TimeFrameUnit("Hour"))
        elif bar_seconds % MINUTE_SECONDS == 0:
            frame = TimeFrame(bar_seconds // MINUTE_SECONDS, TimeFrameUnit("Min"))
        else:
            raise AlpacaWireError(f"Alpaca has no bars of {bar_seconds} s", again=False)
        return self._bars.get_stock_bars(
            StockBarsRequest(
                symbol_or_symbols=symbols,
                timeframe=frame,
                start=_moment(since),
                # Alpaca's end belongs to the answer, ours does not.
                end=_moment(until) - timedelta(microseconds=1),
                feed=DataFeed(self._config.feed.value),
            )
        )

    async def _ask(self, work: Callable[[], object]) -> object:
        try:
            return await ask(self._pool, work, self._keys, _ASK_SECONDS)
        except (AlpacaRefusedError, AlpacaWireError) as error:
            raise SourceUnavailableError(f"Alpaca: {error}") from None


def _expect(heard: Sequence[MarketMessage], kind: type[MarketMessage]) -> None:
    for message in heard:
        if isinstance(message, ErrorData):
            raise LinkLostError(f"the stream refuses: {message.msg} ({message.code})")
    if not any(isinstance(message, kind) for message in heard):
        raise LinkLostError("the stream does not speak as Alpaca's")


def _moment(ts: UnixNanos) -> datetime:
    """Return a time to the microsecond, rounded down."""
    whole = datetime.fromtimestamp(ts // NANOS_PER_SECOND, UTC)
    return whole + timedelta(microseconds=ts % NANOS_PER_SECOND // _MICRO)


def _read[T](raw: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise SourceUnavailableError(f"Alpaca: an answer of another shape: {error}") from None
