"""The commands that read and steer a desk, on a folder that a short run has filled."""

import json
import math
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from interlock.cli.main import app
from interlock.cli.run_record import read_run_record
from interlock.cli.state_folder import StateFolder, is_locked, locked
from typer.testing import CliRunner

pytestmark = pytest.mark.servers

DESK_FILE = str(Path(__file__).parents[2] / "deploy" / "desks" / "params.toml")
BARS = 45
START_SECONDS = 60


def two_symbols(folder: Path) -> Path:
    """Write daily bars of two symbols that go up and down enough to be traded."""
    days = [date(2020, 1, 6) + timedelta(days=7 * (n // 5) + n % 5) for n in range(BARS)]
    lines = ["date,symbol,open,high,low,close,volume"]
    for n, day in enumerate(days):
        for phase, (symbol, level) in enumerate((("SPY", 320), ("IBM", 135))):
            first, last = (level * (1 + 0.04 * math.sin(at / 4 + phase)) for at in (n - 0.5, n))
            high, low = max(first, last) + 0.5, min(first, last) - 0.5
            lines.append(f"{day},{symbol},{first:.2f},{high:.2f},{low:.2f},{last:.2f},50000000")
    path = folder / "two.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def up_words(state: Path, replay: Path, *more: str) -> list[str]:
    program = [sys.executable, "-c", "from interlock.cli.main import app; app()"]
    where = ["--state", str(state), "--replay", str(replay)]
    return [*program, "up", "--desk", DESK_FILE, "--port", "0", *where, *more]


def said(state: Path, *words: str, code: int = 0) -> str:
    answer = CliRunner().invoke(app, [*words, "--state", str(state)])
    assert answer.exit_code == code, answer.output
    return answer.stdout if code < 2 else answer.stderr


def await_told(state: Path, *words: str) -> dict:
    """Ask until there is an answer: the tables are made a moment behind the journal."""
    for _ in range(100):
        answer = CliRunner().invoke(app, [*words, "--state", str(state), "--json"])
        if answer.exit_code == 0:
            return json.loads(answer.output)
        time.sleep(0.05)
    raise AssertionError(answer.output)


def told(state: Path, *words: str, code: int = 0):
    return json.loads(said(state, *words, "--json", code=code))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A state folder after a run in one process."""
    folder = tmp_path_factory.mktemp("finished")
    words = up_words(folder / "state", two_symbols(folder), "--single-process", "--exit")
    subprocess.run(words, check=True, capture_output=True, timeout=START_SECONDS)
    return folder / "state"


def test_orders_are_shown_newest_first_and_lead_to_their_trace(finished):
    orders = told(finished, "orders", "--limit", "3")
    assert len(orders) == 3
    assert [o["ts_event"] for o in orders] == sorted((o["ts_event"] for o in orders), reverse=True)
    filled = next(order for order in orders if order["status"] == "filled")
    trace = told(finished, "trace", filled["decision_id"])
    assert trace["decision_id"] == filled["decision_id"]
    tags = [message["tag"] for message in trace["messages"]]
    assert {"data.bar.v1", "order.intent.v1", "order.submit.v1", "order.filled.v1"} <= set(tags)
    (order,) = trace["orders"]
    assert order["intent_id"] == filled["intent_id"]
    assert trace["fills"][0]["last_qty"] == filled["filled_quantity"]
    assert trace["set_by"]["version"] == filled["policy_version"]


def test_a_trace_leads_to_the_proposal_that_set_its_policy(finished):
    versions = told(finished, "policy", "history")
    setter = next(version for version in versions if version["proposal_id"] is not None)
    trace = told(finished, "trace", setter["decision_id"])
    assert trace["set_by"]["message_id"] == setter["message_id"]
    assert [row["verdict"] for row in trace["proposals"]] == ["accepted"]
    assert "set by this decision" in said(finished, "trace", setter["decision_id"])


def test_an_unknown_decision_is_one_line(finished):
    (line,) = said(finished, "trace", "0" * 32, code=2).splitlines()
    assert "there is no decision" in line


def test_the_policy_is_shown_with_its_history_and_its_differences(finished):
    versions = told(finished, "policy", "history")
    assert [version["version"] for version in versions] == [*range(1, len(versions) + 1)]
    shown = told(finished, "policy", "show", "--desk", "params")
    assert shown == versions[-1]
    before, after = (v["parameters"]["threshold_bps"] for v in (versions[0], shown))
    diff = told(finished, "policy", "diff", "1", str(shown["version"]))
    assert diff == [["threshold_bps", before, after]]
    assert "threshold_bps" in said(finished, "policy", "show")
    assert "there is no policy version 99" in said(finished, "policy", "diff", "1", "99", code=2)
    assert "known are params" in said(finished, "policy", "show", "--desk", "x", code=2)


def test_the_scorecard_judges_by_the_desk_file(finished):
    words = ("scorecard", "--desk", DESK_FILE)
    card = told(finished, *words)["scorecard"]
    assert card["ok"]
    assert [gate["name"] for gate in card["gates"]] == [
        *("proposals_seen_15m", "applied_15m", "accept_rate_15m", "bounds", "freeze")
    ]
    last_day = told(finished, *words, "--since", "1d")["scorecard"]
    assert last_day["proposals"] == 1
    assert "PASS" in said(finished, *words, "--since", "1d")


def test_a_scorecard_that_fails_exits_with_1(finished, tmp_path):
    text = Path(DESK_FILE).read_text(encoding="utf-8")
    strict = tmp_path / "strict.toml"
    strict.write_text(text.replace("max_accept_rate = 0.30", "max_accept_rate = 0.01"))
    card = told(finished, "scorecard", "--desk", str(strict), code=1)["scorecard"]
    assert [gate["name"] for gate in card["gates"] if not gate["ok"]] == ["accept_rate_15m"]


def test_the_export_holds_every_proposal(finished, tmp_path):
    out = tmp_path / "out"
    written = told(finished, "export", "--desk", DESK_FILE, "--out", str(out))
    proposals = [Path(name) for name in written["files"] if name.endswith(".proposals.parquet")]
    applied = [Path(name) for name in written["files"] if name.endswith(".applied.parquet")]
    assert sum(pq.read_metadata(path).num_rows for path in proposals) == written["proposals"]
    in_force = len(told(finished, "policy", "history")) - 1
    assert sum(pq.read_metadata(path).num_rows for path in applied) == in_force
    last = told(finished, "export", "--desk", DESK_FILE, "--out", str(out), "--since", "1d")
    assert last["proposals"] == 1
    (tmp_path / "file").write_text("")
    blocked = ("export", "--desk", DESK_FILE, "--out", str(tmp_path / "file" / "below"))
    assert "cannot be written" in said(finished, *blocked, code=2)


def test_reading_leaves_nothing_running(finished):
    said(finished, "orders")
    state = StateFolder(finished)
    assert not is_locked(state)
    assert list(state.pids.iterdir()) == []
    assert not (state.postgres / "postmaster.pid").exists()


def test_a_folder_that_another_process_holds_is_one_line(finished, monkeypatch):
    monkeypatch.setattr("interlock.cli.ledger_access.PATIENCE_SECONDS", 0.0)
    with locked(StateFolder(finished)):
        (line,) = said(finished, "orders", code=2).splitlines()
    assert "already runs" in line


@pytest.mark.stack
def test_a_running_desk_is_read_halted_and_resumed(tmp_path):
    state = tmp_path / "state"
    words = up_words(state, two_symbols(tmp_path), "--json")
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as desk:
        try:
            wait_for_the_end(state, desk)
            order = told(state, "orders", "--limit", "1")[0]
            steps = told(state, "trace", order["decision_id"])["steps"]
            assert {"signals", "strategy", "gate", "exec"} <= {step["service"] for step in steps}

            halted = told(state, "kill", "too hot", "--by", "ann")
            assert (halted["state"], halted["by"], halted["reason"]) == ("halted", "ann", "too hot")
            assert halted["latency_ms"] > 0
            resumed = told(state, "resume", "--by", "bob")
            assert (resumed["state"], resumed["by"]) == ("active", "bob")
            assert resumed["epoch"] == halted["epoch"] + 1
            assert "is halted, epoch" in said(state, "kill", "again")
        finally:
            said(state, "down")
    assert await_told(state, "trace", halted["decision_id"])["messages"]


def wait_for_the_end(state: Path, desk: subprocess.Popen[bytes]) -> None:
    """Wait until the replay has ended and the desk still runs."""
    deadline = time.monotonic() + START_SECONDS
    record = state / "replay.json"
    while not (record.exists() and json.loads(record.read_text())["finished"]):
        assert desk.poll() is None, "the desk has ended"
        assert time.monotonic() < deadline, "the replay does not end"
        time.sleep(0.1)
    assert read_run_record(StateFolder(state)) is not None
