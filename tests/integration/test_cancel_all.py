"""A press of the kill switch at venues that count requests: stubs of Alpaca and of an exchange."""

from decimal import Decimal

import pytest
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.model.trading import Way
from interlock.model.values import OrderType
from interlock.testkit.alpaca_stub import Answer as AlpacaAnswer
from interlock.testkit.decisions import approved
from interlock.testkit.exchange_stub import ExchangeStub, refusal
from interlock.venues.port import VenueBusy, VenueCanceled

from tests.integration.alpaca_desk import desk
from tests.integration.test_ccxt_venue import FIRST, NOW, SECOND, submit, venue_at

TOO_MANY = AlpacaAnswer(429, '{"code": 42910000, "message": "too many requests."}')
REFUSED = refusal(-1003, "Too much request weight used.", 429)


def pressing(venue):
    switch = KillSwitch(venue)
    return switch, lambda: switch.press(Way.FILE, "ann", "too hot")


def ends_of(reports):
    return sorted(one.client_order_id for one in reports if isinstance(one, VenueCanceled))


async def alpaca_orders(at, switch, count):
    names = []
    for n in range(1, count + 1):
        order = approved(
            n, venue="alpaca", order_type=OrderType.LIMIT, limit_price=Decimal(90)
        )  # fmt: skip
        switch.may_send(order)
        switch.hear(await at.venue.place(order, 0))
        names.append(order.client_order_id)
    return sorted(names)


@pytest.mark.parametrize("cancel_seconds", [0.0, 0.25])
async def test_alpaca_ends_all_orders_and_those_of_others_with_one_request(cancel_seconds):
    pytest.importorskip("alpaca")
    async with desk(listen=False) as at:
        at.stub.cancel_seconds = cancel_seconds
        switch, press = pressing(at.venue)
        names = await alpaca_orders(at, switch, 30)
        await at.stub.fill(names[0], 4, 90)
        foreign = at.stub.foreign(
            symbol="SPY", side="buy", qty="1", client_order_id="by-hand", limit_price="1",
            type="limit",
        )  # fmt: skip
        asked = len(at.stub.asked)
        reports = await press()
        assert ends_of(reports) == names
        assert at.filled(*reports[1:]) == 4
        assert at.stub.cancels == ["all"]
        assert len(at.stub.asked) - asked <= 5
        assert not foreign.is_open
        assert (switch.standing.cancelled, switch.standing.left) == (30, 0)


async def test_alpaca_ends_one_by_one_where_others_use_the_account():
    pytest.importorskip("alpaca")
    async with desk(cancel_all=False, cancels_per_second=500.0) as at:
        switch, press = pressing(at.venue)
        names = await alpaca_orders(at, switch, 3)
        foreign = at.stub.foreign(
            symbol="SPY", side="buy", qty="1", client_order_id="by-hand", limit_price="1",
            type="limit",
        )  # fmt: skip
        await press()
        assert len(at.stub.cancels) == 3
        assert foreign.is_open
        assert not any(at.stub.book.orders[name].is_open for name in names)


async def test_alpaca_that_is_asked_too_often_is_asked_again_by_the_sweep():
    pytest.importorskip("alpaca")
    async with desk(listen=False, cancel_all=False, cancels_per_second=500.0) as at:
        switch, press = pressing(at.venue)
        (name,) = await alpaca_orders(at, switch, 1)
        at.stub.cancel_faults += [TOO_MANY]
        reports = await press()
        assert [type(one) for one in reports[1:]] == [VenueBusy]
        assert not switch.pace.is_free
        assert at.stub.book.orders[name].is_open
        switch.pace._next_at = 0.0
        await switch.sweep()
        assert not at.stub.book.orders[name].is_open


async def test_an_exchange_ends_all_of_a_market_with_one_request():
    pytest.importorskip("ccxt")
    async with ExchangeStub() as stub:
        venue = venue_at(stub)
        await venue.open([], {}, set())
        switch, press = pressing(venue)
        for name in (FIRST, SECOND):
            switch.may_send(submit(name))
            switch.hear(await venue.place(submit(name), NOW))
        stub.fill(FIRST, "0.2", "100")
        stub.add_order(
            "by-hand", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.1", price="90"
        )
        reports = await press()
        assert ends_of(reports) == [FIRST, SECOND]
        assert all(one.ended for one in stub.orders)
        ends = [one for one in stub.requests if one.startswith("DELETE")]
        assert ends == ["DELETE openOrders"]
        assert switch.standing.cancelled == 2
        await venue.cancel_all()
        await venue.close()


async def test_an_exchange_that_will_not_end_all_is_asked_for_each_and_a_busy_one_later():
    pytest.importorskip("ccxt")
    async with ExchangeStub() as stub:
        venue = venue_at(stub)
        await venue.open([], {}, set())
        switch, press = pressing(venue)
        switch.may_send(submit())
        switch.hear(await venue.place(submit(), NOW))
        stub.next_requests("DELETE openOrders", [REFUSED])
        stub.next_requests("DELETE order", [REFUSED])
        reports = await press()
        assert [type(one) for one in reports[1:]] == [VenueBusy]
        assert not stub.orders[0].ended
        switch.pace._next_at = 0.0
        assert ends_of(await switch.sweep()) == [FIRST]
        assert not len(switch.orders)
        await venue.close()


async def test_an_exchange_names_the_ends_its_limiter_lets_through():
    pytest.importorskip("ccxt")
    async with ExchangeStub() as stub:
        for changes, rate in (
            ({"request_ms": 50.0}, 10.0),
            ({"exchange": "kraken", "request_ms": 0.0, "urls": {}}, 0.5),
            ({"cancels_per_second": 3.0}, 3.0),
        ):
            venue = venue_at(stub, **changes)
            assert venue.cancels_per_second == rate
            await venue.close()
