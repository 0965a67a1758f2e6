"""An exchange in this process that speaks Binance's spot API, over real HTTP and websockets.

It does what the script says: orders rest until `fill`, `cancel` or `expire` is called, and the next
requests can be made to fail in every way an exchange fails. The unmodified ccxt talks to it with
only its URLs set.

    async with ExchangeStub() as stub:
        config = CcxtConfig(exchange="binance", key_env="K", secret_env="S", urls=stub.urls)
        stub.next_orders([AcceptThenHang()])
        stub.fill("il-1", "0.5", "100")
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self, assert_never
from urllib.parse import parse_qsl

from aiohttp import web

from interlock.testkit.exchange_stub_bars import StubBars
from interlock.testkit.exchange_stub_book import (
    STEP,
    ZERO,
    StubMarket,
    StubOrder,
    StubTrade,
    now_ms,
    text,
)
from interlock.testkit.exchange_stub_sockets import Sockets

KEY = "stub-key-5f1c"
SECRET = "stub-secret-9e2d"  # noqa: S105 - of the stub, and of no account
RECV_WINDOW_MS = 10_000
AHEAD_MS = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer so. `accepted`: the order is placed all the same."""

    status: int
    body: str
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Hang:
    """Answer nothing. `accepted`: the order is placed all the same."""

    accepted: bool = True


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection without an answer. `accepted`: the order is placed all the same."""

    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Slow:
    """Do what was asked, but only after a while."""

    seconds: float
    accepted: bool = True


type Fault = Answer | Hang | HangUp | Slow


class _RefusedError(Exception):
    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class ExchangeStub:
    """The exchange, on a free port of the loopback."""

    def __init__(
        self,
        markets: Sequence[StubMarket] = (StubMarket(base="BTC", quote="USDT"),),
        balances: Mapping[str, str] | None = None,
        fee_rate: str = "0.001",
    ) -> None:
        self.orders: list[StubOrder] = []
        self.posts = 0
        self.requests: list[str] = []
        self.clock_ahead_ms = 0
        self.key_revoked = False
        self.bars = StubBars()
        self.fee_asset = ""
        self.last_prices: dict[str, str] = {}
        self.balances = {
            asset: Decimal(amount)
            for asset, amount in (balances or {"USDT": "100000", "BTC": "0"}).items()
        }
        self.markets = {market.symbol: market for market in markets}
        self.sockets = Sockets()
        self._fee_rate = Decimal(fee_rate)
        self._order_faults: list[Fault] = []
        self._faults: dict[str, list[Fault]] = {}
        self._ids = 1_000
        self._port = 0
        self._closing = asyncio.Event()
        app = web.Application()
        for path, handler in self._routes().items():
            app.router.add_route("*", f"/api/v3/{path}", self._guarded(path, handler))
        app.router.add_get("/ws-api/v3", self.sockets.account)
        app.router.add_get("/ws/{stream}", self.sockets.market)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)

    @property
    def urls(self) -> dict[str, Any]:
        """What ccxt needs to come here instead of to the exchange."""
        web_root, socket_root = (f"{scheme}://127.0.0.1:{self._port}" for scheme in ("http", "ws"))
        return {
            "api": {
                "public": f"{web_root}/api/v3",
                "private": f"{web_root}/api/v3",
                "ws": {
                    "spot": f"{socket_root}/ws",
                    "ws-api": {"spot": f"{socket_root}/ws-api/v3"},
                },
            }
        }

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await self.listen()
        return self

    async def listen(self) -> None:
        """Take connections, again on the port of before."""
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def __aexit__(self, *_exc: object) -> None:
        self._closing.set()
        await self.sockets.cut()
        await self._runner.cleanup()

    def next_orders(self, faults: Sequence[Fault]) -> None:
        """Let the next orders sent meet these, in turn."""
        self._order_faults.extend(faults)

    def next_requests(self, path: str, faults: Sequence[Fault]) -> None:
        """Let the next requests of a path, such as ``openOrders`` or ``GET order``, meet these."""
        self._faults.setdefault(path, []).extend(faults)

    def order(self, client_order_id: str) -> StubOrder:
        return next(o for o in reversed(self.orders) if o.client_order_id == client_order_id)

    def add_order(self, client_order_id: str, **fields: str) -> StubOrder:
        """Place an order by another hand than ours."""
        return self._new({"newClientOrderId": client_order_id, **fields})

    def fill(self, client_order_id: str, quantity: str, price: str, *, tell: int = 1) -> StubTrade:
        """Fill some of an order, and say so `tell` times on the stream."""
        order = self.order(client_order_id)
        amount, paid = Decimal(quantity), Decimal(price)
        market = self.markets[order.symbol]
        self._ids += 1
        trade = StubTrade(
            trade_id=self._ids,
            order_id=order.order_id,
            symbol=order.symbol,
            quantity=amount,
            price=paid,
            fee=(amount * paid * self._fee_rate).quantize(STEP),
            fee_asset=self.fee_asset or market.quote,
            time_ms=now_ms(),
        )
        order.trades.append(trade)
        order.status = "FILLED" if order.filled >= order.quantity else "PARTIALLY_FILLED"
        sign = 1 if order.side == "BUY" else -1
        self._move(market.base, sign * amount)
        self._move(market.quote, -sign * amount * paid)
        self._move(trade.fee_asset, -trade.fee)
        for _ in range(tell):
            self.sockets.tell_account(order.event("TRADE", trade))
        return trade

    def end(self, client_order_id: str, status: str = "CANCELED", *, tell: int = 1) -> None:
        """Cancel or expire an order by another hand than ours."""
        order = self.order(client_order_id)
        order.status = status
        for _ in range(tell):
            self.sockets.tell_account(order.event(status))

    def _move(self, asset: str, change: Decimal) -> None:
        self.balances[asset] = self.balances.get(asset, ZERO) + change

    def _routes(self) -> dict[str, Callable[[str, dict[str, str]], Any]]:
        return {
            "ping": lambda _method, _asked: {},
            "time": lambda _method, _asked: {"serverTime": now_ms() + self.clock_ahead_ms},
            "exchangeInfo": self._exchange_info,
            "ticker/24hr": self._ticker,
            "klines": lambda _method, asked: self.bars.asked(asked),
            "account": self._account,
            "order": self._order,
            "openOrders": self._open_orders,
            "allOrders": self._all_orders,
            "myTrades": self._my_trades,
        }

    def _guarded(
        self, path: str, handler: Callable[[str, dict[str, str]], Any]
    ) -> Callable[[web.Request], Any]:
        signed = path in {"account", "order", "openOrders", "allOrders", "myTrades"}

        async def answer(request: web.Request) -> web.StreamResponse:
            body = (await request.read()).decode()
            raw = body or request.query_string
            asked = dict(parse_qsl(raw, keep_blank_values=True))
            self.requests.append(f"{request.method} {path}")
            placing = path == "order" and request.method == "POST"
            fault = self._fault(path, request.method, placing=placing)
            if isinstance(fault, Slow):
                await asyncio.sleep(fault.seconds)
                fault = None
            try:
                if signed:
                    self._check_signature(request, raw, asked)
                accepted = fault is None or (placing and fault.accepted)
                result = handler(request.method, asked) if accepted else None
            except _RefusedError as error:
                told = {"code": error.code, "msg": error.message}
                return web.json_response(told, status=error.status)
            if fault is not None:
                return await self._misbehave(fault, request)
            return web.json_response(result)

        return answer

    def _fault(self, path: str, method: str, *, placing: bool) -> Fault | None:
        if placing:
            self.posts += 1
            if self._order_faults:
                return self._order_faults.pop(0)
        for name in (path, f"{method} {path}"):
            if self._faults.get(name):
                return self._faults[name].pop(0)
        return None

    async def _misbehave(
        self, fault: Answer | Hang | HangUp, request: web.Request
    ) -> web.StreamResponse:
        match fault:
            case Answer():
                kind = "text/html" if fault.body.startswith("<") else "application/json"
                return web.Response(text=fault.body, status=fault.status, content_type=kind)
            case Hang():
                await self._closing.wait()
                return web.Response()
            case HangUp():
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            case _:
                assert_never(fault)

    def _check_signature(self, request: web.Request, raw: str, asked: Mapping[str, Any]) -> None:
        query, _, signature = raw.rpartition("&signature=")
        right = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        if self.key_revoked or request.headers.get("X-MBX-APIKEY") != KEY:
            words = "Invalid API-key, IP, or permissions for action."
            raise _RefusedError(-2015, words, status=401)
        if signature != right:
            raise _RefusedError(-1022, "Signature for this request is not valid.")
        late = now_ms() + self.clock_ahead_ms - int(asked["timestamp"])
        if not -AHEAD_MS <= late <= RECV_WINDOW_MS:
            raise _RefusedError(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _exchange_info(self, _method: str, _asked: dict[str, str]) -> dict[str, Any]:
        return {
            "timezone": "UTC",
            "serverTime": now_ms(),
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [market.info() for market in self.markets.values()],
        }

    def _ticker(self, _method: str, asked: dict[str, str]) -> dict[str, Any]:
        if asked["symbol"] not in self.last_prices:
            raise _RefusedError(-1121, "Invalid symbol.")
        return {"symbol": asked["symbol"], "lastPrice": self.last_prices[asked["symbol"]]}

    def _account(self, _method: str, _asked: dict[str, str]) -> dict[str, Any]:
        balances = [
            {
                "asset": asset,
                "free": text(amount - self._locked(asset)),
                "locked": text(self._locked(asset)),
            }
            for asset, amount in self.balances.items()
        ]
        return {"accountType": "SPOT", "canTrade": True, "balances": balances}

    def _locked(self, asset: str) -> Decimal:
        """Return how many of its coins are promised to orders that sell them."""
        selling = [o for o in self.orders if o.side == "SELL" and not o.ended]
        return sum(
            (o.quantity - o.filled for o in selling if self.markets[o.symbol].base == asset), ZERO
        )

    def _order(self, method: str, asked: dict[str, str]) -> dict[str, Any]:
        if method == "POST":
            return self._new(asked).placed_body()
        order = self._asked_order(asked)
        if method == "GET":
            if order is None:
                raise _RefusedError(-2013, "Order does not exist.")
            return order.body()
        if order is None or order.ended:
            raise _RefusedError(-2011, "Unknown order sent.")
        self.end(order.client_order_id)
        return {**order.body(), "origClientOrderId": order.client_order_id}

    def _asked_order(self, asked: dict[str, str]) -> StubOrder | None:
        for order in reversed(self.orders):
            if asked.get("origClientOrderId") == order.client_order_id:
                return order
            if asked.get("orderId") == str(order.order_id):
                return order
        return None

    def _new(self, asked: dict[str, str]) -> StubOrder:
        market = self.markets.get(asked["symbol"])
        if market is None:
            raise _RefusedError(-1121, "Invalid symbol.")
        name = asked["newClientOrderId"]
        if any(o.client_order_id == name and not o.ended for o in self.orders):
            raise _RefusedError(-2010, "Duplicate order sent.")
        quantity, price = Decimal(asked["quantity"]), Decimal(asked.get("price", "0"))
        if quantity % market.lot:
            raise _RefusedError(-1013, "Filter failure: LOT_SIZE")
        if price % market.tick:
            raise _RefusedError(-1013, "Filter failure: PRICE_FILTER")
        if ZERO < quantity * price < market.min_notional:
            raise _RefusedError(-1013, "Filter failure: NOTIONAL")
        selling = asked["side"] == "SELL"
        needed, of = (quantity, market.base) if selling else (quantity * price, market.quote)
        if needed > self.balances.get(of, ZERO) - self._locked(of):
            raise _RefusedError(-2010, "Account has insufficient balance for requested action.")
        self._ids += 1
        order = StubOrder(
            order_id=self._ids,
            client_order_id=name,
            symbol=market.symbol,
            side=asked["side"],
            kind=asked["type"],
            quantity=quantity,
            price=price,
            time_in_force=asked.get("timeInForce", "GTC"),
            stop_price=Decimal(asked.get("stopPrice", "0")),
            time_ms=now_ms(),
        )
        self.orders.append(order)
        self.sockets.tell_account(order.event("NEW"))
        return order

    def _open_orders(self, method: str, asked: dict[str, str]) -> list[dict[str, Any]]:
        working = [order for order in self._in(asked) if not order.ended]
        if method != "DELETE":
            return [order.body() for order in working]
        if not working:
            raise _RefusedError(-2011, "Unknown order sent.")
        for order in working:
            self.end(order.client_order_id)
        return [{**one.body(), "origClientOrderId": one.client_order_id} for one in working]

    def _all_orders(self, _method: str, asked: dict[str, str]) -> list[dict[str, Any]]:
        return [order.body() for order in self._in(asked)]

    def _in(self, asked: dict[str, str]) -> Sequence[StubOrder]:
        return [o for o in self.orders if asked.get("symbol", o.symbol) == o.symbol]

    def _my_trades(self, _method: str, asked: dict[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "symbol": trade.symbol,
                "id": trade.trade_id,
                "orderId": trade.order_id,
                "orderListId": -1,
                "price": text(trade.price),
                "qty": text(trade.quantity),
                "quoteQty": text(trade.quantity * trade.price),
                "commission": text(trade.fee),
                "commissionAsset": trade.fee_asset,
                "time": trade.time_ms,
                "isBuyer": order.side == "BUY",
                "isMaker": False,
                "isBestMatch": True,
            }
            for order in self._in(asked)
            for trade in order.trades
            if asked.get("orderId", str(order.order_id)) == str(order.order_id)
        ]

    def quote(self, symbol: str, bid: str, ask: str, size: str = "1") -> None:
        """Say the top of a book on the market stream."""
        self._ids += 1
        self.sockets.tell_market(
            f"{symbol.lower()}@bookTicker",
            {"u": self._ids, "s": symbol, "b": bid, "B": size, "a": ask, "A": size},
        )

    def trade(self, symbol: str, price: str, quantity: str, time_ms: int | None = None) -> None:
        """Say a trade between others on the market stream."""
        self._ids += 1
        at = now_ms() if time_ms is None else time_ms
        self.bars.add(symbol, at, Decimal(price), Decimal(quantity))
        self.sockets.tell_market(
            f"{symbol.lower()}@trade",
            {
                "e": "trade",
                "E": at,
                "s": symbol,
                "t": self._ids,
                "p": price,
                "q": quantity,
                "T": at,
                "m": False,
                "M": True,
            },
        )


def refusal(code: int, message: str, status: int = 400) -> Answer:
    """Return an error in the exchange's own form."""
    return Answer(status, json.dumps({"code": code, "msg": message}))
