"""What the paper venue takes, when it trades, what that costs, and what it answers."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from interlock.model.values import InstrumentKind, Side, TimeInForce
from interlock.testkit.decisions import quote, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.venues.paper import ENDED_ORDERS_KEPT, PaperConfig
from interlock.venues.paper_hours import hours_of
from interlock.venues.port import VenueAccepted, VenueCanceled, VenueFilled, VenueNeverSeen

from tests.unit.venues.paper_orders import bars, child, fills, holding, order, told, venue_with

NAME = order().client_order_id
NEW_YORK = {"hours": {InstrumentKind.EQUITY: "XNYS"}}


def sizes(reports):
    return [size for _, size, _ in fills(reports)]


# What it takes.


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"instrument_id": "XYZ"}, "unknown symbol XYZ"),
        ({"limit_price": "99.999"}, "price 99.999 is not in ticks of 0.01"),
        ({"quantity": "1.5"}, "quantity 1.5 is not in lots of 1"),
        ({"instrument_id": "BTC", "limit_price": "100.1"}, "price 100.1 is not in ticks of 0.5"),
        ({"post_only": True}, "a market order cannot be post-only"),
        ({"limit_price": "4", "quantity": 2}, "notional 8 is below 10"),
        ({"reference_price": Decimal(4), "quantity": 2}, "notional 8 is below 10"),
    ],
)
def test_what_does_not_fit_is_rejected_with_the_reason_and_never_trades(wrong, reason):
    venue = venue_with(min_notional=Decimal(10))
    wanted = order(**wrong)
    assert told(venue.place(wanted, 0)) == [(NAME, "rejected", reason)]
    assert told(venue.place(wanted, 0)) == told(venue.look_up(NAME)) == [(NAME, "rejected", reason)]
    assert venue.advance(wide_bar(2)) == []


def test_what_only_reduces_may_be_small():
    venue = holding(2, min_notional=Decimal(1_000))
    small = order(2, 2, side=Side.SELL, reduce_only=True)
    assert isinstance(venue.place(small, 0)[0], VenueAccepted)
    assert isinstance(venue.protect(child(quantity=2, stop_price="95"), 0)[0], VenueAccepted)


# Post-only.


@pytest.mark.parametrize(
    ("side", "limit", "crosses"),
    [
        (Side.BUY, "100", True),
        (Side.BUY, "99.99", False),
        (Side.SELL, "100", True),
        (Side.SELL, "100.01", False),
    ],
)
def test_a_post_only_order_that_would_cross_is_rejected_and_else_comes_to_rest(
    side, limit, crosses
):
    venue = venue_with(order(side=side, limit_price=limit, post_only=True))
    said = told(bars(venue, {"high": 100.0, "low": 100.0}, start=2))
    if crosses:
        reason = "post-only: it would cross, the market is at 100.0"
        assert said == [(NAME, "rejected", reason)]
    else:
        assert said == [(NAME, "moved", None, True)]


def test_a_post_only_order_trades_at_its_own_price_as_a_maker_even_over_a_gap():
    venue = venue_with(
        order(limit_price="95", post_only=True),
        fee_bps=Decimal(60),
        maker_fee_bps=Decimal(40),
    )
    gap = {"open": 80.0, "high": 85.0, "low": 70.0}
    (fill,) = [one for one in bars(venue, {"low": 96.0}, gap, start=2) if "trade_id" in dir(one)]
    assert fill.price == 95
    assert fill.fee == Decimal("3.8000")


def test_on_quotes_a_post_only_order_waits_for_the_touch():
    venue = venue_with(order(limit_price="99.9", post_only=True))
    assert told(venue.advance(quote(2, 99.8, 100.0))) == [(NAME, "moved", None, True)]
    assert fills(venue.advance(quote(3, 99.7, 99.9))) == [(NAME, 10, 99.9)]


# Latency.


@pytest.mark.parametrize(
    ("latency_ms", "first"), [(0, 1_001), (500, 1_501), (999, 2_000), (1_000, 2_001)]
)
def test_on_quotes_an_order_trades_only_after_its_way_to_the_venue(latency_ms, first):
    venue = venue_with(order(), latency_ms=latency_ms)
    for n in (1_000, 1_001, 1_500, 1_501, 2_000, 2_001):
        moment = n * 1_000_000
        reports = venue.advance(quote(1, 99.9, 100.1, message_id=str(n), ts_event=moment))
        assert bool(fills(reports)) is (n == first)
        if n == first:
            return


@pytest.mark.parametrize(("latency_ms", "price"), [(0, 100), (1, 103)])
def test_a_bar_that_had_begun_shows_a_late_order_nothing_but_its_close(latency_ms, price):
    venue = venue_with(order(), latency_ms=latency_ms)
    assert fills(bars(venue, {"close": 103.0}, start=2)) == [(NAME, 10, price)]


def test_a_limit_reached_before_the_order_came_does_not_trade():
    venue = venue_with(order(limit_price="95"), latency_ms=1)
    assert fills(bars(venue, {"low": 90.0}, {"low": 94.0}, start=2)) == [(NAME, 10, 95)]
    assert bars(venue_with(order(limit_price="95"), latency_ms=1), {"low": 90.0}, start=2) == []


def test_a_day_s_bar_is_whole_to_an_order_of_the_evening_before():
    """The clocks go forward in between: from close to close it is 23 hours."""
    evening = int(datetime(2008, 3, 7, 21, tzinfo=UTC).timestamp()) * SECOND
    next_close = int(datetime(2008, 3, 8, 20, tzinfo=UTC).timestamp()) * SECOND
    venue = venue_with(order(ts_event=evening))
    day = wide_bar(2, ts_event=next_close, bar_seconds=86_400, close=103.0)
    assert fills(venue.advance(day)) == [(NAME, 10, 100)]


# Fees.


@pytest.mark.parametrize(("limit", "fee"), [(None, "6.0000"), ("101", "6.0000"), ("95", "3.8000")])
def test_who_was_there_first_pays_the_makers_fee(limit, fee):
    more = {} if limit is None else {"limit_price": limit}
    venue = venue_with(order(**more), fee_bps=Decimal(60), maker_fee_bps=Decimal(40))
    (fill,) = bars(venue, {}, start=2)
    assert fill.fee == Decimal(fee)


def test_an_order_costs_its_least_fee_once():
    venue = venue_with(
        order(quantity=10), fee_bps=Decimal(1), min_fee=Decimal(1), participation=Decimal("0.006")
    )
    assert [fill.fee for fill in bars(venue, {}, {}, start=2)] == [1, Decimal("0.0400")]


# Hours and the day.


def at(text):
    return int(datetime.fromisoformat(text).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2008-11-26T14:29:59Z", False),
        ("2008-11-26T14:30:00Z", True),
        ("2008-11-26T20:59:59Z", True),
        ("2008-11-26T21:00:00Z", False),
        ("2008-11-27T16:00:00Z", False),
        ("2008-11-28T17:59:59Z", True),
        ("2008-11-28T18:00:00Z", False),
        ("2008-11-29T16:00:00Z", False),
    ],
)
def test_nothing_trades_outside_the_exchanges_hours(moment, is_open):
    """On the day after Thanksgiving New York closes at 13:00."""
    venue = venue_with(order(ts_event=at("2008-11-26T00:00:00Z")), **NEW_YORK)
    seen = quote(1, 99.9, 100.1, ts_event=at(moment))
    assert bool(fills(venue.advance(seen))) is is_open


def test_the_bar_that_ends_with_the_session_trades_and_the_one_after_does_not():
    for moment, trades in (("2008-11-26T21:00:00Z", True), ("2008-11-26T21:00:01Z", False)):
        venue = venue_with(order(ts_event=at("2008-11-26T20:00:00Z")), **NEW_YORK)
        assert bool(fills(venue.advance(wide_bar(1, ts_event=at(moment))))) is trades


def test_what_is_no_equity_trades_around_the_clock():
    venue = venue_with(order(instrument_id="BTC"), **NEW_YORK)
    saturday = wide_bar(2, instrument_id="BTC", ts_event=at("2008-11-29T03:00:00Z"))
    assert len(fills(venue.advance(saturday))) == 1


def test_a_lunch_break_is_closed_and_ends_no_session():
    tokyo = hours_of("XTKS")
    noon = at("2024-11-26T12:00:00+09:00")
    assert not tokyo.open_at(noon)
    assert tokyo.open_at(at("2024-11-26T11:29:59+09:00"))
    assert tokyo.open_at(at("2024-11-26T12:30:00+09:00"))
    assert tokyo.day_ends(noon) > noon


@pytest.mark.parametrize(
    ("placed", "last", "config"),
    [
        ("2008-11-26T15:00:00Z", "2008-11-26T21:00:00Z", NEW_YORK),
        ("2008-11-26T21:00:00Z", "2008-11-28T18:00:00Z", NEW_YORK),
        ("2008-11-26T21:00:00Z", "2008-11-27T00:00:00Z", {}),
        ("2008-11-26T00:00:00Z", "2008-11-27T00:00:00Z", {}),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_an_order_for_the_day_lives_until_its_session_is_over(placed, last, config, late):
    day = {"time_in_force": TimeInForce.DAY, "limit_price": "50"}
    venue = venue_with(order(ts_event=at(placed), **day), **config)
    end = wide_bar(2, ts_event=at(last) + late, low=50.0)
    expected = [(NAME, "expired")] if late else [(NAME, "filled", 10, 50)]
    assert told(venue.advance(end)) == expected
    assert told(venue.look_up(NAME))[-1] == expected[0]


def test_an_order_good_till_cancelled_outlives_the_session():
    venue = venue_with(order(ts_event=at("2008-11-26T15:00:00Z"), limit_price="50"), **NEW_YORK)
    later = wide_bar(2, ts_event=at("2009-01-05T16:00:00Z"), low=50.0)
    assert len(fills(venue.advance(later))) == 1


# Price, then time.


def test_orders_of_one_side_trade_by_price_then_time():
    limits = {1: "95", 2: "97", 3: "97", 4: "96"}
    venue = venue_with(
        *(order(n, 10, limit_price=limit) for n, limit in limits.items()),
        participation=Decimal("0.035"),
    )
    by_price = [order(n).client_order_id for n in (2, 3, 4, 1)]
    seen = fills(venue.advance(wide_bar(9)))
    assert [name for name, _, _ in seen] == by_price
    assert [size for _, size, _ in seen] == [10, 10, 10, 5]


def test_a_market_order_comes_before_limit_orders_that_were_there_first():
    venue = venue_with(order(1, limit_price="101"), order(2), participation=Decimal("0.015"))
    assert sizes(venue.advance(wide_bar(9))) == [10, 5]
    assert fills(venue.look_up(order(2).client_order_id))[0][1] == 10


# What it answers.


def test_an_order_is_looked_up_with_all_that_happened_to_it():
    venue = venue_with(order(), participation=Decimal("0.006"))
    assert [type(one) for one in venue.look_up(NAME)] == [VenueAccepted]
    bars(venue, {}, start=2)
    assert [type(one) for one in venue.look_up(NAME)] == [VenueAccepted, VenueFilled]
    venue.cancel(NAME)
    assert [type(one) for one in venue.look_up(NAME)] == [
        VenueAccepted,
        VenueFilled,
        VenueCanceled,
    ]


def test_an_order_that_never_came_is_not_known():
    assert venue_with().look_up("il-?") == [VenueNeverSeen(client_order_id="il-?")]


def test_orders_that_ended_long_ago_are_forgotten_but_never_unknown():
    venue = venue_with()
    for n in range(ENDED_ORDERS_KEPT + 1):
        venue.cancel(f"il-{n}")
    assert venue.look_up("il-0") == []
    assert len(venue.look_up("il-1")) == 1
    assert venue.cancel("il-0") == ()


def test_a_venue_that_is_asked_again_tells_what_exec_has_not_heard():
    venue = venue_with(order(1), order(2, limit_price="50"))
    heard = venue.open([], {}, set())
    assert heard.leaves == {order(n).client_order_id: 10 for n in (1, 2)}
    assert heard.news == []


# Its settings.


def test_the_section_of_a_desk_file_is_read():
    section = {
        "fee_bps": 60, "maker_fee_bps": 40, "min_fee": "0.35", "latency_ms": 50,
        "min_notional": 5, "hours": {"equity": "XNYS"},
    }  # fmt: skip
    config = msgspec.convert(section, PaperConfig, strict=False)
    assert config.hours == {InstrumentKind.EQUITY: "XNYS"}
    assert config.maker_fee_bps == 40


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"latency_ms": -1}, "latency_ms"),
        ({"min_fee": Decimal(-1)}, "min_fee"),
        ({"maker_fee_bps": Decimal("NaN")}, "maker_fee_bps"),
        ({"hours": {InstrumentKind.EQUITY: "NOWHERE"}}, "NOWHERE"),
    ],
)
def test_settings_that_mean_nothing_do_not_start(wrong, words):
    with pytest.raises(ValueError, match=words):
        PaperConfig(**wrong)


def test_each_setting_is_told_of_in_the_page_of_exec():
    page = (Path(__file__).parents[3] / "services" / "exec" / "README.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told_of = {name for row in rows for name in row.replace("`", "").replace(",", " ").split()}
    assert set(PaperConfig.__struct_fields__) <= told_of
