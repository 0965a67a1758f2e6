"""The table of controls, and what the section of a desk file may say."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.gate.config import BucketLimits, EdgeLimits, GateConfig, InstrumentLimits
from interlock.gate.controls.control import Level
from interlock.gate.controls.table import BY_CODE, CONTROLS
from interlock.runtime.config import load_desk_file

HERE = Path(__file__).parent
DESKS = sorted((HERE.parents[2] / "deploy" / "desks").glob("*.toml"))
EDGE = {"min_p_win": 0.5, "min_reward_risk": 1.0, "min_expected_value_pct": 0.0}


def test_every_control_has_its_own_code_and_a_test_that_names_it():
    assert len(BY_CODE) == len(CONTROLS)
    texts = "".join(path.read_text(encoding="utf-8") for path in sorted(HERE.glob("test_*.py")))
    assert [code for code in BY_CODE if f'"{code}"' not in texts] == []


def test_every_control_says_what_it_is_in_what_unit_and_from_where():
    for control in CONTROLS:
        family, _, name = control.code.partition(".")
        assert family
        assert name
        assert control.definition
        assert control.unit
        assert control.source


def test_what_goes_beyond_a_denial_binds_no_order_that_reduces():
    beyond = {control.code: control.level for control in CONTROLS if control.level != Level.DENY}
    assert beyond == {
        "version.skew": Level.HALT,
        "rate.runaway": Level.HALT,
        "repeat.entries": Level.DISABLE,
        "loss.day": Level.REDUCE,
        "loss.week": Level.REDUCE,
        "loss.drawdown": Level.REDUCE,
        "loss.in_row": Level.REDUCE,
    }
    assert not any(BY_CODE[code].binds_reducing for code in beyond)


@pytest.mark.parametrize("path", DESKS, ids=lambda path: path.stem)
def test_a_shipped_desk_leaves_no_limit_out(path):
    file = load_desk_file(path, {})
    config = file.section("gate", GateConfig)
    missing = {name for name in config.__struct_fields__ if getattr(config, name) is None}
    assert missing <= {"edge"}
    for limits in (config.default_limits, *config.limits.values()):
        assert None not in [getattr(limits, name) for name in limits.__struct_fields__]
    for one in file.desk.instruments:
        bucket = config.buckets[one.bucket]
        assert one.sector
        assert None not in (bucket.max_gross_pct, bucket.max_name_pct, bucket.max_order_pct)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (GateConfig, "max_daily_loss_pct", "100.01"),
        (GateConfig, "max_weekly_loss_pct", "500"),
        (GateConfig, "max_drawdown_5d_pct", "800"),
        (GateConfig, "max_gross_pct", "2500"),
        (GateConfig, "max_net_pct", "1001"),
        (GateConfig, "max_sector_pct", "3500"),
        (GateConfig, "collar_bps", "10001"),
        (GateConfig, "fee_bps", "10001"),
        (GateConfig, "fee_bps", "-1"),
        (GateConfig, "min_cash", "NaN"),
        (GateConfig, "min_cash", "-1"),
        (GateConfig, "max_day_notional", "0"),
        (GateConfig, "max_daily_loss_pct", "0"),
        (GateConfig, "max_daily_loss_pct", "-2"),
        (GateConfig, "max_daily_loss_pct", "Infinity"),
        (BucketLimits, "max_gross_pct", "NaN"),
        (BucketLimits, "max_name_pct", "1500"),
        (BucketLimits, "max_order_pct", "-1"),
        (BucketLimits, "max_spread_bps", "10001"),
        (BucketLimits, "min_adv_notional", "-1"),
        (BucketLimits, "min_price", "0"),
        (InstrumentLimits, "min_order_notional", "-0.01"),
        (InstrumentLimits, "min_order_notional", "NaN"),
    ],
)
def test_an_amount_that_must_be_in_another_unit_or_is_none_does_not_start(kind, name, value):
    with pytest.raises(ValueError, match=name):
        kind(**{name: Decimal(value)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("approval_seconds", 61),
        ("approval_seconds", 0),
        ("max_reference_age_seconds", -1),
        ("max_features_age_seconds", 10**12),
        ("cooldown_seconds", -1),
        ("max_orders_per_second", 0),
        ("max_orders_per_minute", -5),
        ("halt_orders_per_minute", 10**9),
        ("max_entries_without_person", 0),
        ("max_consecutive_losses", 0),
    ],
)
def test_a_count_or_an_age_out_of_reason_does_not_start(name, value):
    with pytest.raises(ValueError, match=name):
        GateConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_p_win", 45.0),
        ("min_p_win", -0.1),
        ("min_p_win", float("nan")),
        ("min_reward_risk", -1.0),
        ("min_reward_risk", float("inf")),
        ("min_expected_value_pct", 101.0),
        ("min_expected_value_pct", float("nan")),
    ],
)
def test_a_claim_that_cannot_be_asked_for_does_not_start(name, value):
    with pytest.raises(ValueError, match=name):
        EdgeLimits(**EDGE | {name: value})


def test_i9_a_section_edge_needs_all_three():
    for name in EDGE:
        with pytest.raises(TypeError, match=name):
            EdgeLimits(**{key: value for key, value in EDGE.items() if key != name})
