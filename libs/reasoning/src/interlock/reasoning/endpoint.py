"""A model endpoint as a desk file describes it: where it is, what it may cost, how long it takes.

`Endpoint` is what `interlock.reasoning.calling` needs to know; a service may have these keys in its
own section, or a table of them each, `EndpointConfig`.
"""

from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Protocol

from msgspec import Struct


class ProviderKind(StrEnum):
    """``openai`` speaks the Responses API, ``openai-chat`` chat completions to any server."""

    RULES = "rules"
    OLLAMA = "ollama"
    OPENAI = "openai"
    OPENAI_CHAT = "openai-chat"
    NONE = "none"


class Endpoint(Protocol):
    """The keys of an endpoint, wherever they stand."""

    @property
    def provider(self) -> ProviderKind: ...
    @property
    def model(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def api_key_env(self) -> str: ...
    @property
    def timeout_seconds(self) -> float: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def breaker_failures(self) -> int: ...
    @property
    def breaker_cool_down_seconds(self) -> float: ...
    @property
    def budget_usd_per_day(self) -> Decimal | None: ...
    @property
    def budget_calls_per_day(self) -> int | None: ...
    @property
    def usd_per_million_in(self) -> Decimal | None: ...
    @property
    def usd_per_million_out(self) -> Decimal | None: ...


class EndpointConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint as a table of a desk file.

    Parameters
    ----------
    api_key_env : str
        The name of the environment variable that holds the key, empty for a server that asks for
        none. The key itself never stands in a file.
    budget_usd_per_day, budget_calls_per_day : Decimal, int, optional
        None is no limit. With a limit in USD, a model whose price is unknown is not asked, unless
        `usd_per_million_in` and `usd_per_million_out` say it. Ollama and rules cost nothing.
    attempts : int
        Tries per question, the first one counted, all within `timeout_seconds`. Each is a call to
        the budget.
    calls_per_minute : int
        More are not made, whatever the budget says.
    breaker_failures, breaker_cool_down_seconds : int, float
        After so many failures in a row the endpoint is left alone for so long.
    """

    provider: ProviderKind = ProviderKind.RULES
    model: str = ""
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    timeout_seconds: float = 10.0
    max_tokens: int = 1_000
    attempts: int = 1
    calls_per_minute: int = 60
    breaker_failures: int = 5
    breaker_cool_down_seconds: float = 30.0
    budget_usd_per_day: Decimal | None = Decimal(10)
    budget_calls_per_day: int | None = None
    usd_per_million_in: Decimal | None = None
    usd_per_million_out: Decimal | None = None

    def __post_init__(self) -> None:
        require_usable(self)
        if self.calls_per_minute < 1:
            raise ValueError(f"calls_per_minute must be at least 1, not {self.calls_per_minute}")


def require_usable(endpoint: Endpoint) -> None:
    """Raise ``ValueError``, naming the key, where an endpoint's keys do not go together."""
    if endpoint.provider in NEEDS_MODEL and not endpoint.model:
        raise ValueError(f"provider {endpoint.provider} needs a model")
    if endpoint.provider in NEEDS_URL and not endpoint.base_url:
        raise ValueError(f"provider {endpoint.provider} needs a base_url")
    if endpoint.base_url and not endpoint.base_url.startswith(("http://", "https://")):
        raise ValueError(
            f"base_url begins with http:// or https://, which {endpoint.base_url!r} does not"
        )
    if (endpoint.usd_per_million_in is None) is not (endpoint.usd_per_million_out is None):
        raise ValueError("usd_per_million_in and usd_per_million_out belong together")
    for name in _ABOVE_ZERO:
        if not getattr(endpoint, name) > 0:
            raise ValueError(f"{name} must be above zero, not {getattr(endpoint, name)}")
    for name in _NOT_NEGATIVE:
        value = getattr(endpoint, name)
        if value is not None and not (isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be finite and not negative, not {value}")


NEEDS_MODEL = frozenset({ProviderKind.OLLAMA, ProviderKind.OPENAI, ProviderKind.OPENAI_CHAT})
NEEDS_URL = frozenset({ProviderKind.OLLAMA, ProviderKind.OPENAI_CHAT})
_ABOVE_ZERO = ("timeout_seconds", "max_tokens", "attempts", "breaker_failures")
_NOT_NEGATIVE = (
    "breaker_cool_down_seconds",
    "budget_usd_per_day",
    "budget_calls_per_day",
    "usd_per_million_in",
    "usd_per_million_out",
)
