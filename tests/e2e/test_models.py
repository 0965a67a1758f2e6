"""A desk that asks models over HTTP: what they say counts, and what they fail at is counted."""

import asyncio
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from interlock.testkit.stub_model import (
    Asked,
    HangUp,
    Raw,
    Refuse,
    Reply,
    Say,
    Status,
    StubModel,
    Tokens,
)

from tests.e2e.desk import journal, up, write_slice

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

KEY = "sk-not-for-anybody-s-eyes"
RATIONALE = "The market has become wilder."
PROPOSAL = Say(
    json.dumps({"threshold_bps": 1.1, "confidence": 70, "rationale": RATIONALE}),
    tokens=Tokens(given=300, made=50),
)
# Of the 15 cadences of the slice, those with warm features.
QUESTIONS = 10
BREAKS_AFTER = 4
PROVIDERS = ("ollama", "openai", "openai-chat")
PATHS = {"ollama": "/api/chat", "openai": "/v1/responses", "openai-chat": "/v1/chat/completions"}
# 300 tokens in at 2 USD a million, 50 out at 10 USD a million.
COSTS = {"ollama": Decimal(0), "openai": Decimal("0.0011"), "openai-chat": Decimal("0.0011")}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=480, rows=60)


def settings(provider: str, stub: StubModel, **more: str) -> dict[str, str]:
    """Return the environment that sends a desk's questions to the stub."""
    section = {
        "provider": provider,
        "model": "stub-1",
        "base_url": stub.ollama_url if provider == "ollama" else stub.openai_url,
        "api_key_env": "STUB_KEY",
        "timeout_seconds": "2",
        "attempts": "1",
        "breaker_failures": str(BREAKS_AFTER),
        **(
            {} if provider == "ollama" else {"usd_per_million_in": "2", "usd_per_million_out": "10"}
        ),
        **more,
    }
    overrides = {f"INTERLOCK__LOCAL_REASONER__{k.upper()}": v for k, v in section.items() if v}
    return {**overrides, "INTERLOCK__SIGNALS__VOLATILITY_WINDOW": "5", "STUB_KEY": KEY}


async def ask(
    provider: str,
    replies: list[Reply],
    state: Path,
    data: Path,
    *words: str,
    **more: str,
) -> tuple[dict, list[Asked]]:
    """Replay against a stub; return the closing summary and what the stub was asked."""
    async with StubModel(replies) as stub:
        environment = settings(provider, stub, **more)
        closing = await asyncio.to_thread(up, state, data, *words, **environment)
        return closing, stub.requests


def assert_agrees(closing: dict) -> None:
    assert closing["lost"] == 0
    assert closing["parked"] == 0
    assert closing["summary"]["bars"] == 60
    assert closing["stored"] == {k: closing["journaled"].get(k, 0) for k in closing["stored"]}


def assert_gave_nothing(closing: dict, state: Path, failures: dict[str, int]) -> None:
    assert_agrees(closing)
    assert closing["summary"]["reasoner_failures"] == failures
    assert closing["summary"]["proposals_seen"] == QUESTIONS - sum(failures.values())
    found = journal(state)
    assert len(found["reasoner.param-proposal.v1"]) == QUESTIONS - sum(failures.values())
    assert len(found["reasoner.failed.v1"]) == sum(failures.values())
    assert KEY not in (state / "journal" / "journal.jsonl").read_text()


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_proposals_flow_from_the_model_to_the_verdict(
    provider: str, data: Path, tmp_path: Path
):
    closing, asked = await ask(provider, [PROPOSAL], tmp_path, data, "--single-process")
    assert_flowed(provider, closing, asked, journal(tmp_path))


async def test_proposals_flow_between_processes(data: Path, tmp_path: Path):
    closing, asked = await ask("openai", [PROPOSAL], tmp_path, data)
    assert_flowed("openai", closing, asked, journal(tmp_path))
    for log in (tmp_path / "logs").iterdir():
        assert KEY not in log.read_text(errors="replace"), log.name


def assert_flowed(provider: str, closing: dict, asked: list[Asked], found: dict) -> None:
    assert_agrees(closing)
    assert {one.path for one in asked} == {PATHS[provider]}
    assert len(asked) == closing["summary"]["proposals_seen"] == QUESTIONS
    assert closing["summary"]["proposals_applied"] == 1
    assert closing["summary"]["reasoner_failures"] == {}
    if provider != "ollama":
        assert {one.headers["Authorization"] for one in asked} == {f"Bearer {KEY}"}
    proposals = {one["message_id"]: one for one in found["reasoner.param-proposal.v1"]}
    for one in proposals.values():
        assert (one["provider"], one["model"]) == (provider, "stub-1")
        assert (one["tokens_in"], one["tokens_out"]) == (300, 50)
        assert Decimal(one["cost_usd"]) == COSTS[provider]
        assert (one["proposed"], one["rationale"]) == (1.1, RATIONALE)
        assert one["latency_ns"] > 0
    verdicts = found["policy.proposal-judged.v1"]
    assert {one["proposal_id"] for one in verdicts} == proposals.keys()
    (applied,) = (one for one in verdicts if one["verdict"] == "accepted")
    assert applied["applied"] == 1.1
    assert found["policy.changed.v1"][-1]["parameters"] == {"threshold_bps": 1.1}


FAULTS: list[tuple[Reply, str]] = [
    (Say(PROPOSAL.text, after_seconds=30), "timeout"),
    (Status(429), "rate_limit"),
    (Status(500), "provider"),
    (HangUp(), "network"),
    (Raw("<html>busy</html>", content_type="text/html"), "parse"),
    (Raw('{"hello": [1, 2]}'), "parse"),
    (Say("I would raise it, I think."), "parse"),
    (Refuse(), "refusal"),
    (Say('{"threshold_bps": 1.', cut=True), "truncated"),
    (Say("  "), "empty"),
]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_each_fault_gives_no_proposal_and_a_reason(provider: str, data: Path, tmp_path: Path):
    assert len(FAULTS) == QUESTIONS
    reasons = Counter(reason for _, reason in FAULTS)
    if provider == "ollama":
        # Its protocol has no word for a refusal.
        reasons = reasons - Counter(["refusal"]) + Counter(["parse"])
    closing, asked = await ask(
        provider,
        [reply for reply, _ in FAULTS],
        tmp_path,
        data,
        "--single-process",
        timeout_seconds="1",
        breaker_failures="100",
    )
    assert_gave_nothing(closing, tmp_path, dict(reasons))
    assert closing["summary"]["proposals_applied"] == 0
    assert len(asked) == QUESTIONS


async def test_an_endpoint_that_only_times_out_is_left_alone(data: Path, tmp_path: Path):
    slow = Say(PROPOSAL.text, after_seconds=30)
    closing, asked = await ask(
        "ollama", [slow], tmp_path, data, "--single-process", timeout_seconds="0.3"
    )
    assert_gave_nothing(closing, tmp_path, {"timeout": QUESTIONS})
    assert len(asked) == BREAKS_AFTER


async def test_nobody_there_gives_no_proposal_and_a_reason(data: Path, tmp_path: Path):
    async with StubModel([PROPOSAL]) as stub:
        environment = settings("openai-chat", stub)
    closing = await asyncio.to_thread(up, tmp_path, data, "--single-process", **environment)
    assert_gave_nothing(closing, tmp_path, {"network": QUESTIONS})


async def test_the_desk_goes_on_after_faults_until_the_budget_is_spent(data: Path, tmp_path: Path):
    """Between processes, with the budget in Redis."""
    replies = [Status(500), Refuse(), HangUp(), PROPOSAL]
    closing, asked = await ask("openai-chat", replies, tmp_path, data, budget_calls_per_day="8")
    expected = {"budget": 2, "network": 1, "provider": 1, "refusal": 1}
    assert_gave_nothing(closing, tmp_path, expected)
    assert len(asked) == 8
    assert closing["summary"]["proposals_applied"] == 1


@pytest.mark.parametrize(
    ("budget", "requests"),
    [
        pytest.param({"budget_calls_per_day": "3"}, 3, id="calls"),
        pytest.param({"budget_usd_per_day": "0.0001"}, 0, id="one call is too dear"),
        pytest.param(
            {"usd_per_million_in": "", "usd_per_million_out": ""}, 0, id="nobody knows the price"
        ),
    ],
)
async def test_an_exhausted_budget_is_not_overdrawn(
    budget: dict[str, str], requests: int, data: Path, tmp_path: Path
):
    closing, asked = await ask("openai", [PROPOSAL], tmp_path, data, "--single-process", **budget)
    assert_gave_nothing(closing, tmp_path, {"budget": QUESTIONS - requests})
    assert len(asked) == requests
