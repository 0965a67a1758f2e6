"""What the tables hold for the scorecard of an ensemble desk."""

from typing import Any

import msgspec

from interlock.ledger.day_queries import days
from interlock.ledger.ensemble_scorecard import Bought, ModelsKnown, Seen, Share, entries_only
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import Side
from interlock.runtime.stores.postgres import Postgres
from interlock.wire.base import tag_of
from interlock.wire.market import ClockTicked


async def seen(
    store: Postgres,
    desk: str,
    cadence_seconds: int,
    models: ModelsKnown | str,
    since_ns: int | None = None,
) -> Seen:
    """Return the evidence of a desk since a moment of the data's clock."""
    told = {"desk": desk, "since": since_ns}
    order_ms, orders = await _order_ms(store, told)
    return Seen(
        days=await days(store, desk, since_ns),
        drawdown=await _drawdown(store, told),
        models=models,
        uptime=await _uptime(store, told, cadence_seconds),
        order_ms=order_ms,
        orders=orders,
        bought=await _bought(store, told),
        protected=await _protected(store, told),
        stops_waiting=await _stops_waiting(store, told),
    )


async def _drawdown(store: Postgres, told: dict[str, Any]) -> float | None:
    found = await store.rows(
        "SELECT max((peak - equity) / peak)::double precision AS fall FROM"
        " (SELECT equity, max(equity) OVER (ORDER BY n) AS peak FROM accounts"
        "  WHERE desk = %(desk)s"
        " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)) AS curve WHERE peak > 0",
        told,
    )
    fall: float | None = found[0]["fall"]
    return fall


async def _uptime(store: Postgres, told: dict[str, Any], cadence_seconds: int) -> Share:
    """Return the cadences with an account, of those there should have been.

    In a replay, of those the feed has told: its clock stands still while the desk is down. Live, a
    cadence is missing where two accounts of one trading day lie further apart than it is long.
    """
    replayed = await store.rows("SELECT 1 FROM replays WHERE desk = %(desk)s LIMIT 1", told)
    if replayed:
        found = await store.rows(
            "SELECT (SELECT count(*) FROM messages WHERE tag = %(tick)s"
            " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)) AS of,"
            " (SELECT count(*) FROM accounts WHERE desk = %(desk)s"
            " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)) AS held",
            told | {"tick": tag_of(ClockTicked)},
        )
        return msgspec.convert(found[0], Share)
    found = await store.rows(
        "SELECT count(*) AS held, count(*) + COALESCE(sum(greatest(0, round("
        "  (ts_event - before)::numeric / %(cadence)s) - 1)), 0)::bigint AS of FROM"
        " (SELECT ts_event, lag(ts_event) OVER (PARTITION BY day ORDER BY ts_event) AS before"
        "  FROM accounts WHERE desk = %(desk)s"
        " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)) AS accounts",
        told | {"cadence": cadence_seconds * NANOS_PER_SECOND},
    )
    return msgspec.convert(found[0], Share)


async def _order_ms(store: Postgres, told: dict[str, Any]) -> tuple[float | None, int]:
    """Return how long an order takes: from the first span of its decision to the gate's verdict."""
    found = await store.rows(
        "SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY took) AS ms, count(*) AS n FROM"
        " (SELECT (max(ended_at) FILTER (WHERE name = 'gate order.intent') - min(started_at))"
        "   / 1e6::double precision AS took FROM spans WHERE trace_id IN"
        "  (SELECT decision_id FROM orders WHERE desk = %(desk)s"
        " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s))"
        "  GROUP BY trace_id) AS orders WHERE took IS NOT NULL",
        told,
    )
    return found[0]["ms"], found[0]["n"]


async def _bought(store: Postgres, told: dict[str, Any]) -> list[Bought]:
    found = await store.rows(
        "SELECT f.instrument_id, f.side, a.equity_at_day_start, a.positions FROM fills f"
        " JOIN LATERAL (SELECT equity_at_day_start, positions FROM accounts a"
        "  WHERE a.desk = f.desk AND a.ts_event >= f.ts_event ORDER BY a.ts_event, a.n LIMIT 1) a"
        " ON true WHERE f.desk = %(desk)s"
        " AND (%(since)s::bigint IS NULL OR f.ts_event >= %(since)s) ORDER BY f.ts_event",
        told,
    )
    return entries_only(
        [
            (row["instrument_id"], Side(row["side"]).sign, msgspec.convert(row, Bought))
            for row in found
        ]
    )


async def _protected(store: Postgres, told: dict[str, Any]) -> Share:
    """Return the filled entries that had a protective order which the venue took.

    What is saved of a day's profit has none, by design, and is left out.
    """
    found = await store.rows(
        "SELECT count(*) AS of, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM orders p"
        "  WHERE p.parent = o.client_order_id AND p.status NOT IN ('rejected', 'denied'))) AS held"
        " FROM orders o WHERE desk = %(desk)s AND parent IS NULL AND filled_quantity > 0"
        " AND entry_price IS NOT NULL AND exit_price IS NULL"
        " AND NOT coalesce(reasons, '[]'::jsonb) ? 'sip'"
        " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)",
        told,
    )
    return msgspec.convert(found[0], Share)


async def _stops_waiting(store: Postgres, told: dict[str, Any]) -> int:
    found = await store.rows(
        "SELECT count(*) AS n FROM alerts WHERE desk = %(desk)s AND code = 'protection.waits'"
        " AND (%(since)s::bigint IS NULL OR ts_event >= %(since)s)",
        told,
    )
    n: int = found[0]["n"]
    return n
