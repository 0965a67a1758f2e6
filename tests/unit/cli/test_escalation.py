"""`interlock escalation explain`: the table and the questions, from a file alone."""

import json
from pathlib import Path

import pytest
from interlock.cli.main import app
from typer.testing import CliRunner

ROOT = Path(__file__).parents[3]
DESK_FILE = str(ROOT / "deploy" / "desks" / "params.toml")
SNAPSHOT = {
    "timestamp": "2008-10-10T20:00:00Z",
    "net_liquidity": 91250.5,
    "daily_pnl": -2.75,
    "max_drawdown_5d": 7.5,
    "put_call_ratio": 1.7,
    "calls_today": 2,
    "standing": ["event_heat"],
}


def explain(path, *options):
    words = ["escalation", "explain", "--desk", DESK_FILE, "--snapshot", str(path), *options]
    return CliRunner().invoke(app, words)


@pytest.fixture
def snapshot(tmp_path):
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(SNAPSHOT))
    return path


def test_the_table_says_of_each_trigger_whether_it_fires_and_would_be_asked(snapshot):
    answer = explain(snapshot)
    assert answer.exit_code == 0, answer.output
    lines = {line.split()[0]: line for line in answer.stdout.splitlines() if line}
    assert "daily_pnl_pct -2.75" in lines["kill_switch"]
    assert "yes: call 3 of 3" in lines["kill_switch"]
    assert "no: all 3 calls of this trading day are made" in lines["risk"]
    assert "fired before, not cleared" in lines["event_heat"]
    assert "volatility_zscore not known" in lines["regime"]
    assert "sanity_judge because of kill_switch (asked" in answer.stdout
    assert "reward_engineer because of risk (not asked" in answer.stdout


def test_in_json_each_row_has_its_numbers_and_the_whole_request(snapshot):
    rows = {row["trigger"]: row for row in json.loads(explain(snapshot, "--json").stdout)}
    assert set(rows) == {"kill_switch", "risk", "regime", "model_decay", "event_heat"}
    risk = rows["risk"]
    assert risk["observed"] == {"drawdown_5d_pct": 7.5, "daily_loss_pct": 2.75}
    assert risk["limits"] == {"drawdown_5d_pct": 8.0, "daily_loss_pct": 2.5}
    assert (risk["holds"], risk["fires"], risk["granted"]) == (True, True, False)
    assert (rows["event_heat"]["holds"], rows["event_heat"]["fires"]) == (True, False)
    assert rows["kill_switch"]["request"] == {
        "timestamp": "2008-10-10T20:00:00Z",
        "kill_switch_reason": "daily P&L -2.75 %",
        "recent_trades": [],
        "portfolio_state": {"net_liquidity": 91250.5, "daily_pnl": -2.75},
    }


def test_the_desks_own_levels_count(tmp_path, snapshot):
    desk = tmp_path / "own.toml"
    text = Path(DESK_FILE).read_text()
    desk.write_text(f"{text}\n[escalation.levels.drawdown_5d_pct]\nfires = 7.0\nclears = 5.0\n")
    words = ["escalation", "explain", "--desk", str(desk), "--snapshot", str(snapshot), "--json"]
    rows = {row["trigger"]: row for row in json.loads(CliRunner().invoke(app, words).stdout)}
    assert rows["risk"]["limits"]["drawdown_5d_pct"] == 7.0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"vix": 40}', "vix"),
        ('{"daily_pnl": "much"}', "daily_pnl"),
        ("{", "no snapshot"),
        ('{"daily_pnl": NaN}', "no snapshot"),
        ('{"standing": ["panic"]}', "standing"),
        ('{"calls_today": -1}', "calls_today is at least 0, not -1"),
        ('{"max_drawdown_5d": -9}', "max_drawdown_5d is at least 0, not -9"),
        ('{"ensemble_accuracy": 144}', "ensemble_accuracy is from 0 to 100"),
        ('{"judge_asked_today": true}', "judge_asked_today"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_the_key(tmp_path, text, problem):
    path = tmp_path / "snapshot.json"
    path.write_text(text)
    answer = explain(path)
    assert answer.exit_code == 2
    assert problem in answer.output


def test_a_missing_file_is_named(tmp_path):
    answer = explain(tmp_path / "nowhere.json")
    assert answer.exit_code == 2
    assert "cannot be read" in answer.output
