"""The market data of the Alpaca stub: bars and news over REST, in pages, and all of it live."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

type Fields = dict[str, Any]
type Keys = Callable[[], tuple[str, str]]


class StubData:
    """Bars by symbol, news, and whoever listens to them live."""

    def __init__(self, keys: Keys) -> None:
        self.bars: dict[str, list[Fields]] = {}
        self.news: list[Fields] = []
        self.page = 10_000
        self.connections = 0
        self.subscribed: list[Fields] = []
        self._keys = keys
        self._listeners: dict[web.WebSocketResponse, web.Request] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/stocks/bars", self._bars),
            web.get("/v1beta1/news", self._news),
            web.get("/data-stream/v2/{feed}", self._stream),
            web.get("/data-stream/v1beta1/news", self._stream),
        ]

    async def tell(self, *told: Fields) -> None:
        """Send messages to the listeners whose stream has such: news apart from prices."""
        for stream, request in list(self._listeners.items()):
            wants_news = request.path.endswith("news")
            fitting = [each for each in told if (each["T"] == "n") is wants_news]
            if fitting:
                # Who has hung up, or was cut off, is told no more.
                with suppress(ConnectionError):
                    await _send(stream, request, fitting)

    async def cut(self) -> None:
        """Break all live connections."""
        while self._listeners:
            _, request = self._listeners.popitem()
            if request.transport is not None:
                request.transport.abort()

    async def _bars(self, request: web.Request) -> web.Response:
        query = request.query
        rows = [
            (symbol, bar)
            for symbol in sorted(query["symbols"].split(","))
            for bar in self.bars.get(symbol, [])
            if query["start"][:19] <= bar["t"][:19] <= query.get("end", "9")[:19]
        ]
        page, token = self._paged(rows, query)
        found: dict[str, list[Fields]] = {}
        for symbol, bar in page:
            found.setdefault(symbol, []).append(bar)
        return web.json_response({"bars": found, "next_page_token": token})

    async def _news(self, request: web.Request) -> web.Response:
        page, token = self._paged(self.news, request.query)
        return web.json_response({"news": page, "next_page_token": token})

    def _paged(self, rows: list[Any], query: Any) -> tuple[list[Any], str | None]:
        start = int(query.get("page_token") or 0)
        end = start + min(self.page, int(query.get("limit") or self.page))
        return rows[start:end], str(end) if end < len(rows) else None

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        self.connections += 1
        stream = web.WebSocketResponse()
        await stream.prepare(request)
        await _send(stream, request, [{"T": "success", "msg": "connected"}])
        try:
            async for message in stream:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    packed = message.type is WSMsgType.BINARY
                    read = msgspec.msgpack.decode if packed else msgspec.json.decode
                    await self._hear(stream, request, read(message.data))
        finally:
            self._listeners.pop(stream, None)
        return stream

    async def _hear(
        self, stream: web.WebSocketResponse, request: web.Request, asked: Fields
    ) -> None:
        if asked["action"] == "auth":
            if (asked["key"], asked["secret"]) != self._keys():
                await _send(stream, request, [{"T": "error", "code": 402, "msg": "auth failed"}])
                return
            await _send(stream, request, [{"T": "success", "msg": "authenticated"}])
        elif asked["action"] == "subscribe":
            channels = {name: asked.get(name, []) for name in asked if name != "action"}
            self.subscribed.append(channels)
            self._listeners[stream] = request
            await _send(stream, request, [{"T": "subscription", **channels}])


async def _send(stream: web.WebSocketResponse, request: web.Request, told: list[Fields]) -> None:
    if request.headers.get("Content-Type") == "application/msgpack":
        await stream.send_bytes(msgspec.msgpack.encode([_timed(each) for each in told]))
    else:
        await stream.send_str(json.dumps(told))


def _timed(told: Fields) -> Fields:
    """In msgpack frames times are times, in JSON frames text."""
    times = told.keys() & {"t", "created_at", "updated_at"}
    return {**told, **{name: datetime.fromisoformat(told[name]) for name in times}}
