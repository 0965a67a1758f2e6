"""The Alpaca venue through the unmodified SDK, over real HTTP and websockets, against a stub."""

import asyncio
from decimal import Decimal

import pytest
from interlock.model.order import WorkingOrder
from interlock.model.values import OrderType, Side, TimeInForce, TradingMode
from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.testkit.decisions import approved
from interlock.venues.alpaca.venue import AlpacaVenue
from interlock.venues.port import (
    TOO_LATE,
    ForeignOrder,
    VenueAccepted,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueNeverSeen,
    VenueRejected,
    VenueUnavailableError,
)

from tests.integration.alpaca_desk import INSTRUMENTS, config_for, desk


@pytest.mark.parametrize("binary", [True, False], ids=["binary frames", "text frames"])
async def test_an_order_from_its_signature_to_its_last_fill(binary):
    async with desk(binary=binary) as at:
        name, (accepted,) = await at.place(
            order_type=OrderType.LIMIT, limit_price=Decimal("99.50"), quantity=Decimal(10)
        )
        assert isinstance(accepted, VenueAccepted)
        assert at.stub.placed == [
            {
                "symbol": "SPY",
                "qty": "10",
                "side": "buy",
                "type": "limit",
                "time_in_force": "gtc",
                "client_order_id": name,
                "extended_hours": False,
                "limit_price": "99.5",
            }
        ]
        await at.stub.fill(name, 4, "99.50")
        await at.stub.fill(name, 6, "99.40")
        await at.until(lambda each: isinstance(each, VenueFilled) and each.quantity == 6)
        assert [(each.trade_id, each.price) for each in at.fills().values()] == [
            (f"{name}:0-4", Decimal("99.50")),
            (f"{name}:4-10", Decimal("99.40")),
        ]
        book = await at.venue.open([], {}, set(at.fills()))
        assert book.positions == {"SPY": 10}
        assert book.cash == {"USD": at.stub.book.cash}


async def test_quantities_go_out_as_they_were_signed():
    async with desk(listen=False) as at:
        await at.place(instrument_id="BTC", quantity=Decimal("123456.123456789"))
        assert at.stub.placed[0]["qty"] == "123456.123456789"
        assert at.stub.placed[0]["symbol"] == "BTC/USD"


@pytest.mark.parametrize("tif", TimeInForce, ids=str)
async def test_times_in_force(tif):
    async with desk(listen=False) as at:
        await at.place(time_in_force=tif)
        assert at.stub.placed[0]["time_in_force"] == tif.value


async def test_many_orders_go_at_once():
    async with desk() as at:
        answers = await asyncio.gather(*(at.place(n) for n in range(100)))
        assert len(at.stub.book.orders) == 100
        assert all(isinstance(reports[0], VenueAccepted) for _, reports in answers)


async def test_orders_we_would_never_send():
    async with desk(listen=False) as at:
        for more, words in (
            ({"post_only": True}, "post-only"),
            ({"mode": TradingMode.LIVE}, "signed for live"),
            ({"instrument_id": "MSFT"}, "not among our instruments"),
        ):
            _, (refused,) = await at.place(**more)
            assert isinstance(refused, VenueRejected)
            assert words in refused.reason
        assert at.stub.placed == []


async def test_an_approval_that_has_run_out_is_not_sent():
    """I15, also where an order has had to wait here."""
    async with desk() as at:
        order = approved(1, venue="alpaca")
        (refused,) = await at.venue.place(order, order.expires_at)
        assert refused == VenueCanceled(client_order_id=order.client_order_id, reason=TOO_LATE)
        at.stub.book.positions["SPY"] = Decimal(10)
        at.stub.cancel_seconds = 0.3
        await at.protect("il-stop", stop_price="95")
        late = approved(2, venue="alpaca", side=Side.SELL)
        _, (refused,) = await asyncio.gather(
            at.venue.cancel("il-stop"), at.venue.place(late, late.expires_at - 100_000_000)
        )
        assert refused == VenueCanceled(client_order_id=late.client_order_id, reason=TOO_LATE)
        assert len(at.stub.placed) == 1


async def test_protective_orders_stand_at_the_venue():
    async with desk() as at:
        at.stub.book.positions["SPY"] = Decimal(20)
        await at.protect("il-stop", stop_price="95.00")
        await at.protect("il-trail", OrderType.TRAILING_STOP, trail_offset="2.5")
        stop, trail = at.stub.placed
        assert (stop["type"], stop["stop_price"], stop["time_in_force"]) == ("stop", "95", "gtc")
        assert (trail["type"], trail["trail_price"]) == ("trailing_stop", "2.5")
        await at.stub.move("SPY", "94.90")
        fill = await at.until(lambda each: isinstance(each, VenueFilled))
        assert (fill.client_order_id, fill.quantity) == ("il-stop", 10)
        assert {OrderType.STOP, OrderType.TRAILING_STOP} == at.venue.keeps


async def test_a_share_is_promised_to_one_closing_order_only():
    """Why take-profits are exec's to keep: with a stop at the venue, Alpaca refuses them."""
    async with desk(listen=False) as at:
        at.stub.book.positions["SPY"] = Decimal(10)
        await at.protect("il-stop", stop_price="95")
        (refused,) = await at.protect("il-profit", OrderType.LIMIT, limit_price="110")
        assert isinstance(refused, VenueRejected)
        assert refused.reason.startswith("insufficient_quantity: insufficient qty available")
        assert OrderType.LIMIT not in at.venue.keeps


async def test_an_order_waits_for_the_stop_that_is_cancelled_for_it():
    """The stop's shares are free when it has ended, not when its end was asked for."""
    async with desk() as at:
        at.stub.book.positions["SPY"] = Decimal(10)
        at.stub.cancel_seconds = 0.2
        await at.protect("il-stop", stop_price="95")
        _, (_, (accepted,)) = await asyncio.gather(
            at.venue.cancel("il-stop"), at.place(side=Side.SELL, quantity=Decimal(10))
        )
        assert isinstance(accepted, VenueAccepted)
        assert isinstance((await at.venue.look_up("il-stop"))[-1], VenueCanceled)


async def test_cancel():
    async with desk() as at:
        name, _ = await at.place()
        assert await at.venue.cancel(name) == []
        assert isinstance(
            await at.until(lambda each: isinstance(each, VenueCanceled)), VenueCanceled
        )


async def test_cancel_of_an_order_that_has_just_been_filled_tells_the_fill():
    async with desk(listen=False) as at:
        name, _ = await at.place()
        await at.stub.fill(name, 10, 100)
        reports = await at.venue.cancel(name)
        assert at.filled(*reports) == 10
        assert not any(isinstance(each, VenueCanceled) for each in reports)


async def test_cancel_of_an_order_that_never_came_there_keeps_it_from_coming():
    async with desk(listen=False) as at:
        order = approved(1, venue="alpaca")
        (canceled,) = await at.venue.cancel(order.client_order_id)
        assert isinstance(canceled, VenueCanceled)
        (again,) = await at.venue.place(order, 0)
        assert isinstance(again, VenueCanceled)
        assert at.stub.placed == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [("canceled", VenueCanceled), ("expired", VenueExpired), ("rejected", VenueRejected)],
)
async def test_ends_that_the_venue_brings(status, kind):
    async with desk() as at:
        name, _ = await at.place()
        await at.stub.end(name, status)
        await at.until(lambda each: isinstance(each, kind))
        assert isinstance((await at.venue.look_up(name))[-1], kind)


async def test_look_up_tells_all_fills_at_their_own_prices():
    async with desk(listen=False) as at:
        name, _ = await at.place()
        await at.stub.fill(name, 3, "100.01")
        await at.stub.fill(name, 7, "100.02")
        accepted, *fills = await at.venue.look_up(name)
        assert isinstance(accepted, VenueAccepted)
        assert [(each.trade_id, each.price) for each in fills] == [
            (f"{name}:0-3", Decimal("100.01")),
            (f"{name}:3-10", Decimal("100.02")),
        ]
        assert await at.venue.look_up(name) == [accepted, *fills]
        assert await at.venue.look_up("il-none") == [VenueNeverSeen(client_order_id="il-none")]


async def test_the_venues_book():
    async with desk(listen=False) as at:
        ours, _ = await at.place(quantity=Decimal(8))
        await at.stub.fill(ours, 3, 100)
        at.stub.book.positions |= {"BTC/USD": Decimal("0.5"), "TSLA": Decimal(-7)}
        other = at.stub.foreign(symbol="TSLA", side="buy", qty="2")
        book = await at.venue.open([], {}, set())
        assert book.leaves == {ours: 5}
        assert book.positions == {"SPY": 3, "BTC": Decimal("0.5"), "TSLA": -7}
        assert book.foreign == [
            ForeignOrder(
                venue_order_id=other.order_id,
                instrument_id="TSLA",
                side=Side.BUY,
                leaves=Decimal(2),
            )
        ]


async def test_after_a_restart_exec_hears_what_it_missed_and_nothing_twice():
    async with desk() as at:
        name, _ = await at.place()
        await at.stub.fill(name, 4, 100)
        await at.until(lambda each: isinstance(each, VenueFilled))
        known = set(at.fills())
        after = AlpacaVenue(config_for(at.stub), INSTRUMENTS, at.stub.environ)
        await at.stub.fill(name, 6, 101, tell=False)
        remembered = WorkingOrder(
            client_order_id=name,
            intent_id="i",
            instrument_id="SPY",
            side=Side.BUY,
            quantity=Decimal(10),
            filled=Decimal(4),
        )
        book = await after.open([remembered], {}, known)
        news = {each.trade_id: each for each in book.news if isinstance(each, VenueFilled)}
        assert {key: fill.price for key, fill in news.items()} == {f"{name}:4-10": Decimal(101)}
        assert book.positions == {"SPY": 10}
        await after.close()


async def test_more_open_orders_than_a_page():
    async with desk(listen=False) as at:
        for n in range(1203):
            at.stub.foreign(symbol="SPY", side="sell", qty="1", client_order_id=f"il-{n:04}")
        book = await at.venue.open([], {}, set())
        assert len(book.leaves) == 1203


async def test_the_wrong_account_is_named():
    async with desk(listen=False, account_id="PA3OTHER") as at:
        with pytest.raises(VenueUnavailableError, match=r"wrong account.*PA3STUB00001.*PA3OTHER"):
            await at.venue.open([], {}, set())


async def test_the_right_account_by_its_number():
    async with desk(listen=False, account_id="PA3STUB00001") as at:
        assert (await at.venue.open([], {}, set())).positions == {}


async def test_one_accounts_failure_is_its_own():
    async with AlpacaStub() as broken, desk() as whole:
        other = AlpacaVenue(config_for(broken), INSTRUMENTS, broken.environ)
        broken.revoke()
        with pytest.raises(VenueUnavailableError, match="unauthorized"):
            await other.open([], {}, set())
        _, (accepted,) = await whole.place()
        assert isinstance(accepted, VenueAccepted)
        await other.close()
