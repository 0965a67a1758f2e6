"""How large a position of a score may be: its share of the bucket, then the caps.

``size = bucket_limit * 2 * abs(score - 0.5)``, at most what one name may come to, what one order
may, and what is left of the bucket. Limits are as tight as configuration, policy and stage together
make them; none of the three loosens another. All of it is in fractions of the equity at the day's
first mark, until a price turns it into units.
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct

from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, InstrumentKind
from interlock.strategy.ensemble.config import BucketRules
from interlock.strategy.ensemble.score import decidedness
from interlock.wire.parameters import BUCKET_CAP_PREFIX, MAX_POSITION

_PERCENT = Decimal(100)
_ONE = Decimal(1)
_HALF = Decimal("0.5")


class Limits(Struct, frozen=True, kw_only=True):
    """What a bucket, one name of it and one order may come to, as fractions of the equity."""

    bucket: Decimal
    name: Decimal
    order: Decimal


def limits_of(
    bucket: str, rules: BucketRules, parameters: Mapping[str, float], scale: float | None
) -> Limits:
    """Return the limits in force; `scale` is what the stage leaves of them, none all."""
    left = _ONE if scale is None else min(_number(scale), _ONE)
    name = _tightened(rules.name_pct, parameters.get(MAX_POSITION))
    order = name if rules.order_pct is None else rules.order_pct
    cap = _tightened(rules.cap_pct, parameters.get(BUCKET_CAP_PREFIX + bucket))
    return Limits(
        bucket=left * cap / _PERCENT, name=left * name / _PERCENT, order=left * order / _PERCENT
    )


def _tightened(configured: Decimal, pct: float | None) -> Decimal:
    return configured if pct is None else min(configured, _number(pct))


def _number(value: float) -> Decimal:
    """Return the number, exactly as it is written, and zero where it is below."""
    return max(Decimal(repr(value)), ZERO)


def fraction_of(score: float, limits: Limits, *, halved: bool) -> Decimal:
    """Return what a position of this score may come to when its bucket is empty."""
    asked = limits.bucket * Decimal(repr(decidedness(score)))
    if halved:
        asked *= _HALF
    return min(asked, limits.name, limits.order, limits.bucket)


def unit_value(
    instrument: Instrument,
    close: float,
    rate: Decimal,
    delta: float | None = None,
    underlying: float | None = None,
) -> Decimal | None:
    """Return the exposure of one unit in the account's currency, none where it is not known.

    An option counts what its delta moves with of the `underlying`, and never less than its price.
    """
    whole = instrument.multiplier * rate
    value = Decimal(repr(close)) * whole
    if instrument.kind is InstrumentKind.OPTION:
        if underlying is None or delta is None or not abs(delta) <= 1:
            return None
        value = max(value, abs(Decimal(repr(delta))) * Decimal(repr(underlying)) * whole)
    return value if value > ZERO else None


def quantity_within(instrument: Instrument, notional: Decimal, unit: Decimal) -> Decimal:
    """Return the whole lots that `notional` pays for at `unit`, and never one more."""
    if notional <= ZERO:
        return ZERO
    lots = instrument.quantity(notional / unit)
    # A quotient is rounded: the last lot may be a hair too much.
    return lots if lots * unit <= notional else lots - instrument.lot
