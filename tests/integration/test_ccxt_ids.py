"""How Kraken and Coinbase keep our ids: the unmodified ccxt, on recorded bodies."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from interlock.model.instrument import Instrument
from interlock.testkit.exchange_stub_recorded import RecordedExchange
from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.ccxt_venue import CcxtVenue
from interlock.venues.port import (
    VenueAccepted,
    VenueCanceled,
    VenueFilled,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
)

from tests.integration.test_ccxt_venue import FIRST, NOW, kinds, submit

ccxtpro = pytest.importorskip("ccxt.pro")
pytestmark = pytest.mark.shared_data

SHORT = FIRST.removeprefix("il-")
ENVIRON = {"K": "key-of-no-account", "S": base64.b64encode(b"a secret of no account!!").decode()}


@pytest.fixture
async def recorded() -> AsyncIterator[RecordedExchange]:
    async with RecordedExchange() as recorded:
        yield recorded


@pytest.fixture
def body(shared_data):
    folder = shared_data / "venue_payloads"
    return lambda name: json.loads((folder / f"{name}.json").read_text())


def venue_at(
    recorded: RecordedExchange, exchange: str, symbol: str, dead_man_seconds: int = 0
) -> CcxtVenue:
    urls = recorded.urls_for(getattr(ccxtpro, exchange)().urls["api"])
    config = CcxtConfig(
        exchange=exchange, key_env="K", secret_env="S", urls={"api": urls}, request_ms=1.0,
        timeout_seconds=2.0, dead_man_seconds=dead_man_seconds, poll_seconds=0.1,
    )  # fmt: skip
    instrument = Instrument(instrument_id="BTC", venue=exchange, venue_symbol=symbol)
    return CcxtVenue(config, {"BTC": instrument}, ENVIRON)


def order(**changes: Any):
    plain = {"instrument_id": "BTC", "limit_price": Decimal("29500.0"), "quantity": Decimal("0.5")}
    return submit(**{**plain, **changes})


@pytest.fixture
async def kraken(recorded, body) -> AsyncIterator[CcxtVenue]:
    nothing = {"error": [], "result": {}}
    balances = {"XXBT": {"balance": "1.25", "hold_trade": "0"}, "USDT": {"balance": "7.5"}}
    recorded.by_path = {
        "AssetPairs": json.dumps(body("kraken/http_asset_pairs")),
        "Assets": json.dumps(nothing),
        "BalanceEx": json.dumps({"error": [], "result": balances}),
        "OpenOrders": json.dumps({"error": [], "result": {"open": {}}}),
        "ClosedOrders": json.dumps({"error": [], "result": {"closed": {}, "count": 0}}),
        "AddOrder": json.dumps(body("kraken/http_add_order_spot")),
    }
    venue = venue_at(recorded, "kraken", "BTC/USDT")
    book = await venue.open([], {}, set())
    assert (book.positions, book.cash) == ({"BTC": Decimal("1.25")}, {"USDT": Decimal("7.5")})
    yield venue
    await venue.close()


async def test_kraken_gets_our_id_as_cl_ord_id_and_never_as_userref(recorded, kraken):
    [report] = await kraken.place(order(post_only=True), NOW)
    assert isinstance(report, VenueAccepted)
    assert report.venue_order_id == "OUF4EM-FRGI2-MQMWZD"
    [sent] = recorded.asked_of("AddOrder")
    assert f"cl_ord_id={SHORT}" in sent
    assert "oflags=fciq%2Cpost" in sent
    assert "userref" not in "".join(body for _, body in recorded.asked)


async def test_a_lost_order_at_kraken_is_found_by_our_id(recorded, kraken, body):
    recorded.by_path["AddOrder"] = "<html>"
    assert kinds(await kraken.place(order(), NOW)) == [VenueLost]
    assert kinds(await kraken.look_up(FIRST)) == [VenueNeverSeen]
    asked = recorded.asked_of("OpenOrders")[-1]
    assert f"cl_ord_id={SHORT}" in asked
    listed = body("kraken/http_open_orders")
    venue_id, theirs = next(iter(listed["result"]["open"].items()))
    recorded.by_path["OpenOrders"] = json.dumps(listed)
    assert kinds(await kraken.look_up(FIRST)) == [VenueNeverSeen]
    theirs.update(cl_ord_id=SHORT, vol_exec="0")
    recorded.by_path["OpenOrders"] = json.dumps(listed)
    [found] = await kraken.look_up(FIRST)
    assert (found.client_order_id, found.venue_order_id) == (FIRST, venue_id)
    assert len(recorded.asked_of("AddOrder")) == 1


async def test_the_end_at_kraken_comes_with_its_trades(recorded, kraken, body):
    await kraken.place(order(), NOW)
    name = "OUF4EM-FRGI2-MQMWZD"
    closed = next(iter(body("kraken/http_closed_orders")["result"]["closed"].values()))
    trades = body("kraken/http_trades_history")["result"]["trades"]
    trade_id, trade = next(iter(trades.items()))
    trade.update(ordertxid=name)
    closed.update(status="canceled", vol="1.0", vol_exec=trade["vol"], trades=[trade_id])
    recorded.by_path["QueryOrders"] = json.dumps({"error": [], "result": {name: closed}})
    recorded.by_path["QueryTrades"] = json.dumps({"error": [], "result": {trade_id: trade}})
    reports = await kraken.look_up(FIRST)
    assert kinds(reports) == [VenueAccepted, VenueFilled, VenueCanceled]
    assert (reports[1].trade_id, reports[1].fee) == (trade_id, Decimal("23.6"))
    assert reports[2].reason == "User requested"


@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        ("EOrder:Insufficient funds", VenueRejected, "insufficient_funds"),
        ("EOrder:Rate limit exceeded", VenueRejected, "rate_limit"),
        ("EAPI:Rate limit exceeded", VenueRejected, "rate_limit"),
        ("EAPI:Invalid key", VenueRejected, "not_allowed"),
        ("EAPI:Invalid nonce", VenueRejected, "clock_skew"),
        ("EGeneral:Permission denied", VenueRejected, "not_allowed"),
        ("EQuery:Unknown asset pair", VenueRejected, "unknown_symbol"),
        ("EOrder:Order minimum not met", VenueRejected, "invalid_order"),
        ("EService:Unavailable", VenueLost, "not_available"),
        ("EService:Busy", VenueLost, "not_available"),
        ("EGeneral:Internal error", VenueLost, "not_available"),
        ("ESomething:Nobody has heard of", VenueLost, "unnamed"),
    ],
)
async def test_krakens_words_have_our_code(recorded, kraken, words, kind, code):
    recorded.by_path["AddOrder"] = json.dumps({"error": [words]})
    [report] = await kraken.place(order(), NOW)
    assert isinstance(report, kind), report
    assert report.reason.startswith(f"{code}: ")
    assert words in report.reason


@pytest.fixture
async def coinbase(recorded, body) -> AsyncIterator[CcxtVenue]:
    account = body("coinbase/http_accounts")["accounts"][0]
    accounts = {"accounts": [{**account, "type": "ACCOUNT_TYPE_CRYPTO"}], "has_next": False}
    recorded.by_path = {
        "product_type=FUTURE": json.dumps({"products": []}),
        "/products": json.dumps(body("coinbase/http_products")),
        "/accounts": json.dumps(accounts),
        "/orders/historical/batch": json.dumps({"orders": []}),
        "/orders/historical/fills": json.dumps({"fills": []}),
    }
    venue = venue_at(recorded, "coinbase", "BTC/USD")
    book = await venue.open([], {}, set())
    assert book.positions == {"BTC": Decimal("1.23956789")}
    yield venue
    await venue.close()


PLACED = {"success": True, "success_response": {"order_id": "0000-1", "product_id": "BTC-USD"}}


async def test_coinbase_gets_our_id_as_client_order_id(recorded, coinbase):
    recorded.by_path = {"/brokerage/orders": json.dumps(PLACED)}
    [report] = await coinbase.place(order(post_only=True), NOW)
    assert isinstance(report, VenueAccepted)
    assert report.venue_order_id == "0000-1"
    sent = json.loads(recorded.asked[-1][1])
    assert sent["client_order_id"] == FIRST
    assert sent["order_configuration"]["limit_limit_gtc"] == {
        "base_size": "0.5", "limit_price": "29500", "post_only": True,
    }  # fmt: skip


async def test_a_lost_order_at_coinbase_is_found_among_all_since(recorded, coinbase, body):
    recorded.by_path = {
        "/orders/historical": json.dumps({"orders": []}),
        "/brokerage/orders": "",
    }
    assert kinds(await coinbase.place(order(), NOW)) == [VenueLost]
    assert kinds(await coinbase.look_up(FIRST)) == [VenueNeverSeen]
    theirs = body("coinbase/http_order")["order"]
    theirs.update(client_order_id=FIRST, filled_size="0", created_time="2023-11-14T22:13:20Z")
    recorded.by_path["/orders/historical"] = json.dumps({"orders": [theirs]})
    [found] = await coinbase.look_up(FIRST)
    assert (found.client_order_id, found.venue_order_id) == (FIRST, theirs["order_id"])


async def test_coinbases_words_have_our_code(recorded, coinbase):
    refused = {"error": "INSUFFICIENT_FUND", "message": "Insufficient balance in source account"}
    recorded.by_path = {
        "/brokerage/orders": json.dumps({"success": False, "error_response": refused})
    }
    [report] = await coinbase.place(order(), NOW)
    assert isinstance(report, VenueRejected), report
    assert report.reason.startswith("insufficient_funds: coinbase ")
    assert refused["message"] in report.reason


async def test_the_dead_man_switch_is_renewed_while_we_live_and_taken_off_at_the_end(
    recorded, body
):
    recorded.by_path = {
        "AssetPairs": json.dumps(body("kraken/http_asset_pairs")),
        "AfterX": json.dumps({"error": [], "result": {}}),
    }
    recorded.body = json.dumps({"error": [], "result": {}})
    venue = venue_at(recorded, "kraken", "BTC/USDT", dead_man_seconds=1)
    running = asyncio.create_task(venue.run(lambda _report: None))
    async with asyncio.timeout(15):
        while len(recorded.asked_of("CancelAllOrdersAfter")) < 3:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "timeout=1" in recorded.asked_of("CancelAllOrdersAfter")[-1]
    await venue.close()
    assert "timeout=0" in recorded.asked_of("CancelAllOrdersAfter")[-1]


async def test_without_a_switch_none_is_asked_for(recorded, kraken):
    running = asyncio.create_task(kraken.run(lambda _report: None))
    await asyncio.sleep(0.3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert recorded.asked_of("CancelAllOrdersAfter") == []


async def test_an_exchange_without_a_stream_of_orders_is_asked(recorded, kraken, body):
    """Kraken has one: what is taken away here is only ccxt's word that it has."""
    kraken._exchange.has["watchOrders"] = False
    await kraken.place(order(), NOW)
    closed = next(iter(body("kraken/http_closed_orders")["result"]["closed"].values()))
    closed.update(status="open", vol_exec="0")
    answer = {"error": [], "result": {"OUF4EM-FRGI2-MQMWZD": closed}}
    recorded.by_path["QueryOrders"] = json.dumps(answer)
    heard: list = []
    running = asyncio.create_task(kraken.run(heard.append))
    async with asyncio.timeout(15):
        while not any(isinstance(r, VenueLinkMoved) for r in heard):
            await asyncio.sleep(0.02)
        closed.update(status="canceled")
        recorded.by_path["QueryOrders"] = json.dumps(answer)
        while not any(isinstance(r, VenueCanceled) for r in heard):
            await asyncio.sleep(0.02)
        recorded.by_path["BalanceEx"] = "<html>"
        while sum(isinstance(r, VenueLinkMoved) for r in heard) < 2:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    moves = [r.up for r in heard if isinstance(r, VenueLinkMoved)]
    assert moves == [True, False]
