"""What an endpoint can do is found out over real HTTP, and it is asked as it can be."""

import pytest
from interlock.reasoning.budget import BudgetLimits, MemoryBudgetStore
from interlock.reasoning.caller import Answered, NotAnswered
from interlock.reasoning.calling import MissingKeyError, caller_of
from interlock.reasoning.endpoint import EndpointConfig, ProviderKind
from interlock.reasoning.ports import Question
from interlock.reasoning.schemas import PARAM_PROPOSAL
from interlock.testkit.stub_model import Say, Status, StubModel
from interlock.wire.reasoning import ReasonerFailure

GOOD = '{"threshold_bps": 1.2, "confidence": 70, "rationale": "calm"}'
QUESTION = Question(
    system="You tune.", prompt="Propose.", schema=PARAM_PROPOSAL, max_tokens=9, timeout_seconds=5.0
)
NO_SCHEMA = '{"error": {"message": "This response_format type is unavailable now"}}'
NO_JSON_MODE = (
    "{\"error\": {\"message\": \"'response_format.type' must be 'json_schema' or 'text'\"}}"
)


async def ask(stub, kind, *, model="stub-1", times=1):
    url = stub.ollama_url if kind is ProviderKind.OLLAMA else stub.openai_url
    endpoint = EndpointConfig(
        provider=kind, model=model, base_url=url, api_key_env="", budget_usd_per_day=None
    )
    budget = MemoryBudgetStore(BudgetLimits(usd_per_day=None, calls_per_day=None))
    caller = caller_of(endpoint, budget, {})
    try:
        return [await caller.ask(QUESTION, f"call-{n}") for n in range(times)]
    finally:
        await caller.close()


def formats(stub):
    return [request.body.get("format") for request in stub.requests]


@pytest.mark.parametrize("version", ["0.5.0", "0.12.3", "v1.0", "0.0.0", "", "from source"])
async def test_an_ollama_that_takes_schemas_is_given_one(version):
    async with StubModel([Say(GOOD)], version=version) as stub:
        (asked,) = await ask(stub, ProviderKind.OLLAMA)
    assert isinstance(asked, Answered)
    assert formats(stub)[0]["required"] == ["threshold_bps", "confidence", "rationale"]


@pytest.mark.parametrize("version", ["0.4.9", "0.1.32"])
async def test_an_older_ollama_is_asked_for_any_json(version):
    async with StubModel([Say(GOOD)], version=version) as stub:
        asked = await ask(stub, ProviderKind.OLLAMA, times=2)
    assert all(isinstance(one, Answered) for one in asked)
    assert formats(stub) == ["json", "json"]


async def test_a_model_that_is_not_pulled_is_named_and_never_waited_for():
    async with StubModel([Say(GOOD)], models=["llama3.2:3b"]) as stub:
        (asked,) = await ask(stub, ProviderKind.OLLAMA, model="qwen2.5:14b")
    assert isinstance(asked, NotAnswered)
    assert asked.reason is ReasonerFailure.PROVIDER
    assert "ollama pull qwen2.5:14b" in asked.detail
    assert "llama3.2:3b" in asked.detail
    assert stub.requests == []


@pytest.mark.parametrize("model", ["qwen2.5", "qwen2.5:latest"])
async def test_the_latest_tag_may_be_left_away(model):
    async with StubModel([Say(GOOD)], models=["qwen2.5:latest"]) as stub:
        (asked,) = await ask(stub, ProviderKind.OLLAMA, model=model)
    assert isinstance(asked, Answered)


def shapes(stub):
    return [request.body.get("response_format", {}).get("type") for request in stub.requests]


async def test_a_chat_server_that_takes_schemas_is_given_one():
    async with StubModel([Say(GOOD)]) as stub:
        await ask(stub, ProviderKind.OPENAI_CHAT)
    assert shapes(stub) == ["json_schema"]


@pytest.mark.parametrize("status", [400, 422])
async def test_a_chat_server_without_schemas_is_asked_for_an_object_from_then_on(status):
    async with StubModel([Status(status, body=NO_SCHEMA), Say(GOOD)]) as stub:
        asked = await ask(stub, ProviderKind.OPENAI_CHAT, times=2)
    assert all(isinstance(one, Answered) for one in asked)
    assert shapes(stub) == ["json_schema", "json_object", "json_object"]


async def test_a_chat_server_without_any_json_mode_is_asked_in_plain_words():
    replies = [Status(400, body=NO_SCHEMA), Status(400, body=NO_JSON_MODE), Say(GOOD)]
    async with StubModel(replies) as stub:
        (asked,) = await ask(stub, ProviderKind.OPENAI_CHAT)
    assert isinstance(asked, Answered)
    assert shapes(stub) == ["json_schema", "json_object", None]


async def test_a_chat_server_that_says_no_to_everything_is_asked_three_times():
    async with StubModel([Status(400, body=NO_SCHEMA)]) as stub:
        (asked,) = await ask(stub, ProviderKind.OPENAI_CHAT)
    assert isinstance(asked, NotAnswered)
    assert len(stub.requests) == 3


async def test_another_bad_request_is_not_about_the_format():
    body = '{"error": {"message": "Your credit balance is too low"}}'
    async with StubModel([Status(400, body=body)]) as stub:
        (asked,) = await ask(stub, ProviderKind.OPENAI_CHAT)
    assert isinstance(asked, NotAnswered)
    assert shapes(stub) == ["json_schema"]


def test_a_missing_key_is_named():
    endpoint = EndpointConfig(provider=ProviderKind.OPENAI, model="gpt-5", api_key_env="NO_SUCH")
    budget = MemoryBudgetStore(BudgetLimits(usd_per_day=None, calls_per_day=None))
    with pytest.raises(MissingKeyError, match="NO_SUCH"):
        caller_of(endpoint, budget, {})
