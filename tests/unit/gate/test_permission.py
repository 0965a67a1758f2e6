"""Who may trade what, where and when."""

from decimal import Decimal

import pytest
from interlock.model.values import Side
from interlock.testkit.decisions import (
    wanted,
)
from interlock.testkit.desk_messages import SECOND

from tests.unit.gate.asking import (
    NOW,
    codes,
    gate_cell,
    held,
    limit_order,
    working,
)


@pytest.mark.parametrize("other", [{"account": "live-1"}, {"venue": "alpaca"}, {"desk": "crypto"}])
def test_another_account_venue_or_desk_is_denied(other):
    # The store is asked about the desk that the intent names.
    found = codes(gate_cell(), wanted(NOW, **other))
    assert [code for code in found if code != "state.policy_store"] == ["permission.account"]


def test_an_instrument_the_desk_does_not_trade_is_denied():
    found = codes(gate_cell(), wanted(NOW, instrument_id="TSLA"))
    assert found[0] == "permission.instrument"
    assert "price.reference" in found


@pytest.mark.parametrize(("quantity", "found"), [(10, []), (11, ["permission.short"])])
def test_selling_more_than_is_held_is_a_short(quantity, found):
    cell = held(gate_cell(), 10)
    assert codes(cell, wanted(NOW, side=Side.SELL, quantity=Decimal(quantity))) == found


def test_working_sales_count_towards_a_short_and_working_purchases_do_not():
    cell = held(gate_cell(), 10)
    working(cell, 1, 4, Side.SELL)
    working(cell, 2, 40, Side.BUY, limit_price=Decimal(99))
    asked = {"side": Side.SELL, "ts_market": NOW * SECOND}
    assert codes(cell, limit_order(100, 11, quantity=Decimal(6), **asked)) == []
    assert codes(cell, limit_order(100, 12, quantity=Decimal(1), **asked)) == ["permission.short"]


def test_a_desk_that_may_short_may():
    assert codes(gate_cell(allow_short=True), wanted(NOW, side=Side.SELL)) == []
