"""What the desk holds and what it is worth."""

from decimal import Decimal

from msgspec import Struct

from interlock.wire.base import DeskMessage


class PositionLine(Struct, frozen=True, kw_only=True):
    """One position at its mark. `quantity` is signed: long above zero."""

    instrument_id: str
    quantity: Decimal
    avg_px: Decimal
    mark: Decimal
    unrealised_pnl: Decimal


class PositionChanged(DeskMessage, frozen=True, kw_only=True, tag="account.position-changed.v1"):
    """A position after a fill.

    `exit_px` is the order's average price so far where the fill reduced the position, and none
    where it opened or added; `entry_px` is then what the position had cost, or else the order's
    own average price.
    """

    account: str
    instrument_id: str
    trade_id: str
    quantity: Decimal
    avg_px: Decimal
    realised_pnl: Decimal
    intent_id: str | None = None
    entry_px: Decimal | None = None
    exit_px: Decimal | None = None


class AccountUpdated(DeskMessage, frozen=True, kw_only=True, tag="account.updated.v1"):
    """The account once a cadence. Profits are in the account's currency.

    `window_pnl` is the change of equity over the trailing loss window (30 minutes of desk time),
    `day_pnl` the change since the first mark of the day, `week_pnl` since that of the week.
    `day` is the trading day, counted from 1970; `drawdown_5d_pct` is the fall from the highest mark
    of the last five trading days, in percent of it; `losses_in_row` counts the day's closed trades.
    """

    account: str
    currency: str
    equity: Decimal
    cash: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    fees: Decimal
    day_pnl: Decimal
    window_pnl: Decimal
    equity_at_day_start: Decimal
    positions: list[PositionLine]
    ts_desk: int
    day: int = 0
    week_pnl: Decimal = Decimal(0)
    equity_at_week_start: Decimal = Decimal(0)
    drawdown_5d_pct: float = 0.0
    losses_in_row: int = 0


class DayLine(Struct, frozen=True, kw_only=True):
    """What one instrument brought on one day: `pnl` on marks, after fees; `worth` at the end.

    `worth` is signed, in the account's currency; `winners` and `losers` count closed trades.
    """

    instrument_id: str
    pnl: Decimal
    worth: Decimal
    fills: int
    winners: int
    losers: int


class DaySummarised(DeskMessage, frozen=True, kw_only=True, tag="account.day-summarised.v1"):
    """A trading day that is over. Money in the account's currency, `day` counted from 1970.

    `denials_by_code` counts failed controls, `trips_by_code` what stopped the desk, `failures` the
    model calls that gave nothing, by reason. `max_drawdown_pct` is the largest fall within the day
    from its high, in percent of it; `killed` says that the kill rule fired, `escalations` counts
    the calls that were granted. `instruments` are those held or traded, by name.
    """

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
