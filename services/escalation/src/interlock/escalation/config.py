"""Section ``[escalation]`` of a desk file: what fires, how often, and who is asked."""

from math import isfinite

from msgspec import Struct, field

from interlock.reasoning.endpoint import EndpointConfig, ProviderKind

_NO_MODEL = EndpointConfig(provider=ProviderKind.RULES)


class Level(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a trigger's part becomes true, and where it is over; in between nothing changes."""

    fires: float
    clears: float

    def __post_init__(self) -> None:
        if not (isfinite(self.fires) and isfinite(self.clears)):
            raise ValueError(f"fires and clears are finite, not {self.fires} and {self.clears}")


class Levels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of the matrix: `fires` as the requirements have them, `clears` as ours.

    Percentages are in percent, `accuracy_points_below` in percentage points, the others as they
    are. Which side of a level is the bad one stands in ``matrix.py``.
    """

    drawdown_5d_pct: Level = Level(fires=8.0, clears=6.0)
    daily_loss_pct: Level = Level(fires=2.5, clears=1.5)
    volatility_zscore: Level = Level(fires=2.0, clears=1.5)
    correlation: Level = Level(fires=0.4, clears=0.5)
    accuracy_points_below: Level = Level(fires=7.0, clears=4.0)
    sharpe_ratio: Level = Level(fires=0.6, clears=0.8)
    put_call_ratio: Level = Level(fires=1.6, clears=1.4)
    daily_pnl_pct: Level = Level(fires=-2.5, clears=-1.5)

    def __post_init__(self) -> None:
        for name in BAD_ABOVE:
            level: Level = getattr(self, name)
            if level.clears > level.fires:
                raise ValueError(f"levels.{name} clears at {level.clears}, above where it fires")
        for name in BAD_BELOW:
            level = getattr(self, name)
            if level.clears < level.fires:
                raise ValueError(f"levels.{name} clears at {level.clears}, below where it fires")


BAD_ABOVE = (
    "drawdown_5d_pct",
    "daily_loss_pct",
    "volatility_zscore",
    "accuracy_points_below",
    "put_call_ratio",
)
BAD_BELOW = ("correlation", "sharpe_ratio", "daily_pnl_pct")


class EscalationConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the cloud model is asked, and which models those are.

    Parameters
    ----------
    max_calls_per_day
        Calls granted on one trading day; the last of them is the kill switch's.
    levels
        Where triggers fire and clear.
    baseline_accuracy_pct
        What the ensemble's accuracy is held against.
    accuracy_window, accuracy_least
        Scores that count for the accuracy, and how few of them say nothing yet.
    sharpe_days, sharpe_least_days, sessions_per_year
        The trading days behind the Sharpe ratio, how few say nothing yet, and how many make a year.
    put_call_max_age_days, news_max_age_hours
        How old a put/call ratio and a judgement of news may be.
    max_account_age_seconds
        An account older than this fires nothing: what was true while the service was away is past.
    recent_trades, macro_events
        How many of them a question holds.
    prompt_version
        Which version of the prompts is used, such as ``v1``.
    answer_cache
        A folder that keeps answers by what was asked, so that a replay can be repeated; empty is
        none.
    cloud, local
        The model that is asked, and the one that answers in its place. The calls of `cloud` are
        limited by `max_calls_per_day`.
    """

    max_calls_per_day: int = 3
    levels: Levels = field(default_factory=Levels)
    baseline_accuracy_pct: float = 53.0
    accuracy_window: int = 200
    accuracy_least: int = 50
    sharpe_days: int = 60
    sharpe_least_days: int = 20
    sessions_per_year: int = 252
    put_call_max_age_days: float = 7.0
    news_max_age_hours: float = 24.0
    max_account_age_seconds: float = 300.0
    recent_trades: int = 10
    macro_events: int = 5
    prompt_version: str = "v1"
    answer_cache: str = ""
    cloud: EndpointConfig = _NO_MODEL
    local: EndpointConfig = _NO_MODEL

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in _ABOVE_ZERO:
            value = getattr(self, name)
            if not (isfinite(value) and value > 0):
                raise ValueError(f"{name} must be finite and above zero, not {value}")
        if self.accuracy_least > self.accuracy_window or self.sharpe_least_days > self.sharpe_days:
            raise ValueError("the least that says something must fit into its window")
        if self.sharpe_least_days < _TWO_RETURNS:
            raise ValueError("sharpe_least_days must be at least 3: two returns make a deviation")
        if self.cloud.budget_calls_per_day is not None:
            raise ValueError("cloud.budget_calls_per_day is max_calls_per_day of [escalation]")
        if ProviderKind.NONE is self.cloud.provider is self.local.provider:
            raise ValueError("cloud and local are both none: nobody could answer")


_TWO_RETURNS = 3
_AT_LEAST_ONE = (
    "max_calls_per_day",
    "accuracy_window",
    "accuracy_least",
    "sharpe_days",
    "sessions_per_year",
    "recent_trades",
    "macro_events",
)
_ABOVE_ZERO = (
    "baseline_accuracy_pct",
    "put_call_max_age_days",
    "news_max_age_hours",
    "max_account_age_seconds",
)
