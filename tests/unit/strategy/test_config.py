"""Which engine a desk file asks for, and what of it cannot be meant."""

from decimal import Decimal

import msgspec
import pytest
from interlock.runtime.config import ConfigError, load_desk_file
from interlock.strategy.app import build, reloader
from interlock.strategy.config import EngineKind, StrategyConfig
from interlock.testkit.cells import cell_of, drive

from tests.unit.strategy.ensemble_desk import BUY, bar, config, desk, intents, ready

BUCKETS = {"core": {"cap_pct": "90", "name_pct": "1.5"}}
HEAD = """
[desk]
name = "d"
account = "a"
venue = "paper"
cadence_seconds = 5
equity_usd = 1
instruments = [{ instrument_id = "SPY", venue = "paper" }]
"""
ENSEMBLE = """
[strategy]
kind = "ensemble"

[strategy.ensemble.buckets.core]
cap_pct = 90
name_pct = 1.5
"""


def section(**fields):
    return msgspec.convert(fields, StrategyConfig, strict=False)


def test_a_desk_that_says_nothing_runs_the_threshold_engine():
    assert (section().kind, section().label) == (EngineKind.THRESHOLD, "threshold")
    assert build(desk(), section()).state.ensemble is None


def test_the_source_numbers_are_the_defaults():
    made = section(kind="ensemble", ensemble={"buckets": BUCKETS})
    one = made.ensemble
    assert (made.label, section(name="mine").label) == ("ensemble", "mine")
    assert (one.weights.short, one.weights.mid, one.weights.rl) == (0.4, 0.3, 0.3)
    assert (one.buy_at, one.sell_at) == (0.67, 0.33)
    assert (one.stop_atr, one.trail_atr, one.profit_atr) == (1.8, 1.2, 2.5)
    assert one.buckets["core"].long_only
    assert not one.allow_short


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "ensemble"},
        {"ensemble": {"buckets": BUCKETS}},
        {"sip": {"instrument": "SPY"}},
        {"kind": "oracle"},
        {"kind": "ensemble", "ensemble": {}},
        {"kind": "ensemble", "ensemble": {"buckets": BUCKETS, "wieghts": {}}},
    ],
)
def test_sections_that_do_not_go_together_are_refused(fields):
    with pytest.raises(msgspec.ValidationError):
        section(**fields)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("buy_at", 0.5),
        ("buy_at", 1.1),
        ("sell_at", 0.5),
        ("sell_at", -0.1),
        ("stop_atr", 0),
        ("trail_atr", float("nan")),
        ("profit_atr", 101),
        ("weights", {"short": -0.1}),
        ("weights", {"short": 0, "mid": 0, "rl": 0}),
        ("low_liquidity", {"limit": 0.5, "points": -0.05}),
        ("low_liquidity", {"limit": float("inf"), "points": 0.05}),
        ("max_order_notional", 0),
        ("max_sentiment_age_seconds", 0),
        ("reasoner_silence_seconds", 0),
        ("buckets", {"core": {"cap_pct": 0, "name_pct": 1}}),
        ("buckets", {"core": {"cap_pct": 1_001, "name_pct": 1}}),
        ("buckets", {"core": {"cap_pct": 90, "name_pct": "NaN"}}),
        ("buckets", {"core": {"cap_pct": 90, "name_pct": 1, "order_pct": -1}}),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(key, value):
    with pytest.raises(msgspec.ValidationError):
        section(kind="ensemble", ensemble={"buckets": BUCKETS, key: value})


def test_the_engine_is_taken_at_a_start_only(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(HEAD + ENSEMBLE)
    reload = reloader(StrategyConfig())
    with pytest.raises(ConfigError, match="restart"):
        reload(load_desk_file(path, {}))


def test_a_changed_section_holds_from_the_next_bar(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(HEAD + ENSEMBLE)
    reload = reloader(config())
    report = reload(load_desk_file(path, {}))
    assert report.config.ensemble.buckets["core"].name_pct == Decimal("1.5")
    path.write_text(HEAD + ENSEMBLE.replace("1.5", "0.5"))
    made = ready()
    drive(made.hear(reload(load_desk_file(path, {})), 0), made.service.perform)
    assert intents(bar(made, 1, BUY))[0].quantity == 50


def test_an_ensemble_is_built_from_its_section(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(HEAD + ENSEMBLE)
    file = load_desk_file(path, {})
    made = cell_of(build(file.desk, file.section("strategy", StrategyConfig)))
    assert made.state.ensemble.config.weights.short == 0.4
