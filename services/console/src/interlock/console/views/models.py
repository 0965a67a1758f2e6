"""What models cost, claimed, and were right about."""

from msgspec import field

from interlock.console.views.base import Money, Nanos, View
from interlock.console.views.desk import BudgetsView
from interlock.console.views.judgement import EscalationView, ScoreView


class EpochScore(View, frozen=True, kw_only=True):
    """What was done under one policy version. `hit_rate_pct` is of closed orders."""

    epoch: int
    intents: int
    approved: int
    denied: int
    fills: int
    closed: int
    won: int
    hit_rate_pct: float | None
    realised_pnl: Money
    fees: Money


class ScorecardView(View, frozen=True, kw_only=True):
    """The desk as a whole, and by epoch, newest first. `sharpe` is by year, of daily returns.

    What the desk is held to, gate by gate, is told by ``interlock scorecard``.
    """

    sessions: int
    equity_at_start: Money | None
    equity: Money | None
    return_pct: float | None
    sharpe: float | None
    max_drawdown_pct: float | None
    hit_rate_pct: float | None
    epochs: list[EpochScore]
    proposals: dict[str, int]


class CalibrationBin(View, frozen=True, kw_only=True):
    """Closed positions whose claim lay from `lower` to `upper`."""

    lower: float
    upper: float
    count: int
    claimed: float
    won: float


class CalibrationView(View, frozen=True, kw_only=True):
    """How often what was claimed came true. `brier` is 0 at best; none without closed positions.

    A claim is the entry's probability to win, or the score it was made on where it gave none.
    """

    count: int
    brier: float | None
    bins: list[CalibrationBin]


class ModelUse(View, frozen=True, kw_only=True):
    """Calls of one model on one trading day, with failures by reason."""

    provider: str
    model: str
    calls: int
    answered: int
    failures: dict[str, int]
    tokens_in: int
    tokens_out: int
    usd: Money
    latency_ms_p50: float | None
    latency_ms_p99: float | None


class BudgetsPage(View, frozen=True, kw_only=True):
    today: BudgetsView
    models: list[ModelUse]


class LastCallView(View, frozen=True, kw_only=True):
    decision_id: str
    ts_event: Nanos
    provider: str
    model: str
    question: str
    outcome: str
    cost_usd: Money
    latency_ms: float


class CloudStatusView(View, frozen=True, kw_only=True):
    """The cloud model: `status` is available, exhausted, paused or none.

    `provider` is ``rules`` where formulas stand in a model's place. `last_escalation` is the last
    trigger that fired, whether its call was granted or not.
    """

    status: str
    provider: str
    model: str
    paused: bool
    last_escalation: EscalationView | None
    budgets: BudgetsView
    last_call: LastCallView | None


class ModelStatsView(View, frozen=True, kw_only=True):
    """All model calls on record, and how well their claims came true."""

    models: list[ModelUse]
    calibration: CalibrationView
    features: dict[str, bool] = field(default_factory=dict[str, bool])
    weights: dict[str, float] = field(default_factory=dict[str, float])
    rewards: dict[str, float] = field(default_factory=dict[str, float])
    scores: list[ScoreView] = field(default_factory=list[ScoreView])
