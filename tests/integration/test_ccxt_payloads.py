"""Every recorded body of Coinbase, Kraken and Binance, through the unmodified ccxt.

A body is parsed by the call that asks for it, or handled as the message it is, and one value of
what comes out is compared; what is not read is listed with the reason.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from interlock.testkit.exchange_stub_book import StubMarket
from interlock.testkit.exchange_stub_recorded import RecordedExchange

ccxtpro = pytest.importorskip("ccxt.pro")
pytestmark = pytest.mark.shared_data

VENUES = ("binance", "coinbase", "kraken")
SPOT, COIN, PERP = "BTC/USDT", "BTC/USD", "BTC/USD:BTC"
LIMIT = ("limit", "buy", "0.01", "50000.0")

# file: ccxt's exchange, its call and arguments, where to look in the result, what is there.
HTTP: dict[str, tuple[str, str, tuple, tuple, Any]] = {
    "kraken/http_asset_pairs": ("kraken", "fetch_markets", (), (0, "symbol"), SPOT),
    "kraken/http_add_order_spot": (
        "kraken", "create_order", (SPOT, *LIMIT), ("id",), "OUF4EM-FRGI2-MQMWZD",
    ),
    "kraken/http_closed_orders": (
        "kraken", "fetch_closed_orders", (SPOT,), (0, "status"), "closed",
    ),
    "kraken/http_open_orders": ("kraken", "fetch_open_orders", (SPOT,), (0, "amount"), 0.5),
    "kraken/http_trades_history": ("kraken", "fetch_my_trades", (SPOT,), (0, "fee", "cost"), 23.6),
    "kraken/http_ticker": ("kraken", "fetch_ticker", (SPOT,), ("bid",), 105944.2),
    "kraken/http_order_book": ("kraken", "fetch_order_book", (SPOT,), ("asks", 0, 0), 105944.3),
    "kraken/http_ohlc": ("kraken", "fetch_ohlcv", (SPOT,), (0, 1), 106038.2),
    "kraken/http_system_status": ("kraken", "fetch_status", (), ("status",), "ok"),
    "kraken/http_spot_trade_balance": (
        "kraken", "private_post_tradebalance", (), ("result", "eb"), "198750.42",
    ),
    "kraken/http_futures_instruments": (
        "krakenfutures", "fetch_markets", (), (0, "id"), "PI_XBTUSD",
    ),
    "kraken/http_futures_tickers": ("krakenfutures", "fetch_tickers", (), (PERP, "bid"), 91415.0),
    "kraken/http_futures_orderbook": (
        "krakenfutures", "fetch_order_book", (PERP,), ("bids", 0, 0), 105900.0,
    ),
    "kraken/http_futures_fills": (
        "krakenfutures", "fetch_my_trades", (), (0, "price"), 27937.5,
    ),
    "kraken/http_futures_open_positions": (
        "krakenfutures", "fetch_positions", (), (0, "side"), "short",
    ),
    "kraken/http_futures_candles_trade": (
        "krakenfutures", "fetch_ohlcv", (PERP,), (0, 1), 91069.0,
    ),
    "kraken/http_futures_historical_funding_rates": (
        "krakenfutures", "fetch_funding_rate_history", (PERP,), (2, "fundingRate"), 0.0001,
    ),
    "kraken/http_send_order_futures": (
        "krakenfutures", "create_order", (PERP, "limit", "buy", 1, 100), ("status",), "open",
    ),
    "kraken/http_cancel_order_futures": (
        "krakenfutures", "cancel_order", ("x", PERP), ("status",), "canceled",
    ),
    "kraken/http_send_order_futures_unknown_trigger": (
        "krakenfutures", "create_order", (PERP, "limit", "buy", 1, 100), ("id",), "abc",
    ),
    "kraken/http_futures_public_executions": (
        "krakenfutures", "fetch_trades", (PERP,), (0, "price"), 90766.0,
    ),
    "coinbase/http_candles": ("coinbase", "fetch_ohlcv", (COIN, "1h"), (0, 4), 66314.59),
    "coinbase/http_order": (
        "coinbase", "fetch_order", ("x",), ("clientOrderId",), "11111-000000-000000",
    ),
    "coinbase/http_orders_list": (
        "coinbase", "fetch_orders", (COIN,), (0, "symbol"), COIN,
    ),
    "coinbase/http_product": (
        "coinbase", "v3_public_get_brokerage_market_products_product_id",
        ({"product_id": "BTC-USD"},), ("product_id",), "BTC-USD",
    ),
    "coinbase/http_product_book": ("coinbase", "fetch_order_book", (COIN,), ("symbol",), COIN),
    "coinbase/http_ticker": ("coinbase", "fetch_trades", (COIN,), (0, "symbol"), COIN),
    "coinbase/http_cfm_position": (
        "coinbase", "v3_private_get_brokerage_cfm_positions_product_id", ({"product_id": "B"},),
        ("position", "side"), "SHORT",
    ),
    "coinbase/http_cfm_balance_summary": (
        "coinbase", "v3_private_get_brokerage_cfm_balance_summary", (),
        ("balance_summary", "total_usd_balance", "value"), "10000.00",
    ),
    "binance/spot__http_json__exchange_info_response": (
        "binance", "fetch_markets", (), (0, "symbol"), "ETH/BTC",
    ),
    "binance/spot__http_json__account_response": (
        "binance", "fetch_balance", (), ("BTC", "total"), 4723846.89208129,
    ),
    "binance/spot__http_json__book_ticker_response": (
        "binance", "public_get_ticker_bookticker", (), ("bidPrice",), "4.00000000",
    ),
    "binance/spot__http_json__cancel_open_orders_response": (
        "binance", "cancel_all_orders", (SPOT,), (0, "symbol"), SPOT,
    ),
    "binance/spot__http_json__depth_response": (
        "binance", "fetch_order_book", (SPOT,), ("asks", 0, 1), 12.0,
    ),
    "binance/spot__http_json__klines_response": ("binance", "fetch_ohlcv", (SPOT,), (0, 2), 0.8),
    "binance/spot__http_json__new_order_full_response": (
        "binance", "create_order", (SPOT, *LIMIT), ("filled",), 10.0,
    ),
    "binance/spot__http_json__order_response": (
        "binance", "fetch_order", ("1", SPOT), ("clientOrderId",), "myOrder1",
    ),
    "binance/spot__http_json__ping_response": ("binance", "public_get_ping", (), (), {}),
    "binance/spot__http_json__ticker_24hr_response": (
        "binance", "fetch_ticker", ("BNB/BTC",), ("bid",), 4.0,
    ),
    "binance/spot__http_json__trades_response": (
        "binance", "fetch_trades", (SPOT,), (0, "id"), "28457",
    ),
}  # fmt: skip

# file: ccxt's exchange, its attribute after the message, where to look in it, what is there.
MESSAGES: dict[str, tuple[str, str, tuple, Any]] = {
    "kraken/ws_ticker_snapshot": ("kraken", "tickers", ("BTC/USD", "ask"), 105944.3),
    "kraken/ws_trade_update": ("kraken", "trades", ("BTC/USD", 0, "price"), 105944.2),
    "coinbase/ws_ticker": ("coinbase", "tickers", (COIN, "last"), 68900.5),
    "coinbase/ws_market_trades": ("coinbase", "trades", (COIN, 0, "symbol"), COIN),
    "coinbase/ws_user": ("coinbase", "orders", (0, "clientOrderId"), "11111-000000-000001"),
    "binance/spot__user_data_json__execution_report_new": (
        "binance", "orders", (0, "status"), "open",
    ),
    "binance/spot__user_data_json__execution_report_trade": (
        "binance", "myTrades", (0, "price"), 2500.0,
    ),
    "binance/spot__user_data_json__execution_report_expired": (
        "binance", "orders", (0, "status"), "expired",
    ),
    "binance/spot__user_data_json__execution_report_stop_loss": (
        "binance", "orders", (0, "triggerPrice"), 2450.0,
    ),
}  # fmt: skip

_REQUEST = "a request as a client sends it: ccxt sends orders over REST here"
_NOT_USED = "an answer to an order over the websocket: ccxt sends orders over REST here"
_FUTURES = "a futures account: the binance row is spot only, futures are ccxt's binanceusdm"
_KF_STREAM = "Kraken Futures' stream: the kraken row is spot only"
_BOOK = "books are not used: quotes come from the best bid and ask"
_BALANCES = "balances are read over REST at each reconciliation, not from the stream"
_NOTHING = "says nothing of orders or prices: the link is watched by pings"
UNREAD: dict[str, str] = {
    "kraken/http_spot_balance": "the answer of Balance: ccxt asks BalanceEx, whose fields differ",
    "kraken/http_futures_order_events": "ccxt reads orders from another history endpoint",
    "kraken/http_futures_order_events_unknown": "ccxt reads orders from another history endpoint",
    "kraken/ws_add_order_request": _REQUEST,
    "kraken/ws_amend_order_request": _REQUEST,
    "kraken/ws_cancel_order_request": _REQUEST,
    "kraken/ws_add_order_response_failure": _NOT_USED,
    "kraken/ws_add_order_response_success": _NOT_USED,
    "kraken/ws_batch_add_response_partial": _NOT_USED,
    "kraken/ws_book_snapshot": _BOOK,
    "kraken/ws_book_update": _BOOK,
    "kraken/ws_l3_update_delete": _BOOK,
    "kraken/ws_l3_update_modify_qty": _BOOK,
    "kraken/ws_pong": _NOTHING,
    "kraken/ws_subscribe_response": _NOTHING,
    **{
        f"kraken/ws_futures_{name}": _KF_STREAM
        for name in (
            "book_snapshot", "open_orders_cancel", "open_orders_cancel_post_only",
            "open_orders_delta", "open_orders_delta_full_fill", "open_orders_snapshot", "trade",
        )
    },
    "coinbase/http_accounts": "names its accounts' types otherwise than the API (ACCOUNT_TYPE_...)",
    "coinbase/http_products": "read to make the market of the other bodies",
    "coinbase/ws_heartbeats": _NOTHING,
    "coinbase/ws_subscriptions": _NOTHING,
    "coinbase/ws_l2_data_snapshot": _BOOK,
    **{
        f"binance/spot__user_data_json__{name}": _BALANCES
        for name in (
            "account_position", "account_position_wrapped", "balance_update",
            "balance_update_wrapped",
        )
    },
}  # fmt: skip


def not_read(name: str) -> str:
    return _FUTURES if name.startswith("binance/futures__") else UNREAD.get(name, "")


def bodies(shared_data: Path) -> dict[str, Path]:
    root = shared_data / "venue_payloads"
    return {f"{v}/{p.stem}": p for v in VENUES for p in sorted((root / v).glob("*.json"))}


def at(value: Any, where: tuple) -> Any:
    for key in where:
        value = value[key]
    return value


@pytest.fixture
async def recorded() -> AsyncIterator[RecordedExchange]:
    async with RecordedExchange() as recorded:
        yield recorded


@pytest.fixture
async def exchange_of(recorded, shared_data) -> AsyncIterator[Any]:
    made = []

    async def make(name: str) -> Any:
        kind = getattr(ccxtpro, name)
        exchange = kind(
            {
                "apiKey": "k",
                "secret": base64.b64encode(b"s" * 32).decode(),
                "urls": {"api": recorded.urls_for(kind().urls["api"])},
                "enableRateLimit": False,
                "timeout_on_exit": 1,
                "options": {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False},
            }
        )
        made.append(exchange)
        exchange.set_markets(await markets_of(exchange, recorded, bodies(shared_data)))
        known = asyncio.get_running_loop().create_future()
        known.set_result(exchange.markets)
        exchange.markets_loading = known
        return exchange

    yield make
    for exchange in made:
        await exchange.close()


async def markets_of(exchange, recorded, files: dict[str, Path]) -> list:
    match exchange.id:
        case "binance":
            pairs = [("BTC", "USDT"), ("LTC", "BTC"), ("BNB", "BTC"), ("ETH", "USDT")]
            infos = [StubMarket(base=base, quote=quote).info() for base, quote in pairs]
            recorded.body = json.dumps({"symbols": infos})
        case "coinbase":
            products = json.loads(files["coinbase/http_products"].read_text())["products"]
            spot = [p for p in products if p["product_type"] == "SPOT"]
            return [exchange.parse_spot_market(product, {}) for product in spot]
        case "kraken":
            pairs = json.loads(files["kraken/http_asset_pairs"].read_text())
            usd = {"altname": "XBTUSD", "wsname": "XBT/USD", "quote": "ZUSD"}
            pairs["result"]["XXBTZUSD"] = {**pairs["result"]["XBTUSDT"], **usd}
            recorded.body = json.dumps(pairs)
        case _:
            recorded.body = files["kraken/http_futures_instruments"].read_text()
    return await exchange.fetch_markets()


def test_every_recorded_body_is_read_or_listed_with_its_reason(shared_data):
    found = set(bodies(shared_data))
    assert found
    listed = {name for name in found if not_read(name)}
    assert found == set(HTTP) | set(MESSAGES) | listed
    assert not listed & (set(HTTP) | set(MESSAGES))


@pytest.mark.filterwarnings("ignore:.*enable_cleanup_closed:DeprecationWarning")
@pytest.mark.parametrize("kind", ["binance", "coinbase", "kraken", "krakenfutures"])
async def test_http_bodies_are_parsed(recorded, exchange_of, shared_data, kind):
    exchange = await exchange_of(kind)
    files = bodies(shared_data)
    read, expected = {}, {}
    for name, (asked, call, arguments, where, value) in HTTP.items():
        if asked == kind:
            recorded.body = files[name].read_text()
            read[name] = at(await getattr(exchange, call)(*arguments), where)
            expected[name] = value
    assert read == expected
    assert expected


@pytest.mark.filterwarnings("ignore:.*enable_cleanup_closed:DeprecationWarning")
@pytest.mark.parametrize("kind", ["binance", "coinbase", "kraken"])
async def test_messages_are_handled(exchange_of, shared_data, kind):
    exchange = await exchange_of(kind)
    urls = exchange.urls["api"]["ws"]
    client = exchange.client(urls["ws-api"]["spot"] if kind == "binance" else "ws://127.0.0.1:9")
    client.subscriptions["spot"] = True
    files = bodies(shared_data)
    read, expected = {}, {}
    for name, (said, attribute, where, value) in MESSAGES.items():
        if said == kind:
            exchange.orders = None
            exchange.handle_message(client, json.loads(files[name].read_text()))
            read[name] = at(getattr(exchange, attribute), where)
            expected[name] = value
    assert read == expected
    assert expected
