"""Days and what was written about them, as rows of the ledger's tables."""

from decimal import Decimal

from interlock.ledger.row_base import Row
from interlock.wire.accounts import DayLine


class DayRow(Row, frozen=True, kw_only=True):
    """A trading day that is over: the fields of `DaySummarised`."""

    desk: str
    account: str
    currency: str
    day: int
    equity_at_day_start: Decimal
    equity: Decimal
    day_pnl: Decimal
    fees: Decimal
    drawdown_5d_pct: float
    max_drawdown_pct: float
    cadences: int
    intents: int
    approvals: int
    fills: int
    killed: bool
    escalations: int
    proposals_applied: int
    instruments: list[DayLine]
    denials_by_code: dict[str, int]
    trips_by_code: dict[str, int]
    failures: dict[str, int]


class PostMortemRow(Row, frozen=True, kw_only=True):
    desk: str
    day: int
    figures: dict[str, float]
    root_cause: str
    recommendations: list[str]
    source: str
    provider: str
    model: str
