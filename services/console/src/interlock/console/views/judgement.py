"""What a desk with models judged: scores, escalations, days and what was written about them."""

from interlock.console.views.base import Money, Nanos, View


class ScoreView(View, frozen=True, kw_only=True):
    """The meta-ensemble's view of one instrument after one bar, with all it was made of.

    `size_fraction` is what a position may come to of the equity, `mode` full or a failure mode,
    `sentiment` the last that was judged of the instrument's news, where that is asked for.
    """

    message_id: str
    decision_id: str
    ts_event: Nanos
    instrument_id: str
    p_short: float | None
    p_mid: float | None
    size_hint: float | None
    weights: dict[str, float]
    penalties: dict[str, float]
    base: float | None
    score: float | None
    action: str
    size_fraction: float
    mode: str
    policy_version: int
    sentiment: float | None


class ScoresView(View, frozen=True, kw_only=True):
    """The last score of each instrument, by name, and from where on a score buys or sells."""

    items: list[ScoreView]
    buy_at: float
    sell_at: float


class EscalationView(View, frozen=True, kw_only=True):
    """A trigger that fired: what was seen, where it fires, and whether its call was granted."""

    message_id: str
    decision_id: str
    ts_event: Nanos
    day: str
    trigger: str
    call: str
    observed: dict[str, float]
    limits: dict[str, float]
    granted: bool
    reason: str
    calls_today: int


class EscalationsPage(View, frozen=True, kw_only=True):
    items: list[EscalationView]
    next: str | None


class PostMortemView(View, frozen=True, kw_only=True):
    """What somebody wrote about a day. `source` is local, cloud, or rules: from the figures."""

    message_id: str
    decision_id: str
    ts_event: Nanos
    day: str
    root_cause: str
    recommendations: list[str]
    figures: dict[str, float]
    source: str
    provider: str
    model: str


class DayView(View, frozen=True, kw_only=True):
    """A trading day that is over. `post_mortems` counts what was written about it."""

    day: str
    equity: Money
    day_pnl: Money
    day_pnl_pct: float | None
    drawdown_5d_pct: float
    max_drawdown_pct: float
    intents: int
    approvals: int
    denials: int
    fills: int
    fees: Money
    killed: bool
    escalations: int
    proposals_applied: int
    model_failures: int
    post_mortems: int


class DayNews(View, frozen=True, kw_only=True):
    """Something was said about a day: ask for it again."""

    day: str


class DaysPage(View, frozen=True, kw_only=True):
    """Newest first."""

    items: list[DayView]
    next: str | None


class PostMortemsView(View, frozen=True, kw_only=True):
    """All that was written about one day; the last such day where none was asked for."""

    day: str | None
    items: list[PostMortemView]


class CriterionView(View, frozen=True, kw_only=True):
    name: str
    observed: str
    needed: str
    holds: bool


class PromotionView(View, frozen=True, kw_only=True):
    """How far the desk is let out, and what the next stage needs.

    `path` says in order what keeps the desk off live accounts now, and until when.
    """

    stage: str
    stage_since: str | None
    stages: list[str]
    next_stage: str | None
    assessed_on: str | None
    criteria: list[CriterionView]
    demo_only: bool
    forced_demo: bool
    paper_after: str | None
    kill_days: list[str]
    kill_days_limit: int | None
    kill_window_days: int | None
    quarantined_since: str | None
    quarantined_until: str | None
    judged_stay_demo: bool | None
    judged_at: Nanos | None
    path: list[str]
