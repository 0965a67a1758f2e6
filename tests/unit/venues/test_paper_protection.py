"""Stops, trailing stops and take-profits at the paper venue: when, at which price, how much."""

from decimal import Decimal

import pytest
from interlock.model.values import OrderType, Side
from interlock.testkit.decisions import quote, wide_bar
from interlock.venues.paper import NOTHING_LEFT

from tests.unit.venues.paper_orders import bars, child, fills, holding, order, told

CALM = {"high": 101.0, "low": 99.0}


def gap(price):
    return {"open": price, "high": price + 1, "low": price - 1, "close": price}


def test_the_venue_keeps_every_kind():
    assert holding().keeps == {OrderType.STOP, OrderType.TRAILING_STOP, OrderType.LIMIT}


# Stops.


@pytest.mark.parametrize(
    ("bar", "price"),
    [
        (CALM, None),
        ({"low": 95.01}, None),
        ({"low": 95.0}, 95),
        ({"low": 90.0}, 95),
        (gap(93.0), 93),
        (gap(95.0), 95),
    ],
)
def test_a_stop_trades_at_its_price_and_at_the_open_where_a_gap_has_passed_it(bar, price):
    venue = holding(10, child(stop_price="95"))
    assert fills(bars(venue, bar)) == ([] if price is None else [("stop", 10, price)])


@pytest.mark.parametrize(
    ("bar", "price"), [({"high": 104.99}, None), ({"high": 105.0}, 105), (gap(108.0), 108)]
)
def test_a_stop_that_buys_is_the_mirror_image(bar, price):
    venue = holding(-10, child(stop_price="105", side=Side.BUY))
    assert fills(bars(venue, bar)) == ([] if price is None else [("stop", 10, price)])


@pytest.mark.parametrize(("bar", "price"), [({}, 94.98), (gap(93.0), 92.98)])
def test_a_stop_pays_half_the_spread_and_the_slippage(bar, price):
    costs = {"spread_bps": Decimal(2), "slippage_bps": Decimal(1)}
    venue = holding(10, child(stop_price="95"), **costs)
    assert fills(bars(venue, bar)) == [("stop", 10, price)]


def test_a_stop_never_trades_on_the_bar_it_was_made_on():
    venue = holding(10, child(stop_price="95", n=3))
    assert bars(venue, {}) == []
    assert fills(bars(venue, {}, start=4)) == [("stop", 10, 95)]


def test_a_stop_that_was_reached_is_a_market_order_for_the_rest():
    venue = holding(10, child(stop_price="95"), participation=Decimal("0.006"))
    assert told(bars(venue, {}, gap(120.0))) == [
        ("stop", "filled", 6, 95),
        ("stop", "moved", 95, True),
        ("stop", "filled", 4, 120),
    ]


def test_a_stop_that_is_reached_where_nothing_trades_says_so_and_trades_next():
    venue = holding(10, child(stop_price="95"))
    assert told(bars(venue, {"volume": 0.0}, gap(97.0))) == [
        ("stop", "moved", 95, True),
        ("stop", "filled", 10, 97),
    ]


@pytest.mark.parametrize(("bid", "trades"), [(95.01, False), (95.0, True), (94.0, True)])
def test_on_quotes_a_stop_follows_the_side_it_would_trade_at(bid, trades):
    venue = holding(10, child(stop_price="95"))
    reports = venue.advance(quote(3, bid, bid + 2))
    assert fills(reports) == ([("stop", 10, bid)] if trades else [])


# Trailing stops.


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back():
    venue = holding(10, child(trail_offset="5"))
    rise = {"open": 100.0, "high": 104.0, "low": 99.5, "close": 103.0}
    fall = {"open": 103.0, "high": 103.0, "low": 99.5, "close": 100.0}
    end = {"open": 100.0, "high": 101.0, "low": 98.0, "close": 98.5}
    assert told(bars(venue, rise, fall, end)) == [
        ("stop", "moved", 99, False),
        ("stop", "filled", 10, 99),
    ]


def test_a_trailing_stop_says_where_it_is_whenever_that_has_changed():
    venue = holding(10, child(trail_offset="5"))
    up = [gap(100.0), gap(102.0), gap(101.0), gap(104.0)]
    assert told(bars(venue, *up)) == [
        ("stop", "moved", 96, False),
        ("stop", "moved", 98, False),
        ("stop", "moved", 100, False),
    ]
    assert fills(bars(venue, {**gap(101.0), "low": 99.9}, start=7)) == [("stop", 10, 100)]


def test_a_trailing_stop_that_buys_is_the_mirror_image():
    venue = holding(-10, child(trail_offset="5", side=Side.BUY))
    assert fills(bars(venue, gap(100.0), gap(95.0), gap(99.0))) == [("stop", 10, 99)]


def test_a_gap_over_a_trailing_stop_trades_at_the_open():
    venue = holding(10, child(trail_offset="5"))
    assert fills(bars(venue, gap(100.0), gap(80.0))) == [("stop", 10, 80)]


@pytest.mark.parametrize(("close", "price"), [(107.0, None), (104.9, 105), (100.0, 105)])
def test_within_one_bar_only_a_close_beyond_the_raised_stop_is_sure_to_have_reached_it(
    close, price
):
    venue = holding(10, child(trail_offset="5", stop_price="95"))
    seen = bars(venue, {"high": 110.0, "low": 99.0, "close": close})
    assert fills(seen) == ([] if price is None else [("stop", 10, price)])


def test_a_trailing_stop_goes_on_from_where_it_was_told_to_begin():
    venue = holding(10, child(trail_offset="5", stop_price="97"))
    assert fills(bars(venue, {**CALM, "low": 96.9})) == [("stop", 10, 97)]


# Take-profits, and one cancels the other.


def test_a_take_profit_is_a_limit_order_that_only_reduces():
    venue = holding(10, child("profit", limit_price="105"))
    assert fills(bars(venue, CALM, {})) == [("profit", 10, 105)]
    assert venue._positions == {"SPY": 0}


def both(position=10, **config):
    stop, profit = child(stop_price="95"), child("profit", limit_price="105")
    return holding(position, stop, profit, **config)


def test_the_fill_of_one_child_ends_the_others():
    assert told(bars(both(), {**CALM, "high": 106.0}, {})) == [
        ("profit", "filled", 10, 105),
        ("stop", "canceled", "one cancels other: profit is filled"),
    ]


def test_of_a_stop_and_a_take_profit_within_one_bar_it_is_the_stop():
    assert fills(bars(both(), {})) == [("stop", 10, 95)]


def test_what_the_open_has_reached_comes_before_what_is_reached_later():
    assert fills(bars(both(), {"open": 106.0, "high": 107.0, "low": 94.0})) == [("profit", 10, 106)]


def test_children_together_sell_no_more_than_one_of_them_stands_for():
    venue = both(100, participation=Decimal("0.006"))
    profit_reached = {**CALM, "high": 106.0}
    assert fills(bars(venue, profit_reached, {})) == [("profit", 6, 105), ("stop", 4, 95)]
    assert venue._positions == {"SPY": 90}


def test_a_child_that_took_the_place_of_another_stands_for_what_was_left():
    venue = both(100, participation=Decimal("0.006"))
    bars(venue, {**CALM, "high": 106.0})
    venue.cancel("stop")
    venue.protect(child("stop-2", 4, n=3, stop_price="95"), 0)
    assert fills(bars(venue, {"volume": 10_000.0}, start=4)) == [("stop-2", 4, 95)]
    assert venue.advance(wide_bar(5)) == []
    assert venue._positions == {"SPY": 90}


def test_children_of_other_parents_go_on():
    venue = both(20)
    venue.protect(child("other", parent="il-other", stop_price="90"), 0)
    bars(venue, {**CALM, "high": 106.0})
    assert [one.client_order_id for one in venue._orders["SPY"].values()] == ["other"]


# Never more than is held.


def test_a_child_never_sells_more_than_is_held():
    venue = holding(7, child(stop_price="95"))
    assert told(bars(venue, {}))[:2] == [
        ("stop", "filled", 7, 95),
        ("stop", "canceled", NOTHING_LEFT),
    ]
    assert venue._positions == {"SPY": 0}


@pytest.mark.parametrize("position", [0, -10])
def test_where_nothing_is_held_against_it_a_child_is_rejected(position):
    (rejected,) = holding(position).protect(child(stop_price="95"), 0)
    assert told([rejected]) == [("stop", "rejected", NOTHING_LEFT)]


def test_whatever_closes_the_position_ends_what_would_have_reduced_it():
    venue = both()
    flat = order(2, 10, side=Side.SELL)
    venue.place(flat, 0)
    assert told(bars(venue, CALM, {})) == [
        (flat.client_order_id, "filled", 10, 100),
        ("stop", "canceled", NOTHING_LEFT),
        ("profit", "canceled", NOTHING_LEFT),
    ]


def test_a_signed_order_that_only_reduces_does_not_turn_the_position():
    venue = holding(4)
    venue.place(order(2, 10, side=Side.SELL, reduce_only=True), 0)
    assert [size for _, size, _ in fills(bars(venue, {}, {}))] == [4]
    assert venue._positions == {"SPY": 0}


def test_a_market_order_of_exec_ends_the_siblings_too():
    venue = both()
    venue.protect(child("kept-by-exec"), 0)
    assert [name for name, *_ in told(bars(venue, CALM))] == ["kept-by-exec", "stop", "profit"]


# Again.


def test_i1_a_child_is_placed_once():
    venue = both()
    first = venue.protect(child(stop_price="95"), 0)
    assert first == venue.protect(child(stop_price="80", quantity=99), 0)
    assert len(fills(bars(venue, {}, {}))) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"stop_price": "95.001"}, "ticks"),
        ({"limit_price": "-1"}, "ticks"),
        ({"quantity": "0.5", "stop_price": "95"}, "lots"),
        ({"quantity": 0, "stop_price": "95"}, "lots"),
        ({"trail_offset": "0"}, "trail offset"),
        ({"instrument_id": "XYZ", "stop_price": "95"}, "unknown symbol"),
    ],
)
def test_a_child_that_does_not_fit_is_rejected_with_the_reason(wrong, reason):
    ((_, kind, why),) = told(holding().protect(child(**wrong), 0))
    assert kind == "rejected"
    assert reason in why
