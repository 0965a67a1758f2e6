"""The arithmetic of fills: money is neither made nor lost by writing it down."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.position import Position, apply_fill
from interlock.model.values import ZERO, Side

CENT = Decimal("0.01")
FILLS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 5_000),
        st.integers(1, 1_000_000),
        st.integers(-100, 10_000),
    ),
    max_size=40,
)


def booked(fills):
    """Return the position after `fills` of (side, quantity, price in cents, fee in cents)."""
    position = Position(instrument_id="SPY")
    for side, quantity, cents, fee in fills:
        position = apply_fill(position, side, Decimal(quantity), cents * CENT, fee * CENT)
    return position


def cash_of(fills):
    return sum(
        (-side.sign * quantity * cents * CENT - fee * CENT for side, quantity, cents, fee in fills),
        ZERO,
    )


@given(FILLS, st.integers(1, 1_000_000))
def test_cash_and_the_positions_value_equal_realised_and_unrealised_profit(fills, mark):
    position, price = booked(fills), mark * CENT
    worth = cash_of(fills) + position.quantity * price
    assert abs(worth - position.realised_pnl - position.unrealised_pnl(price)) < Decimal("1e-9")


@given(FILLS)
def test_the_quantity_is_the_signed_sum_and_a_flat_position_costs_nothing(fills):
    position = booked(fills)
    assert position.quantity == sum(side.sign * quantity for side, quantity, _, _ in fills)
    assert (position.avg_px == 0) is (position.quantity == 0)
    if position.quantity == 0:
        assert abs(position.realised_pnl - cash_of(fills)) < Decimal("1e-9")


@given(FILLS)
def test_the_average_price_lies_between_prices_that_were_paid(fills):
    position = booked(fills)
    side = Side.BUY if position.quantity > 0 else Side.SELL
    paid = [cents * CENT for way, _, cents, _ in fills if way is side]
    if position.quantity:
        assert min(paid) - CENT <= position.avg_px <= max(paid) + CENT


@pytest.mark.parametrize(
    ("fills", "quantity", "avg_px", "realised"),
    [
        ([(Side.BUY, 10, 10_000, 0)], 10, 100, 0),
        ([(Side.BUY, 10, 10_000, 50)], 10, 100, "-0.5"),
        ([(Side.BUY, 10, 10_000, 0), (Side.BUY, 10, 11_000, 0)], 20, 105, 0),
        ([(Side.BUY, 10, 10_000, 0), (Side.SELL, 4, 11_000, 0)], 6, 100, 40),
        ([(Side.BUY, 10, 10_000, 0), (Side.SELL, 10, 11_000, 0)], 0, 0, 100),
        ([(Side.BUY, 10, 10_000, 0), (Side.SELL, 15, 11_000, 0)], -5, 110, 100),
        ([(Side.SELL, 10, 10_000, 0), (Side.SELL, 10, 9_000, 0)], -20, 95, 0),
        ([(Side.SELL, 10, 10_000, 0), (Side.BUY, 4, 9_000, 0)], -6, 100, 40),
        ([(Side.SELL, 10, 10_000, 0), (Side.BUY, 15, 11_000, 0)], 5, 110, -100),
    ],
)
def test_adding_averages_reducing_realises_and_crossing_zero_opens_anew(
    fills, quantity, avg_px, realised
):
    position = booked(fills)
    assert (position.quantity, position.avg_px) == (quantity, avg_px)
    assert position.realised_pnl == Decimal(realised)


def test_a_short_gains_when_the_price_falls():
    position = booked([(Side.SELL, 10, 10_000, 0)])
    assert position.unrealised_pnl(Decimal(90)) == 100
