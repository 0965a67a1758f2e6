"""What exec refuses although the gate has signed it: the second line of defence."""

from decimal import Decimal

import pytest
from interlock.exec.core import ready
from interlock.model.values import Side, TradingMode, TradingState
from interlock.testkit.decisions import trading, venue_bar, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.wire.orders import OrderAccepted, OrderRefused, OrderSubmitted
from msgspec.structs import replace

from tests.unit.exec.desk_with_switch import Exec, signed

SENT = [OrderSubmitted, OrderAccepted]


def kinds(said):
    return [type(message) for message in said]


async def code_of(desk, n=1, **more):
    (said,) = await desk.order(n, **more)
    assert isinstance(said, OrderRefused)
    assert desk.venue.advance(wide_bar(99)) == []
    return said.code


async def long_of(quantity, folder, **changes):
    """Return an exec that holds `quantity` of SPY, short below zero."""
    desk = await Exec(folder, **changes).active()
    side = Side.BUY if quantity > 0 else Side.SELL
    for n in range(abs(quantity)):
        await desk.order(100 + n, limit_price=None, side=side, quantity=Decimal(1))
    await desk.hear(venue_bar(wide_bar(200)), 200 * SECOND)
    assert desk.cell.state.positions == {"SPY": quantity}
    return desk


# The trading state.


async def test_i9_a_desk_whose_trading_state_was_never_heard_sends_nothing(tmp_path):
    desk = Exec(tmp_path)
    await desk.start()
    assert await code_of(desk) == "epoch"
    assert await code_of(desk, 2, epoch=0) == "halted"


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCE_ONLY])
async def test_i7_what_increases_risk_is_refused_unless_the_desk_is_active(tmp_path, state):
    desk = await Exec(tmp_path).active()
    await desk.hear(trading(state, epoch=2))
    assert await code_of(desk, epoch=2) == "halted"


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCE_ONLY])
async def test_i9_what_only_reduces_passes_in_every_state(tmp_path, state):
    desk = await long_of(5, tmp_path)
    await desk.hear(trading(state, epoch=2))
    said = await desk.order(1, epoch=2, side=Side.SELL, reduce_only=True, quantity=Decimal(5))
    assert kinds(said) == SENT


async def test_i14_an_order_waits_until_its_trading_state_was_heard(tmp_path):
    desk = await Exec(tmp_path).active(epoch=3)
    assert ready(desk.cell.state, signed(epoch=3))
    assert ready(desk.cell.state, signed(epoch=2))
    assert not ready(desk.cell.state, signed(epoch=4))
    assert ready(desk.cell.state, trading(epoch=4))
    assert await code_of(desk, epoch=4) == "epoch"


# Reduce-only by exec's own book.


@pytest.mark.parametrize(
    ("held", "side", "quantity", "sent"),
    [
        (5, Side.SELL, 5, True),
        (5, Side.SELL, 1, True),
        (5, Side.SELL, 6, False),
        (5, Side.BUY, 1, False),
        (-5, Side.BUY, 5, True),
        (-5, Side.BUY, 6, False),
        (-5, Side.SELL, 1, False),
    ],
)
async def test_i4_reduce_only_neither_grows_nor_turns_a_position(
    tmp_path, held, side, quantity, sent
):
    desk = await long_of(held, tmp_path)
    order = {"side": side, "quantity": Decimal(quantity), "reduce_only": True}
    said = await desk.order(1, limit_price=None, **order)
    assert kinds(said) == (SENT if sent else [OrderRefused])
    if not sent:
        assert said[0].code == "reduce_only"


async def test_i4_without_a_position_there_is_nothing_to_reduce(tmp_path):
    desk = await Exec(tmp_path).active()
    assert await code_of(desk, reduce_only=True, side=Side.SELL) == "reduce_only"


async def test_i4_two_reduce_only_orders_share_one_position(tmp_path):
    desk = await long_of(5, tmp_path)
    closing = {"side": Side.SELL, "reduce_only": True, "limit_price": Decimal(500)}
    assert kinds(await desk.order(1, quantity=Decimal(3), **closing)) == SENT
    (refused,) = await desk.order(2, quantity=Decimal(3), **closing)
    assert (refused.code, refused.detail[:11]) == ("reduce_only", "3 is more t")
    assert kinds(await desk.order(3, quantity=Decimal(2), **closing)) == SENT


# Paper and live, builds.


async def test_i2_a_live_order_on_a_paper_desk_is_refused(tmp_path):
    desk = await Exec(tmp_path).active()
    assert await code_of(desk, mode=TradingMode.LIVE) == "mode"


async def test_i2_a_live_order_while_the_desk_is_kept_on_paper_is_refused(tmp_path):
    desk = await Exec(tmp_path, mode=TradingMode.LIVE, live_allowed=True).active()
    await desk.hear(replace(trading(epoch=2), demo_only=True))
    assert await code_of(desk, epoch=2, mode=TradingMode.LIVE) == "mode"
    assert kinds(await desk.order(2, epoch=2)) == SENT


async def test_i14_an_order_approved_by_another_build_is_refused(tmp_path):
    desk = await Exec(tmp_path).active()
    other = {"build": f"{desk.cell.state.build}+another"}
    assert await code_of(desk, **other) == "build"
