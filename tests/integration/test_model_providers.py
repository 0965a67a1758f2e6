"""The real SDKs over real HTTP, against a server that misbehaves on demand."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec
import pytest
from interlock.local_reasoner.adapters.asking import ask_model
from interlock.local_reasoner.adapters.calling import caller_of
from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.local_reasoner.ports import AskModel, ModelAnswered, ModelFailed
from interlock.reasoning.budget import BudgetLimits, MemoryBudgetStore
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.ports import Question
from interlock.reasoning.schemas import PARAM_PROPOSAL, ParamProposalAnswer
from interlock.runtime.config import ConfigError
from interlock.runtime.stores.budget import RedisBudgetStore
from interlock.testkit.stub_model import (
    Endless,
    HangUp,
    Raw,
    Refuse,
    Reply,
    Say,
    Status,
    StubModel,
    Tokens,
)
from interlock.wire.base import root_ids
from interlock.wire.market import ClockTicked
from interlock.wire.reasoning import ReasonerFailure as Reason

GOOD = '{"threshold_bps": 1.2, "confidence": 70, "rationale": "calm"}'
KEY = "sk-test-only-0123456789"
PROTOCOLS = [ProviderKind.OLLAMA, ProviderKind.OPENAI, ProviderKind.OPENAI_CHAT]
PATHS = {
    ProviderKind.OLLAMA: "/api/chat",
    ProviderKind.OPENAI: "/v1/responses",
    ProviderKind.OPENAI_CHAT: "/v1/chat/completions",
}
CREDIT_TOO_LOW = '{"error":{"message":"Your credit balance is too low","type":"invalid_request"}}'
NO_QUOTA = '{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}'

pytestmark = pytest.mark.parametrize("kind", PROTOCOLS, ids=str)


def effect(timeout_seconds=5.0, index=1):
    message_id, decision_id = root_ids(ClockTicked, index)
    tick = ClockTicked(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=0,
        desk="params",
        index=index,
        cadence_ns=5_000_000_000,
        ts_desk=0,
        window_scale=1.0,
        clock_offset_ns=None,
    )
    question = Question(
        system="You tune.",
        prompt="Propose.",
        schema=PARAM_PROPOSAL,
        max_tokens=200,
        timeout_seconds=timeout_seconds,
    )
    return AskModel(tick=tick, current=1.0, question=question)


def config(kind, stub, **changes):
    url = stub.ollama_url if kind is ProviderKind.OLLAMA else stub.openai_url
    priced = LocalReasonerConfig(
        provider=kind,
        model="stub-1",
        base_url=url,
        api_key_env="STUB_KEY",
        usd_per_million_in=Decimal(1),
        usd_per_million_out=Decimal(10),
    )
    return msgspec.structs.replace(priced, **changes)


def memory_store(settings):
    return MemoryBudgetStore(
        BudgetLimits(
            usd_per_day=settings.budget_usd_per_day, calls_per_day=settings.budget_calls_per_day
        )
    )


async def ask(kind, replies, *, times=1, timeout_seconds=5.0, usual_seconds=10.0, **changes):
    """Return the last report, the stub and the budget store."""
    async with StubModel(replies) as stub:
        settings = config(kind, stub, timeout_seconds=usual_seconds, **changes)
        store = memory_store(settings)
        caller = caller_of(settings, store, {"STUB_KEY": KEY})
        try:
            for index in range(times):
                (report,) = await ask_model(caller, effect(timeout_seconds, index))
        finally:
            await caller.close()
    return report, stub, store


async def test_success(kind):
    report, stub, store = await ask(kind, [Say(GOOD, tokens=Tokens(given=300, made=50))])
    assert isinstance(report, ModelAnswered)
    assert report.answer == ParamProposalAnswer(threshold_bps=1.2, confidence=70, rationale="calm")
    assert (report.tokens_in, report.tokens_out) == (300, 50)
    assert report.cost_usd == Decimal("0.0008")
    assert report.latency_ns > 0
    assert report.text == GOOD
    (request,) = stub.requests
    assert request.path == PATHS[kind]
    (day,) = store.days.values()
    assert (day.usd, day.calls, day.open) == (Decimal("0.0008"), 1, {})


async def test_the_model_is_held_to_the_schema(kind):
    _, stub, _ = await ask(kind, [Say(GOOD)])
    body = stub.requests[0].body
    match kind:
        case ProviderKind.OLLAMA:
            schema = body["format"]
            assert body["options"]["num_predict"] == 200
        case ProviderKind.OPENAI:
            schema = body["text"]["format"]["schema"]
            assert body["text"]["format"]["strict"] is True
            assert body["max_output_tokens"] == 200
        case _:
            schema = body["response_format"]["json_schema"]["schema"]
            assert body["response_format"]["json_schema"]["strict"] is True
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["threshold_bps", "confidence", "rationale"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What the endpoint does for ever, what that is called, and how often it is asked."""

    reply: Reply
    reason: Reason
    requests: int = 1


FAULTS = {
    "429": Fault(Status(429), Reason.RATE_LIMIT, 2),
    "429 for longer than we wait": Fault(Status(429, retry_after=60), Reason.RATE_LIMIT, 2),
    "429 out of quota": Fault(Status(429, body=NO_QUOTA), Reason.RATE_LIMIT),
    "400 out of credit": Fault(Status(400, body=CREDIT_TOO_LOW), Reason.PROVIDER),
    "401": Fault(Status(401), Reason.PROVIDER),
    "404 with an empty body": Fault(Status(404, body=""), Reason.PROVIDER),
    "500": Fault(Status(500), Reason.PROVIDER, 2),
    "503 in HTML": Fault(Status(503, body="<html>sorry</html>"), Reason.PROVIDER, 2),
    "hang-up": Fault(HangUp(), Reason.NETWORK, 2),
    "cut off": Fault(Say(GOOD[:30], cut=True), Reason.TRUNCATED),
    "cut off after a whole answer": Fault(Say(GOOD, cut=True), Reason.TRUNCATED),
    "cut without saying so": Fault(Say(GOOD[:-1]), Reason.TRUNCATED),
    "prose": Fault(Say("I'd leave it."), Reason.PARSE),
    "wrong schema": Fault(Say('{"value": 1}'), Reason.PARSE),
    "out of range": Fault(Say(GOOD.replace("1.2", "12")), Reason.PARSE),
    "empty": Fault(Say(""), Reason.EMPTY),
    "blank": Fault(Say(" \n"), Reason.EMPTY),
    "body is no JSON": Fault(Raw("<html>"), Reason.PARSE),
    "body is another object": Fault(Raw('{"hello": 1}'), Reason.PARSE),
    "body is a list": Fault(Raw("[]"), Reason.PARSE),
    "endless body": Fault(Endless(), Reason.TRUNCATED),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_fault(kind, fault):
    report, stub, store = await ask(kind, [fault.reply])
    assert isinstance(report, ModelFailed)
    assert report.reason is fault.reason, report.detail
    # Ollama's SDK hides the Retry-After header, so there the retry is made.
    waits = isinstance(fault.reply, Status) and fault.reply.retry_after is not None
    requests = 1 if waits and kind is not ProviderKind.OLLAMA else fault.requests
    assert len(stub.requests) == requests
    assert all(not day.open for day in store.days.values())
    assert KEY not in report.detail


async def test_refusal(kind):
    report, _, _ = await ask(kind, [Refuse()])
    assert isinstance(report, ModelFailed)
    in_plain_words = kind is ProviderKind.OLLAMA
    assert report.reason is (Reason.PARSE if in_plain_words else Reason.REFUSAL)


async def test_a_passing_fault_is_retried_once(kind):
    report, stub, store = await ask(kind, [Status(503), Say(GOOD)])
    assert isinstance(report, ModelAnswered)
    assert len(stub.requests) == 2
    (day,) = store.days.values()
    assert day.calls == 2
    assert day.usd == report.cost_usd


async def test_timeout_holds_for_the_whole_call(kind):
    report, stub, _ = await ask(kind, [Say(GOOD, after_seconds=60)], timeout_seconds=0.2)
    assert isinstance(report, ModelFailed)
    assert report.reason is Reason.TIMEOUT
    assert report.spent_usd > 0, "what the server did meanwhile is not known to be free"
    assert len(stub.requests) == 1


async def test_a_question_that_may_take_long_is_waited_for(kind):
    """A post-mortem has a minute where a parameter has ten seconds."""
    slow = [Say(GOOD, after_seconds=0.5)]
    report, _, _ = await ask(kind, slow, timeout_seconds=30.0, usual_seconds=0.1)
    assert isinstance(report, ModelAnswered)


@pytest.mark.parametrize(
    "limits",
    [{"budget_calls_per_day": 0}, {"budget_usd_per_day": Decimal("0.000001")}],
    ids=["calls", "usd"],
)
async def test_an_exhausted_budget_asks_nobody(kind, limits):
    report, stub, _ = await ask(kind, [Say(GOOD)], **limits)
    assert isinstance(report, ModelFailed)
    assert report.reason is Reason.BUDGET
    assert report.spent_usd == 0
    assert stub.requests == []


async def test_a_model_without_a_price_is_not_asked_on_a_budget(kind):
    unpriced = {"usd_per_million_in": None, "usd_per_million_out": None}
    report, stub, _ = await ask(kind, [Say(GOOD)], **unpriced)
    if kind is ProviderKind.OLLAMA:
        assert isinstance(report, ModelAnswered)
        assert report.cost_usd == 0
        return
    assert isinstance(report, ModelFailed)
    assert report.reason is Reason.BUDGET
    assert stub.requests == []


async def test_an_endpoint_that_keeps_failing_is_left_alone(kind):
    report, stub, _ = await ask(
        kind, [Status(500)], times=4, attempts=1, breaker_failures=2, breaker_cool_down_seconds=60
    )
    assert isinstance(report, ModelFailed)
    assert report.reason is Reason.PROVIDER
    assert "not asked" in report.detail
    assert len(stub.requests) == 2


async def test_no_more_calls_a_minute_than_are_allowed(kind):
    report, stub, _ = await ask(kind, [Say(GOOD)], times=3, calls_per_minute=2)
    assert isinstance(report, ModelFailed)
    assert report.reason is Reason.BUDGET
    assert "last minute" in report.detail
    assert len(stub.requests) == 2


async def test_a_kept_answer_is_not_asked_for_again(kind, tmp_path):
    report, stub, store = await ask(kind, [Say(GOOD)], times=3, answer_cache=str(tmp_path))
    assert isinstance(report, ModelAnswered)
    assert len(stub.requests) == 1
    (day,) = store.days.values()
    assert day.calls == 1


async def test_nobody_listens(kind):
    async with StubModel([Say(GOOD)]) as stub:
        gone = config(kind, stub)
    caller = caller_of(gone, memory_store(gone), {"STUB_KEY": KEY})
    (report,) = await ask_model(caller, effect())
    await caller.close()
    assert isinstance(report, ModelFailed)
    assert report.reason is Reason.NETWORK


async def test_a_missing_key_is_named(kind):
    async with StubModel([Say(GOOD)]) as stub:
        settings = config(kind, stub)
        if kind is ProviderKind.OLLAMA:
            await caller_of(settings, memory_store(settings), {}).close()
            return
        with pytest.raises(ConfigError, match="STUB_KEY"):
            caller_of(settings, memory_store(settings), {})


async def test_a_budget_store_that_is_away_refuses(kind, unused_tcp_port_factory: Callable):
    store = RedisBudgetStore(
        f"redis://127.0.0.1:{unused_tcp_port_factory()}/0",
        desk="params",
        usd_per_day=Decimal(10),
        calls_per_day=None,
    )
    async with StubModel([Say(GOOD)]) as stub:
        caller = caller_of(config(kind, stub), store, {"STUB_KEY": KEY})
        (report,) = await ask_model(caller, effect())
        await caller.close()
        await store.close()
        assert isinstance(report, ModelFailed)
        assert report.reason is Reason.BUDGET
        assert stub.requests == []
