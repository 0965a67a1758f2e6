"""From the configuration to a way of calling the model."""

from collections.abc import Mapping
from datetime import UTC, datetime

from interlock.local_reasoner.config import LocalReasonerConfig, ProviderKind
from interlock.model.ids import NANOS_PER_SECOND
from interlock.reasoning.breaker import BreakerLimits
from interlock.reasoning.budget import BudgetStore
from interlock.reasoning.caller import ModelCaller
from interlock.reasoning.cost import ConfiguredPrice, Price, free, listed_price
from interlock.reasoning.ports import Provider
from interlock.reasoning.retry import RetryPolicy
from interlock.reasoning.rules import Rules
from interlock.runtime.config import ConfigError

# The SDK insists on a key, also for servers that ask for none.
_NO_KEY = "none"


def caller_of(
    config: LocalReasonerConfig, budget: BudgetStore, environment: Mapping[str, str]
) -> ModelCaller:
    """Return the way to the configured model, or raise `ConfigError` where its key is missing.

    The budget's day is the machine's and never a replay's, because the money is spent today.
    """
    return ModelCaller(
        provider=provider_of(config, environment),
        budget=budget,
        price=price_of(config),
        retries=RetryPolicy(attempts=config.attempts),
        breaker_limits=BreakerLimits(
            failures=config.breaker_failures,
            cool_down_ns=int(config.breaker_cool_down_seconds * NANOS_PER_SECOND),
        ),
        today=lambda: datetime.now(UTC).date().isoformat(),
    )


def provider_of(config: LocalReasonerConfig, environment: Mapping[str, str]) -> Provider:
    """Return the configured provider; its SDK is imported only if it is the one."""
    model, url, seconds = config.model, config.base_url, config.timeout_seconds
    match config.provider:
        case ProviderKind.RULES | ProviderKind.NONE:
            return Rules()
        case ProviderKind.OLLAMA:
            from interlock.reasoning.ollama import Ollama

            return Ollama(model, url, seconds)
        case ProviderKind.OPENAI:
            from interlock.reasoning.openai import OpenAIResponses

            return OpenAIResponses(model, url, _api_key(config, environment), seconds)
        case ProviderKind.OPENAI_CHAT:
            from interlock.reasoning.openai import OpenAIChat

            return OpenAIChat(model, url, _api_key(config, environment), seconds)


def price_of(config: LocalReasonerConfig) -> Price | None:
    """Return what a call costs, none where nobody knows and a budget in USD wants to."""
    if config.usd_per_million_in is not None and config.usd_per_million_out is not None:
        return ConfiguredPrice(
            usd_per_million_in=config.usd_per_million_in,
            usd_per_million_out=config.usd_per_million_out,
        )
    if config.provider not in {ProviderKind.OPENAI, ProviderKind.OPENAI_CHAT}:
        return free
    listed = listed_price(config.model, "openai")
    return free if listed is None and config.budget_usd_per_day is None else listed


def _api_key(config: LocalReasonerConfig, environment: Mapping[str, str]) -> str:
    if not config.api_key_env:
        return _NO_KEY
    key = environment.get(config.api_key_env, "")
    if not key:
        raise ConfigError(
            f"provider {config.provider} needs a key: set the environment variable "
            f"{config.api_key_env}, or name another in api_key_env"
        )
    return key
