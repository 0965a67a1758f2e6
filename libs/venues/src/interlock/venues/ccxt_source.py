"""Live data of any exchange that ccxt speaks to: quotes, trades, and bars made of them.

Theory of operation. Bars are built from trades and handed over a moment after their end, so that
they come alike from every exchange. The bar during which the stream began is not whole: when it
has ended it is asked for over REST, as are the bars of a hole after a lost connection, before the
source says that it is up. An exchange without a stream of trades gives all its bars that way.
"""

import asyncio
import os
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.venues.ccxt_bars import BarBuilder
from interlock.venues.ccxt_config import CcxtConfig, open_exchange, open_session, read_secrets
from interlock.venues.ccxt_dialects import dialect_of
from interlock.venues.ccxt_errors import read_error
from interlock.venues.ccxt_link import keep, until_connected, until_one_ends, while_connected
from interlock.venues.replay_rows import RawBar
from interlock.venues.source import (
    RawQuote,
    RawTrade,
    SourceMoved,
    SourceUnavailableError,
    TellFeed,
)

_NANOS_PER_MS = 1_000_000
_PAGE = 500
_GRACE_NS = NANOS_PER_SECOND // 2
_LOOK_SECONDS = 0.1


class CcxtSource:
    """A live source for some of an exchange's symbols, in ccxt's spelling, such as ``BTC/USD``.

    Raises
    ------
    VenueUnavailableError
        When ccxt has no such exchange, or a secret that the configuration names is missing.
    """

    def __init__(
        self,
        config: CcxtConfig,
        symbols: Sequence[str],
        bar_seconds: int = 60,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._config = config
        self._symbols = list(symbols)
        self._bar_seconds = bar_seconds
        self._secrets = read_secrets(config, environ)
        self._exchange: Any = open_exchange(config, self._secrets)
        self._offset_ns = 0
        self._told_until: UnixNanos = 0
        self._up: bool | None = None

    async def history(
        self, symbols: Sequence[str], bar_seconds: int, since: UnixNanos, until: UnixNanos
    ) -> Sequence[RawBar]:
        bars: list[RawBar] = []
        try:
            open_session(self._exchange)
            await self._exchange.load_markets()
            frame = self._timeframe(bar_seconds)
            for symbol in symbols:
                bars.extend(await self._bars_of(symbol, frame, bar_seconds, since, until))
        except SourceUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no history
            raise SourceUnavailableError(self._words(error)) from None
        return sorted(bars, key=lambda bar: (bar.ts_start, bar.symbol))

    def _timeframe(self, bar_seconds: int) -> str:
        frames: dict[str, Any] = self._exchange.timeframes or {}
        for frame in frames:
            if self._exchange.parse_timeframe(frame) == bar_seconds:
                return frame
        raise SourceUnavailableError(f"{self._config.exchange} has no bars of {bar_seconds} s")

    async def _bars_of(
        self, symbol: str, frame: str, bar_seconds: int, since: UnixNanos, until: UnixNanos
    ) -> Sequence[RawBar]:
        """Return one symbol's bars, page by page; the one that still grows is left out."""
        step = bar_seconds * NANOS_PER_SECOND
        bars: dict[UnixNanos, RawBar] = {}
        begin, until = since, min(until, self._now())
        while begin < until:
            page = await self._exchange.fetch_ohlcv(symbol, frame, begin // _NANOS_PER_MS, _PAGE)
            last = begin - 1
            for row in page:
                start = row[0] * _NANOS_PER_MS
                last = max(last, start)
                if since <= start < until and start + step <= self._now():
                    bars[start] = RawBar(start, start + step, symbol, *map(float, row[1:6]))
            if last < begin:
                break
            begin = last + step
        return list(bars.values())

    def _now(self) -> UnixNanos:
        """Return the exchange's time."""
        return time.time_ns() - self._offset_ns

    async def run(self, tell: TellFeed) -> None:
        open_session(self._exchange)

        def down(error: Exception) -> None:
            self._move(tell, up=False, reason=self._words(error))

        await keep(self._exchange, lambda: self._once(tell), down)

    def _move(self, tell: TellFeed, *, up: bool, reason: str) -> None:
        if self._up is not up:
            self._up = up
            tell(SourceMoved(up, reason))

    async def _once(self, tell: TellFeed) -> None:
        exchange = self._exchange
        await exchange.load_markets()
        self._offset_ns = await self.clock_offset_ns() or 0
        step = self._bar_seconds * NANOS_PER_SECOND
        current = self._now() // step * step
        builder = BarBuilder(self._bar_seconds, current + step)
        jobs = [*self._quotes(tell), self._keep_time(tell, builder, current)]
        if exchange.has.get("watchTrades") is True:
            jobs.extend(self._trades(symbol, tell, builder) for symbol in self._symbols)
        await until_one_ends(jobs)

    async def _keep_time(self, tell: TellFeed, builder: BarBuilder, current: UnixNanos) -> None:
        """Fill the hole, come up, then hand over each bar when it has ended."""
        await until_connected(self._exchange)
        await self._fill(tell, self._told_until or current, current)
        self._move(tell, up=True, reason="the streams are up, and the hole is filled")
        built = self._exchange.has.get("watchTrades") is True
        broken: UnixNanos | None = current
        gone = asyncio.create_task(while_connected(self._exchange))
        try:
            while not gone.done():
                await asyncio.sleep(_LOOK_SECONDS)
                settled = self._now() - _GRACE_NS
                if broken is not None and broken + builder.step <= settled:
                    await self._fill(tell, broken, broken + builder.step)
                    broken = None if built else broken + builder.step
                if broken is None:
                    for bar in builder.completed(settled):
                        tell(bar)
                        self._told_until = bar.ts_complete
        finally:
            gone.cancel()

    async def _fill(self, tell: TellFeed, since: UnixNanos, until: UnixNanos) -> None:
        if since < until:
            for bar in await self.history(self._symbols, self._bar_seconds, since, until):
                tell(bar)
        self._told_until = max(self._told_until, until)

    def _quotes(self, tell: TellFeed) -> Sequence[Coroutine[Any, Any, None]]:
        """Return what watches the top of the books: one subscription, or one for each symbol."""
        if self._exchange.has.get("watchBidsAsks") is True:
            return [self._all_quotes(tell)]
        if self._exchange.has.get("watchTicker") is True:
            return [self._quotes_of(symbol, tell) for symbol in self._symbols]
        return []

    async def _all_quotes(self, tell: TellFeed) -> None:
        while True:
            # The empty dict is ours: ccxt writes into its own default one.
            tickers: dict[str, Any] = await self._exchange.watch_bids_asks(self._symbols, {})
            for ticker in tickers.values():
                self._tell_quote(ticker, tell)

    async def _quotes_of(self, symbol: str, tell: TellFeed) -> None:
        while True:
            self._tell_quote(await self._exchange.watch_ticker(symbol), tell)

    def _tell_quote(self, ticker: Mapping[str, Any], tell: TellFeed) -> None:
        quote = quote_of(ticker, self._now())
        if quote is not None:
            tell(quote)

    async def _trades(self, symbol: str, tell: TellFeed, builder: BarBuilder) -> None:
        while True:
            for trade in await self._exchange.watch_trades(symbol):
                raw = trade_of(trade)
                builder.add(raw)
                tell(raw)

    async def clock_offset_ns(self) -> int | None:
        if not self._exchange.has.get("fetchTime"):
            return None
        open_session(self._exchange)
        asked = time.time_ns()
        try:
            theirs: int = await self._exchange.fetch_time()
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no time
            raise SourceUnavailableError(self._words(error)) from None
        return (asked + time.time_ns()) // 2 - theirs * _NANOS_PER_MS

    def _words(self, error: Exception) -> str:
        said = dialect_of(self._config.exchange).words
        reason = read_error(error, self._secrets.redact(error), said).reason
        return f"{self._config.exchange}: {reason}"

    async def close(self) -> None:
        await self._exchange.close()


def quote_of(ticker: Mapping[str, Any], now: UnixNanos) -> RawQuote | None:
    """Return the top of a book; at `now` where the exchange gives it no time, none if one-sided."""
    bid, ask = ticker.get("bid"), ticker.get("ask")
    if bid is None or ask is None:
        return None
    at = ticker.get("timestamp")
    return RawQuote(
        ts=now if at is None else at * _NANOS_PER_MS,
        symbol=ticker["symbol"],
        bid=float(bid),
        ask=float(ask),
        bid_size=float(ticker.get("bidVolume") or 0.0),
        ask_size=float(ticker.get("askVolume") or 0.0),
    )


def trade_of(trade: Mapping[str, Any]) -> RawTrade:
    return RawTrade(
        ts=trade["timestamp"] * _NANOS_PER_MS,
        symbol=trade["symbol"],
        price=float(trade["price"]),
        size=float(trade["amount"]),
        trade_id=str(trade["id"]),
    )
