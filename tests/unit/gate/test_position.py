"""Exposure, worst case on each side."""

from decimal import Decimal

import pytest
from interlock.gate.config import InstrumentLimits
from interlock.model.values import Side
from interlock.testkit.cells import react
from interlock.testkit.decisions import (
    features,
    policy,
    reconciled,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import SECOND, fill, ids, order_ids, tick
from interlock.wire.orders import (
    OrderCanceled,
    OrderExpired,
    OrderRefused,
    OrderRejected,
    OrderUnknown,
)
from msgspec.structs import replace

from tests.unit.gate.asking import (
    LIMITS,
    NOW,
    ask,
    codes,
    gate_cell,
    held,
    limit_order,
    priced,
    working,
)


@pytest.mark.parametrize(("quantity", "found"), [(20, []), (21, ["position.notional"])])
@pytest.mark.parametrize("side", list(Side))
def test_position_working_and_this_order_stay_below_the_limit_on_their_side(side, quantity, found):
    cell = held(gate_cell(allow_short=True), 30 * side.sign)
    working(cell, 1, 10, side)
    other = Side.SELL if side is Side.BUY else Side.BUY
    working(cell, 2, 30, other, limit_price=Decimal(100 + side.sign))
    assert codes(cell, limit_order(100, side=side, quantity=Decimal(quantity))) == found


def test_i4_split_orders_below_the_cap_are_caught_in_their_sum():
    cell = gate_cell()
    found = [codes(cell, wanted(NOW - n, ts_market=NOW * SECOND)) for n in range(7)]
    assert found == [[]] * 6 + [["position.notional"]]


@pytest.mark.parametrize("name", ["GOOG", "GOOGL", "GOOG.O"])
def test_i4_an_alias_does_not_split_a_limit(name):
    cell = gate_cell()
    for n, alias in enumerate(["GOOG", "GOOGL", "GOOG.O"]):
        order = ask(
            cell, wanted(n, instrument_id=alias, quantity=Decimal(20), ts_market=NOW * SECOND)
        )
        assert order.instrument_id == "GOOG"
    assert codes(cell, wanted(NOW, instrument_id=name)) == ["position.notional"]


def test_i4_an_alias_has_the_limits_of_its_instrument():
    cell = gate_cell(default={}, limits={"GOOG": InstrumentLimits(**LIMITS)})
    assert codes(cell, wanted(NOW, instrument_id="GOOGL")) == []


@pytest.mark.parametrize(("quantity", "found"), [(10, []), (11, ["position.gross"])])
def test_gross_adds_long_and_short_of_all_instruments(quantity, found):
    cell = held(gate_cell(allow_short=True), -40, "GOOG")
    working(cell, 5, 10, Side.SELL, "GOOG")
    held(cell, 15, n=2)
    working(cell, 6, 5, Side.BUY)
    assert codes(cell, wanted(NOW, quantity=Decimal(quantity))) == found


@pytest.mark.parametrize("close", [None, float("nan"), 0.0])
def test_i9_exposure_that_has_no_price_is_not_counted_as_nothing(close):
    cell = gate_cell(heard=False)
    seen = (tick(NOW), priced(), features(NOW, 1.0))
    for message in (trading(), reconciled(), policy(3), *seen):
        react(cell, message, 0)
    held(cell, 10, "GOOG")
    if close is not None:
        react(cell, priced("GOOG", close), 0)
    assert codes(cell) == ["position.valued"]
    held(cell, -10, "GOOG", n=2)
    assert codes(cell, wanted(99, ts_market=NOW * SECOND)) == []


@pytest.mark.parametrize(
    ("holding", "side", "quantity", "found"),
    [
        (10, Side.SELL, 10, []),
        (10, Side.SELL, 11, ["permission.short", "position.reduce_only"]),
        (-10, Side.BUY, 10, []),
        (-10, Side.BUY, 11, ["position.reduce_only"]),
        (10, Side.BUY, 1, ["position.reduce_only"]),
        (0, Side.BUY, 1, ["position.reduce_only"]),
    ],
)
def test_a_reduce_only_order_cannot_do_more_than_close(holding, side, quantity, found):
    cell = held(gate_cell(), holding) if holding else gate_cell()
    intent = wanted(NOW, side=side, quantity=Decimal(quantity), reduce_only=True)
    assert codes(cell, intent) == found


def test_i4_two_reduce_only_orders_do_not_close_one_position_twice():
    cell = held(gate_cell(allow_short=True), 10)
    for n, found in ((1, []), (2, ["position.reduce_only"])):
        intent = wanted(n, side=Side.SELL, reduce_only=True, ts_market=NOW * SECOND)
        assert codes(cell, intent) == found


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (OrderRefused, {"code": "expired", "detail": ""}),
        (OrderRejected, {"reason": ""}),
        (OrderCanceled, {"reason": "", "leaves_qty": Decimal(40)}),
        (OrderExpired, {"leaves_qty": Decimal(40)}),
    ],
)
def test_an_order_that_ended_no_longer_counts(kind, more):
    cell = gate_cell()
    order = working(cell, 1, 40)
    assert codes(cell, wanted(2, quantity=Decimal(30), ts_market=NOW * SECOND)) == [
        "position.notional"
    ]
    names = {**order_ids(1), "client_order_id": order.client_order_id}
    react(cell, kind(**ids("end"), **names, ts_event=0, **more), 0)
    assert codes(cell, wanted(3, quantity=Decimal(30), ts_market=NOW * SECOND)) == []


def test_i12_an_unknown_order_still_counts():
    cell = gate_cell()
    order = working(cell, 1, 40)
    names = {**order_ids(1), "client_order_id": order.client_order_id}
    react(cell, OrderUnknown(**ids("lost"), **names, ts_event=0, reason="no answer"), 0)
    assert codes(cell, wanted(NOW, quantity=Decimal(30))) == ["position.notional"]


def test_i11_a_fill_heard_twice_counts_once():
    cell = gate_cell()
    order = working(cell, 1, 10)
    news = fill(1, client_order_id=order.client_order_id, leaves_qty=Decimal(0))
    react(cell, news, 0)
    react(cell, replace(news, message_id="again"), 0)
    assert cell.state.book.exposures.lines["SPY"].held == 10
    assert cell.state.book.working == {}
