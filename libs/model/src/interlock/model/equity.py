"""An account's worth over time: trading days and weeks, losses, and the fall from a high.

Theory of operation. `EquityMarks` is told the equity once a cadence, with the trading day it was
true on, and every fill that changed a position. A day and a week begin at the last mark before
them, so that what the night took counts, and a day of one bar can lose. It answers how much was
lost since, how far the equity stands below the highest mark of the last trading days,
and how many closed trades in a row lost money. All of it is on marks, so an open loss counts like
a realised one. A day never goes back: a clock that jumps back over midnight starts no new day, and
a high stands until its day is old, whatever it has set off meanwhile.
"""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.model.position import Position
from interlock.model.values import ZERO

DRAWDOWN_DAYS = 5
DAY_STARTS_AT_UTC_HOUR = 4
"""It lies between New York's last and first trades all year."""
HOURS_PER_DAY = 24
_NANOS_PER_HOUR = 3_600 * NANOS_PER_SECOND
_NANOS_PER_DAY = HOURS_PER_DAY * _NANOS_PER_HOUR
_DAYS_PER_WEEK = 7
_FIRST_DAY_IS_A_THURSDAY = 3
_PERCENT = Decimal(100)


def trading_day(ts_event: UnixNanos, starts_at_utc_hour: int) -> int:
    """Return the number of the trading day, counted from 1970, that a moment belongs to."""
    return (ts_event - starts_at_utc_hour * _NANOS_PER_HOUR) // _NANOS_PER_DAY


def trading_week(day: int) -> int:
    """Return the number of the week of a trading day; weeks begin on Monday."""
    return (day + _FIRST_DAY_IS_A_THURSDAY) // _DAYS_PER_WEEK


@dataclass(slots=True, kw_only=True)
class EquityMarks:
    """The marks of one account, updated in place. Money is in the account's currency.

    Before the first mark `day` is none, and nothing is known about losses. `highs` holds (trading
    day, highest mark) of the last `DRAWDOWN_DAYS` days that had one.
    """

    equity: Decimal
    day: int | None = None
    equity_at_day_start: Decimal = ZERO
    equity_at_week_start: Decimal = ZERO
    highs: deque[tuple[int, Decimal]] = field(
        default_factory=lambda: deque[tuple[int, Decimal]](maxlen=DRAWDOWN_DAYS)
    )
    losses_in_row: int = 0
    realised_before: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def mark(self, day: int, equity: Decimal) -> bool:
        """Take a mark; return whether it is the first of a new trading day."""
        new = self.day is None or day > self.day
        if new:
            before = equity if self.day is None else self.equity
            if self.day is None or trading_week(day) != trading_week(self.day):
                self.equity_at_week_start = before
            self.day, self.equity_at_day_start, self.losses_in_row = day, before, 0
            self.highs.append((day, equity))
        elif equity > self.highs[-1][1]:
            self.highs[-1] = self.highs[-1][0], equity
        self.equity = equity
        return new

    def fill(self, before: Position, after: Position) -> None:
        """Count a trade that closed: its position reached zero, or went through it."""
        if before.quantity == ZERO or before.quantity * after.quantity > ZERO:
            return
        name = after.instrument_id
        profit = after.realised_pnl - self.realised_before.get(name, ZERO)
        self.realised_before[name] = after.realised_pnl
        if profit < ZERO:
            self.losses_in_row += 1
        elif profit > ZERO:
            self.losses_in_row = 0

    @property
    def day_pnl(self) -> Decimal:
        return ZERO if self.day is None else self.equity - self.equity_at_day_start

    @property
    def week_pnl(self) -> Decimal:
        return ZERO if self.day is None else self.equity - self.equity_at_week_start

    @property
    def high(self) -> Decimal:
        """The highest mark of the last trading days; zero before the first."""
        return max((high for _, high in self.highs), default=ZERO)

    @property
    def drawdown_pct(self) -> Decimal:
        """How far the equity stands below `high`, in percent of it."""
        return loss_pct(self.equity, self.high)


def loss_pct(equity: Decimal, before: Decimal) -> Decimal:
    """Return what was lost since `before`, in percent of it; nothing lost is zero.

    Where there was no money to lose, less of it is a loss of everything.
    """
    if equity >= before:
        return ZERO
    return (before - equity) / before * _PERCENT if before > ZERO else _PERCENT
