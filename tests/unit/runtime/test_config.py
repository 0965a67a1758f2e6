"""Desk files: what is read, what is refused, and that each refusal names its key."""

from decimal import Decimal
from pathlib import Path

import pytest
from interlock.gate.config import GateConfig
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.model.values import TradingMode
from interlock.policy.config import PolicyConfig
from interlock.runtime.config import ConfigError, load_desk_file
from interlock.signals.config import SignalsConfig

DESK = """
[desk]
name = "d"
account = "a"
venue = "paper"
cadence_seconds = 5
equity_usd = 30_000.10
instruments = [{ instrument_id = "SPY", venue = "paper" }]
"""
GATE = """
[gate]
collar_bps = 0.1
max_gross_notional = 25_000.5
"""
SHIPPED = Path(__file__).parents[3] / "deploy" / "desks" / "params.toml"


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "d.toml"

    def write(text, environment=None):
        path.write_text(text, encoding="utf-8")
        return load_desk_file(path, environment or {})

    return write


def test_numbers_keep_their_digits(written):
    file = written(DESK + GATE)
    gate = file.section("gate", GateConfig)
    assert file.desk.equity_usd == Decimal("30000.10")
    assert (gate.collar_bps, gate.max_gross_notional) == (Decimal("0.1"), Decimal("25000.5"))


def test_underscores_are_read_in_both_kinds_of_number(written):
    limits = "{ initial = 1_0.5, lower = 1, upper = 1_00.0, max_step = 1 }"
    file = written(f"{DESK}\n[policy.parameters]\nx = {limits}")
    assert file.section("policy", PolicyConfig).parameters["x"].initial == 10.5


def test_a_section_that_is_not_there_is_empty(written):
    assert written(DESK).section("gate", GateConfig) == GateConfig()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"\[desk\].*required field"),
        (DESK + 'colour = "red"', "colour"),
        (DESK.replace('"a"', "3"), "account"),
        (DESK.replace("5", '"soon"', 1), "cadence_seconds"),
        (DESK.replace("5", "0", 1), "cadence_seconds"),
        (DESK.replace("30_000.10", "-1"), "equity_usd"),
        (DESK.replace("30_000.10", "0"), "equity_usd"),
        (DESK.replace("30_000.10", "nan"), "equity_usd"),
        (DESK.replace("30_000.10", "-inf"), "equity_usd"),
        (DESK.replace("30_000.10", '"NaN"'), "equity_usd"),
        (DESK.replace("[{ i", "[{ colour = 1, i"), "colour"),
        (DESK.replace("[{ ", "[{ tick = 0, "), "tick"),
        (DESK + 'mode = "live"', "live_allowed"),
        (DESK + 'mode = "real"', "real"),
        ("x = 1\n" + DESK, "x stands outside any section"),
        ("[[gate]]\n" + DESK, "gate stands outside any section"),
        ("desk = 1", r"\[desk\]"),
        ("[desk\n", "cannot be read"),
        (DESK + DESK, "cannot be read"),
        ("\x00", "cannot be read"),
    ],
)
def test_a_desk_file_that_cannot_be_used_is_refused_with_the_reason(written, text, problem):
    with pytest.raises(ConfigError, match=problem):
        written(text)


@pytest.mark.parametrize(
    ("section", "kind", "text"),
    [
        ("gate", GateConfig, "max_gros_notional = 1"),
        ("gate", GateConfig, 'max_gross_notional = "NaN"'),
        ("gate", GateConfig, 'max_gross_notional = "Infinity"'),
        ("gate", GateConfig, "max_gross_notional = [1]"),
        ("gate", GateConfig, "collar_bps = -1"),
        ("gate", GateConfig, "approval_seconds = 0"),
        ("gate", GateConfig, "default_limits = { max_order_size = 1 }"),
        ("policy", PolicyConfig, 'loss_freeze_pct = "NaN"\nparameters = {}'),
        ("policy", PolicyConfig, 'max_accept_rate = "nan"\nparameters = {}'),
        (
            "policy",
            PolicyConfig,
            "parameters = { x = { initial = 1, lower = 0, upper = 3, max_step = 'inf' } }",
        ),
        (
            "policy",
            PolicyConfig,
            "parameters = { x = { initial = 1, lower = '-inf', upper = 'inf', max_step = 1 } }",
        ),
        ("local-reasoner", LocalReasonerConfig, 'timeout_seconds = "inf"'),
        ("signals", SignalsConfig, "momentum_bar = 5"),
    ],
)
def test_a_section_that_cannot_be_used_is_refused_with_its_name(written, section, kind, text):
    name = section.replace("-", "_")
    file = written(f"{DESK}\n[{name}]\n{text}")
    with pytest.raises(ConfigError, match=rf"\[{name}\]"):
        file.section(section, kind)


def test_a_number_that_is_none_is_named_by_its_key(written):
    file = written(f"{DESK}\n[policy]\nloss_freeze_pct = 'inf'\nparameters = {{}}")
    with pytest.raises(ConfigError, match=r"inf is no number.*`loss_freeze_pct`"):
        file.section("policy", PolicyConfig)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no desk file"):
        load_desk_file(tmp_path / "none.toml", {})


def test_a_folder_and_bytes_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_desk_file(tmp_path, {})
    (tmp_path / "d.toml").write_bytes(b"\xff\xfe[desk]")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_desk_file(tmp_path / "d.toml", {})


# The environment.


def test_the_environment_overrides_single_keys(written):
    file = written(
        DESK + GATE,
        {
            "INTERLOCK__GATE__MAX_GROSS_NOTIONAL": "5_000.5",
            "INTERLOCK__GATE__COLLAR_BPS": "7",
            "INTERLOCK__DESK__NAME": "other desk",
            "INTERLOCK__DESK__READ_ONLY": "true",
            "INTERLOCK__LOCAL_REASONER__MODEL": '"quoted"',
            "INTERLOCK_STATE": "not ours",
            "PATH": "neither",
        },
    )
    gate = file.section("gate", GateConfig)
    assert (gate.max_gross_notional, gate.collar_bps) == (Decimal("5000.5"), 7)
    assert (file.desk.name, file.desk.read_only) == ("other desk", True)
    assert file.section("local-reasoner", LocalReasonerConfig).model == "quoted"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("INTERLOCK__GATE", "1", "INTERLOCK__GATE names no key"),
        ("INTERLOCK__", "1", "names no key"),
        ("INTERLOCK__DESK__COLOUR", "red", "colour"),
        ("INTERLOCK__DESK__CADENCE_SECONDS", "", "cadence_seconds"),
        ("INTERLOCK__DESK__EQUITY_USD", "nan", "equity_usd"),
        ("INTERLOCK__DESK__EQUITY_USD", "NaN", "equity_usd"),
        ("INTERLOCK__DESK__EQUITY_USD", "much", "equity_usd"),
        ("INTERLOCK__DESK__MODE", "live", "live_allowed"),
        ("INTERLOCK__X__Y", "1", "x is a value, not a section"),
    ],
)
def test_a_wrong_override_is_refused_with_its_name(written, name, value, problem):
    with pytest.raises(ConfigError, match=problem):
        written("x = 1\n" + DESK if "__X__" in name else DESK, {name: value})


def test_an_override_nobody_knows_stops_the_service_whose_it_is(written):
    file = written(DESK, {"INTERLOCK__GATE__MAX_GROS_NOTIONAL": "1"})
    with pytest.raises(ConfigError, match="max_gros_notional"):
        file.section("gate", GateConfig)


def test_live_is_a_choice_of_two_keys(written):
    environment = {"INTERLOCK__DESK__MODE": "live", "INTERLOCK__DESK__LIVE_ALLOWED": "true"}
    assert written(DESK).desk.mode is TradingMode.DEMO
    assert written(DESK, environment).desk.mode is TradingMode.LIVE


# The hash.


def test_the_hash_names_the_values_and_not_the_way_they_are_written(written):
    first = written(DESK + GATE).config_hash
    assert len(first) == 64
    assert written(GATE + "# a word\n" + DESK).config_hash == first
    assert written(DESK + GATE, {"INTERLOCK__GATE__COLLAR_BPS": "0.1"}).config_hash == first


@pytest.mark.parametrize(
    "changed",
    [
        (DESK + GATE).replace("0.1\n", "0.2\n"),
        (DESK + GATE).replace('"SPY"', '"QQQ"'),
        DESK + GATE + "allow_short = true",
        DESK + GATE + "\n[anything]\nelse = 1",
        DESK,
    ],
)
def test_the_hash_changes_with_any_value(written, changed):
    assert changed != DESK + GATE
    assert written(changed).config_hash != written(DESK + GATE).config_hash


def test_the_hash_changes_with_an_override(written):
    other = written(DESK + GATE, {"INTERLOCK__GATE__COLLAR_BPS": "0.2"})
    assert other.config_hash != written(DESK + GATE).config_hash


def test_the_shipped_desk_is_paper_and_holds_the_hard_limits_of_its_specification():
    file = load_desk_file(SHIPPED, {})
    policy = file.section("policy", PolicyConfig)
    limits = policy.parameters["threshold_bps"]
    assert (limits.lower, limits.upper, limits.max_step) == (0.3, 3.0, 0.2)
    assert (policy.max_accept_rate, policy.max_accepted_in_window) == (0.3, 2)
    assert (policy.window_seconds, policy.decision_seconds) == (900, 5)
    assert (policy.loss_freeze_pct, policy.max_clock_offset_ms) == (0.5, 250)
    assert file.desk.mode is TradingMode.DEMO
    assert not file.desk.live_allowed
    gate = file.section("gate", GateConfig)
    unset = [name for name in gate.__struct_fields__ if getattr(gate, name) is None]
    missing = [
        name
        for name in gate.default_limits.__struct_fields__
        if getattr(gate.default_limits, name) is None
    ]
    assert unset == ["edge"], "this strategy claims no edge"
    assert missing == []
