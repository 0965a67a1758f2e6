"""What a desk with models judged, over the console's API: from the tables and from the bus."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from interlock.testkit.desk_messages import DESK
from interlock.wire.codec import decode
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.reasoning import AnswerSource, ReasonerFailure, Trigger
from msgspec.structs import replace

from tests.integration.console_desk import PATIENCE_SECONDS, ConsoleDesk, console_desk

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="module")]

EXAMPLES = Path(__file__).parents[2] / "proto" / "examples"
SECTIONS = """
[escalation]
max_calls_per_day = 3

[escalation.cloud]
provider = "openai"
model = "gpt-5"
budget_usd_per_day = 1
"""


def example(tag, **changes):
    said = decode((EXAMPLES / tag / "typical.json").read_bytes())
    return replace(said, desk=DESK, **changes)


def numbered(tag, n, **changes):
    return example(tag, message_id=f"{n:032x}", **changes)


ESCALATION = "escalation.triggered.v1"
DECISION = "e" * 32
TODAY = -1
"""The trading day of a desk whose clock has not begun."""
CALL = {"source": AnswerSource.CLOUD, "prompt": "p", "prompt_hash": "h", "answer": "{}"}
FIRED = [
    numbered(ESCALATION, 1, day=TODAY, ts_event=1, decision_id=DECISION),
    numbered(
        ESCALATION, 2, day=TODAY, ts_event=2, trigger=Trigger.REGIME, granted=False, reason="no"
    ),
    numbered(ESCALATION, 3, day=TODAY - 1, ts_event=3, trigger=Trigger.POST_MORTEM),
]
ANSWERED = numbered(
    "reasoner.rewards-engineered.v1", 4, decision_id=DECISION, ts_event=5,
    cost_usd=Decimal("0.25"), **CALL,
)  # fmt: skip
FAILED = numbered(
    "reasoner.failed.v1", 5, ts_event=6, reason=ReasonerFailure.TIMEOUT,
    spent_usd=Decimal("0.05"), source=AnswerSource.CLOUD, question="regime_auditor",
)  # fmt: skip
CHANGED = numbered("policy.changed.v1", 6, decision_id=DECISION, version=90, ts_event=7)
SCORED = numbered("strategy.score.v1", 7, decision_id="5" * 32)
WRITTEN = [
    numbered("reasoner.post-mortem.v1", 8, day=14_000, prompt_hash=""),
    numbered("reasoner.post-mortem.v1", 9, day=14_001, prompt_hash=""),
]
OVER = [
    numbered("account.day-summarised.v1", 10, day=14_000, killed=True, escalations=0),
    numbered("account.day-summarised.v1", 11, day=14_001, killed=False, escalations=0),
    numbered("account.day-summarised.v1", 12, day=14_002, killed=False, escalations=2),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory) -> AsyncIterator[ConsoleDesk]:
    everything = [*FIRED, ANSWERED, FAILED, CHANGED, SCORED, *WRITTEN, *OVER]
    folder = tmp_path_factory.mktemp("judgement")
    async with console_desk(folder, *everything, sections=SECTIONS) as running:
        yield running


async def test_calls_and_money_are_those_of_escalations_on_this_trading_day(desk):
    async with desk.person("vera") as viewer:
        cloud = (await viewer.get("/api/budgets")).json()["today"]["cloud"]
        assert cloud == {
            "calls_today": 1, "calls_limit": 3, "kept": 1, "usd_today": "0.3", "usd_limit": "1",
        }  # fmt: skip
        status = (await viewer.get("/api/gpt5-status")).json()
        assert (status["status"], status["provider"], status["model"]) == (
            "available", "openai", "gpt-5",
        )  # fmt: skip
        assert (status["last_call"]["outcome"], status["last_call"]["question"]) == (
            "timeout", "regime_auditor",
        )  # fmt: skip
        assert status["last_escalation"]["trigger"] == "post_mortem"


async def test_escalations_are_listed_newest_first_a_page_at_a_time(desk):
    async with desk.person("vera") as viewer:
        first = (await viewer.get("/api/escalations?limit=2")).json()
        second = (await viewer.get(f"/api/escalations?limit=2&cursor={first['next']}")).json()
    listed = [*first["items"], *second["items"]]
    assert [(one["trigger"], one["granted"]) for one in listed] == [
        ("post_mortem", True), ("regime", False), ("risk", True),
    ]  # fmt: skip
    assert second["next"] is None


async def test_an_escalation_leads_to_its_answer_and_to_what_it_changed(desk):
    async with desk.person("vera") as viewer:
        told = (await viewer.get(f"/api/decisions/{DECISION}")).json()
    assert [one["trigger"] for one in told["escalations"]] == ["risk"]
    (call,) = told["model_calls"]
    assert (call["question"], call["source"], call["prompt"]) == ("reward_engineer", "cloud", "p")
    assert [one["version"] for one in told["policy_changes"]] == [90]


async def test_a_score_stands_in_its_decision_with_its_parts(desk):
    async with desk.person("vera") as viewer:
        (score,) = (await viewer.get(f"/api/decisions/{'5' * 32}")).json()["scores"]
    assert (score["p_short"], score["weights"]) == (SCORED.p_short, SCORED.weights)
    assert score["penalties"] == {"low_liquidity": -0.05}


async def test_post_mortems_are_found_by_their_day(desk):
    async with desk.person("vera") as viewer:
        last = (await viewer.get("/api/post-mortems")).json()
        assert (last["day"], len(last["items"])) == ("2008-05-02", 1)
        earlier = (await viewer.get("/api/post-mortems?day=2008-05-01")).json()
        assert earlier["items"][0]["root_cause"] == WRITTEN[0].root_cause
        nobody = await viewer.get("/api/post-mortems?day=2009-01-01")
        assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown")
        odd = await viewer.get("/api/post-mortems?day=yesterday")
        assert odd.status_code == 400


async def test_days_are_leafed_through_and_the_eventful_ones_found(desk):
    async with desk.person("vera") as viewer:
        first = (await viewer.get("/api/days?limit=2")).json()
        rest = (await viewer.get(f"/api/days?limit=2&cursor={first['next']}")).json()
        eventful = (await viewer.get("/api/days?eventful=true")).json()
    days = [one["day"] for one in (*first["items"], *rest["items"])]
    assert days == ["2008-05-03", "2008-05-02", "2008-05-01"]
    assert [(one["day"], one["killed"]) for one in eventful["items"]] == [
        ("2008-05-03", False), ("2008-05-01", True),
    ]  # fmt: skip


async def test_what_is_said_on_the_bus_stands_above_every_page(desk):
    def mode(which, *, begun):
        return ModeChanged(
            message_id=f"{which} {begun}", decision_id="d", ts_event=1 + (not begun), desk=DESK,
            mode=which, begun=begun, reason="why",
        )  # fmt: skip

    async with desk.person("vera") as viewer:
        await desk.say(
            "strategy", SCORED, mode(Mode.RL_ONLY, begun=True), mode(Mode.DATA_STALL, begun=True),
            mode(Mode.DATA_STALL, begun=False),
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await viewer.get("/api/state")).json()["modes"]:
                await asyncio.sleep(0.05)
        assert [one["mode"] for one in (await viewer.get("/api/state")).json()["modes"]] == [
            "rl_only"
        ]
        stats = (await viewer.get("/api/model-stats")).json()
        assert [one["score"] for one in stats["scores"]] == [SCORED.score]
    assert desk.stop_console() == 0
    await desk.start_console()
    async with desk.person("vera") as viewer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (await viewer.get("/api/state")).json()["modes"]:
                await asyncio.sleep(0.05)
        shown = (await viewer.get("/api/state")).json()["modes"]
        assert [one["mode"] for one in shown] == ["rl_only"], "it is read back after a restart"
