"""Desk hybrid through the worst weeks of 2008 as processes: killed, on paper, back, and checked.

Two kill days are enough for a quarantine here, so that a few weeks have all of the story.
"""

import json
from pathlib import Path

import pytest

from tests.e2e.desk import (
    ROOT,
    assert_nothing_happened_twice,
    decisions,
    interlock,
    journal,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

DESKS = ROOT / "deploy" / "desks"
REPLAY = "crash-2008"
OF_THIS_DESK = (
    "strategy.score.v1", "escalation.triggered.v1", "reasoner.sanity-judged.v1",
    "reasoner.rewards-engineered.v1", "policy.trading-state.v1", "order.moved.v1",
    "reasoner.post-mortem.v1",
)  # fmt: skip
CHANGES_BY_RUN = ("signature", "key_id", "seconds", "latency_ns")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the shipped desk and its scenario, of fewer days and a stricter kill rule."""
    folder = tmp_path_factory.mktemp("desks")
    (folder / "hybrid").mkdir()
    text = (DESKS / "hybrid.toml").read_text(encoding="utf-8")
    assert "\nkill_days = 3\n" in text
    path = folder / "hybrid.toml"
    path.write_text(text.replace("\nkill_days = 3\n", "\nkill_days = 2\n"), encoding="utf-8")
    scenario = (DESKS / "hybrid" / f"{REPLAY}.toml").read_text(encoding="utf-8")
    for name, there, here in (("first", "2008-01-02", "2008-08-01"),
                              ("last", "2009-06-30", "2008-10-16")):  # fmt: skip
        assert f"{name} = {there}\n" in scenario
        scenario = scenario.replace(f"{name} = {there}\n", f"{name} = {here}\n")
    (folder / "hybrid" / f"{REPLAY}.toml").write_text(scenario, encoding="utf-8")
    return str(path)


def up(desk: str, state: Path, *words: str) -> str:
    done = interlock(
        "up", "--desk", desk, "--replay", REPLAY, "--state", str(state), "--exit", *words
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def told(desk: str, state: Path) -> dict[str, list[str]]:
    """Return the closing summary of the desk on the bus, by the head of each line."""
    found: dict[str, list[str]] = {}
    head = ""
    for line in up(desk, state).splitlines():
        head = line[:12].strip() or head
        found.setdefault(head, []).append(line[12:])
    return found


def test_the_summary_tells_of_the_kill_days_the_quarantine_and_the_way_back(told):
    assert told["market"] == ["216 bars, 54 cadences"]
    assert "all counts agree; 0 parked, 0 restarts" in told["messages"][0]
    assert [line[:10] for line in told["kill days"]] == ["2008-09-17", "2008-09-29", "2008-10-03"]
    assert "kill_switch 3" in told["escalated"][0]
    assert told["judged"] == ["stay on paper 1, go back 2"]
    assert [line.partition(" sessions;")[0] for line in told["on paper"]] == [
        "on paper from 2008-09-17 to 2008-09-19, 2",
        "on paper from 2008-09-29 to 2008-10-01, 2",
        "quarantine from 2008-09-29 to 2008-10-15, 12",
        "on paper from 2008-10-03 to 2008-10-07, 2",
    ]
    assert any("policy: the quarantine of 7 trading days is over" in s for s in told["on paper"])
    assert told["post-mortem"][0].startswith("2008-10-16, by rules: The day ")
    assert len(told["post-mortem"]) > 1


def test_its_journal_stands_and_each_verdict_of_the_gate_comes_out_again(told, state: Path):
    assert told
    done = interlock("verify", "--state", str(state), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"]
    assert_nothing_happened_twice(state)


def test_one_process_decides_the_same(told, desk: str, state: Path, tmp_path: Path):
    assert told
    up(desk, tmp_path, "--single-process")
    ours, theirs = decisions(tmp_path), decisions(state)
    assert ours["order.filled.v1"]
    assert ours == theirs
    ours, theirs = journal(tmp_path), journal(state)
    for kind in OF_THIS_DESK:
        assert ours[kind], kind
        assert _without_the_run(ours[kind]) == _without_the_run(theirs[kind]), kind


def _without_the_run(messages: list[dict]) -> list[dict]:
    """Return the messages without what a new signing key or the machine's speed changes."""
    return [
        {key: value for key, value in one.items() if key not in CHANGES_BY_RUN}
        for one in sorted(messages, key=lambda one: (one["ts_event"], one["message_id"]))
    ]
