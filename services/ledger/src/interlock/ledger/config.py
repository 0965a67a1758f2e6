"""Section ``[ledger]`` of a desk file."""

from msgspec import Struct


class ScorecardConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[ledger.scorecard]``: what an ensemble desk is held to, besides its hard limits.

    Each gate is named after the side on which it holds. A gate is not known, and does not hold, on
    fewer than `least_sessions` days or `least_trades` closed trades.

    Parameters
    ----------
    hit_rate_above_pct
        Closed trades that made money, of instruments in `liquid_buckets`.
    overfitting_below
        The probability of backtest overfitting of each model (Bailey et al.): at one half the best
        in the past is worse than the middle as often as not.
    order_below_ms
        From the market's news to the gate's verdict on an order, 99 of 100.
    kills_below_per_month
        Of `sessions_per_month` sessions.
    model_set
        The ``meta.json`` of the models in service, its folder, or the name of a set that is shipped
        with the signals: it says up to when they were trained, and how likely they overfit.
    """

    sharpe_above: float = 0.9
    hit_rate_above_pct: float = 52.0
    drawdown_below_pct: float = 10.0
    overfitting_below: float = 0.5
    uptime_above_pct: float = 99.5
    order_below_ms: float = 100.0
    cloud_calls_below_per_day: float = 3.0
    kills_below_per_month: float = 1.0
    liquid_buckets: tuple[str, ...] = ("core",)
    least_sessions: int = 20
    least_trades: int = 30
    sessions_per_year: int = 252
    sessions_per_month: int = 21
    model_set: str = ""

    def __post_init__(self) -> None:
        for name in ("least_sessions", "least_trades", "sessions_per_year", "sessions_per_month"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")


class LedgerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the ledger measures.

    `loss_window_seconds` is desk time. `audit_rows_kept` bounds the proposals held in memory; the
    tables keep them all. With `scorecard` the desk is judged as an ensemble desk.
    """

    loss_window_seconds: int = 1_800
    audit_rows_kept: int = 20_000
    journal_rows_per_head: int = 1_000
    scorecard: ScorecardConfig | None = None

    def __post_init__(self) -> None:
        for name in ("loss_window_seconds", "audit_rows_kept", "journal_rows_per_head"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
