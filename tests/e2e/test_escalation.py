"""A desk that escalates, as processes: asked, answered, left without an answer, and killed."""

import asyncio
import json
import os
import signal
from collections import defaultdict
from pathlib import Path

import pytest
from interlock.testkit.stub_model import Say, Status, StubModel, Tokens

from tests.e2e.desk import ROOT, children, journal, running, wait_until, write_slice

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

KEY = "sk-not-for-anybody-s-eyes"
REWARD = json.dumps(
    {
        "reward_coefficients": {"returns": 1.0, "turnover": 0.1, "drawdown": 0.6},
        "turnover_penalties": {"penalty_rate": 0.001},
        "disabled_features": [],
    }
)
ANSWER = Say(REWARD, tokens=Tokens(given=600, made=80))
RISK, OVER = "risk", "post_mortem"
SECTION = """
[policy.parameters."reward.drawdown"]
initial = 0.5
lower = 0.1
upper = 2.0
max_step = 0.2
max_accept_rate = 1.0

[escalation.levels]
daily_loss_pct = {{ fires = 0.2, clears = 0.1 }}
daily_pnl_pct = {{ fires = -90, clears = -80 }}

[escalation.cloud]
provider = "openai-chat"
model = "stub-1"
base_url = "{url}"
api_key_env = "STUB_KEY"
timeout_seconds = 5
usd_per_million_in = 1
usd_per_million_out = 10
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=440, rows=120)


def desk_file(folder: Path, stub: StubModel) -> str:
    text = (ROOT / "deploy" / "desks" / "params.toml").read_text(encoding="utf-8")
    path = folder / "escalating.toml"
    path.write_text(text + SECTION.format(url=stub.openai_url), encoding="utf-8")
    return str(path)


def run(folder: Path, data: Path, stub: StubModel, meanwhile=lambda _state: None) -> dict:
    """Replay to the end, with something happening meanwhile; return what was journaled."""
    state = folder / "state"
    desk = desk_file(folder, stub)
    with running(state, data, "--exit", desk=desk, STUB_KEY=KEY) as process:
        assert "escalation" in children(state)
        meanwhile(state)
        out, problems = process.communicate(timeout=150)
    assert process.returncode == 0, problems
    closing = json.loads(out)
    assert (closing["lost"], closing["parked"]) == (0, 0)
    assert KEY not in (state / "journal" / "journal.jsonl").read_text()
    for log in (state / "logs").iterdir():
        assert KEY not in log.read_text(errors="replace"), log.name
    return journal(state)


def granted_by_day(found: dict) -> dict[int, list[str]]:
    """Return what was granted on each day: a risk, and a word on the day when it was over."""
    days = defaultdict(list)
    for one in found["escalation.triggered.v1"]:
        if one["granted"]:
            days[one["day"]].append(one["trigger"])
    assert len(days) > 2
    assert all(triggers == [RISK, OVER] for triggers in days.values())
    return days


async def test_the_cloud_is_asked_and_policy_judges_what_it_says(data: Path, tmp_path: Path):
    async with StubModel([ANSWER]) as stub:
        found = await asyncio.to_thread(run, tmp_path, data, stub)
        requests = len(stub.requests)
        assert {one.headers["Authorization"] for one in stub.requests} == {f"Bearer {KEY}"}
    days = granted_by_day(found)
    written = found["reasoner.rewards-engineered.v1"]
    assert len(written) == len(days)
    # The stub says the same about a day that is over, which is asked for once more and is no word.
    assert requests == 3 * len(days)
    assert {(one["source"], one["cost_usd"]) for one in written} == {("cloud", "0.0014")}
    rows = [one for one in found["policy.proposal-judged.v1"] if one["provider"] == "openai-chat"]
    accepted = [one["parameter"] for one in rows if one["verdict"] == "accepted"]
    assert accepted == ["reward.drawdown"]
    others = [one["verdict"] for one in rows if one["parameter"] != "reward.drawdown"]
    assert set(others) == {"unknown_parameter"}


async def test_a_cloud_that_is_down_is_told_and_the_local_model_answers(data: Path, tmp_path: Path):
    async with StubModel([Status(503)]) as stub:
        found = await asyncio.to_thread(run, tmp_path, data, stub)
        assert stub.requests
    written = found["reasoner.rewards-engineered.v1"]
    assert {one["source"] for one in written} == {"local"}
    days = granted_by_day(found)
    assert len(written) == len(days)
    texts = [one["text"] for one in found["alert.raised.v1"] if one["code"] == "cloud.unavailable"]
    assert set(texts) == {"cloud model unavailable, using local reasoner"}
    assert len(texts) == len(found["reasoner.failed.v1"]) == 2 * len(days)


async def test_killed_in_the_middle_of_a_call_it_asks_again_and_counts_once(
    data: Path, tmp_path: Path
):
    async with StubModel([Say(REWARD, after_seconds=4), ANSWER]) as stub:

        def kill(state: Path) -> None:
            wait_until(lambda: stub.requests)
            os.kill(children(state)["escalation"]["pid"], signal.SIGKILL)

        found = await asyncio.to_thread(run, tmp_path, data, stub, kill)
        requests = len(stub.requests)
    days = granted_by_day(found)
    written = found["reasoner.rewards-engineered.v1"]
    assert len({one["message_id"] for one in written}) == len(written) == len(days)
    assert requests == 3 * len(days) + 1
    assert {one["source"] for one in written} == {"cloud"}
