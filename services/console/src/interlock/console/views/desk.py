"""The desk at a glance."""

from interlock.console.views.base import Money, Nanos, View


class KillSwitchView(View, frozen=True, kw_only=True):
    """Exec's switch as its file says. `file_there`: ``KILL_SWITCH`` lies in the state folder."""

    pressed: bool
    way: str
    by: str
    reason: str
    seen_at: Nanos
    cancelled: int
    left: int
    file_there: bool


class VolatilityView(View, frozen=True, kw_only=True):
    """The desk's widest volatility z-score; `label` is calm, normal, high, extreme or unknown."""

    label: str
    z: float | None
    instrument_id: str


class CloudCallsView(View, frozen=True, kw_only=True):
    """Calls of the cloud model granted on the trading day; `kept` of them are the kill switch's."""

    calls_today: int
    calls_limit: int
    kept: int
    usd_today: Money
    usd_limit: Money | None


class BudgetsView(View, frozen=True, kw_only=True):
    """All model calls of the trading day; limits are none where there is none.

    `cloud` are those that escalations asked for, none where the desk has no escalation.
    """

    calls_today: int
    calls_limit: int | None
    usd_today: Money
    usd_limit: Money | None
    cloud: CloudCallsView | None


class ModeView(View, frozen=True, kw_only=True):
    """A failure mode in force. `by_silence`: a service has not been heard of for too long."""

    mode: str
    since: Nanos
    reason: str
    by_silence: bool


class DialView(View, frozen=True, kw_only=True):
    """What the dial moves: level N sets `parameter` to the Nth of `levels`.

    `level` is none where something else has set it in between.
    """

    parameter: str
    levels: list[float]
    value: float
    level: int | None


class VenueLinkView(View, frozen=True, kw_only=True):
    account: str
    venue: str
    up: bool
    reason: str


class StateView(View, frozen=True, kw_only=True):
    """What stands above every page. What has not been said yet is none or empty.

    `features`, `weights`, `rewards` and `caps` (percent of the equity, by bucket) are policy's
    parameters of those kinds. `dial` is none where the desk has nothing that it moves.
    `regime` is the auditor's last word.
    """

    desk: str
    account: str
    venue: str
    instruments: list[str]
    mode: str
    live: bool
    stage: str
    standing: str | None
    trading_state: str
    trading_reason: str
    trading_author: str
    epoch: int
    kill_switch: KillSwitchView
    equity: Money | None
    cash: Money | None
    day_pnl: Money | None
    day_pnl_pct: float | None
    week_pnl: Money | None
    drawdown_5d_pct: float | None
    volatility: VolatilityView
    policy_version: int | None
    policy_changed_at: Nanos | None
    demo_only: bool
    quarantined_until: str | None
    kill_days: list[str]
    disabled_strategies: list[str]
    feed: dict[str, str]
    venue_link: list[VenueLinkView]
    reconciliation_breaks: list[str]
    budgets: BudgetsView | None
    reasoner_paused: bool
    reasoner_up: bool
    reasoner_reason: str
    modes: list[ModeView]
    regime: str
    do_not_trade: list[str]
    parameters: dict[str, float]
    dial: DialView | None
    features: dict[str, bool]
    weights: dict[str, float]
    rewards: dict[str, float]
    caps: dict[str, float]
    desk_time: Nanos
    bus_up: bool
    database_up: bool


class PositionView(View, frozen=True, kw_only=True):
    account: str
    instrument_id: str
    bucket: str
    sector: str
    quantity: Money
    avg_px: Money
    mark: Money
    notional: Money
    share_pct: float | None
    unrealised_pnl: Money


class AccountView(View, frozen=True, kw_only=True):
    """The account as the ledger said it last."""

    ts_event: Nanos
    account: str
    currency: str
    equity: Money
    cash: Money
    realised_pnl: Money
    unrealised_pnl: Money
    fees: Money
    day_pnl: Money
    day_pnl_pct: float | None
    week_pnl: Money
    drawdown_5d_pct: float
    losses_in_row: int
    positions: list[PositionView]


class PositionsView(View, frozen=True, kw_only=True):
    items: list[PositionView]


class EquityPoint(View, frozen=True, kw_only=True):
    ts_event: Nanos
    equity: Money
    day_pnl: Money
    drawdown_5d_pct: float


class EquityView(View, frozen=True, kw_only=True):
    """The equity curve, thinned evenly where there are more than 2,000 points."""

    items: list[EquityPoint]


class BarView(View, frozen=True, kw_only=True):
    ts_event: Nanos
    open: float
    high: float
    low: float
    close: float
    volume: float


class BarsView(View, frozen=True, kw_only=True):
    """The latest bars of one instrument, oldest first."""

    instrument_id: str
    bar_seconds: int | None
    items: list[BarView]


class UseView(View, frozen=True, kw_only=True):
    """What is used of a cap: of a ``bucket``, a ``sector``, a ``name`` or the ``desk``."""

    kind: str
    name: str
    used: Money
    limit: Money | None
    used_pct: float | None


class BucketsView(View, frozen=True, kw_only=True):
    """Use against caps. `open_risk` is all positions and working orders at their prices."""

    items: list[UseView]
    open_risk: Money


class RiskStatusView(View, frozen=True, kw_only=True):
    trading_state: str
    standing: str | None
    stage: str
    kill_switch: KillSwitchView
    demo_only: bool
    quarantined_until: str | None
    kill_days: list[str]
    equity: Money | None
    day_pnl: Money | None
    day_pnl_pct: float | None
    drawdown_5d_pct: float | None
    modes: list[ModeView]
    buckets: list[UseView]
    denials_today: dict[str, int]
