"""`interlock train`: a set of models and its report, or one line for what is wrong."""

import json
from pathlib import Path

import pytest
from interlock.cli import train_run
from interlock.cli.main import app
from interlock.venues.replay import open_replay
from typer.testing import CliRunner

DESK = str(Path(__file__).parents[3] / "deploy" / "desks" / "params.toml")
HAS_EXTRA = pytest.mark.skipif(
    any(train_run.find_spec(name) is None for name in train_run.PACKAGES),
    reason="the extra `train` is not installed",
)


def train(*words):
    return CliRunner().invoke(app, ["train", "--desk", DESK, *words])


@pytest.fixture
def replay(tmp_path: Path) -> str:
    """Some 260 days, which is as few as can be walked forward."""
    path = tmp_path / "days.csv"
    lines = ["date,symbol,open,high,low,close,volume"]
    for row in open_replay("calm-2005", ["IBM", "MSFT"]).rows():
        day = f"{_date(row.ts_start)},{row.symbol}"
        lines.append(f"{day},{row.open},{row.high},{row.low},{row.close},{row.volume}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _date(ts: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ts // 10**9, UTC).date().isoformat()


def test_without_its_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(train_run, "PACKAGES", ("numpy", "no_such_package"))
    done = train()

    assert done.exit_code == 2
    (line,) = done.output.splitlines()
    assert line.startswith("interlock: training needs no_such_package: install the extra with ")


def test_a_folder_that_cannot_be_written_is_told_before_anything_is_trained(replay, monkeypatch):
    monkeypatch.setattr(train_run, "PACKAGES", ())
    monkeypatch.setattr(train_run, "train_set", lambda *_: pytest.fail("trained for nothing"))
    done = train("--data", replay, "--out", "/dev/null/models")

    assert done.exit_code == 2
    assert "/dev/null/models cannot be written" in done.output


def test_an_unknown_data_set_is_one_line(monkeypatch):
    monkeypatch.setattr(train_run, "PACKAGES", ())
    done = train("--data", "crash-1929", "--json")

    assert done.exit_code == 2
    assert "there is no data set 'crash-1929'" in json.loads(done.stdout)["error"]


@pytest.mark.training
@HAS_EXTRA
def test_it_writes_a_set_and_tells_the_report(replay, tmp_path):
    done = train("--data", replay, "--out", str(tmp_path / "models"), "--json")

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    folder = Path(told["folder"])
    assert folder == tmp_path / "models" / "days-2005-12-30"
    assert told["bytes"] == sum(path.stat().st_size for path in folder.iterdir())
    assert json.loads((folder / "meta.json").read_text()) == told["set"]
    assert told["set"]["data"]["instruments"] == ["IBM", "MSFT"]


@pytest.mark.training
@HAS_EXTRA
def test_people_read_a_table(replay, tmp_path):
    words = ("--data", replay, "--out", str(tmp_path), "--until", "2005-12-15")
    done = train(*words)

    assert done.exit_code == 0, done.output
    assert "set days-2005-12-15: " in done.stdout
    assert "PBO" in done.stdout
    for name in ("p_short", "p_mid", "size_hint", "blend", "always long"):
        assert f"\n{name} " in done.stdout


@pytest.mark.training
@HAS_EXTRA
def test_too_few_days_are_one_line(replay, tmp_path):
    done = train("--data", replay, "--out", str(tmp_path), "--until", "2005-05-01")

    assert done.exit_code == 2
    assert "moments are too few" in done.output
