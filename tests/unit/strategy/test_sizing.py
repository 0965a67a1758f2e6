"""How large an entry is: the formula, each cap on both sides of where it binds, and the stage."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.instrument import Instrument
from interlock.model.values import InstrumentKind
from interlock.strategy.ensemble.config import BucketRules
from interlock.strategy.ensemble.sizing import (
    fraction_of,
    limits_of,
    quantity_within,
    unit_value,
)

WIDE = BucketRules(cap_pct=Decimal(90), name_pct=Decimal(90))
CORE = BucketRules(cap_pct=Decimal(90), name_pct=Decimal("1.5"))
SHARE = Instrument(instrument_id="SPY", venue="paper")
OPTION = Instrument(
    instrument_id="CALL",
    venue="paper",
    kind=InstrumentKind.OPTION,
    multiplier=Decimal(100),
    underlying="SPY",
)
ONE = Decimal(1)


def size(score, rules=WIDE, halved=False, scale=None, **parameters):
    named = {name.replace("__", "."): value for name, value in parameters.items()}
    return fraction_of(score, limits_of("core", rules, named, scale), halved=halved)


@pytest.mark.parametrize(
    ("score", "fraction"),
    [(1.0, "0.9"), (0.67, "0.306"), (0.75, "0.45"), (0.5, "0"), (0.33, "0.306"), (0.0, "0.9")],
)
def test_s3_3_the_size_is_the_bucket_times_twice_the_distance_from_undecided(score, fraction):
    assert size(score) == Decimal(fraction)


def test_s3_5_one_name_comes_to_its_cap_at_most():
    assert size(1.0, CORE) == Decimal("0.015")
    assert size(0.508, CORE) == Decimal("0.0144")
    assert size(0.509, CORE) == Decimal("0.015")


@pytest.mark.parametrize(
    ("bucket", "name_pct", "cap_pct"), [("penny", "0.4", "2"), ("fno", "0.7", "5")]
)
def test_s3_5_the_caps_of_the_small_buckets(bucket, name_pct, cap_pct):
    rules = BucketRules(cap_pct=Decimal(cap_pct), name_pct=Decimal(name_pct))
    limits = limits_of(bucket, rules, {}, None)
    assert fraction_of(1.0, limits, halved=False) == Decimal(name_pct) / 100
    assert limits.bucket == Decimal(cap_pct) / 100


def test_one_order_comes_to_its_cap_at_most():
    rules = BucketRules(cap_pct=Decimal(90), name_pct=Decimal(2), order_pct=Decimal(1))
    assert size(1.0, rules) == Decimal("0.01")


def test_s3_8_sizes_are_halved_before_the_caps_are_asked():
    assert size(0.75, halved=True) == Decimal("0.225")
    assert size(1.0, CORE, halved=True) == Decimal("0.015")


def test_policy_tightens_a_bucket_and_a_name_and_loosens_neither():
    assert size(1.0, bucket_cap_pct__core=40.0) == Decimal("0.4")
    assert size(1.0, bucket_cap_pct__core=95.0) == Decimal("0.9")
    assert size(1.0, bucket_cap_pct__penny=1.0) == Decimal("0.9")
    assert size(1.0, CORE, max_position_pct=1.0) == Decimal("0.01")
    assert size(1.0, CORE, max_position_pct=2.0) == Decimal("0.015")
    assert size(1.0, CORE, max_position_pct=0.0) == 0


@pytest.mark.parametrize(
    ("scale", "fraction"), [(None, "0.015"), (1.0, "0.015"), (0.25, "0.00375"), (0.0, "0")]
)
def test_s3_9_the_stage_leaves_its_share_of_every_cap(scale, fraction):
    assert size(1.0, CORE, scale=scale) == Decimal(fraction)
    limits = limits_of("core", CORE, {}, scale)
    assert limits.bucket == Decimal(fraction) * 60


def test_a_stage_cannot_enlarge_a_cap():
    assert size(1.0, CORE, scale=3.0) == Decimal("0.015")


@pytest.mark.parametrize(
    ("notional", "quantity"), [("100", 1), ("99.99", 0), ("250", 2), ("0", 0), ("-5", 0)]
)
def test_only_whole_lots_are_paid_for(notional, quantity):
    assert quantity_within(SHARE, Decimal(notional), Decimal(100)) == quantity


def test_an_option_counts_by_its_delta_and_never_less_than_its_price():
    assert unit_value(OPTION, 3.0, ONE, 0.5, 100.0) == 5_000
    assert unit_value(OPTION, 3.0, ONE, -0.5, 100.0) == 5_000
    assert unit_value(OPTION, 3.0, ONE, 0.001, 100.0) == 300


@pytest.mark.parametrize(("delta", "underlying"), [(None, 100.0), (0.5, None), (1.1, 100.0)])
def test_an_option_without_a_delta_or_an_underlying_has_no_value(delta, underlying):
    assert unit_value(OPTION, 3.0, ONE, delta, underlying) is None


def test_another_currency_counts_by_its_rate():
    assert unit_value(SHARE, 100.0, Decimal("0.75")) == 75


amounts = st.decimals("0.01", "100", places=2)
scores = st.floats(0, 1)


@given(scores, amounts, amounts, amounts, st.none() | st.floats(-1, 2), st.booleans(),
       st.floats(0, 200), st.floats(0, 200))  # fmt: skip
def test_a_size_is_never_above_any_cap(
    score, cap, name, order, scale, halved, bucket_pct, name_pct
):
    rules = BucketRules(cap_pct=cap, name_pct=name, order_pct=order)
    parameters = {"bucket_cap_pct.core": bucket_pct, "max_position_pct": name_pct}
    found = fraction_of(score, limits_of("core", rules, parameters, scale), halved=halved)
    left = ONE if scale is None else min(max(Decimal(repr(scale)), Decimal(0)), ONE)
    for pct in (cap, name, order, Decimal(repr(bucket_pct)), Decimal(repr(name_pct))):
        assert 0 <= found <= left * pct / 100


@given(st.decimals("0", "1000000", places=3), st.decimals("0.0001", "5000", places=4),
       st.sampled_from(["1", "0.01", "0.00001", "100"]))  # fmt: skip
def test_lots_never_cost_more_than_there_is(notional, unit, lot):
    instrument = Instrument(instrument_id="X", venue="paper", lot=Decimal(lot))
    quantity = quantity_within(instrument, notional, unit)
    assert 0 <= quantity * unit <= notional
    assert quantity % instrument.lot == 0
