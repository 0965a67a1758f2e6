"""Prices of the market and of the order."""

from decimal import Decimal

import pytest
from interlock.testkit.cells import react
from interlock.testkit.decisions import (
    features,
    policy,
    quote,
    reconciled,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import SECOND, ids, tick

from tests.unit.gate.asking import (
    NO_AMOUNTS,
    NOW,
    codes,
    gate_cell,
    limit_order,
    priced,
)


@pytest.mark.parametrize("price", [*NO_AMOUNTS, None])
def test_a_limit_order_has_a_price_above_zero(price):
    found = codes(gate_cell(), limit_order(price))
    assert found[0] == "price.number"


def test_a_market_order_has_no_price():
    assert codes(gate_cell(), wanted(NOW, limit_price=Decimal(100))) == ["price.number"]


@pytest.mark.parametrize(
    ("price", "found"), [("100.01", []), ("100.011", ["price.tick"]), ("100.0100", [])]
)
def test_a_price_is_on_the_grid(price, found):
    assert codes(gate_cell(), limit_order(price)) == found


@pytest.mark.parametrize(
    ("price", "found"),
    [
        ("100.50", []),
        ("99.50", []),
        ("100.51", ["price.collar"]),
        ("99.49", ["price.collar"]),
        ("1000000000000000000", ["price.collar", "cash.power", "cash.day"]),
        ("0.01", ["price.collar"]),
    ],
)
def test_the_limit_price_stays_in_the_collar(price, found):
    assert codes(gate_cell(), limit_order(price)) == found


@pytest.mark.parametrize(
    ("price", "found"),
    [("100.5", []), ("100.50001", ["price.collar"])]
    + [(bad, ["price.collar"]) for bad in NO_AMOUNTS],
)
def test_the_price_the_strategy_saw_stays_in_the_collar(price, found):
    assert codes(gate_cell(), wanted(NOW, reference_price=Decimal(price))) == found


@pytest.mark.parametrize("close", [0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e300])
def test_i9_a_market_price_that_is_none_denies_at_once(close):
    cell = gate_cell()
    react(cell, priced(close=close, at=NOW + 1), 0)
    assert codes(cell, now=NOW + 1) == ["price.reference"]
    react(cell, priced(close=100.0, at=NOW + 2), 0)
    assert codes(cell, wanted(99, ts_market=NOW * SECOND), NOW + 2) == []


def test_i9_no_market_price_denies():
    cell = gate_cell(heard=False)
    for message in (trading(), reconciled(), policy(3), tick(NOW), features(NOW, 1.0)):
        react(cell, message, 0)
    assert codes(cell) == ["price.reference"]


@pytest.mark.parametrize(
    ("bid", "ask_price", "found"),
    [
        (99.9, 100.1, []),
        (100.0, 100.0, []),
        (100.1, 99.9, ["price.reference"]),
        (0.0, 200.0, ["price.reference"]),
        (float("nan"), 100.0, ["price.reference"]),
    ],
)
def test_the_middle_of_a_quote_is_the_price_unless_it_is_crossed(bid, ask_price, found):
    cell = gate_cell()
    react(cell, quote(NOW, bid, ask_price), 0)
    assert codes(cell) == found


@pytest.mark.parametrize(
    ("age", "found"), [(0, []), (10, []), (10.000001, ["price.stale"]), (-0.001, ["price.stale"])]
)
def test_the_market_price_is_at_most_ten_seconds_old_and_not_from_the_future(age, found):
    now = NOW + age
    assert codes(gate_cell(), wanted(NOW, ts_market=round(now * SECOND)), now) == found


def test_an_older_bar_does_not_replace_a_newer_price():
    cell = gate_cell()
    react(cell, priced(close=1.0, at=NOW - 1), 0)
    assert codes(cell) == []


# What a bucket asks of a market.


@pytest.mark.parametrize(
    ("name", "feature", "code", "limit", "good", "bad"),
    [
        ("min_adv_notional", "adv", "price.liquidity", 200_000, 200_000.0, 199_999.0),
        ("max_spread_bps", "spread_bps", "price.spread", 100, 100.0, 100.1),
    ],
)
def test_a_market_is_as_liquid_as_its_bucket_asks(name, feature, code, limit, good, bad):
    cell = gate_cell(bucket={name: Decimal(limit)})
    assert codes(cell) == [code], "what nobody measured is denied"
    values = [(bad, [code]), (float("nan"), [code]), (-1.0, [code]), (good, [])]
    for n, (value, found) in enumerate(values):
        react(cell, features(NOW, 1.0, **ids("seen", n), **{feature: value}), 0)
        assert codes(cell, wanted(n, ts_market=NOW * SECOND)) == found


@pytest.mark.parametrize(("least", "found"), [("100", []), ("100.01", ["price.lowest"])])
def test_a_price_is_no_lower_than_its_bucket_asks(least, found):
    assert codes(gate_cell(bucket={"min_price": Decimal(least)})) == found
