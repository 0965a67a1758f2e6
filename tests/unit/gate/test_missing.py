"""What is missing denies."""

from decimal import Decimal

import pytest
from interlock.gate.app import build
from interlock.gate.config import GateConfig, InstrumentLimits
from interlock.model.values import OrderType, Side
from interlock.runtime.config import ConfigError
from interlock.testkit.cells import cell_of
from interlock.testkit.decisions import (
    INSTRUMENTS,
    desk,
    wanted,
)
from msgspec.structs import replace

from tests.unit.gate.asking import (
    LIMITS,
    NOW,
    SIGNER,
    AwayStore,
    answers,
    codes,
    gate_cell,
    rules_of,
)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max_order_quantity", "size.quantity"),
        ("max_order_notional", "size.notional"),
        ("min_order_notional", "size.minimum"),
        ("max_position_notional", "position.notional"),
    ],
)
def test_i9_a_limit_of_an_instrument_that_is_not_set_denies(name, code):
    cell = gate_cell(default={key: value for key, value in LIMITS.items() if key != name})
    assert codes(cell) == [code]


OF_THE_DESK = {
    "max_gross_notional": "position.gross",
    "max_gross_pct": "position.gross_share",
    "max_net_pct": "position.net_share",
    "max_sector_pct": "position.sector",
    "collar_bps": "price.collar",
    "max_reference_age_seconds": "price.stale",
    "max_intent_age_seconds": "age.intent",
    "max_features_age_seconds": "age.features",
    "max_orders_per_second": "rate.second",
    "max_orders_per_minute": "rate.minute",
    "halt_orders_per_minute": "rate.runaway",
    "max_entries_without_person": "repeat.entries",
    "max_daily_loss_pct": "loss.day",
    "max_weekly_loss_pct": "loss.week",
    "max_drawdown_5d_pct": "loss.drawdown",
    "max_consecutive_losses": "loss.in_row",
    "min_cash": "cash.power",
    "fee_bps": "cash.power",
    "max_day_notional": "cash.day",
    "cooldown_seconds": "state.cooldown",
    "allowed_kinds": "permission.kind",
    "sides": "permission.side",
    "session": "permission.session",
}


@pytest.mark.parametrize(("name", "code"), OF_THE_DESK.items())
def test_i9_a_limit_of_the_desk_that_is_not_set_denies_and_trips_nothing(name, code):
    (verdict,) = answers(gate_cell(**{name: None}), wanted(NOW))
    assert [failure.code for failure in verdict.failures] == [code]


def test_i9_every_limit_that_may_be_left_out_is_in_the_list_above():
    optional = {
        name for name in GateConfig.__struct_fields__ if getattr(GateConfig(), name) is None
    }
    assert optional == OF_THE_DESK.keys() | {"edge"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("max_gross_pct", "position.bucket"),
        ("max_name_pct", "position.name"),
        ("max_order_pct", "size.share"),
    ],
)
def test_i9_a_limit_of_a_bucket_that_is_not_set_denies(name, code):
    assert codes(gate_cell(bucket={name: None})) == [code]


@pytest.mark.parametrize("more", [{"bucket": ""}, {"bucket": "penny"}, {"sector": ""}])
def test_i9_an_instrument_without_a_configured_bucket_or_a_sector_is_denied(more):
    spy = replace(INSTRUMENTS[0], **more)
    assert codes(gate_cell(of={"instruments": (spy,)})) == ["permission.group"]


def test_i9_limits_of_an_instrument_replace_the_default_and_inherit_nothing():
    only = InstrumentLimits(max_order_quantity=Decimal(5))
    cell = gate_cell(limits={"SPY": only})
    assert codes(cell) == ["size.quantity", "size.notional", "size.minimum", "position.notional"]


def test_i9_a_gate_that_knows_nothing_denies_with_everything_it_misses():
    cell = cell_of(build(desk(), GateConfig(), "", rules_of(AwayStore()), SIGNER))
    assert codes(cell) == [
        "state.trading",
        "state.reconciled",
        "state.policy_store",
        "state.cooldown",
        "version.policy",
        "permission.group",
        "permission.kind",
        "permission.side",
        "permission.session",
        "size.quantity",
        "size.notional",
        "size.minimum",
        "price.reference",
        "price.stale",
        "price.collar",
        "position.notional",
        "position.gross",
        "rate.second",
        "rate.minute",
        "rate.runaway",
        "repeat.entries",
        "loss.account",
        "loss.day",
        "loss.week",
        "loss.drawdown",
        "loss.in_row",
        "cash.power",
        "cash.day",
        "age.intent",
        "age.features",
    ]


def test_all_that_is_wrong_is_listed_together():
    intent = wanted(
        NOW,
        account="other",
        side=Side.SELL,
        quantity=Decimal("60.5"),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("102.001"),
        policy_version=9,
        ts_market=0,
    )
    assert codes(gate_cell(), intent) == [
        "version.policy",
        "permission.account",
        "permission.short",
        "size.lot",
        "size.quantity",
        "size.notional",
        "price.tick",
        "price.collar",
        "position.notional",
        "age.intent",
    ]


@pytest.mark.parametrize("name", ["GOOGL", "TSLA", "goog"])
def test_limits_for_a_name_that_is_no_instruments_own_do_not_start(name):
    with pytest.raises(ConfigError, match=name):
        gate_cell(limits={name: InstrumentLimits(**LIMITS)})


AMOUNTS = [*(LIMITS.keys() - {"min_order_notional"}), "max_gross_notional", "collar_bps"]


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    "name", [*sorted(LIMITS.keys() - {"min_order_notional"}), "max_gross_notional", "collar_bps"]
)
def test_a_limit_that_is_no_amount_does_not_start(name, value):
    kind = InstrumentLimits if name in LIMITS else GateConfig
    with pytest.raises(ValueError, match=name):
        kind(**{name: Decimal(value)})
