"""`interlock backtest`: a summary for people, the same for programs, one line for what is wrong."""

import json
from pathlib import Path

import pytest
from interlock.cli.main import app
from typer.testing import CliRunner

DESK = str(Path(__file__).parents[3] / "deploy" / "desks" / "params.toml")
LINES = ["date,symbol,open,high,low,close,volume"] + [
    f"2020-01-{day:02},SPY,100,102,99,{100 + day % 2},1000000" for day in (2, 3, 6, 7, 8, 9, 10, 13)
]


@pytest.fixture
def replay(tmp_path: Path) -> str:
    path = tmp_path / "slice.csv"
    path.write_text("\n".join(LINES) + "\n")
    return str(path)


def test_the_summary_counts_what_was_replayed(replay):
    done = CliRunner().invoke(app, ["backtest", "--desk", DESK, "--replay", replay, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["summary"]["bars"] == 8
    assert told["summary"]["denials"] + told["summary"]["approvals"] == told["summary"]["intents"]
    assert told["bars_per_second"] > 0


def test_people_read_it_line_by_line(replay):
    done = CliRunner().invoke(app, ["backtest", "--desk", DESK, "--replay", replay])
    assert done.exit_code == 0, done.output
    assert "bars: 8" in done.stdout


@pytest.mark.parametrize(
    ("section", "text", "said"),
    [
        ("PROMPT_VERSION", '"v9"', "there is no prompt regime-auditor.v9: known are"),
        ("CLOUD", '{ provider = "openai" }', "provider openai needs a model"),
        (
            "CLOUD",
            '{ provider = "ollama", model = "m", base_url = "here" }',
            "base_url begins with http:// or https://",
        ),
        ("MAX_CALLS_PER_DAY", "0", "max_calls_per_day must be at least 1, not 0"),
        ("MAX_CALS_PER_DAY", "3", "unknown field `max_cals_per_day`"),
    ],
)
def test_a_desk_file_that_cannot_be_used_is_one_line(replay, monkeypatch, section, text, said):
    monkeypatch.setenv(f"INTERLOCK__ESCALATION__{section}", text)
    done = CliRunner().invoke(app, ["backtest", "--desk", DESK, "--replay", replay])
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_put_call_ratios_that_are_not_there_are_named(replay, tmp_path, monkeypatch):
    monkeypatch.setenv("INTERLOCK__FEED__PUT_CALL_FILE", json.dumps(str(tmp_path / "none.csv")))
    done = CliRunner().invoke(app, ["backtest", "--desk", DESK, "--replay", replay])
    assert done.exit_code == 2
    assert "none.csv cannot be read" in done.stderr


def test_a_model_behind_a_network_is_no_backtest(replay, monkeypatch):
    monkeypatch.setenv("INTERLOCK__LOCAL_REASONER__PROVIDER", '"ollama"')
    monkeypatch.setenv("INTERLOCK__LOCAL_REASONER__MODEL", '"m"')
    monkeypatch.setenv("INTERLOCK__LOCAL_REASONER__BASE_URL", '"http://127.0.0.1:9"')
    done = CliRunner().invoke(app, ["backtest", "--desk", DESK, "--replay", replay])
    assert done.exit_code == 2
    assert "asks ollama: set provider" in done.stderr
