"""Shares of the day's first equity, other kinds of instrument, other currencies."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.gate.config import BucketLimits
from interlock.model.instrument import Instrument
from interlock.model.values import InstrumentKind, Side
from interlock.testkit.cells import react
from interlock.testkit.decisions import INSTRUMENTS, features, policy, trading, wanted
from interlock.testkit.desk_messages import DAY, SECOND, tick
from interlock.wire.orders import SubmitOrder
from interlock.wire.parameters import BUCKET_CAP_PREFIX, MAX_POSITION
from msgspec.structs import replace

from tests.unit.gate.asking import (
    BUCKET,
    NOW,
    ask,
    codes,
    failure_of,
    gate_cell,
    held,
    priced,
    working,
)


def pct(value):
    return Decimal(value)


# The equity is 30,000, so ten SPY at 100 are 1,000, and 3 1/3 percent of it.


@pytest.mark.parametrize(
    ("name", "code"),
    [("max_gross_pct", "position.bucket"), ("max_name_pct", "position.name")],
)
@pytest.mark.parametrize(("quantity", "fails"), [(10, False), (11, True)])
def test_a_bucket_and_a_name_have_their_share_of_equity(name, code, quantity, fails):
    cell = held(gate_cell(bucket={name: pct(10)}), 10)
    working(cell, 1, 10)
    asked = wanted(11, quantity=Decimal(quantity), ts_market=NOW * SECOND)
    assert codes(cell, asked) == ([code] if fails else [])


@pytest.mark.parametrize(("quantity", "fails"), [(30, False), (31, True)])
def test_an_order_has_its_share_of_equity(quantity, fails):
    cell = gate_cell(bucket={"max_order_pct": pct(10)})
    assert codes(cell, wanted(NOW, quantity=Decimal(quantity))) == (["size.share"] if fails else [])


def test_the_names_of_a_bucket_share_it_and_those_of_another_do_not():
    penny = BucketLimits(**BUCKET | {"max_gross_pct": pct(10)})
    spy, goog = INSTRUMENTS
    apart = (spy, replace(goog, bucket="penny"))
    cell = held(gate_cell(bucket={"max_gross_pct": pct(10)}), 25, "GOOG")
    assert codes(cell) == ["position.bucket"]
    core = BucketLimits(**BUCKET | {"max_gross_pct": pct(10)})
    cell = held(
        gate_cell(of={"instruments": apart}, buckets={"core": core, "penny": penny}), 25, "GOOG"
    )
    assert codes(cell) == []
    assert codes(cell, wanted(1, instrument_id="GOOGL", ts_market=NOW * SECOND)) == [
        "position.bucket"
    ]


@pytest.mark.parametrize(("quantity", "fails"), [(10, False), (11, True)])
def test_the_names_of_a_sector_share_its_part_over_buckets(quantity, fails):
    spy, goog = INSTRUMENTS
    same = (spy, replace(goog, sector=spy.sector))
    cell = held(gate_cell(of={"instruments": same}, max_sector_pct=pct(10)), 20, "GOOG")
    found = codes(cell, wanted(NOW, quantity=Decimal(quantity)))
    assert found == (["position.sector"] if fails else [])
    assert codes(held(gate_cell(max_sector_pct=pct(10)), 20, "GOOG"), wanted(NOW)) == []


def test_gross_adds_long_and_short_and_net_sets_them_off():
    short = {"allow_short": True, "max_gross_pct": pct(10)}
    cell = held(gate_cell(**short), -25, "GOOG")
    assert failure_of(cell) == ("position.gross_share", "3500.0", "3000")
    net = {"allow_short": True, "max_net_pct": pct(10)}
    cell = held(gate_cell(**net), -25, "GOOG")
    assert codes(cell, wanted(1, quantity=Decimal(40), ts_market=NOW * SECOND)) == []
    cell = held(gate_cell(**net), 25, "GOOG")
    assert codes(cell) == ["position.net_share"]
    cell = held(gate_cell(**net), -25, "GOOG")
    assert codes(cell, wanted(NOW, side=Side.SELL)) == ["position.net_share"]


def test_the_share_is_of_the_days_first_equity_and_not_of_the_moments():
    cell = gate_cell(bucket={"max_gross_pct": pct(10)}, max_daily_loss_pct=pct(90))
    held(cell, 20)
    react(cell, priced("SPY", 110.0), 0)
    assert codes(cell, wanted(1, quantity=Decimal(7), reference_price=Decimal(110),
                              ts_market=NOW * SECOND)) == []  # fmt: skip
    react(cell, tick(1, ts_event=NOW * SECOND), 0)
    react(cell, tick(2, ts_event=NOW * SECOND + DAY), 0)
    assert cell.state.caps.buckets["core"].gross == Decimal(3020)


# What policy and the stage leave of it.


@pytest.mark.parametrize(
    ("cap", "scales", "gross", "order"),
    [
        (None, {}, 3_000, 1_500),
        (5.0, {}, 1_500, 1_500),
        (50.0, {}, 3_000, 1_500),
        (None, {"core": 0.25}, 750, 375),
        (5.0, {"core": 0.5}, 750, 750),
        (None, {"core": 4.0}, 3_000, 1_500),
        (None, {"core": 0.0}, 0, 0),
        (None, {"core": -1.0}, 0, 0),
        (None, {"core": float("nan")}, 0, 0),
        (float("nan"), {}, 0, 1_500),
        (-1.0, {}, 0, 1_500),
        (None, {"penny": 0.1}, 3_000, 1_500),
    ],
)
def test_policy_and_stage_tighten_a_bucket_and_never_loosen_it(cap, scales, gross, order):
    rules = policy(3, cap, BUCKET_CAP_PREFIX + "core")
    cell = gate_cell(
        bucket={"max_gross_pct": pct(10), "max_order_pct": pct(5)},
        rules=rules, standing=replace(trading(), cap_scales=scales),
    )  # fmt: skip
    caps = cell.state.caps.buckets["core"]
    assert (caps.gross, caps.order) == (gross, order)


@pytest.mark.parametrize(
    ("pct_of_equity", "scale", "name"),
    [
        (None, 1.0, 3_000),
        (5.0, 1.0, 1_500),
        (50.0, 1.0, 3_000),
        (5.0, 0.5, 750),
        (0.0, 1.0, 0),
        (-1.0, 1.0, 0),
        (float("nan"), 1.0, 0),
    ],
)
def test_policy_tightens_what_one_name_may_come_to_and_never_loosens_it(pct_of_equity, scale, name):
    cell = gate_cell(
        bucket={"max_name_pct": pct(10)}, rules=policy(3, pct_of_equity, MAX_POSITION),
        standing=replace(trading(), cap_scales={"core": scale}),
    )  # fmt: skip
    assert cell.state.caps.buckets["core"].name == name


def test_a_share_that_is_not_configured_is_missing_whatever_policy_says():
    for name, code in ((BUCKET_CAP_PREFIX + "core", "position.bucket"),
                       (MAX_POSITION, "position.name")):  # fmt: skip
        missing = {"max_gross_pct": None, "max_name_pct": None}
        assert code in codes(gate_cell(bucket=missing, rules=policy(3, 50.0, name)))


# Other kinds, other currencies.

CALL = Instrument(
    instrument_id="SPY-C", venue="paper", kind=InstrumentKind.OPTION, bucket="core",
    sector="index", multiplier=Decimal(100), underlying="SPY",
)  # fmt: skip
OPTIONS = {
    "of": {"instruments": (INSTRUMENTS[0], CALL)},
    "allowed_kinds": (InstrumentKind.EQUITY, InstrumentKind.OPTION),
    "allow_options": True,
}


def option_cell(delta=0.5, premium=2.0, **more):
    cell = gate_cell(**OPTIONS | more)
    react(cell, priced("SPY-C", premium), 0)
    if delta is not None:
        react(cell, features(NOW, 1.0, "SPY-C", delta=delta), 0)
    return cell


def option(n=NOW, **more):
    fields = {"instrument_id": "SPY-C", "quantity": Decimal(1), "reference_price": Decimal(2)}
    return wanted(n, **fields | more)


@pytest.mark.parametrize(
    ("delta", "premium", "notional"), [(0.4, 2.0, 4_000), (-0.4, 2.0, 4_000), (0.0, 30.0, 3_000)]
)
def test_an_option_counts_by_its_delta_and_never_less_than_its_premium(delta, premium, notional):
    cell = option_cell(delta, premium)
    intent = option(reference_price=Decimal(str(premium)))
    assert isinstance(ask(cell, intent), SubmitOrder)
    line = cell.state.book.exposures.lines["SPY-C"]
    assert line.gross == notional
    assert (line.high < 0 or line.low < 0) is (delta < 0)


def test_an_option_and_its_underlying_are_one_exposure():
    cell = option_cell(0.4, max_sector_pct=pct(15))
    assert codes(cell, option(1, ts_market=NOW * SECOND)) == []
    assert codes(cell, wanted(2, ts_market=NOW * SECOND)) == ["position.sector"]


@pytest.mark.parametrize("delta", [None, 1.01, -50.0, float("nan"), float("inf")])
def test_i9_an_option_without_a_delta_is_denied(delta):
    assert codes(option_cell(delta), option()) == ["position.delta"]


def test_i9_an_option_whose_underlying_has_no_price_is_denied():
    cell = option_cell()
    react(cell, priced("SPY", float("nan")), 0)
    assert codes(cell, option()) == ["position.delta"]


EURO = Instrument(
    instrument_id="SAP", venue="paper", currency="EUR", bucket="core", sector="technology"
)
PAIR = Instrument(
    instrument_id="EUR/USD", venue="paper", kind=InstrumentKind.FX, bucket="core", sector="fx"
)


def euro_cell(**more):
    cell = gate_cell(of={"instruments": (EURO, PAIR)}, **more)
    react(cell, priced("EUR/USD", 1.25), 0)
    return cell


def in_euro(n=NOW, **more):
    return wanted(n, **{"instrument_id": "SAP", "currency": "EUR", **more})


@pytest.mark.parametrize(("quantity", "fails"), [(32, False), (33, True)])
def test_a_limit_holds_in_the_accounts_currency(quantity, fails):
    found = codes(euro_cell(), in_euro(quantity=Decimal(quantity)))
    assert found == (["size.notional"] if fails else [])


def test_a_rate_that_moves_moves_the_exposure():
    cell = held(euro_cell(), 30, "SAP")
    assert cell.state.book.exposures.gross == 3_750
    react(cell, priced("EUR/USD", 1.5, NOW + 1), 0)
    assert cell.state.book.exposures.gross == 4_500
    assert cell.state.book.equity == 30_000 + 750


@pytest.mark.parametrize("currency", ["", "USD", "eur"])
def test_an_intent_in_another_currency_is_denied(currency):
    assert codes(euro_cell(), in_euro(currency=currency)) == ["position.currency"]


def test_i9_without_a_fresh_rate_another_currency_is_denied():
    cell = gate_cell(of={"instruments": (EURO,)})
    assert codes(cell, in_euro()) == ["position.currency"]
    old = euro_cell()
    react(old, priced("SAP", 100.0, NOW + 11), 0)
    assert codes(old, in_euro(NOW + 11), NOW + 11) == ["position.currency"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["SPY", "GOOG", "GOOGL", "GOOG.O"]),
        st.sampled_from(Side),
        st.integers(1, 40),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_i4_no_prefix_of_orders_and_fills_is_above_any_share(steps):
    """Shares of 10, 15 and 20 percent of 30,000; an alias splits none of them."""
    cell = gate_cell(
        bucket={"max_gross_pct": pct(20), "max_name_pct": pct(15)}, max_sector_pct=pct(10),
        max_net_pct=pct(15), allow_short=True,
    )  # fmt: skip
    for n, (name, side, quantity, fills) in enumerate(steps):
        asked = wanted(n, instrument_id=name, side=side, quantity=Decimal(quantity),
                       ts_market=NOW * SECOND)  # fmt: skip
        verdict = ask(cell, asked)
        if isinstance(verdict, SubmitOrder) and fills:
            held(cell, quantity * side.sign, verdict.instrument_id, n,
                 client_order_id=verdict.client_order_id)  # fmt: skip
        sums = cell.state.book.exposures
        assert sums.gross <= 6_000
        assert max(sums.sectors.values(), default=0) <= 3_000
        assert max(line.gross for line in sums.lines.values()) <= 4_500
        assert max(sums.high, -sums.low) <= 4_500
