"""What models cost and claimed, and how the desk has done."""

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

from interlock.console.plain import finite, maybe_money, money, share
from interlock.console.tables import Tables
from interlock.console.views.models import (
    CalibrationBin,
    CalibrationView,
    EpochScore,
    LastCallView,
    ModelUse,
    ScorecardView,
)
from interlock.runtime.stores.postgres import Row

_ANSWERED = "answered"
_NANOS_PER_MS = 1_000_000
_BINS = 10
_SESSIONS_A_YEAR = 252
_EPOCHS = 200
_CLOSED_LOOKED_AT = 5_000
_CLOSED = "exit_price IS NOT NULL AND entry_price IS NOT NULL"
# An order that closes a position has both prices; a sale closes what was bought.
_WON = "(CASE side WHEN 'sell' THEN exit_price - entry_price ELSE entry_price - exit_price END)"


async def spent(tables: Tables, desk: str, since: int) -> tuple[int, Decimal]:
    """Return how many calls there were since a moment, and what they cost in USD.

    What calls nobody outside, such as rules, costs nothing and counts all the same.
    """
    row = await tables.row(
        "SELECT count(*) AS calls, COALESCE(sum(cost_usd), 0) AS usd FROM model_calls"
        " WHERE desk = %(desk)s AND ts_event >= %(since)s",
        {"desk": desk, "since": since},
    )
    return (0, Decimal(0)) if row is None else (row["calls"], row["usd"])


async def spent_on_cloud(tables: Tables, desk: str, since: int) -> Decimal:
    """Return what escalations' calls of the cloud model have cost since a moment, in USD."""
    row = await tables.row(
        "SELECT COALESCE(sum(cost_usd), 0) AS usd FROM model_calls"
        " WHERE desk = %(desk)s AND ts_event >= %(since)s AND source = 'cloud'",
        {"desk": desk, "since": since},
    )
    return Decimal(0) if row is None else row["usd"]


async def use_of_models(tables: Tables, desk: str, since: int) -> list[ModelUse]:
    """Return calls and costs by model since a moment."""
    found = await tables.rows(
        "SELECT provider, model, outcome, count(*) AS calls, COALESCE(sum(tokens_in), 0) AS t_in,"
        " COALESCE(sum(tokens_out), 0) AS t_out, COALESCE(sum(cost_usd), 0) AS usd,"
        " percentile_disc(0.5) WITHIN GROUP (ORDER BY latency_ns) AS p50,"
        " percentile_disc(0.99) WITHIN GROUP (ORDER BY latency_ns) AS p99"
        " FROM model_calls WHERE desk = %(desk)s AND ts_event >= %(since)s"
        " GROUP BY provider, model, outcome ORDER BY provider, model, outcome",
        {"desk": desk, "since": since},
    )
    by_model = defaultdict[tuple[str, str], list[Row]](list)
    for row in found:
        by_model[row["provider"], row["model"]].append(row)
    return [_use(provider, model, rows) for (provider, model), rows in by_model.items()]


def _use(provider: str, model: str, rows: list[Row]) -> ModelUse:
    answered = next((row for row in rows if row["outcome"] == _ANSWERED), None)
    return ModelUse(
        provider=provider,
        model=model,
        calls=sum(row["calls"] for row in rows),
        answered=0 if answered is None else answered["calls"],
        failures={row["outcome"]: row["calls"] for row in rows if row["outcome"] != _ANSWERED},
        tokens_in=int(sum(row["t_in"] for row in rows)),
        tokens_out=int(sum(row["t_out"] for row in rows)),
        usd=money(sum((row["usd"] for row in rows), Decimal(0))),
        latency_ms_p50=None if answered is None else answered["p50"] / _NANOS_PER_MS,
        latency_ms_p99=None if answered is None else answered["p99"] / _NANOS_PER_MS,
    )


async def last_call(
    tables: Tables, desk: str, providers: list[str], *, escalates: bool
) -> LastCallView | None:
    """Return the last call of the cloud model: an escalation's, elsewhere of these providers."""
    where = "source = 'cloud'" if escalates else "provider = ANY(%(providers)s)"
    row = await tables.row(
        "SELECT decision_id, ts_event, provider, model, question, outcome, cost_usd,"  # noqa: S608
        f" latency_ns FROM model_calls WHERE desk = %(desk)s AND {where}"
        " ORDER BY ts_event DESC LIMIT 1",
        {"desk": desk, "providers": providers},
    )
    if row is None:
        return None
    return LastCallView(
        decision_id=row["decision_id"],
        ts_event=str(row["ts_event"]),
        provider=row["provider"],
        model=row["model"],
        question=row["question"],
        outcome=row["outcome"],
        cost_usd=money(row["cost_usd"]),
        latency_ms=row["latency_ns"] / _NANOS_PER_MS,
    )


async def calibration(tables: Tables, desk: str) -> CalibrationView:
    """Return how often closed positions made what their entry had claimed.

    The claim is the order's own, or that of the last entry before it; of an entry that claims no
    probability, the score it was made on. The latest `_CLOSED_LOOKED_AT` are looked at.
    """
    found = await tables.rows(
        "WITH closed AS (SELECT intent_id, desk, instrument_id, ts_event, conviction,"  # noqa: S608
        f" CASE WHEN {_WON} > 0 THEN 1.0 ELSE 0.0 END AS won FROM orders"
        f" WHERE desk = %(desk)s AND {_CLOSED}"
        " ORDER BY ts_event DESC, intent_id DESC LIMIT %(most)s),"
        " claims AS (SELECT c.won, COALESCE(c.conviction / 100, e.claim) AS claim FROM closed c"
        " LEFT JOIN LATERAL (SELECT COALESCE(o.conviction / 100, s.score) AS claim FROM orders o"
        "  LEFT JOIN scores s ON s.decision_id = o.decision_id"
        "   AND s.instrument_id = o.instrument_id"
        "  WHERE o.desk = c.desk AND o.instrument_id = c.instrument_id"
        "   AND o.ts_event <= c.ts_event AND o.intent_id <> c.intent_id"
        "   AND o.filled_quantity > 0 AND o.exit_price IS NULL AND o.parent IS NULL"
        "  ORDER BY o.ts_event DESC, o.intent_id DESC LIMIT 1) e ON c.conviction IS NULL)"
        " SELECT LEAST(floor(claim * 10), 9)::int AS bin, count(*) AS many,"
        " avg(claim) AS claimed, avg(won) AS won, avg(power(claim - won, 2)) AS brier"
        " FROM claims WHERE claim IS NOT NULL GROUP BY 1 ORDER BY 1",
        {"desk": desk, "most": _CLOSED_LOOKED_AT},
    )
    count = sum(row["many"] for row in found)
    total = sum(float(row["brier"]) * row["many"] for row in found)
    return CalibrationView(
        count=count,
        brier=total / count if count else None,
        bins=[
            CalibrationBin(
                lower=row["bin"] / _BINS,
                upper=(row["bin"] + 1) / _BINS,
                count=row["many"],
                claimed=float(row["claimed"]),
                won=float(row["won"]),
            )
            for row in found
        ],
    )


async def scorecard(tables: Tables, desk: str) -> ScorecardView:
    """Return how the desk has done as a whole and under each policy version."""
    days = await tables.rows(
        "SELECT DISTINCT ON (day) day, equity FROM accounts WHERE desk = %(desk)s"
        " ORDER BY day, n DESC",
        {"desk": desk},
    )
    first = await tables.row(
        "SELECT equity_at_day_start FROM accounts WHERE desk = %(desk)s ORDER BY n LIMIT 1",
        {"desk": desk},
    )
    proposals = await tables.rows(
        "SELECT verdict, count(*) AS many FROM proposals WHERE desk = %(desk)s GROUP BY 1",
        {"desk": desk},
    )
    epochs = await _epochs(tables, desk)
    begin = None if first is None else first["equity_at_day_start"]
    marks = [row["equity"] for row in days]
    curve = marks if begin is None else [begin, *marks]
    closed, won = sum(one.closed for one in epochs), sum(one.won for one in epochs)
    return ScorecardView(
        sessions=len(days),
        equity_at_start=maybe_money(begin),
        equity=maybe_money(curve[-1] if curve else None),
        return_pct=None if begin is None else share(curve[-1] - begin, begin),
        sharpe=_sharpe(curve),
        max_drawdown_pct=_drawdown(curve),
        hit_rate_pct=share(won, closed),
        epochs=epochs,
        proposals={row["verdict"]: row["many"] for row in proposals},
    )


def _sharpe(curve: list[Decimal]) -> float | None:
    returns = [float(after / before) - 1 for before, after in pairwise(curve) if before]
    if len(returns) < 2:  # noqa: PLR2004 - a deviation needs two
        return None
    deviation = stdev(returns)
    return finite(fmean(returns) / deviation * sqrt(_SESSIONS_A_YEAR)) if deviation else None


def _drawdown(curve: list[Decimal]) -> float | None:
    if not curve:
        return None
    high, deepest = curve[0], 0.0
    for mark in curve:
        high = max(high, mark)
        if high:
            deepest = max(deepest, float((high - mark) / high))
    return round(100 * deepest, 4)


async def _epochs(tables: Tables, desk: str) -> list[EpochScore]:
    found = await tables.rows(
        "SELECT policy_version AS epoch, count(*) AS intents,"  # noqa: S608 - names of ours
        " count(*) FILTER (WHERE verdict = 'approved') AS approved,"
        " count(*) FILTER (WHERE verdict = 'denied') AS denied,"
        " count(*) FILTER (WHERE filled_quantity > 0) AS filled,"
        f" count(*) FILTER (WHERE {_CLOSED}) AS closed,"
        f" count(*) FILTER (WHERE {_CLOSED} AND {_WON} > 0) AS won,"
        f" COALESCE(sum({_WON} * filled_quantity) FILTER (WHERE {_CLOSED}), 0) AS pnl"
        " FROM orders WHERE desk = %(desk)s AND policy_version IS NOT NULL"
        " GROUP BY 1 ORDER BY 1 DESC LIMIT %(limit)s",
        {"desk": desk, "limit": _EPOCHS},
    )
    fees = await tables.rows(
        "SELECT o.policy_version AS epoch, sum(f.fee) AS fees FROM fills f"
        " JOIN orders o ON o.intent_id = f.intent_id WHERE f.desk = %(desk)s GROUP BY 1",
        {"desk": desk},
    )
    paid = {row["epoch"]: row["fees"] for row in fees}
    return [
        EpochScore(
            epoch=row["epoch"],
            intents=row["intents"],
            approved=row["approved"],
            denied=row["denied"],
            fills=row["filled"],
            closed=row["closed"],
            won=row["won"],
            hit_rate_pct=share(row["won"], row["closed"]),
            realised_pnl=money(row["pnl"]),
            fees=money(paid.get(row["epoch"]) or Decimal(0)),
        )
        for row in found
    ]
