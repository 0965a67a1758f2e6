"""Ids, instruments and amounts: no two things share a name, and no number is taken on trust."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.ids import client_order_id, derive_id
from interlock.model.instrument import Instrument, on_step
from interlock.model.values import (
    TradingMode,
    require_finite,
    require_finite_float,
    require_not_negative,
    require_positive,
)
from interlock.testkit.decisions import desk

PARTS = st.lists(st.text(alphabet=st.sampled_from("ab0\x1b\x1f")), max_size=4)


def test_an_id_is_the_same_for_ever():
    assert derive_id("order.intent.v1", "SPY", 7) == "16e48f76639460010b5bfeb6d04a7d8c"


@given(PARTS, PARTS)
def test_different_parts_make_different_ids(one, other):
    # No part and one empty part are both the empty text: nothing has an id made of nothing.
    same = (one or [""]) == (other or [""])
    assert (derive_id(*one) == derive_id(*other)) is same


@given(st.lists(st.text(), max_size=3))
def test_a_venue_facing_id_fits_every_venue(parts):
    name = client_order_id(derive_id(*parts))
    assert len(name) <= 36
    assert name.isascii()


SPY = Instrument(instrument_id="SPY", venue="paper", tick=Decimal("0.05"), lot=Decimal("0.1"))


@given(st.decimals(0, 10**9, places=4))
def test_rounding_never_enlarges_an_order(value):
    quantity = SPY.quantity(value)
    assert 0 <= value - quantity < SPY.lot
    assert on_step(quantity, SPY.lot)


@given(st.decimals(0, 10**9, places=4))
def test_a_price_goes_to_the_nearest_tick(value):
    price = SPY.price(value)
    assert abs(price - value) <= SPY.tick / 2
    assert on_step(price, SPY.tick)


@pytest.mark.parametrize(
    ("value", "step", "whole"),
    [
        ("10", "1", True),
        ("1E+1", "1", True),
        ("0.3", "0.1", True),
        ("0.35", "0.1", False),
        ("1E-9", "1", False),
        ("1E+40", "1", False),
        ("9E+99999", "0.01", False),
        ("0", "1", True),
    ],
)
def test_whole_steps_are_counted_or_are_none(value, step, whole):
    assert on_step(Decimal(value), Decimal(step)) is whole


BAD = ["NaN", "sNaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("value", [*BAD, "0", "-0", "-1"])
def test_what_must_be_positive_is_finite_and_above_zero(value):
    with pytest.raises(ValueError, match="size must be finite and above zero"):
        require_positive("size", Decimal(value))


@pytest.mark.parametrize("value", [*BAD, "-1"])
def test_what_must_not_be_negative_is_finite(value):
    with pytest.raises(ValueError, match="fee must be finite and not negative"):
        require_not_negative("fee", Decimal(value))


@pytest.mark.parametrize("value", BAD)
def test_what_must_be_finite_is_so_in_both_kinds_of_number(value):
    with pytest.raises(ValueError, match="must be finite"):
        require_finite("pnl", Decimal(value))
    with pytest.raises(ValueError, match="must be finite"):
        require_finite_float("close", float(value.removeprefix("s")))


def test_an_instrument_is_found_by_its_id_and_by_its_aliases():
    known = desk()
    assert known.instrument("GOOGL") is known.instrument("GOOG")
    assert known.instrument("TSLA") is None
    assert known.instrument("goog") is None


@pytest.mark.parametrize(
    "second",
    [
        {"instrument_id": "SPY"},
        {"instrument_id": "QQQ", "aliases": ("SPY",)},
        {"instrument_id": "QQQ", "aliases": ("SPDR",)},
        {"instrument_id": "QQQ", "aliases": ("QQQ",)},
        {"instrument_id": "spy"},
        {"instrument_id": "S-PY"},
        {"instrument_id": "QQQ", "aliases": ("S/P Y",)},
        {"instrument_id": "\uff33PY"},
    ],
)
def test_a_name_that_would_split_a_limit_does_not_start(second):
    first = Instrument(instrument_id="SPY", venue="paper", aliases=("SPDR",))
    with pytest.raises(ValueError, match="names more than one instrument"):
        desk(instruments=(first, Instrument(venue="paper", **second)))


@pytest.mark.parametrize("step", ["0", "-1", "NaN", "Infinity"])
@pytest.mark.parametrize("name", ["tick", "lot"])
def test_a_step_that_is_none_does_not_start(name, step):
    with pytest.raises(ValueError, match=name):
        Instrument(instrument_id="SPY", venue="paper", **{name: Decimal(step)})


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"mode": TradingMode.LIVE}, "live_allowed"),
        ({"equity_usd": Decimal(0)}, "equity_usd"),
        ({"equity_usd": Decimal("NaN")}, "equity_usd"),
        ({"cadence_seconds": 0}, "cadence_seconds"),
    ],
)
def test_a_desk_that_makes_no_sense_does_not_start(change, problem):
    with pytest.raises(ValueError, match=problem):
        desk(**change)


def test_live_needs_to_be_allowed():
    assert desk(mode=TradingMode.LIVE, live_allowed=True).mode is TradingMode.LIVE
    assert desk().mode is TradingMode.DEMO
