"""The websockets of the stub exchange: its account stream and its market streams.

A stream can be cut, which the other side sees at once, or muted: the connection stands and nothing
comes any more, no pong either. What is said meanwhile is lost, as it is at a real exchange.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web


@dataclass(slots=True)
class Sockets:
    """Who listens, and to what."""

    muted: bool = False
    refused: bool = False
    subscribed: int = 0
    _accounts: set[web.WebSocketResponse] = field(default_factory=set[web.WebSocketResponse])
    _markets: dict[web.WebSocketResponse, set[str]] = field(
        default_factory=dict[web.WebSocketResponse, set[str]]
    )
    _links: set[asyncio.Transport] = field(default_factory=set[asyncio.Transport])
    _sending: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def account(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._account_asked)

    async def market(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._market_asked)

    async def _serve(self, request: web.Request, asked: Any) -> web.StreamResponse:
        if self.refused:
            return web.Response(status=503)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        link = request.transport
        assert link is not None
        self._links.add(link)
        try:
            async for message in socket:
                if self.muted:
                    continue
                if message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    await asked(socket, json.loads(message.data))
        finally:
            self._links.discard(link)
            self._accounts.discard(socket)
            self._markets.pop(socket, None)
        return socket

    async def _account_asked(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        if asked["method"] == "userDataStream.subscribe.signature":
            self._accounts.add(socket)
            self.subscribed += 1
            result = {"subscriptionId": 0}
            await socket.send_json({"id": asked["id"], "status": 200, "result": result})

    async def _market_asked(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        if asked["method"] == "SUBSCRIBE":
            self._markets.setdefault(socket, set()).update(asked["params"])
            self.subscribed += 1
            await socket.send_json({"result": None, "id": asked["id"]})

    def tell_account(self, event: dict[str, Any]) -> None:
        for socket in self._accounts:
            self._send(socket, {"subscriptionId": 0, "event": event})

    def tell_market(self, stream: str, event: dict[str, Any]) -> None:
        for socket, streams in self._markets.items():
            if stream in streams:
                self._send(socket, event)

    def _send(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        if self.muted or socket.closed:
            return
        task = asyncio.ensure_future(_send_quietly(socket, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def cut(self) -> None:
        """Drop every connection without a word."""
        for link in list(self._links):
            link.abort()
        await asyncio.sleep(0)


async def _send_quietly(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
    """Send, unless the other side has gone."""
    try:
        await socket.send_json(message)
    except ConnectionError:
        return
