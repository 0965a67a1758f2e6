"""From what was heard to a snapshot: the desk's numbers at one account."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from math import isfinite, sqrt
from statistics import fmean, median, pstdev, stdev
from typing import TYPE_CHECKING

from msgspec import Struct

from interlock.escalation.snapshot import Snapshot
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated
from interlock.wire.market import FeaturesComputed
from interlock.wire.reasoning import Trigger

if TYPE_CHECKING:
    from interlock.escalation.state import EscalationState

_PERCENT = 100
_DIGITS = 6
_DAY_NS = 86_400 * NANOS_PER_SECOND
_HOUR_NS = 3_600 * NANOS_PER_SECOND


class Setting(Struct, frozen=True, kw_only=True):
    """The desk: who it is, and the groups its instruments are in."""

    desk: str
    account: str
    buckets: dict[str, str]
    sectors: dict[str, str]
    day_starts_at_utc_hour: int

    @property
    def names(self) -> list[str]:
        """Everything that may stand on a list of what not to trade."""
        return sorted({*self.sectors, *(sector for sector in self.sectors.values() if sector)})


def snapshot_of(
    state: "EscalationState",
    account: AccountUpdated,
    *,
    calls_today: int,
    judge_asked_today: bool,
    standing: list[Trigger],
) -> Snapshot:
    """Return the desk's numbers at `account`; what cannot be told is none."""
    heard = [one for name, one in state.features.items() if name not in state.unheard]
    trading = state.trading
    killed = trading is not None and account.day in trading.kill_days
    return Snapshot(
        timestamp=moment(account.ts_event),
        net_liquidity=_finite(account.equity),
        daily_pnl=_share(account.day_pnl, account.equity_at_day_start),
        max_drawdown_5d=_known(account.drawdown_5d_pct),
        volatility_zscore=_median(one.volatility_z for one in heard),
        correlation_breakdown=_median(one.correlation for one in heard),
        ensemble_accuracy=state.forecasts.accuracy_pct(state.config.accuracy_least),
        sharpe_ratio=_sharpe(state),
        put_call_ratio=_put_call(state, account.ts_event),
        news_sentiment=_sentiment(state, account.ts_event),
        macro_events=list(state.headlines),
        kill_day=killed,
        kill_switch_reason=trading.reason if trading is not None and killed else "",
        sector_dispersion=_dispersion(heard, state.setting.sectors),
        bucket_usage=state.book.usage(account),
        pnl_decomposition=state.book.decomposed(),
        turnover_stats=state.book.turnover(account),
        feature_performance=state.forecasts.performance(),
        recent_trades=list(state.book.trades),
        calls_today=calls_today,
        judge_asked_today=judge_asked_today,
        standing=standing,
        paused_by=state.paused_by,
    )


def moment(ts_event: UnixNanos) -> str:
    """Return a moment as questions write it: ISO 8601 in UTC, to the second."""
    at = datetime.fromtimestamp(ts_event // NANOS_PER_SECOND, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _finite(value: Decimal) -> float | None:
    return float(value) if value.is_finite() else None


def _known(value: float) -> float | None:
    return value if isfinite(value) else None


def _share(profit: Decimal, start: Decimal) -> float | None:
    """Return a profit in percent of what the day began with."""
    if not (profit.is_finite() and start.is_finite()) or start <= ZERO:
        return None
    return round(float(profit / start * _PERCENT), _DIGITS)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None and isfinite(value)]
    return round(median(known), _DIGITS) if known else None


def _dispersion(heard: Iterable[FeaturesComputed], sectors: Mapping[str, str]) -> dict[str, float]:
    """Return how far the last returns within each sector lie apart, in percent."""
    returns: dict[str, list[float]] = {}
    for one in heard:
        sector = sectors.get(one.instrument_id, "")
        if sector and one.ret_1 is not None and isfinite(one.ret_1):
            returns.setdefault(sector, []).append(one.ret_1)
    return {
        sector: round(_PERCENT * pstdev(values), _DIGITS)
        for sector, values in sorted(returns.items())
    }


def _sharpe(state: "EscalationState") -> float | None:
    """Return the annualised Sharpe ratio of the whole days heard of, without a risk-free rate.

    Sharpe (1994). A day's return runs from its start to the next day's: the day that is not over
    is left out.
    """
    config = state.config
    days = sorted(state.day_starts)[-(config.sharpe_days + 1) :]
    if len(days) < config.sharpe_least_days + 1:
        return None
    starts = [state.day_starts[day] for day in days]
    returns = [float(after / before) - 1 for before, after in pairwise(starts)]
    deviation = stdev(returns)
    if not deviation > 0:
        return None
    ratio = fmean(returns) / deviation * sqrt(config.sessions_per_year)
    return round(ratio, _DIGITS) if isfinite(ratio) else None


def _put_call(state: "EscalationState", now: UnixNanos) -> float | None:
    last = state.put_call
    if last is None or not isfinite(last.ratio):
        return None
    return (
        last.ratio if now - last.ts_event <= state.config.put_call_max_age_days * _DAY_NS else None
    )


def _sentiment(state: "EscalationState", now: UnixNanos) -> float | None:
    oldest = now - state.config.news_max_age_hours * _HOUR_NS
    fresh = [one.sentiment for one in state.sentiment.values() if one.ts_event >= oldest]
    return round(fmean(fresh), _DIGITS) if fresh else None
