"""The unmodified ccxt against a stub of Binance's spot API, over real HTTP and websockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from interlock.model.instrument import Instrument
from interlock.model.order import OrderStatus, WorkingOrder
from interlock.model.values import InstrumentKind, OrderType, Side, TimeInForce, TradingMode
from interlock.testkit.exchange_stub import (
    KEY,
    SECRET,
    Answer,
    ExchangeStub,
    Hang,
    HangUp,
    Slow,
    refusal,
)
from interlock.testkit.exchange_stub_book import StubMarket
from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.ccxt_venue import CcxtVenue
from interlock.venues.port import (
    ForeignOrder,
    ProtectiveOrder,
    VenueAccepted,
    VenueBusy,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueKept,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
    VenueUnavailableError,
)
from interlock.wire.orders import SubmitOrder

pytest.importorskip("ccxt")

ENVIRON = {"STUB_KEY": KEY, "STUB_SECRET": SECRET}
BTC = Instrument(
    instrument_id="BTC-USDT",
    venue="binance",
    currency="USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.0001"),
    kind=InstrumentKind.CRYPTO,
    venue_symbol="BTC/USDT",
)
FIRST, SECOND = "il-" + "a" * 32, "il-" + "b" * 32
NOW = 1_700_000_000 * 1_000_000_000


def submit(client_order_id=FIRST, **changes) -> SubmitOrder:
    fields = {
        "message_id": "m",
        "decision_id": "d",
        "ts_event": NOW,
        "desk": "crypto",
        "intent_id": client_order_id.removeprefix("il-"),
        "client_order_id": client_order_id,
        "account": "main",
        "venue": "binance",
        "mode": TradingMode.DEMO,
        "strategy": "s",
        "instrument_id": "BTC-USDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "quantity": Decimal("0.5"),
        "requested_quantity": Decimal("0.5"),
        "limit_price": Decimal("100.00"),
        "time_in_force": TimeInForce.GTC,
        "reduce_only": False,
        "reference_price": Decimal("100.00"),
        "reasons": [],
        "policy_version": 1,
        "config_hash": "",
        "epoch": 1,
        "expires_at": NOW + 2_000_000_000,
        "nonce": "n",
        "key_id": "k",
        "signature": "",
    }
    return SubmitOrder(**{**fields, **changes})


def working(client_order_id=FIRST, **changes) -> WorkingOrder:
    fields = {
        "client_order_id": client_order_id,
        "intent_id": "i",
        "instrument_id": "BTC-USDT",
        "side": Side.BUY,
        "quantity": Decimal("0.5"),
        "status": OrderStatus.SUBMITTED,
        "ts_event": NOW,
    }
    return WorkingOrder(**{**fields, **changes})


@pytest.fixture
async def stub() -> AsyncIterator[ExchangeStub]:
    async with ExchangeStub() as stub:
        yield stub


def venue_at(stub: ExchangeStub, environ=ENVIRON, **changes) -> CcxtVenue:
    fields = {
        "exchange": "binance",
        "key_env": "STUB_KEY",
        "secret_env": "STUB_SECRET",
        "urls": stub.urls,
        "timeout_seconds": 0.5,
        "request_ms": 1.0,
    }
    return CcxtVenue(CcxtConfig(**{**fields, **changes}), {"BTC-USDT": BTC}, environ)


@pytest.fixture
async def venue(stub: ExchangeStub) -> AsyncIterator[CcxtVenue]:
    venue = venue_at(stub)
    await venue.open([], {}, set())
    yield venue
    await venue.close()


def kinds(reports):
    return [type(report) for report in reports]


async def test_an_order_arrives_as_it_was_signed(stub, venue):
    reports = await venue.place(submit(post_only=True), NOW)
    assert kinds(reports) == [VenueAccepted]
    sent = stub.order(FIRST)
    assert reports[0].venue_order_id == str(sent.order_id)
    assert (sent.symbol, sent.side, sent.kind) == ("BTCUSDT", "BUY", "LIMIT_MAKER")
    assert (sent.quantity, sent.price) == (Decimal("0.5"), Decimal(100))


async def test_a_market_order_that_fills_at_once_says_so(stub, venue):
    placed = asyncio.create_task(
        _placed(venue, submit(order_type=OrderType.MARKET, limit_price=None))
    )
    assert kinds(await placed) == [VenueAccepted]
    stub.fill(FIRST, "0.5", "101")
    reports = await venue.look_up(FIRST)
    assert kinds(reports) == [VenueAccepted, VenueFilled]
    fill = reports[1]
    assert (fill.quantity, fill.price) == (Decimal("0.5"), Decimal(101))
    assert fill.fee == Decimal("0.0505")


async def _told(reports):
    return await reports


async def _placed(venue, order):
    return await venue.place(order, NOW)


@pytest.mark.parametrize(
    ("asset", "rate", "fee", "elsewhere"),
    [
        ("USDT", "", "0.05", "0"),
        ("BTC", "", "5", "5"),
        ("BNB", "600", "30", "30"),
        # Nobody says what it is worth: the market's own rate of 0.1 % stands in.
        ("BNB", "", "0.05", "0.05"),
    ],
)
async def test_a_fee_is_told_in_the_quote_currency(asset, rate, fee, elsewhere):
    markets = [StubMarket(base="BTC", quote="USDT"), StubMarket(base="BNB", quote="USDT")]
    async with ExchangeStub(markets) as stub:
        stub.fee_asset = asset
        stub.last_prices = {"BNBUSDT": rate} if rate else {}
        venue = venue_at(stub)
        await venue.open([], {}, set())
        await venue.place(submit(), NOW)
        stub.fill(FIRST, "0.5", "100")
        [_, fill] = await venue.look_up(FIRST)
        await venue.close()
    assert (fill.fee, fill.fee_elsewhere) == (Decimal(fee), Decimal(elsewhere))


async def test_a_second_order_of_one_id_is_not_sent(stub, venue):
    await venue.place(submit(), NOW)
    again = await venue.place(submit(), NOW)
    assert kinds(again) == [VenueAccepted]
    assert stub.posts == 1


@pytest.mark.parametrize(
    "fault",
    [
        Hang(accepted=True),
        HangUp(accepted=True),
        Answer(504, "<html>Gateway Time-out</html>", accepted=True),
        Answer(502, "", accepted=True),
        Answer(200, "<html>Sign in</html>", accepted=True),
        Answer(200, "", accepted=True),
        Answer(200, "{}", accepted=True),
        Answer(200, "[]", accepted=True),
        Answer(200, '{"orderId": ', accepted=True),
        refusal(-1007, "Timeout waiting for response from backend server.", 408),
        refusal(-1006, "An unexpected response was received from the message bus.", 500),
        refusal(-1000, "An unknown error occurred while processing the request."),
        refusal(-9999, "An error nobody has heard of."),
    ],
    ids=str,
)
async def test_an_order_without_an_answer_is_lost_and_sent_once(stub, venue, fault):
    stub.next_orders([fault])
    reports = await venue.place(submit(), NOW)
    assert kinds(reports) == [VenueLost]
    assert stub.posts == 1
    there = any(order.client_order_id == FIRST for order in stub.orders)
    found = await venue.look_up(FIRST)
    assert kinds(found) == ([VenueAccepted] if there else [VenueNeverSeen])
    assert stub.posts == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (
            refusal(-2010, "Account has insufficient balance for requested action."),
            "insufficient_funds",
        ),
        (refusal(-2010, "Order would immediately match and take."), "would_take"),
        (
            refusal(-2010, "Order book liquidity is less than LOT_SIZE filter minimum quantity."),
            "invalid_order",
        ),
        (refusal(-1013, "Filter failure: LOT_SIZE"), "invalid_order"),
        (refusal(-1013, "Filter failure: NOTIONAL"), "invalid_order"),
        (refusal(-1013, "Market is closed."), "market_closed"),
        (refusal(-1121, "Invalid symbol."), "unknown_symbol"),
        (refusal(-1021, "Timestamp for this request is outside of the recvWindow."), "clock_skew"),
        (refusal(-1022, "Signature for this request is not valid."), "not_allowed"),
        (refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401), "not_allowed"),
        (refusal(-2014, "API-key format invalid.", 401), "not_allowed"),
        (refusal(-1015, "Too many new orders; current limit is 10 orders per 10s."), "rate_limit"),
        (refusal(-1003, "Too much request weight used.", 429), "rate_limit"),
        (refusal(-1003, "Way too many requests; IP banned.", 418), "rate_limit"),
        (refusal(-1102, "Mandatory parameter 'side' was not sent."), "bad_request"),
    ],
    ids=str,
)
async def test_a_refusal_has_our_code_and_the_exchanges_words(stub, venue, fault, code):
    stub.next_orders([fault])
    [report] = await venue.place(submit(), NOW)
    assert isinstance(report, VenueRejected), report
    assert report.reason.startswith(f"{code}: ")
    assert fault.body.split('"msg": "')[1].split('"')[0] in report.reason
    assert stub.posts == 1


async def test_a_duplicate_id_is_adopted(stub, venue):
    stub.add_order(FIRST, symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.5", price="100")
    stub.fill(FIRST, "0.2", "100")
    reports = await venue.place(submit(), NOW)
    assert kinds(reports) == [VenueAccepted, VenueFilled]
    assert len(stub.orders) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": Decimal("0.50001")}, "precision"),
        ({"limit_price": Decimal("100.001")}, "precision"),
        ({"quantity": Decimal("0.0001")}, "min_notional"),
        ({"instrument_id": "ETH-USDT"}, "unknown_symbol"),
        ({"time_in_force": TimeInForce.DAY}, "never closes"),
        ({"order_type": OrderType.MARKET, "limit_price": None, "post_only": True}, "post-only"),
    ],
)
async def test_what_the_exchange_would_change_or_refuse_is_not_sent(stub, venue, changes, words):
    [report] = await venue.place(submit(**changes), NOW)
    assert isinstance(report, VenueRejected)
    assert words in report.reason
    assert stub.posts == 0


async def test_the_markets_rules_are_known_once_it_is_open(venue):
    rules = venue.rules()["BTC-USDT"]
    assert (rules.tick, rules.lot) == (Decimal("0.01"), Decimal("0.0001"))
    assert (rules.min_notional, rules.min_quantity) == (Decimal(5), Decimal("0.0001"))
    assert rules.taker_fee == Decimal("0.001")


async def test_a_stop_stands_at_the_exchange(stub, venue):
    assert venue.keeps == {OrderType.STOP}
    stub.balances["BTC"] = Decimal("0.5")
    stop = ProtectiveOrder(
        client_order_id=SECOND,
        parent=FIRST,
        instrument_id="BTC-USDT",
        side=Side.SELL,
        order_type=OrderType.STOP,
        quantity=Decimal("0.5"),
        stop_price=Decimal("95.00"),
    )
    assert kinds(await venue.protect(stop, NOW)) == [VenueAccepted]
    sent = stub.order(SECOND)
    assert (sent.kind, sent.side, sent.stop_price) == ("STOP_LOSS", "SELL", Decimal(95))
    trail = ProtectiveOrder(
        client_order_id="il-" + "c" * 32,
        parent=FIRST,
        instrument_id="BTC-USDT",
        side=Side.SELL,
        order_type=OrderType.TRAILING_STOP,
        quantity=Decimal("0.5"),
        trail_offset=Decimal(5),
    )
    assert kinds(await venue.protect(trail, NOW)) == [VenueRejected]
    assert stub.posts == 1


STOP = ProtectiveOrder(
    client_order_id=SECOND,
    parent=FIRST,
    instrument_id="BTC-USDT",
    side=Side.SELL,
    order_type=OrderType.STOP,
    quantity=Decimal("0.5"),
    stop_price=Decimal("95.00"),
)


@pytest.mark.parametrize(
    ("seconds", "said"), [(5, [VenueAccepted]), (0, [VenueCanceled])], ids=["in time", "too late"]
)
async def test_what_needs_a_stops_coins_is_sent_when_the_stop_has_ended(stub, venue, seconds, said):
    stub.balances["BTC"] = Decimal("0.5")
    await venue.protect(STOP, NOW)
    stub.next_requests("DELETE order", [Slow(0.3)])
    ending = asyncio.Task(
        _told(venue.cancel(SECOND)), eager_start=True, loop=asyncio.get_running_loop()
    )
    closing = submit(side=Side.SELL, reduce_only=True, expires_at=NOW + seconds * 10**9)
    assert kinds(await venue.place(closing, NOW)) == said
    assert VenueCanceled in kinds(await ending)
    assert stub.posts == 1 + (said == [VenueAccepted])


async def test_a_cancel_reports_the_fills_before_the_end(stub, venue):
    await venue.place(submit(), NOW)
    stub.fill(FIRST, "0.2", "100")
    assert kinds(await venue.cancel(FIRST)) == [VenueAccepted, VenueFilled, VenueCanceled]


async def test_a_cancel_that_comes_too_late_reports_the_fill(stub, venue):
    await venue.place(submit(), NOW)
    stub.fill(FIRST, "0.5", "100")
    assert kinds(await venue.cancel(FIRST)) == [VenueAccepted, VenueFilled]


async def test_a_cancel_without_an_answer_is_lost(stub, venue):
    await venue.place(submit(), NOW)
    stub.next_requests("DELETE order", [Answer(504, "")])
    assert kinds(await venue.cancel(FIRST)) == [VenueLost]


async def test_a_refused_cancel_keeps_the_order(stub, venue):
    await venue.place(submit(), NOW)
    stub.next_requests("DELETE order", [refusal(-2015, "Invalid API-key, IP, or permissions.")])
    [report] = await venue.cancel(FIRST)
    assert isinstance(report, VenueKept)
    assert report.reason.startswith("not_allowed: ")


async def test_a_cancel_too_many_is_for_later_and_nothing_else_is_asked(stub, venue):
    await venue.place(submit(), NOW)
    stub.next_requests("DELETE order", [refusal(-1003, "Too much request weight used.", 429)])
    asked = len(stub.requests)
    [report] = await venue.cancel(FIRST)
    assert isinstance(report, VenueBusy)
    assert report.reason.startswith("rate_limit: ")
    assert stub.requests[asked:] == ["DELETE order"]


async def test_an_order_just_lost_is_not_called_cancelled(stub, venue):
    """Its request may still be on its way: only the exchange's later word ends it."""
    stub.next_orders([Hang(accepted=False)])
    await venue.place(submit(), NOW)
    assert kinds(await venue.cancel(FIRST)) == [VenueNeverSeen]


async def test_a_look_up_without_an_answer_is_no_evidence(stub, venue):
    await venue.place(submit(), NOW)
    for fault in (Answer(504, ""), Answer(200, "<html>"), refusal(-2015, "Invalid API-key", 401)):
        stub.next_requests("GET order", [fault])
        assert kinds(await venue.look_up(FIRST)) == [VenueLost]
    assert kinds(await venue.look_up("il-" + "f" * 32)) == [VenueLost]


async def test_half_a_story_ends_no_order(stub, venue):
    """The order is cancelled, part of it filled, and its trades are not listed yet."""
    await venue.place(submit(), NOW)
    stub.fill(FIRST, "0.2", "100")
    stub.end(FIRST)
    stub.next_requests("myTrades", [Answer(200, "[]")])
    assert kinds(await venue.look_up(FIRST)) == [VenueAccepted, VenueLost]
    assert kinds(await venue.look_up(FIRST)) == [VenueAccepted, VenueFilled, VenueCanceled]


async def test_the_book_tells_what_is_ours_what_is_not_and_what_was_missed(stub):
    for name in (FIRST, SECOND, "by-hand"):
        stub.add_order(
            name, symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.5", price="100"
        )
    stub.fill(FIRST, "0.2", "100")
    stub.fill(SECOND, "0.1", "100")
    stub.end(SECOND, "EXPIRED")
    venue = venue_at(stub)
    book = await venue.open([working(), working(SECOND)], {}, set())
    await venue.close()
    assert book.leaves == {FIRST: Decimal("0.3")}
    assert [(o.instrument_id, o.leaves) for o in book.foreign] == [("BTC-USDT", Decimal("0.5"))]
    assert isinstance(book.foreign[0], ForeignOrder)
    assert book.positions == {"BTC-USDT": Decimal("0.3")}
    assert book.cash == {"USDT": stub.balances["USDT"]}
    assert kinds(book.news) == [
        VenueAccepted, VenueFilled, VenueAccepted, VenueFilled, VenueExpired,
    ]  # fmt: skip
    assert len({r.trade_id for r in book.news if isinstance(r, VenueFilled)}) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Answer(503, "<html>"),
        Answer(200, ""),
        Hang(),
        HangUp(),
        refusal(-2015, "Invalid API-key", 401),
    ],
    ids=str,
)
async def test_no_book_is_a_venue_that_is_not_there(stub, fault):
    # Twice, for aiohttp asks again where a connection breaks under a GET.
    stub.next_requests("account", [fault, fault])
    venue = venue_at(stub)
    with pytest.raises(VenueUnavailableError, match="binance"):
        await venue.open([], {}, set())
    await venue.close()


async def test_no_network_is_one_clear_line():
    config = CcxtConfig(
        exchange="binance",
        urls={"api": {"public": "http://127.0.0.1:9/api/v3"}},
    )
    venue = CcxtVenue(config, {"BTC-USDT": BTC}, {})
    with pytest.raises(VenueUnavailableError) as caught:
        await venue.open([], {}, set())
    await venue.close()
    assert str(caught.value).startswith("binance: not_available: ")
    assert "\n" not in str(caught.value)


def test_a_missing_key_and_an_unknown_exchange_are_named():
    config = CcxtConfig(exchange="binance", key_env="NO_SUCH_KEY", secret_env="NO_SUCH_SECRET")
    with pytest.raises(VenueUnavailableError, match="NO_SUCH_KEY and NO_SUCH_SECRET"):
        CcxtVenue(config, {}, {})
    with pytest.raises(VenueUnavailableError, match="no exchange 'nowhere'"):
        CcxtVenue(CcxtConfig(exchange="nowhere"), {}, {})


async def test_no_secret_is_logged_or_told(stub, caplog):
    caplog.set_level(logging.DEBUG)
    wrong = {"STUB_KEY": KEY, "STUB_SECRET": "wrong-secret-77aa"}
    venue = venue_at(stub, environ=wrong)
    with pytest.raises(VenueUnavailableError) as caught:
        await venue.open([], {}, set())
    await venue.close()
    stub.next_requests("account", [Answer(400, f'{{"code": -1, "msg": "key {KEY} is bad"}}')])
    venue = venue_at(stub)
    with pytest.raises(VenueUnavailableError) as echoed:
        await venue.open([], {}, set())
    await venue.close()
    seen = caplog.text + str(caught.value) + str(echoed.value) + repr(venue._orders)
    assert "is bad" in str(echoed.value)
    assert not any(secret in seen for secret in (KEY, "wrong-secret-77aa"))
    assert "signature=" not in seen.replace("signature=***", "")


async def heard_until(heard: list, kind: type, count: int = 1, seconds: float = 8.0):
    async with asyncio.timeout(seconds):
        while sum(isinstance(report, kind) for report in heard) < count:
            await asyncio.sleep(0.01)


@pytest.fixture
async def heard(venue) -> AsyncIterator[list]:
    """Everything the stream has said, once it is up."""
    heard: list = []
    running = asyncio.create_task(venue.run(heard.append))
    await heard_until(heard, VenueLinkMoved)
    assert heard[0].up
    yield heard
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_stream_tells_fills_and_ends_as_they_happen(stub, venue, heard):
    await venue.place(submit(), NOW)
    stub.fill(FIRST, "0.2", "100", tell=2)
    stub.end(FIRST)
    await heard_until(heard, VenueCanceled)
    told = [r for r in heard if not isinstance(r, VenueAccepted | VenueLinkMoved)]
    assert kinds(told) == [VenueFilled, VenueCanceled]
    rest = [r for r in await venue.look_up(FIRST) if isinstance(r, VenueFilled)]
    assert rest == [told[0]]


async def test_a_fill_the_stream_forgot_is_asked_for_before_the_end_is_told(stub, venue, heard):
    await venue.place(submit(), NOW)
    stub.fill(FIRST, "0.2", "100", tell=0)
    stub.end(FIRST)
    await heard_until(heard, VenueCanceled)
    told = [r for r in heard if not isinstance(r, VenueAccepted | VenueLinkMoved)]
    assert kinds(told) == [VenueFilled, VenueCanceled]


async def test_a_stream_that_answers_pings_and_tells_no_news_is_down(stub, venue, heard):
    await venue.place(submit(), NOW)
    await asyncio.sleep(1.0)
    stub.fill(FIRST, "0.2", "100", tell=0)
    await heard_until(heard, VenueLinkMoved, 2, seconds=10.0)
    assert not heard[-1].up
    assert "REST knows of news" in heard[-1].reason
    await heard_until(heard, VenueLinkMoved, 3, seconds=10.0)
    assert heard[-1].up
    assert sum(isinstance(report, VenueFilled) for report in heard) == 1


async def test_orders_of_others_are_not_told(stub, venue, heard):
    stub.add_order("by-hand", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="1", price="99")
    stub.fill("by-hand", "1", "99")
    await venue.place(submit(), NOW)
    stub.fill(FIRST, "0.5", "100")
    await heard_until(heard, VenueFilled)
    assert {r.client_order_id for r in heard if not isinstance(r, VenueLinkMoved)} == {FIRST}


@pytest.mark.parametrize("fault", ["mute", "cut"])
async def test_a_lost_stream_is_told_and_what_was_missed_comes_first(stub, venue, heard, fault):
    await venue.place(submit(), NOW)
    stub.sockets.refused = True
    if fault == "mute":
        stub.sockets.muted = True
    else:
        await stub.sockets.cut()
    stub.fill(FIRST, "0.5", "100")
    await heard_until(heard, VenueLinkMoved, 2, seconds=5.0)
    assert not heard[-1].up
    # REST may have told of the fill by now; the stream has not.
    stub.sockets.muted = stub.sockets.refused = False
    await heard_until(heard, VenueLinkMoved, 3, seconds=15.0)
    assert heard[-1].up
    after = [type(report) for report in heard[:-1]]
    assert after.count(VenueFilled) == 1


async def test_an_order_the_exchange_lost_touch_with_is_found_after_a_restart(stub, venue):
    stub.next_orders([Hang(accepted=True)])
    assert kinds(await venue.place(submit(), NOW)) == [VenueLost]
    stub.fill(FIRST, "0.5", "100")
    second = venue_at(stub)
    book = await second.open([working(status=OrderStatus.UNKNOWN)], {}, set())
    await second.close()
    assert kinds(book.news) == [VenueAccepted, VenueFilled]
    assert stub.posts == 1
