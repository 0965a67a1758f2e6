"""What the triggers look at and the questions tell, at one moment.

The service makes one from what it has heard; ``interlock escalation explain`` reads one from a
file. What is none is not known: it fires nothing, and stands as null in a question.
"""

from msgspec import Struct, field

from interlock.wire.reasoning import Trigger

BUCKETS = ("penny", "fno", "core")
DECOMPOSED = ("core", "penny", "fno", "sip")


class Trade(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trade that happened. `pnl` is what it realised, in the account's currency."""

    symbol: str
    action: str
    size: float
    pnl: float


class Turnover(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was traded on the last 1, 5 and 21 trading days, in percent of the equity."""

    daily_turnover: float = 0.0
    weekly_turnover: float = 0.0
    monthly_turnover: float = 0.0


class Snapshot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inputs of the matrix and of the questions, under the names the questions use.

    Parameters
    ----------
    timestamp
        The moment, ISO 8601 in UTC.
    net_liquidity
        Equity in the account's currency.
    daily_pnl, max_drawdown_5d
        Percent: of the equity at the day's first mark (a loss is below zero), and of the highest
        mark of five trading days (a fall is above zero).
    volatility_zscore, correlation_breakdown
        Medians over the desk's instruments that have data.
    ensemble_accuracy
        Percent of the last scores that had the next close on the right side.
    sharpe_ratio
        Annualised, of the desk's daily equity.
    put_call_ratio
        Open interest of puts over that of calls.
    news_sentiment
        Mean over the instruments with fresh news, -1 to 1.
    macro_events
        Headlines that name none of the desk's instruments.
    kill_day, kill_switch_reason
        Whether the kill rule has fired on this trading day, and why; without a reason, the numbers.
    sector_dispersion
        Population deviation of the last bar's returns within each sector, in percent.
    bucket_usage
        What each bucket holds, gross, in percent of the equity.
    pnl_decomposition
        The day's profit by bucket, in the account's currency.
    feature_performance
        Percent of the last bars whose next close went where the feature pointed.
    calls_today, judge_asked_today
        Calls granted on this trading day, and whether one of them was the kill switch's.
    standing
        Triggers that have fired and not cleared.
    paused_by
        Who wants no model asked; nobody where it is empty.
    """

    timestamp: str = ""
    net_liquidity: float | None = None
    daily_pnl: float | None = None
    max_drawdown_5d: float | None = None
    volatility_zscore: float | None = None
    correlation_breakdown: float | None = None
    ensemble_accuracy: float | None = None
    sharpe_ratio: float | None = None
    put_call_ratio: float | None = None
    news_sentiment: float | None = None
    macro_events: list[str] = field(default_factory=list[str])
    kill_day: bool = False
    kill_switch_reason: str = ""
    sector_dispersion: dict[str, float] = field(default_factory=dict[str, float])
    bucket_usage: dict[str, float] = field(default_factory=dict[str, float])
    pnl_decomposition: dict[str, float] = field(default_factory=dict[str, float])
    turnover_stats: Turnover = field(default_factory=Turnover)
    feature_performance: dict[str, float] = field(default_factory=dict[str, float])
    recent_trades: list[Trade] = field(default_factory=list[Trade])
    calls_today: int = 0
    judge_asked_today: bool = False
    standing: list[Trigger] = field(default_factory=list[Trigger])
    paused_by: str = ""
