"""`interlock strategy score`: the running engine's score of a written-down bar."""

import json
from math import exp

import pytest
from interlock.cli.main import app
from typer.testing import CliRunner

DESK = """
[desk]
name = "e"
account = "a"
venue = "paper"
cadence_seconds = 5
equity_usd = 1000000
instruments = [
  { instrument_id = "SPY", venue = "paper", bucket = "core", sector = "index", aliases = ["SPX"] },
  { instrument_id = "PNY", venue = "paper", bucket = "penny", sector = "mining" },
]

[strategy]
kind = "ensemble"

[strategy.sip]
instrument = "SPY"

[strategy.ensemble.buckets]
core = { cap_pct = 90, name_pct = 1.5 }
penny = { cap_pct = 2, name_pct = 0.4 }
"""
GOOD = {"p_short": 0.8, "p_mid": 0.7, "size_hint": 1.0}


@pytest.fixture
def score(tmp_path):
    """Return what the command answers to some inputs, as objects."""
    desk, inputs = tmp_path / "e.toml", tmp_path / "in.json"
    desk.write_text(DESK)

    def run(text, status=0):
        inputs.write_text(text if isinstance(text, str) else json.dumps(text))
        words = ["strategy", "score", "--desk", str(desk), "--inputs", str(inputs), "--json"]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == status, done.output
        return [json.loads(line) for line in done.output.splitlines()]

    return run


def test_a_bar_is_scored_with_all_it_is_made_of(score):
    (one,) = score(GOOD | {"liquidity": 0.4})
    parts = {"short": 0.4 * 0.8, "mid": 0.3 * 0.7, "rl": 0.3 / (1 + exp(-1))}
    assert one["components"] == pytest.approx(parts)
    assert one["base"] == pytest.approx(sum(parts.values()))
    assert one["penalties"] == {"low_liquidity": -0.05}
    assert one["score"] == pytest.approx(one["base"] - 0.05)
    assert (one["action"], one["mode"], one["size"]) == ("buy", "full", 0.015)
    assert (one["instrument_id"], one["bucket"]) == ("core", "core")


def test_the_same_things_are_known_by_their_other_names(score):
    other = {"p_short": 0.8, "p_mid": 0.7, "ppo_size_hint": 1.0, "symbol": "SPX"}
    other |= {"volatility_zscore": 2.1, "news_sentiment": -0.4}
    (one,) = score(other)
    assert one["instrument_id"] == "SPY"
    assert one["penalties"] == {"volatility_spike": -0.15, "negative_news": -0.1}


@pytest.mark.parametrize("form", ["lines", "list"])
def test_several_bars_are_scored_one_by_one(score, form):
    bars = [GOOD, GOOD | {"bucket": "penny"}, {}]
    lines = "\n\n".join(json.dumps(bar) for bar in bars)
    said = score(lines if form == "lines" else bars)
    assert [one["size"] for one in said] == [0.015, 0.004, 0.0]
    assert [one["mode"] for one in said] == ["full", "full", "no_models"]


@pytest.mark.parametrize(
    ("more", "mode", "action", "size"),
    [
        ({"data_stalled": True}, "data_stall", "hold", 0.0),
        ({"reasoner_up": False}, "rl_only", "buy", 0.015),
        ({"size_hint": None}, "predictors_only", "buy", 0.015),
        ({"p_mid": None}, "forecasts_missing", "buy", 0.015),
        ({"cap_scales": {"core": 0.25}}, "full", "buy", 0.00375),
        ({"parameters": {"max_position_pct": 1.0}}, "full", "buy", 0.01),
        ({"bucket_used": 0.89}, "full", "buy", 0.01),
        ({"bucket_used": 0.95}, "full", "buy", 0.0),
        ({"bucket": "unheard-of"}, "full", "buy", 0.0),
        ({"parameters": {"weight.short": 0.0, "weight.mid": 0.0}}, "full", "sell", 0.0),
    ],
)
def test_modes_rules_and_room_count_as_on_the_running_desk(score, more, mode, action, size):
    (one,) = score(GOOD | more)
    assert (one["mode"], one["action"]) == (mode, action)
    assert one["size"] == pytest.approx(size)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"p_shrot": 0.8}', "line 1: Object contains unknown field `p_shrot`"),
        ('{}\n{"p_mid": "much"}', "line 2"),
        ("{}\n{", "line 2"),
        ("5", "an object or a list of them is wanted"),
        ('{"p_short": 1.5}', "line 1: p_short is a probability"),
        ('{}\n{"sentiment": 7}', "line 2: sentiment is from -1 to 1, not 7"),
        ('{"bucket_used": -1}', "bucket_used is at least 0"),
        ('{"cap_scales": {"core": 9}}', "cap_scales.core is from 0 to 1"),
        ("", "there is no bar in it"),
        ("[]", "there is no bar in it"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(score, text, said):
    (answer,) = score(text, 2)
    assert said in answer["error"]


def test_people_are_told_the_sum(tmp_path):
    desk, inputs = tmp_path / "e.toml", tmp_path / "in.json"
    desk.write_text(DESK)
    inputs.write_text(json.dumps(GOOD) + "\n{}")
    words = ["strategy", "score", "--desk", str(desk), "--inputs", str(inputs)]
    first, second = CliRunner().invoke(app, words).output.splitlines()
    assert first.startswith("buy  core: score 0.7493 = short 0.3200, mid 0.2100, rl 0.2193; size")
    assert second == "hold core: no score; mode no_models"


def test_a_desk_without_the_ensemble_scores_nothing(tmp_path):
    inputs = tmp_path / "in.json"
    inputs.write_text("{}")
    words = ["strategy", "score", "--desk", "params", "--inputs", str(inputs), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "threshold" in json.loads(done.output)["error"]
