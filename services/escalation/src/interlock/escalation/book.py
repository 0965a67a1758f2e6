"""What the desk did, as the questions tell it: profit by bucket, turnover, the last trades."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.escalation.snapshot import Trade, Turnover
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated, PositionChanged

_DAYS_KEPT = 21
_WEEK, _MONTH = 5, 21
_PERCENT = 100


@dataclass(slots=True, kw_only=True)
class Book:
    """Folded from positions and accounts. `buckets` are those of the desk's instruments."""

    buckets: dict[str, str]
    most_trades: int
    held: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    realised: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    trades: deque[Trade] = field(default_factory=deque[Trade])
    traded: dict[int, Decimal] = field(default_factory=dict[int, Decimal])
    days: list[int] = field(default_factory=list[int])
    _profit: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    _profit_at_day_start: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def fill(self, changed: PositionChanged, day: int) -> None:
        """Take a position after a fill on trading day `day`."""
        name = changed.instrument_id
        size = changed.quantity - self.held.get(name, ZERO)
        profit = changed.realised_pnl - self.realised.get(name, ZERO)
        self.held[name], self.realised[name] = changed.quantity, changed.realised_pnl
        price = changed.entry_px if changed.exit_px is None else changed.exit_px
        if not size:
            return
        self.traded[day] = self.traded.get(day, ZERO) + abs(size) * (price or changed.avg_px)
        self.trades.append(
            Trade(
                symbol=name,
                action="buy" if size > ZERO else "sell",
                size=float(abs(size)),
                pnl=round(float(profit), 4),
            )
        )
        while len(self.trades) > self.most_trades:
            self.trades.popleft()

    def mark(self, account: AccountUpdated) -> None:
        """Take the account of a cadence: a new day begins at the last mark before it."""
        if not self.days or account.day > self.days[-1]:
            self.days.append(account.day)
            del self.days[:-_DAYS_KEPT]
            self._profit_at_day_start = self._profit
            self.traded = {day: sold for day, sold in self.traded.items() if day >= self.days[0]}
        profit: dict[str, Decimal] = {}
        for name, realised in self.realised.items():
            bucket = self.buckets.get(name, "")
            profit[bucket] = profit.get(bucket, ZERO) + realised
        for line in account.positions:
            bucket = self.buckets.get(line.instrument_id, "")
            profit[bucket] = profit.get(bucket, ZERO) + line.unrealised_pnl
        self._profit = profit

    def decomposed(self) -> dict[str, float]:
        """Return the day's profit by bucket."""
        before = self._profit_at_day_start
        return {
            bucket: _rounded(profit - before.get(bucket, ZERO))
            for bucket, profit in sorted(self._profit.items())
            if profit.is_finite()
        }

    def usage(self, account: AccountUpdated) -> dict[str, float]:
        """Return what each bucket holds, gross, in percent of the equity."""
        if not account.equity.is_finite() or account.equity <= ZERO:
            return {}
        held: dict[str, Decimal] = {}
        for line in account.positions:
            bucket = self.buckets.get(line.instrument_id, "")
            held[bucket] = held.get(bucket, ZERO) + abs(line.quantity * line.mark)
        return {
            bucket: _rounded(_PERCENT * worth / account.equity)
            for bucket, worth in sorted(held.items())
            if worth.is_finite()
        }

    def turnover(self, account: AccountUpdated) -> Turnover:
        """Return what was traded on the last days, in percent of the equity."""
        if not account.equity.is_finite() or account.equity <= ZERO:
            return Turnover()

        def over(days: int) -> float:
            sold = sum((self.traded.get(day, ZERO) for day in self.days[-days:]), ZERO)
            return _rounded(_PERCENT * sold / account.equity)

        return Turnover(
            daily_turnover=over(1), weekly_turnover=over(_WEEK), monthly_turnover=over(_MONTH)
        )


def _rounded(value: Decimal) -> float:
    return round(float(value), 4)
