"""Which indicators, over how many bars."""

from msgspec import Struct

_HOURS_A_DAY = 24
_SHORTEST_WINDOW = 2
"""One value has no deviation."""
_LONGEST_WINDOW = 5_000
"""Rolling sums in longer windows would be made anew at every bar; see `rolling`."""


class ContextConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[signals.context]``: an instrument against its own past, a sector within itself.

    Parameters
    ----------
    turnover_window : int
        Bars in the mean turnover that a bar is compared with, itself included.
    liquidity_bars : int
        Bars whose mean turnover, over that of the window, is the liquidity.
    stressed_at, stressed_until, calm_at, calm_until : float
        Z-scores of the volatility. Stress begins at the first and ends below the second; calm
        begins at the third and ends above the fourth.
    """

    turnover_window: int = 60
    liquidity_bars: int = 5
    stressed_at: float = 2.0
    stressed_until: float = 1.0
    calm_at: float = -1.0
    calm_until: float = -0.5

    def __post_init__(self) -> None:
        if not 1 <= self.liquidity_bars < self.turnover_window <= _LONGEST_WINDOW:
            raise ValueError(
                f"1 <= liquidity_bars < turnover_window <= {_LONGEST_WINDOW} does not hold"
            )
        if not self.calm_at <= self.calm_until < self.stressed_until <= self.stressed_at:
            raise ValueError("calm_at <= calm_until < stressed_until <= stressed_at does not hold")


class ModelsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[signals.models]``: where the trained models lie.

    Parameters
    ----------
    shipped : bool
        Use the models that come with this package.
    folder : str
        A folder that `interlock train` wrote, or one that holds several of them.
    """

    shipped: bool = False
    folder: str = ""

    def __post_init__(self) -> None:
        if self.shipped is bool(self.folder):
            raise ValueError("say either shipped = true or folder = ...")


class SignalsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[signals]``. Periods, windows and lookbacks are in bars.

    Parameters
    ----------
    benchmark : str
        Correlation is against this instrument; where none is named, against the mean of the
        others.
    sessions_per_year, session_seconds : int
        A year of trading, by which volatility is annualised: 252 sessions of 6.5 hours in the
        United States; 365 of 86,400 s where trading never stops.
    adv_days : int
        Days in the mean daily turnover.
    day_starts_utc_hour : int
        Where one day's turnover ends and the next begins. 5 is the middle of the New York night.
    quote_max_age_seconds : int
        An older quote says nothing of the spread.
    context, models : optional
        Absent: not computed. Models need the context, so they bring its defaults with them.
    """

    ema_fast: int = 12
    ema_slow: int = 26
    rsi_period: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    atr_period: int = 14
    momentum_bars: int = 5
    volatility_window: int = 20
    volatility_z_window: int = 120
    correlation_window: int = 60
    benchmark: str = ""
    sessions_per_year: int = 252
    session_seconds: int = 23_400
    adv_days: int = 20
    day_starts_utc_hour: int = 5
    quote_max_age_seconds: int = 300
    context: ContextConfig | None = None
    models: ModelsConfig | None = None

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, int) and value < 1 and name != "day_starts_utc_hour":
                raise ValueError(f"{name} must be at least 1, not {value}")
        if not 0 <= self.day_starts_utc_hour < _HOURS_A_DAY:
            raise ValueError(f"day_starts_utc_hour is 0 to 23, not {self.day_starts_utc_hour}")
        if self.ema_fast >= self.ema_slow or self.macd_fast >= self.macd_slow:
            raise ValueError("the fast period must be shorter than the slow one")
        for name in ("volatility_window", "volatility_z_window", "correlation_window"):
            if not _SHORTEST_WINDOW <= getattr(self, name) <= _LONGEST_WINDOW:
                raise ValueError(f"{name} must be {_SHORTEST_WINDOW} to {_LONGEST_WINDOW}")

    @property
    def context_in_force(self) -> ContextConfig | None:
        if self.context is None and self.models is not None:
            return ContextConfig()
        return self.context

    def bars_per_year(self, bar_seconds: int) -> float:
        """Return how many bars of this length a year of trading holds; a day is one at most."""
        return self.sessions_per_year * max(1.0, self.session_seconds / bar_seconds)
