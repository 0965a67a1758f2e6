"""Section ``[local_reasoner]`` of a desk file."""

from decimal import Decimal

from msgspec import Struct

from interlock.reasoning.endpoint import ProviderKind, require_usable


class SentimentConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[local_reasoner.sentiment]``: the model is asked what the news says.

    One question an instrument and cadence, with the newest `items_per_instrument` that came since
    the last; longer text is cut. News older than `max_age_seconds` is not asked about.
    """

    items_per_instrument: int = 5
    headline_chars: int = 200
    summary_chars: int = 300
    max_age_seconds: int = 86_400
    max_tokens: int = 200
    timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero, not {getattr(self, name)}")


class PostMortemConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[local_reasoner.post_mortem]``: the model is asked about each day that is over."""

    max_tokens: int = 700
    timeout_seconds: float = 60.0

    def __post_init__(self) -> None:
        if not (self.max_tokens > 0 and self.timeout_seconds > 0):
            raise ValueError("max_tokens and timeout_seconds must be above zero")


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
    calls_per_minute : int, optional
        More are not made, whatever the budget says; none is no limit.
    answer_cache : str
        A folder that keeps answers by what was asked, so that a replay can be repeated; empty is
        none.
    offline_after_failures : int
        After so many failures in a row, whatever was asked, the desk is told that there is no
        model. A budget that is used up is no failure of the model.
    sentiment, post_mortem : SentimentConfig, PostMortemConfig, optional
        What else is asked; without the section, nothing.
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
    calls_per_minute: int | None = None
    answer_cache: str = ""
    offline_after_failures: int = 3
    sentiment: SentimentConfig | None = None
    post_mortem: PostMortemConfig | None = None

    def __post_init__(self) -> None:
        require_usable(self)
        if self.parameter != "threshold_bps":
            raise ValueError(f"no answer schema knows the parameter {self.parameter!r}")
        if not self.lower < self.upper:
            raise ValueError(f"lower {self.lower} must be below upper {self.upper}")
        if self.calls_per_minute is not None and self.calls_per_minute < 1:
            raise ValueError(f"calls_per_minute must be at least 1, not {self.calls_per_minute}")
        for name in ("max_step", "offline_after_failures"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero, not {getattr(self, name)}")
