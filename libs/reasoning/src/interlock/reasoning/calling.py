"""From an endpoint's configuration to a way of calling it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from interlock.model.ids import NANOS_PER_SECOND
from interlock.reasoning.answer_cache import AnswerCache
from interlock.reasoning.breaker import BreakerLimits
from interlock.reasoning.budget import BudgetStore
from interlock.reasoning.caller import ModelCaller
from interlock.reasoning.cost import ConfiguredPrice, Price, free, listed_price
from interlock.reasoning.endpoint import Endpoint, ProviderKind
from interlock.reasoning.ports import Provider
from interlock.reasoning.rate import Rate
from interlock.reasoning.retry import RetryPolicy
from interlock.reasoning.rules import Rules

# The SDK insists on a key, also for servers that ask for none.
_NO_KEY = "none"


class MissingKeyError(ValueError):
    """The environment lacks the key of an endpoint. The text says which variable."""


def caller_of(
    endpoint: Endpoint,
    budget: BudgetStore,
    environment: Mapping[str, str],
    *,
    calls_per_minute: int | None = None,
    cache: AnswerCache | None = None,
) -> ModelCaller:
    """Return the way to the configured model.

    The budget's day is the machine's and never a replay's, because the money is spent today.

    Raises
    ------
    MissingKeyError
        Where the environment lacks the endpoint's key.
    """
    return ModelCaller(
        provider=provider_of(endpoint, environment),
        budget=budget,
        price=price_of(endpoint),
        retries=RetryPolicy(attempts=endpoint.attempts),
        breaker_limits=BreakerLimits(
            failures=endpoint.breaker_failures,
            cool_down_ns=int(endpoint.breaker_cool_down_seconds * NANOS_PER_SECOND),
        ),
        today=lambda: datetime.now(UTC).date().isoformat(),
        rate=None if calls_per_minute is None else Rate(calls_per_minute),
        cache=cache,
    )


def provider_of(endpoint: Endpoint, environment: Mapping[str, str]) -> Provider:
    """Return the configured provider; its SDK is imported only if it is the one."""
    model, url = endpoint.model, endpoint.base_url
    match endpoint.provider:
        case ProviderKind.RULES | ProviderKind.NONE:
            return Rules()
        case ProviderKind.OLLAMA:
            from interlock.reasoning.ollama import Ollama

            return Ollama(model, url)
        case ProviderKind.OPENAI:
            from interlock.reasoning.openai import OpenAIResponses

            return OpenAIResponses(model, url, _api_key(endpoint, environment))
        case ProviderKind.OPENAI_CHAT:
            from interlock.reasoning.openai import OpenAIChat

            return OpenAIChat(model, url, _api_key(endpoint, environment))


def price_of(endpoint: Endpoint) -> Price | None:
    """Return what a call costs, none where nobody knows and a budget in USD wants to."""
    if endpoint.usd_per_million_in is not None and endpoint.usd_per_million_out is not None:
        return ConfiguredPrice(
            usd_per_million_in=endpoint.usd_per_million_in,
            usd_per_million_out=endpoint.usd_per_million_out,
        )
    if endpoint.provider not in {ProviderKind.OPENAI, ProviderKind.OPENAI_CHAT}:
        return free
    listed = listed_price(endpoint.model, "openai")
    return free if listed is None and endpoint.budget_usd_per_day is None else listed


def _api_key(endpoint: Endpoint, environment: Mapping[str, str]) -> str:
    if not endpoint.api_key_env:
        return _NO_KEY
    key = environment.get(endpoint.api_key_env, "")
    if not key:
        raise MissingKeyError(
            f"provider {endpoint.provider} needs a key: set the environment variable "
            f"{endpoint.api_key_env}, or name another in api_key_env"
        )
    return key
