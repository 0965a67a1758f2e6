"""The unmodified SDK against the stub alone: what the stub speaks is what the SDK understands."""

import asyncio
import contextlib
import warnings

import pytest
from interlock.testkit.alpaca_stub import AlpacaStub, Answer

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.live.stock import StockDataStream
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
    from alpaca.trading.requests import GetOrdersRequest, LimitOrderRequest
    from alpaca.trading.stream import TradingStream

ORDER = LimitOrderRequest(
    symbol="SPY",
    qty=3,
    side=OrderSide.BUY,
    time_in_force=TimeInForce.DAY,
    limit_price=100.5,
    client_order_id="by-sdk",
)


@contextlib.asynccontextmanager
async def listening(stream):
    """Run one of the SDK's streams; it has no way to stop from its own loop but this."""
    task = asyncio.create_task(stream._run_forever())
    try:
        yield
    finally:
        await stream.stop_ws()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.close()


async def heard(queue):
    async with asyncio.timeout(5):
        return await queue.get()


async def test_orders():
    async with AlpacaStub() as stub:
        client = TradingClient(stub.key, stub.secret, url_override=stub.url)
        placed = await asyncio.to_thread(client.submit_order, ORDER)
        assert placed.status is OrderStatus.NEW
        query = GetOrdersRequest(status=QueryOrderStatus.OPEN)
        (listed,) = await asyncio.to_thread(client.get_orders, query)
        assert listed.id == placed.id
        await stub.fill("by-sdk", 1, "100.5")
        found = await asyncio.to_thread(client.get_order_by_client_id, "by-sdk")
        assert (found.status, found.filled_avg_price) == (
            OrderStatus.PARTIALLY_FILLED,
            "100.500000",
        )
        (position,) = await asyncio.to_thread(client.get_all_positions)
        assert (position.symbol, position.qty) == ("SPY", "1")
        await asyncio.to_thread(client.cancel_order_by_id, placed.id)
        account = await asyncio.to_thread(client.get_account)
        assert account.account_number == stub.account_number
        assert (await asyncio.to_thread(client.get_clock)).is_open


async def test_the_sdk_alone_repeats_a_post():
    """Why ours is told not to: after a 504 the order is there, and the SDK sends it again."""
    async with AlpacaStub() as stub:
        client = TradingClient(stub.key, stub.secret, url_override=stub.url)
        client._retry_wait = 0
        stub.faults.append(Answer(504, "", accept=True))
        with pytest.raises(APIError, match="must be unique"):
            await asyncio.to_thread(client.submit_order, ORDER)
        assert len(stub.placed) == 2


@pytest.mark.parametrize("binary", [True, False])
async def test_order_events(binary):
    async with AlpacaStub(binary=binary) as stub:
        told = asyncio.Queue()
        stream = TradingStream(
            stub.key, stub.secret, url_override=stub.url.replace("http", "ws") + "/stream"
        )
        stream.subscribe_trade_updates(told.put)
        client = TradingClient(stub.key, stub.secret, url_override=stub.url)
        async with listening(stream):
            await stub.listened()
            await asyncio.to_thread(client.submit_order, ORDER)
            assert (await heard(told)).event == "new"
            await stub.fill("by-sdk", 3, "100.25")
            event = await heard(told)
            assert (event.event, event.qty, event.price) == ("fill", 3.0, 100.25)


async def test_market_data():
    async with AlpacaStub() as stub:
        told = asyncio.Queue()
        stream = StockDataStream(
            stub.key, stub.secret, url_override=stub.data_stream_url + "/v2/iex"
        )
        stream.subscribe_bars(told.put, "SPY")
        async with listening(stream):
            async with asyncio.timeout(5):
                while not stub.data.subscribed:
                    await asyncio.sleep(0.01)
            bar = {"o": 1.0, "h": 2.0, "l": 0.5, "c": 1.5, "v": 100, "n": 3, "vw": 1.2}
            await stub.data.tell({"T": "b", "S": "SPY", "t": "2024-03-11T13:30:00Z", **bar})
            heard_bar = await heard(told)
            assert (heard_bar.symbol, heard_bar.close) == ("SPY", 1.5)
