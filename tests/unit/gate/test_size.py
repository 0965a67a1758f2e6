"""How large one order may be."""

from decimal import Decimal

import pytest
from interlock.model.instrument import Instrument
from interlock.testkit.cells import react
from interlock.testkit.decisions import (
    wanted,
)

from tests.unit.gate.asking import (
    LIMITS,
    NO_AMOUNTS,
    NOW,
    codes,
    gate_cell,
    priced,
)


@pytest.mark.parametrize("quantity", NO_AMOUNTS)
def test_a_quantity_must_be_a_finite_number_above_zero(quantity):
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal(quantity))) == ["size.number"]


@pytest.mark.parametrize(
    "quantity", ["0.5", "1.5", "10.0000000000000000000000000000000000001", "1E-18"]
)
def test_a_quantity_must_be_whole_lots(quantity):
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal(quantity))) == ["size.lot"]


def test_a_lot_may_be_written_in_another_way():
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal("1E+1"))) == []
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal("10.00"))) == []


@pytest.mark.parametrize(("quantity", "found"), [(50, []), (51, ["size.quantity"])])
def test_an_order_has_a_largest_quantity(quantity, found):
    cell = gate_cell()
    react(cell, priced(close=1.0), 0)
    intent = wanted(NOW, quantity=Decimal(quantity), reference_price=Decimal(1))
    assert codes(cell, intent) == found


@pytest.mark.parametrize(("quantity", "found"), [(40, []), (41, ["size.notional"])])
def test_an_order_has_a_largest_notional(quantity, found):
    assert codes(gate_cell(), wanted(NOW, quantity=Decimal(quantity))) == found


def test_a_quantity_too_large_to_compute_with_is_denied_and_not_a_crash():
    found = codes(gate_cell(), wanted(NOW, quantity=Decimal("1E+18")))
    assert {"size.quantity", "size.notional", "position.notional"} <= set(found)
    tiny = Instrument(instrument_id="SPY", venue="paper", lot=Decimal("1E-12"))
    cell = gate_cell()
    cell.state.instruments["SPY"] = tiny
    assert "size.lot" in codes(cell, wanted(99, quantity=Decimal("1E+18")))


@pytest.mark.parametrize(("quantity", "found"), [(5, []), (4, ["size.minimum"])])
def test_an_order_has_a_least_notional(quantity, found):
    cell = gate_cell(default=LIMITS | {"min_order_notional": Decimal(500)})
    assert codes(cell, wanted(NOW, quantity=Decimal(quantity))) == found
