"""The limits of the day in money: percentages worked out once a day and not once an order."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from interlock.gate.config import BucketLimits, GateConfig
from interlock.model.equity import EquityMarks
from interlock.model.values import ZERO
from interlock.wire.parameters import BUCKET_CAP_PREFIX, MAX_POSITION

_PERCENT = Decimal(100)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class BucketCaps:
    """What one bucket may come to, in the account's currency; none where it is not configured."""

    gross: Decimal | None
    name: Decimal | None
    order: Decimal | None


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits in the account's currency; none where one is not configured or no day has begun.

    The equity must not be below a floor.
    """

    gross: Decimal | None = None
    net: Decimal | None = None
    sector: Decimal | None = None
    day_floor: Decimal | None = None
    week_floor: Decimal | None = None
    drawdown_floor: Decimal | None = None
    buckets: Mapping[str, BucketCaps] | None = None


UNKNOWN = Caps()


def caps_of(
    config: GateConfig,
    marks: EquityMarks,
    parameters: Mapping[str, float],
    scales: Mapping[str, float],
) -> Caps:
    """Return the day's limits, as tight as configuration, policy and stage together make them."""
    if marks.day is None:
        return UNKNOWN
    equity = max(marks.equity_at_day_start, ZERO)
    return Caps(
        gross=_share(equity, config.max_gross_pct),
        net=_share(equity, config.max_net_pct),
        sector=_share(equity, config.max_sector_pct),
        day_floor=_floor(marks.equity_at_day_start, config.max_daily_loss_pct),
        week_floor=_floor(marks.equity_at_week_start, config.max_weekly_loss_pct),
        drawdown_floor=_floor(marks.high, config.max_drawdown_5d_pct),
        buckets={
            name: _bucket(limits, _scaled(equity, scales.get(name)), name, parameters)
            for name, limits in config.buckets.items()
        },
    )


def _bucket(
    limits: BucketLimits, equity: Decimal, name: str, parameters: Mapping[str, float]
) -> BucketCaps:
    gross = _tightened(limits.max_gross_pct, parameters.get(BUCKET_CAP_PREFIX + name))
    position = _tightened(limits.max_name_pct, parameters.get(MAX_POSITION))
    return BucketCaps(
        gross=_share(equity, gross),
        name=_share(equity, position),
        order=_share(equity, limits.max_order_pct),
    )


def _scaled(equity: Decimal, scale: float | None) -> Decimal:
    return equity * (_ONE if scale is None else min(_one_number(scale), _ONE))


def _tightened(configured: Decimal | None, pct: float | None) -> Decimal | None:
    """Return the percentage as policy leaves it: what is not configured stays missing."""
    return configured if configured is None or pct is None else min(configured, _one_number(pct))


def _one_number(value: float) -> Decimal:
    """Return the number, or zero, the tightest cap, where it is none."""
    return Decimal(repr(value)) if isfinite(value) and value > 0 else ZERO


def _share(equity: Decimal, pct: Decimal | None) -> Decimal | None:
    return None if pct is None else equity * pct / _PERCENT


def _floor(before: Decimal, pct: Decimal | None) -> Decimal | None:
    """Return the equity below which more than `pct` percent of `before` is lost."""
    return None if pct is None else before * (_PERCENT - pct) / _PERCENT
