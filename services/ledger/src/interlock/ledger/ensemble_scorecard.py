"""The scorecard of an ensemble desk (S3.11): pass or fail, with the values.

Theory of operation. Every gate is computed from what the tables hold of the period: days that are
over, fills, protective orders, spans. Nothing is taken for held because nothing is known of it: a
gate without enough to judge by says so, and fails. Only days after the models' last training day
count for the Sharpe ratio.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from interlock.ledger.config import ScorecardConfig
from interlock.ledger.day_rows import DayRow
from interlock.ledger.scorecard import Gate
from interlock.model.performance import sharpe
from interlock.model.values import ZERO
from interlock.wire.accounts import PositionLine

_PERCENT = 100
_ROUNDING_PCT = Decimal("0.5")
"""A fill may cost a little more than the price the gate judged by."""


class Share(Struct, frozen=True, kw_only=True):
    """How many of how many."""

    held: int
    of: int

    @property
    def pct(self) -> float | None:
        return self.held / self.of * _PERCENT if self.of else None


class ModelsKnown(Struct, frozen=True, kw_only=True):
    """What the set in service says of itself. `last_day` is the last trading day it has seen."""

    name: str
    last_day: int
    overfitting: Mapping[str, float]


class Bought(Struct, frozen=True, kw_only=True):
    """What was held at the first cadence after an entry's fill."""

    instrument_id: str
    equity_at_day_start: Decimal
    positions: list[PositionLine]


class Seen(Struct, frozen=True, kw_only=True):
    """Everything the gates are judged by. What is none or empty is not known.

    `models` may be the reason why nothing is known of them. `order_ms` is the 99th percentile over
    `orders`.
    """

    days: Sequence[DayRow]
    drawdown: float | None
    models: ModelsKnown | str
    uptime: Share
    order_ms: float | None
    orders: int
    bought: Sequence[Bought]
    protected: Share
    stops_waiting: int


class EnsembleScorecard(Struct, frozen=True, kw_only=True):
    """All gates of one period. `ok` where every one of them is."""

    ok: bool
    sessions: int
    gates: list[Gate]


def ensemble_scorecard(
    seen: Seen,
    config: ScorecardConfig,
    buckets: Mapping[str, str],
    multipliers: Mapping[str, Decimal],
    caps_pct: Mapping[str, Decimal],
) -> EnsembleScorecard:
    """Judge what was seen.

    Parameters
    ----------
    seen
        The evidence of the period.
    config
        What to hold it against.
    buckets, multipliers
        Of each instrument.
    caps_pct
        What all of a bucket may come to, in percent of the day's first equity. A bucket without a
        cap may hold nothing.
    """
    gates = [
        _sharpe(seen, config),
        _hit_rate(seen, config, buckets),
        _drawdown(seen, config),
        *_overfitting(seen.models, config),
        _uptime(seen.uptime, config),
        _order_time(seen, config),
        _cloud_calls(seen.days, config),
        _kills(seen.days, config),
        _bucket_compliance(seen.bought, buckets, multipliers, caps_pct),
        _stop_execution(seen),
    ]
    return EnsembleScorecard(
        ok=all(gate.ok for gate in gates), sessions=len(seen.days), gates=gates
    )


def _gate(name: str, value: float | None, limit: str, detail: str, *, ok: bool) -> Gate:
    known = value is not None
    return Gate(name=name, ok=known and ok, value=value, limit=limit, detail=detail, at_ns=None)


def _sharpe(seen: Seen, config: ScorecardConfig) -> Gate:
    limit = f"> {config.sharpe_above:g}"
    if isinstance(seen.models, str):
        detail = f"not known what is out of sample: {seen.models}"
        return _gate("sharpe", None, limit, detail, ok=False)
    days = [one for one in seen.days if one.day > seen.models.last_day]
    if len(days) < config.least_sessions:
        detail = f"{len(days)} sessions out of sample, needed {config.least_sessions}"
        return _gate("sharpe", None, limit, detail, ok=False)
    returns = [float(one.day_pnl / one.equity_at_day_start) for one in days if _has_start(one)]
    value = sharpe(returns, config.sessions_per_year)
    detail = f"over {len(returns)} sessions out of sample"
    if value is None:
        return _gate("sharpe", None, limit, "the returns do not vary", ok=False)
    return _gate("sharpe", value, limit, detail, ok=value > config.sharpe_above)


def _has_start(day: DayRow) -> bool:
    return day.equity_at_day_start > ZERO


def _hit_rate(seen: Seen, config: ScorecardConfig, buckets: Mapping[str, str]) -> Gate:
    liquid = {name for name, bucket in buckets.items() if bucket in config.liquid_buckets}
    lines = [one for day in seen.days for one in day.instruments if one.instrument_id in liquid]
    share = Share(
        held=sum(one.winners for one in lines),
        of=sum(one.winners + one.losers for one in lines),
    )
    limit = f"> {config.hit_rate_above_pct:g} %"
    if share.of < config.least_trades:
        detail = f"{share.of} closed trades in liquid names, needed {config.least_trades}"
        return _gate("hit_rate", None, limit, detail, ok=False)
    value = share.pct
    assert value is not None
    detail = f"{share.held} of {share.of} closed trades in liquid names"
    return _gate("hit_rate", value, limit, detail, ok=value > config.hit_rate_above_pct)


def _drawdown(seen: Seen, config: ScorecardConfig) -> Gate:
    limit = f"< {config.drawdown_below_pct:g} %"
    if seen.drawdown is None:
        return _gate("drawdown", None, limit, "no account was said", ok=False)
    value = seen.drawdown * _PERCENT
    return _gate(
        "drawdown", value, limit, "from the highest mark", ok=value < config.drawdown_below_pct
    )


def _overfitting(models: ModelsKnown | str, config: ScorecardConfig) -> list[Gate]:
    """Return one gate for each model of the set: the mean of good and bad would hide the bad."""
    limit = f"< {config.overfitting_below:g}"
    if isinstance(models, str):
        return [_gate("overfitting", None, limit, models, ok=False)]
    if not models.overfitting:
        detail = f"{models.name} does not say how likely its models overfit"
        return [_gate("overfitting", None, limit, detail, ok=False)]
    return [
        _gate(f"overfitting.{name}", value, limit, models.name, ok=value < config.overfitting_below)
        for name, value in sorted(models.overfitting.items())
    ]


def _uptime(uptime: Share, config: ScorecardConfig) -> Gate:
    limit = f"> {config.uptime_above_pct:g} %"
    value = uptime.pct
    if value is None:
        return _gate("uptime", None, limit, "no cadence was told", ok=False)
    detail = f"{uptime.held} of {uptime.of} cadences with an account"
    return _gate("uptime", value, limit, detail, ok=value > config.uptime_above_pct)


def _order_time(seen: Seen, config: ScorecardConfig) -> Gate:
    limit = f"< {config.order_below_ms:g} ms"
    value = seen.order_ms
    if value is None:
        return _gate("order_time", None, limit, "no spans of orders were kept", ok=False)
    detail = f"99 of 100, over {seen.orders} orders"
    return _gate("order_time", value, limit, detail, ok=value < config.order_below_ms)


def _cloud_calls(days: Sequence[DayRow], config: ScorecardConfig) -> Gate:
    limit = f"< {config.cloud_calls_below_per_day:g} a day"
    if not days:
        return _gate("cloud_calls", None, limit, "no day is over", ok=False)
    value = sum(one.escalations for one in days) / len(days)
    most = max(one.escalations for one in days)
    # A day is summed up before it is written about.
    detail = f"on average, post-mortems apart; {most} on the worst day"
    ok = value < config.cloud_calls_below_per_day
    return _gate("cloud_calls", value, limit, detail, ok=ok)


def _kills(days: Sequence[DayRow], config: ScorecardConfig) -> Gate:
    limit = f"< {config.kills_below_per_month:g} a month"
    if len(days) < config.least_sessions:
        detail = f"{len(days)} sessions, needed {config.least_sessions}"
        return _gate("kills", None, limit, detail, ok=False)
    killed = sum(one.killed for one in days)
    value = killed * config.sessions_per_month / len(days)
    detail = f"{killed} kill days in {len(days)} sessions"
    return _gate("kills", value, limit, detail, ok=value < config.kills_below_per_month)


def _bucket_compliance(
    bought: Sequence[Bought],
    buckets: Mapping[str, str],
    multipliers: Mapping[str, Decimal],
    caps_pct: Mapping[str, Decimal],
) -> Gate:
    broken = [text for one in bought if (text := _over_cap(one, buckets, multipliers, caps_pct))]
    share = Share(held=len(bought) - len(broken), of=len(bought))
    value = share.pct
    if value is None:
        return _gate("bucket_compliance", None, "100 %", "nothing was bought", ok=False)
    detail = broken[0] if broken else f"after each of {share.of} entries"
    return _gate("bucket_compliance", value, "100 %", detail, ok=not broken)


def _over_cap(
    bought: Bought,
    buckets: Mapping[str, str],
    multipliers: Mapping[str, Decimal],
    caps_pct: Mapping[str, Decimal],
) -> str:
    """Say how an entry took its bucket over the cap, empty where it did not.

    A position counts at the lower of its cost and its mark: what the market adds after an entry is
    not the entry's doing.
    """
    bucket = buckets.get(bought.instrument_id, "")
    cap = caps_pct.get(bucket, ZERO)
    worth = sum(
        (
            abs(line.quantity)
            * min(line.avg_px, line.mark)
            * multipliers.get(line.instrument_id, Decimal(1))
            for line in bought.positions
            if buckets.get(line.instrument_id, "") == bucket
        ),
        ZERO,
    )
    if bought.equity_at_day_start <= ZERO:
        return f"{bought.instrument_id} was bought without equity"
    pct = worth / bought.equity_at_day_start * _PERCENT
    if pct <= cap * (1 + _ROUNDING_PCT / _PERCENT):
        return ""
    return f"{bucket or 'no bucket'} at {pct:.2f} % after {bought.instrument_id}, cap {cap} %"


def _stop_execution(seen: Seen) -> Gate:
    """Hold that each entry got its protective order, and that none waited for the venue."""
    value = seen.protected.pct
    if value is None:
        return _gate("stop_execution", None, "100 %", "no entry was filled", ok=False)
    detail = f"{seen.protected.held} of {seen.protected.of} entries with a protective order"
    if seen.stops_waiting:
        detail += f"; {seen.stops_waiting} times one waited for the venue"
    whole = seen.protected.held == seen.protected.of
    return _gate("stop_execution", value, "100 %", detail, ok=whole and not seen.stops_waiting)


def entries_only(fills: Collection[tuple[str, int, Bought]]) -> list[Bought]:
    """Return those fills, given with instrument and sign, after which the position is larger."""
    found: list[Bought] = []
    for name, sign, after in fills:
        held = next((one.quantity for one in after.positions if one.instrument_id == name), ZERO)
        if held * sign > ZERO:
            found.append(after)
    return found
