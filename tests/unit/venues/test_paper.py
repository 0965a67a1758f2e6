"""The paper venue: when an order trades, at which price, how much, and the same way every time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.values import Side, TimeInForce
from interlock.testkit.decisions import approved, quote, wide_bar
from interlock.venues.paper import PaperConfig, PaperVenue
from interlock.venues.port import VenueAccepted, VenueCanceled, VenueFilled

INSTRUMENTS = {
    "SPY": Instrument(instrument_id="SPY", venue="paper"),
    "BTC": Instrument(
        instrument_id="BTC", venue="paper", tick=Decimal("0.5"), lot=Decimal("0.001")
    ),
}
FREE = PaperConfig(
    spread_bps=Decimal(0), slippage_bps=Decimal(0), fee_bps=Decimal(0), participation=Decimal(1)
)
COSTS = PaperConfig(
    spread_bps=Decimal(2), slippage_bps=Decimal(1), fee_bps=Decimal("0.5"), participation=Decimal(1)
)


def venue_with(*orders, config=FREE):
    venue = PaperVenue(config, INSTRUMENTS)
    for order in orders:
        venue.place(order, order.ts_event)
    return venue


def order(n=1, quantity=10, **more):
    if "limit_price" in more:
        more["limit_price"] = Decimal(more["limit_price"])
    return approved(n, quantity=Decimal(quantity), **more)


def fills(reports):
    return [
        (float(report.price), float(report.quantity))
        for report in reports
        if isinstance(report, VenueFilled)
    ]


# Placing.


def test_an_order_is_accepted_and_nothing_more():
    venue = PaperVenue(FREE, INSTRUMENTS)
    (accepted,) = venue.place(order(), 0)
    assert isinstance(accepted, VenueAccepted)
    assert accepted.client_order_id == order().client_order_id


def test_i1_one_client_order_id_is_placed_once():
    venue = venue_with()
    assert venue.place(order(), 0) == venue.place(order(quantity=99), 0)
    assert fills(venue.advance(wide_bar(2))) == [(100, 10)]
    assert venue.place(order(), 0)
    assert venue.advance(wide_bar(3)) == []


def test_a_market_order_never_trades_on_its_own_bar():
    venue = venue_with(order(5))
    for own_or_older in (wide_bar(4), wide_bar(5), quote(5, 99.0, 101.0)):
        assert venue.advance(own_or_older) == []
    assert fills(venue.advance(wide_bar(6))) == [(100, 10)]


def test_a_bar_of_another_instrument_trades_nothing():
    assert venue_with(order()).advance(wide_bar(2, instrument_id="BTC")) == []


# Prices.


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, 100.02), (Side.SELL, 99.98)])
def test_a_market_order_pays_half_the_spread_and_the_slippage(side, price):
    venue = venue_with(order(side=side), config=COSTS)
    assert fills(venue.advance(wide_bar(2))) == [(price, 10)]


@given(
    st.floats(0.01, 100_000, allow_nan=False),
    st.sampled_from(Side),
    st.sampled_from(list(INSTRUMENTS)),
)
def test_a_market_order_never_trades_better_than_the_open(opened, side, name):
    venue = venue_with(order(side=side, instrument_id=name), config=COSTS)
    (fill,) = venue.advance(wide_bar(2, instrument_id=name, open=opened))
    assert fill.price > 0
    assert fill.price % INSTRUMENTS[name].tick == 0
    if side is Side.BUY:
        assert fill.price >= Decimal(repr(opened))
    else:
        assert fill.price <= max(Decimal(repr(opened)), INSTRUMENTS[name].tick)


@pytest.mark.parametrize(("quantity", "fee"), [(10, "0.0500"), (1, "0.0050"), (0.001, "0.0000")])
def test_the_fee_is_a_share_of_what_was_paid(quantity, fee):
    config = PaperConfig(
        spread_bps=Decimal(0), slippage_bps=Decimal(0), fee_bps=Decimal("0.5"),
        participation=Decimal(1),
    )  # fmt: skip
    venue = venue_with(order(quantity=str(quantity), instrument_id="BTC"), config=config)
    (fill,) = venue.advance(wide_bar(2, instrument_id="BTC"))
    assert fill.fee == Decimal(fee)


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        (Side.BUY, "95", 95),
        (Side.BUY, "90", 90),
        (Side.BUY, "89.99", None),
        (Side.BUY, "100", 100),
        (Side.BUY, "105", 100),
        (Side.SELL, "105", 105),
        (Side.SELL, "110", 110),
        (Side.SELL, "110.01", None),
        (Side.SELL, "100", 100),
        (Side.SELL, "95", 100),
    ],
)
def test_a_limit_order_trades_where_the_bar_reaches_it_and_at_the_open_where_that_is_better(
    side, limit, price
):
    venue = venue_with(order(side=side, limit_price=limit), config=COSTS)
    assert fills(venue.advance(wide_bar(2))) == ([] if price is None else [(price, 10)])


@pytest.mark.parametrize(
    ("side", "limit", "gap"),
    [
        (Side.BUY, "95", {"open": 85.0, "high": 88.0, "low": 80.0}),
        (Side.SELL, "105", {"open": 115.0, "high": 120.0, "low": 112.0}),
    ],
)
def test_a_gap_through_the_limit_trades_at_the_open(side, limit, gap):
    venue = venue_with(order(side=side, limit_price=limit))
    assert fills(venue.advance(wide_bar(2, **gap))) == [(gap["open"], 10)]


@given(
    st.floats(90, 110, allow_nan=False),
    st.integers(8_000, 12_000),
    st.sampled_from(Side),
)
def test_a_limit_order_never_trades_beyond_its_limit_nor_outside_the_bar(opened, cents, side):
    limit = Decimal(cents) / 100
    venue = venue_with(order(side=side, limit_price=limit))
    for report in venue.advance(wide_bar(2, open=opened)):
        assert report.price <= limit if side is Side.BUY else report.price >= limit
        assert 90 <= report.price <= 110


def test_a_limit_order_waits_until_it_is_reached():
    venue = venue_with(order(limit_price="85"))
    for n in range(2, 5):
        assert venue.advance(wide_bar(n)) == []
    assert fills(venue.advance(wide_bar(5, low=84.0))) == [(85, 10)]


# Quantities.


def test_at_most_a_share_of_the_volume_trades_and_the_rest_waits():
    config = PaperConfig(participation=Decimal("0.05"))
    venue = venue_with(order(quantity=120), config=config)
    traded = [fills(venue.advance(wide_bar(n)))[0][1] for n in range(2, 5)]
    assert traded == [50, 50, 20]
    assert venue.advance(wide_bar(5)) == []


@pytest.mark.parametrize(("volume", "traded"), [(0.0, []), (19.0, []), (39.0, [1]), (-5.0, [])])
def test_parts_of_a_lot_do_not_trade(volume, traded):
    venue = venue_with(order(), config=PaperConfig(participation=Decimal("0.05")))
    assert [size for _, size in fills(venue.advance(wide_bar(2, volume=volume)))] == traded


def test_the_lot_of_the_instrument_counts():
    config = PaperConfig(participation=Decimal("0.05"))
    venue = venue_with(order(quantity="1.5", instrument_id="BTC"), config=config)
    bar = wide_bar(2, instrument_id="BTC", volume=0.0399)
    assert [size for _, size in fills(venue.advance(bar))] == [0.001]


@pytest.mark.parametrize("sides", [(Side.BUY, Side.BUY), (Side.BUY, Side.SELL)])
def test_orders_share_the_volume_of_a_bar_in_the_order_they_came(sides):
    config = PaperConfig(participation=Decimal("0.05"))
    both = [order(n, 30, side=side) for n, side in enumerate(sides, 1)]
    venue = venue_with(*both, config=config)
    assert [size for _, size in fills(venue.advance(wide_bar(3)))] == [30, 20]


def test_what_is_immediate_or_cancel_ends_with_its_first_event():
    config = PaperConfig(participation=Decimal("0.005"))
    venue = venue_with(order(time_in_force=TimeInForce.IOC), config=config)
    assert venue.advance(wide_bar(1)) == []
    filled, canceled = venue.advance(wide_bar(2))
    assert filled.quantity == 5
    assert isinstance(canceled, VenueCanceled)
    assert venue.advance(wide_bar(3)) == []


def test_an_immediate_order_that_is_not_reached_is_cancelled_without_a_trade():
    venue = venue_with(order(time_in_force=TimeInForce.IOC, limit_price="1"))
    (canceled,) = venue.advance(wide_bar(2))
    assert isinstance(canceled, VenueCanceled)


def test_an_immediate_order_that_is_filled_whole_is_not_cancelled_too():
    venue = venue_with(order(time_in_force=TimeInForce.IOC))
    assert [type(report) for report in venue.advance(wide_bar(2))] == [VenueFilled]


# Quotes.


@pytest.mark.parametrize(("side", "price", "size"), [(Side.BUY, 100.1, 7), (Side.SELL, 99.9, 3)])
def test_on_a_quote_an_order_trades_at_the_touch_up_to_its_size(side, price, size):
    venue = venue_with(order(side=side), config=COSTS)
    touch = quote(2, 99.9, 100.1, bid_size=3.0, ask_size=7.0)
    assert fills(venue.advance(touch)) == [(price, size)]


@pytest.mark.parametrize(
    ("side", "limit", "trades"),
    [
        (Side.BUY, "100.1", True),
        (Side.BUY, "100.09", False),
        (Side.SELL, "99.9", True),
        (Side.SELL, "99.91", False),
    ],
)
def test_on_a_quote_a_limit_order_trades_when_the_touch_reaches_it(side, limit, trades):
    venue = venue_with(order(side=side, limit_price=limit))
    assert bool(fills(venue.advance(quote(2, 99.9, 100.1)))) is trades


def test_both_sides_of_a_quote_have_their_own_size():
    venue = venue_with(order(1, 8, side=Side.BUY), order(2, 8, side=Side.SELL), order(3, 8))
    touch = quote(4, 99.9, 100.1, bid_size=5.0, ask_size=10.0)
    assert fills(venue.advance(touch)) == [(100.1, 8), (99.9, 5), (100.1, 2)]


# Again, and again.


def test_i11_a_bar_that_comes_again_trades_once():
    venue = venue_with(order(quantity=1_500))
    bar = wide_bar(2)
    assert fills(venue.advance(bar)) == [(100, 1_000)]
    assert venue.advance(bar) == []
    assert fills(venue.advance(wide_bar(3))) == [(100, 500)]


def test_i11_a_bar_that_comes_again_after_a_restart_trades_once():
    first = venue_with(order(quantity=1_500))
    (filled,) = first.advance(wide_bar(2))
    left = WorkingOrder(
        client_order_id=filled.client_order_id,
        intent_id="",
        instrument_id="SPY",
        side=Side.BUY,
        quantity=Decimal(1_500),
        filled=Decimal(1_000),
        ts_event=order().ts_event,
    )
    again = PaperVenue(FREE, INSTRUMENTS)
    book = again.open([left], {"SPY": Decimal(1_000)}, {filled.trade_id})
    assert book.leaves == {filled.client_order_id: 500}
    assert book.positions == {"SPY": 1_000}
    assert again.advance(wide_bar(2)) == []
    assert fills(again.advance(wide_bar(3))) == [(100, 500)]
    assert fills(first.advance(wide_bar(3))) == [(100, 500)]


EVENTS = st.lists(st.tuples(st.floats(91, 109), st.integers(0, 400)), min_size=1, max_size=12)
ORDERS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 60),
        st.one_of(st.none(), st.integers(9_000, 11_000)),
        st.sampled_from(TimeInForce),
    ),
    max_size=6,
)


@given(ORDERS, EVENTS)
def test_the_same_orders_and_bars_make_the_same_trades(orders, events):
    def session():
        venue = venue_with(config=PaperConfig(participation=Decimal("0.05")))
        for n, (side, quantity, cents, force) in enumerate(orders):
            limit = {} if cents is None else {"limit_price": Decimal(cents) / 100}
            placed = order(n, quantity, side=side, time_in_force=force, **limit)
            venue.place(placed, 0)
        said = []
        for n, (opened, volume) in enumerate(events, 10):
            reports = venue.advance(wide_bar(n, open=opened, volume=float(volume)))
            assert sum(size for _, size in fills(reports)) <= volume * 0.05 + 1e-9
            said += reports
        return said

    said = session()
    assert said == session()
    trades = [report.trade_id for report in said if isinstance(report, VenueFilled)]
    assert len(set(trades)) == len(trades)
    for n, (_, quantity, _, _) in enumerate(orders):
        name = order(n).client_order_id
        traded = [
            r.quantity for r in said if isinstance(r, VenueFilled) and r.client_order_id == name
        ]
        assert sum(traded) <= quantity


@pytest.mark.parametrize("name", ["spread_bps", "slippage_bps", "fee_bps", "participation"])
@pytest.mark.parametrize("value", ["-1", "NaN", "Infinity"])
def test_costs_that_are_no_numbers_do_not_start(name, value):
    with pytest.raises(ValueError, match=name):
        PaperConfig(**{name: Decimal(value)})


# Cancelling.


def test_a_cancelled_order_trades_no_more():
    venue = venue_with(order(1), order(2))
    (canceled,) = venue.cancel(order(1).client_order_id)
    assert isinstance(canceled, VenueCanceled)
    assert canceled.client_order_id == order(1).client_order_id
    (fill,) = venue.advance(wide_bar(3))
    assert fill.client_order_id == order(2).client_order_id


def test_i11_what_is_left_of_an_order_is_cancelled_and_what_was_filled_stays():
    venue = venue_with(order(quantity=10_000))
    assert fills(venue.advance(wide_bar(2))) == [(100, 1_000)]
    assert len(venue.cancel(order().client_order_id)) == 1
    assert venue.advance(wide_bar(3)) == []
    assert venue._positions == {"SPY": 1_000}


def test_i13_an_order_that_has_ended_is_not_ended_twice():
    venue = venue_with(order(1), order(2))
    venue.cancel(order(1).client_order_id)
    assert venue.cancel(order(1).client_order_id) == ()
    assert len(fills(venue.advance(wide_bar(3)))) == 1
    assert venue.cancel(order(2).client_order_id) == ()


def test_i12_an_order_that_was_cancelled_before_it_came_never_trades():
    venue = venue_with()
    (canceled,) = venue.cancel(order().client_order_id)
    assert canceled.reason == "it never came to the venue"
    venue.place(order(), 0)
    assert venue.advance(wide_bar(2)) == []
