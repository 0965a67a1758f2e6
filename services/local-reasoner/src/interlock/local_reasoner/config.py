"""Section ``[local_reasoner]`` of a desk file."""

from decimal import Decimal

from msgspec import Struct

from interlock.reasoning.endpoint import ProviderKind, require_usable


class LocalReasonerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who proposes, and what it may cost.

    Parameters
    ----------
    api_key_env : str
        The name of the environment variable that holds the key, empty for a server that asks for
        none. The key itself never stands in a file.
    budget_usd_per_day, budget_calls_per_day : Decimal, int, optional
        Per UTC day of the machine's clock; none is no limit. With a limit in USD, a model whose
        price is unknown is not asked, unless `usd_per_million_in` and `usd_per_million_out` say
        it. Ollama and rules cost nothing.
    lower, upper, max_step : float
        The range and the step the model is told. Policy enforces its own.
    attempts : int
        Tries per question, the first one counted, all within `timeout_seconds`.
    breaker_failures, breaker_cool_down_seconds : int, float
        After so many failures in a row the endpoint is left alone for so long.
    """

    provider: ProviderKind = ProviderKind.RULES
    model: str = ""
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    timeout_seconds: float = 10.0
    max_tokens: int = 1_000
    attempts: int = 2
    breaker_failures: int = 5
    breaker_cool_down_seconds: float = 30.0
    budget_usd_per_day: Decimal | None = Decimal(10)
    budget_calls_per_day: int | None = None
    usd_per_million_in: Decimal | None = None
    usd_per_million_out: Decimal | None = None
    parameter: str = "threshold_bps"
    lower: float = 0.3
    upper: float = 3.0
    max_step: float = 0.2

    def __post_init__(self) -> None:
        require_usable(self)
        if self.parameter != "threshold_bps":
            raise ValueError(f"no answer schema knows the parameter {self.parameter!r}")
        if not self.lower < self.upper:
            raise ValueError(f"lower {self.lower} must be below upper {self.upper}")
        if not self.max_step > 0:
            raise ValueError(f"max_step must be above zero, not {self.max_step}")
