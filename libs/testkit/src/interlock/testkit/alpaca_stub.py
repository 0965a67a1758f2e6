"""A server that speaks as an Alpaca account does, with its orders, its stream and market data.

The unmodified SDK can be tried against it in every failure.

    async with AlpacaStub() as stub:
        config = AlpacaConfig(trading_url=stub.url, data_url=stub.url,
                              data_stream_url=stub.data_stream_url)
        ...
        await stub.fill("il-1", 5, 100)     # an execution, told on the stream
        stub.faults.append(Answer(504, "", accept=True))    # of the next order placed
        await stub.cut()                    # the stream breaks

An order rests until the test fills it, or until `move` brings its price. Like the real one the stub
promises each share to one closing order only. `cancel_seconds` pass between a cancel and the end
of its order, `answer_seconds` before any answer to a question; `history_lag` hides so many of the
latest executions from the account's history.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from aiohttp import WSMsgType, web

from interlock.testkit.alpaca_stub_book import (
    Fields,
    RefusedByBook,
    StubBook,
    StubOrder,
    event,
    now_text,
)
from interlock.testkit.alpaca_stub_data import StubData

_UNAUTHORIZED = {"code": 40110000, "message": "request is not authorized"}
_NO_SUCH_ORDER = {"code": 40410000, "message": "order not found"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Another answer than the true one. `accept`: the order is taken all the same."""

    status: int
    body: str
    accept: bool = False
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all."""

    accept: bool = True


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection closes without an answer."""

    accept: bool = True


type Fault = Answer | Silence | HangUp


class AlpacaStub:
    """One account on a free port of the loopback.

    Parameters
    ----------
    recorded
        The folder of recorded bodies, from which account and clock take their shape.
    binary
        Whether order events come as binary frames, as they do on paper accounts.
    """

    def __init__(self, recorded: Path | None = None, *, binary: bool = True) -> None:
        self.key = "PKSTUB0123456789ABCD"
        self.secret = "stub/Secret+0123456789abcdefghijklmnopqrst"  # noqa: S105 - made up
        self.account_number = "PA3STUB00001"
        self.book = StubBook()
        self.data = StubData(lambda: (self.key, self.secret))
        self.faults: list[Fault] = []
        self.question_faults: list[Fault] = []
        self.placed: list[Fields] = []
        self.asked: list[str] = []
        self.connections = 0
        self.clock_skew_seconds = 0.0
        self.cancel_seconds = 0.0
        self.cancels: list[str] = []
        self.cancel_faults: list[Fault] = []
        self.history_lag = 0
        self.answer_seconds = 0.0
        self._recorded = recorded
        self._binary = binary
        self._streams: dict[web.WebSocketResponse, web.Request] = {}
        self._listened = asyncio.Event()
        self._mute = False
        self._silent = False
        self._later: list[asyncio.Task[None]] = []
        self._closing = asyncio.Event()
        self._port = 0
        app = web.Application(middlewares=[self._authorised])
        app.add_routes(
            [
                web.post("/v2/orders", self._place),
                web.get("/v2/orders", self._list_orders),
                web.get("/v2/orders:by_client_order_id", self._order_by_name),
                web.get("/v2/orders/{id}", self._order_by_id),
                web.delete("/v2/orders", self._cancel_all),
                web.delete("/v2/orders/{id}", self._cancel),
                web.get("/v2/positions", self._positions),
                web.get("/v2/account", self._account),
                web.get("/v2/account/activities/FILL", self._activities),
                web.get("/v2/clock", self._clock),
                web.get("/stream", self._stream),
                *self.data.routes(),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def data_stream_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/data-stream"

    @property
    def environ(self) -> dict[str, str]:
        return {"ALPACA_API_KEY": self.key, "ALPACA_SECRET_KEY": self.secret}

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._closing.set()
        for task in self._later:
            task.cancel()
        await self.cut()
        await self.data.cut()
        await self._runner.cleanup()

    async def fill(
        self,
        client_order_id: str,
        quantity: Decimal | str | int,
        price: Decimal | str | int,
        *,
        tell: bool = True,
    ) -> Fields:
        """Trade a part of an order. With `tell` off the event is only returned."""
        order = self.book.orders[client_order_id]
        told = self.book.fill(order, Decimal(quantity), Decimal(price))
        if tell:
            await self.tell(told)
        return told

    async def end(self, client_order_id: str, status: str, *, tell: bool = True) -> Fields:
        """End an order: ``canceled``, ``expired`` or ``rejected``."""
        told = self.book.end(self.book.orders[client_order_id], status)
        if tell:
            await self.tell(told)
        return told

    async def move(self, symbol: str, price: Decimal | str | int) -> None:
        """Let the market trade at a price: orders that reach it are filled whole."""
        self.book.prices[symbol] = Decimal(price)
        for order in self.book.triggered(symbol, Decimal(price)):
            await self.tell(self.book.fill(order, order.leaves, Decimal(price)))

    async def listened(self) -> None:
        """Wait until somebody listens to the stream of order events."""
        await self._listened.wait()

    async def tell(self, told: Fields) -> None:
        """Send an event to all who listen, as often as it is called."""
        if self._mute:
            return
        text = json.dumps(told)
        for stream in list(self._streams):
            # Who has hung up, or was cut off, is told no more.
            with suppress(ConnectionError):
                if self._binary:
                    await stream.send_bytes(text.encode())
                else:
                    await stream.send_str(text)

    def foreign(self, **body: Any) -> StubOrder:
        """Add an order that somebody else has placed."""
        return self.book.add({"type": "market", "time_in_force": "day", **body})

    def mute(self, *, pongs: bool = True) -> None:
        """Say nothing on the stream, and with `pongs` off answer no ping either."""
        self._mute = True
        self._silent = not pongs

    def unmute(self) -> None:
        self._mute = self._silent = False

    async def cut(self) -> None:
        """Break the connections of the stream of order events."""
        while self._streams:
            _, request = self._streams.popitem()
            if request.transport is not None:
                request.transport.abort()

    def revoke(self) -> None:
        """Let the account's keys hold no longer."""
        self.key, self.secret = "PKOTHER", "other"

    @web.middleware
    async def _authorised(self, request: web.Request, handler: Callable[..., Any]) -> Any:
        if "stream" in request.path:
            return await handler(request)
        keys = (
            request.headers.get("APCA-API-KEY-ID"),
            request.headers.get("APCA-API-SECRET-KEY"),
        )
        if keys != (self.key, self.secret):
            return web.json_response(_UNAUTHORIZED, status=401)
        if request.method == "GET":
            self.asked.append(request.path_qs)
            await asyncio.sleep(self.answer_seconds)
            if self.question_faults:
                return await self._misbehave(request, self.question_faults.pop(0))
        return await handler(request)

    async def _misbehave(self, request: web.Request, fault: Fault) -> web.Response:
        match fault:
            case Answer():
                return web.Response(
                    text=fault.body, status=fault.status, content_type=fault.content_type
                )
            case Silence():
                await self._closing.wait()
            case HangUp():
                assert request.transport is not None
                request.transport.close()
        return web.Response()

    async def _place(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.placed.append(body)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not fault.accept:
            return await self._misbehave(request, fault)
        try:
            order = self.book.add(body)
        except RefusedByBook as refused:
            return web.json_response(refused.body, status=refused.status)
        answer = order.body()
        await self.tell(event("new", order))
        price = self.book.prices.get(order.symbol)
        if price is not None and order.kind == "market":
            await self.tell(self.book.fill(order, order.leaves, price))
        if fault is not None:
            return await self._misbehave(request, fault)
        return web.json_response(answer)

    async def _list_orders(self, request: web.Request) -> web.Response:
        query = request.query
        orders = sorted(self.book.orders.values(), key=lambda each: each.at)
        if query.get("status") == "open":
            orders = [each for each in orders if each.is_open]
        if "after" in query:
            orders = [each for each in orders if each.at > query["after"]]
        if "until" in query:
            orders = [each for each in orders if each.at < query["until"]]
        if query.get("direction", "desc") == "desc":
            orders.reverse()
        limit = int(query.get("limit", "50"))
        return web.json_response([each.body() for each in orders[:limit]])

    async def _order_by_name(self, request: web.Request) -> web.Response:
        return _shown(self.book.orders.get(request.query["client_order_id"]))

    async def _order_by_id(self, request: web.Request) -> web.Response:
        return _shown(self.book.by_id(request.match_info["id"]))

    async def _cancel_all(self, request: web.Request) -> web.Response:
        self.cancels.append("all")
        if self.cancel_faults:
            return await self._misbehave(request, self.cancel_faults.pop(0))
        going = [each for each in self.book.orders.values() if each.is_open]
        for order in going:
            await self._begin_end(order)
        told = [{"id": each.order_id, "status": 200} for each in going]
        return web.json_response(told, status=207)

    async def _cancel(self, request: web.Request) -> web.Response:
        self.cancels.append(request.match_info["id"])
        if self.cancel_faults:
            return await self._misbehave(request, self.cancel_faults.pop(0))
        order = self.book.by_id(request.match_info["id"])
        if order is None:
            return web.json_response(_NO_SUCH_ORDER, status=404)
        if not order.is_open:
            message = f'order is already in "{order.status}" state'
            return web.json_response({"code": 42210000, "message": message}, status=422)
        await self._begin_end(order)
        return web.Response(status=204)

    async def _begin_end(self, order: StubOrder) -> None:
        if self.cancel_seconds:
            order.status = "pending_cancel"
            self._later.append(asyncio.create_task(self._ended_later(order)))
        else:
            await self.tell(self.book.end(order, "canceled"))

    async def _ended_later(self, order: StubOrder) -> None:
        await asyncio.sleep(self.cancel_seconds)
        await self.tell(self.book.end(order, "canceled"))

    async def _positions(self, _request: web.Request) -> web.Response:
        return web.json_response(self.book.position_bodies())

    async def _account(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {
                **self._shape("account-v2.json"),
                "id": "e6fe16f3-64a4-4921-8928-cadf02f92f98",
                "account_number": self.account_number,
                "status": "ACTIVE",
                "currency": "USD",
                "cash": str(self.book.cash),
            }
        )

    async def _activities(self, request: web.Request) -> web.Response:
        found = self.book.executions[: len(self.book.executions) - self.history_lag]
        if "after" in request.query:
            found = [each for each in found if each["transaction_time"] >= request.query["after"]]
        if "page_token" in request.query:
            ids = [each["id"] for each in found]
            found = found[ids.index(request.query["page_token"]) + 1 :]
        return web.json_response(found[: int(request.query.get("page_size", "100"))])

    async def _clock(self, _request: web.Request) -> web.Response:
        at = now_text(self.clock_skew_seconds)
        shape = {"is_open": True, "next_open": at, "next_close": at}
        return web.json_response({**shape, **self._shape("clock.json"), "timestamp": at})

    def _shape(self, name: str) -> Fields:
        if self._recorded is None:
            return {}
        found: Fields = json.loads((self._recorded / name).read_text())
        return found

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        self.connections += 1
        stream = web.WebSocketResponse(autoping=False)
        await stream.prepare(request)
        try:
            async for message in stream:
                if message.type is WSMsgType.PING:
                    if not self._silent:
                        await stream.pong(message.data)
                elif message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    await self._hear(stream, request, json.loads(message.data))
        finally:
            self._streams.pop(stream, None)
        return stream

    async def _hear(
        self, stream: web.WebSocketResponse, request: web.Request, asked: Fields
    ) -> None:
        data = asked.get("data", {})
        if asked["action"] == "authenticate":
            ours = (data.get("key_id"), data.get("secret_key")) == (self.key, self.secret)
            status = "authorized" if ours else "unauthorized"
            answer = {"status": status, "action": "authenticate"}
            await self._send(stream, {"stream": "authorization", "data": answer})
        elif asked["action"] == "listen":
            await self._send(stream, {"stream": "listening", "data": data})
            self._streams[stream] = request
            self._listened.set()

    async def _send(self, stream: web.WebSocketResponse, told: Fields) -> None:
        if self._silent:
            return
        text = json.dumps(told)
        if self._binary:
            await stream.send_bytes(text.encode())
        else:
            await stream.send_str(text)


def _shown(order: StubOrder | None) -> web.Response:
    if order is None:
        return web.json_response(_NO_SUCH_ORDER, status=404)
    return web.json_response(order.body())
