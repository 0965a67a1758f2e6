"""Everything on record of one decision."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec

from interlock.console.plain import maybe_money, money
from interlock.console.queries.orders import ORDER_COLUMNS, order_view
from interlock.console.tables import Tables
from interlock.console.views.decisions import (
    MessageView,
    ModelCallView,
    OrderEventView,
    OutcomeView,
    ProposalView,
    SpanView,
)
from interlock.console.views.orders import FillView, OrderView
from interlock.runtime.stores.postgres import Row

LINES = 1_000
_NANOS_PER_MS = 1_000_000


async def spans(tables: Tables, decision_id: str) -> list[SpanView]:
    """Return the steps of one decision as a waterfall: parents first, each level by time.

    A span whose parent was never recorded stands as a root, and so does one of a ring of parents.
    """
    found = await tables.rows(
        "SELECT span_id, parent_span_id, service, name, started_at, ended_at, failed, attributes"
        " FROM spans WHERE trace_id = %(id)s ORDER BY started_at, span_id LIMIT %(limit)s",
        {"id": decision_id, "limit": LINES},
    )
    known = {row["span_id"] for row in found}
    children = defaultdict[str, list[Row]](list)
    for row in found:
        parent = row["parent_span_id"] if row["parent_span_id"] in known else ""
        children[parent].append(row)
    begin = found[0]["started_at"] if found else 0
    steps, shown = list[SpanView](), set[str]()
    for root in [*children[""], *found]:
        waiting = [(root, 0)]
        while waiting:
            row, depth = waiting.pop()
            if row["span_id"] in shown:
                continue
            shown.add(row["span_id"])
            steps.append(_span(row, depth, begin))
            waiting.extend((child, depth + 1) for child in reversed(children[row["span_id"]]))
    return steps


def _span(row: Row, depth: int, begin: int) -> SpanView:
    return SpanView(
        depth=depth,
        service=row["service"],
        name=row["name"],
        start_ms=(row["started_at"] - begin) / _NANOS_PER_MS,
        duration_ms=max(0, row["ended_at"] - row["started_at"]) / _NANOS_PER_MS,
        failed=row["failed"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"],
        attributes=row["attributes"],
    )


async def messages(tables: Tables, decision_id: str) -> list[MessageView]:
    found = await tables.rows(
        "SELECT message_id, ts_event, tag, subject FROM messages WHERE decision_id = %(id)s"
        " ORDER BY ts_event LIMIT %(limit)s",
        {"id": decision_id, "limit": LINES},
    )
    return [
        MessageView(
            message_id=row["message_id"],
            ts_event=str(row["ts_event"]),
            tag=row["tag"],
            subject=row["subject"],
        )
        for row in found
    ]


async def model_calls(tables: Tables, decision_id: str) -> list[ModelCallView]:
    found = await tables.rows(
        "SELECT message_id, ts_event, outcome, question, source, provider, model, prompt, answer,"
        " detail, tokens_in, tokens_out, cost_usd, latency_ns FROM model_calls"
        " WHERE decision_id = %(id)s"
        " ORDER BY ts_event LIMIT 50",
        {"id": decision_id},
    )
    return [
        ModelCallView(
            message_id=row["message_id"],
            ts_event=str(row["ts_event"]),
            outcome=row["outcome"],
            question=row["question"],
            source=row["source"],
            provider=row["provider"],
            model=row["model"],
            prompt=row["prompt"],
            answer=row["answer"],
            parsed=_json_in(row["answer"]),
            detail=row["detail"],
            tokens_in=row["tokens_in"],
            tokens_out=row["tokens_out"],
            cost_usd=money(row["cost_usd"]),
            latency_ms=row["latency_ns"] / _NANOS_PER_MS,
        )
        for row in found
    ]


def _json_in(answer: str | None) -> Any:
    """Return what an answer says as JSON, none where it is none."""
    if answer is None:
        return None
    try:
        return msgspec.json.decode(answer.encode(errors="replace"))
    except (msgspec.DecodeError, RecursionError):
        return None


async def proposals(tables: Tables, decision_id: str) -> list[ProposalView]:
    found = await tables.rows(
        "SELECT message_id, ts_event, provider, parameter, old, proposed, applied, verdict,"
        " freeze_reasons, policy_version FROM proposals WHERE decision_id = %(id)s"
        " ORDER BY ts_event LIMIT 200",
        {"id": decision_id},
    )
    return [
        msgspec.convert({**row, "ts_event": str(row["ts_event"])}, ProposalView) for row in found
    ]


async def orders(tables: Tables, decision_id: str) -> list[OrderView]:
    found = await tables.rows(
        f"SELECT {ORDER_COLUMNS} FROM orders"  # noqa: S608 - names of ours
        " WHERE decision_id = %(id)s ORDER BY ts_event, intent_id LIMIT 200",
        {"id": decision_id},
    )
    return [order_view(row) for row in found]


async def order_events(tables: Tables, orders: list[OrderView]) -> list[OrderEventView]:
    """Return the life of these orders, a line a message, in the order it was written down."""
    found = await tables.rows(
        "SELECT c.message_id, c.ts_event, c.intent_id, c.status, c.filled_quantity, c.detail,"
        " COALESCE(m.tag, '') AS tag FROM order_changes c"
        " LEFT JOIN messages m ON m.message_id = c.message_id"
        " WHERE c.intent_id = ANY(%(ids)s) ORDER BY c.n LIMIT %(limit)s",
        {"ids": [one.intent_id for one in orders], "limit": LINES},
    )
    return [
        OrderEventView(
            message_id=row["message_id"],
            ts_event=str(row["ts_event"]),
            intent_id=row["intent_id"],
            status=row["status"],
            tag=row["tag"],
            filled_quantity=maybe_money(row["filled_quantity"]),
            detail=row["detail"],
        )
        for row in found
    ]


def outcome(orders: list[OrderView], fills: list[FillView]) -> OutcomeView:
    """Return what came of a decision's orders. Prices are given where one order has them."""
    filled = sum((Decimal(fill.quantity) for fill in fills), Decimal(0))
    closed = [one for one in orders if one.exit_price is not None and one.entry_price is not None]
    pnl = sum((_won(one) for one in closed), Decimal(0)) if closed else None
    if pnl is None:
        result = "open" if filled else "none"
    else:
        result = "won" if pnl > 0 else "lost" if pnl < 0 else "even"
    traded = [one for one in orders if one.entry_price is not None]
    lone = traded[0] if len(traded) == 1 else None
    return OutcomeView(
        result=result,
        filled_quantity=money(filled),
        fees=money(sum((Decimal(fill.fee) for fill in fills), Decimal(0))),
        entry_price=None if lone is None else lone.entry_price,
        exit_price=None if lone is None else lone.exit_price,
        realised_pnl=maybe_money(pnl),
    )


def _won(order: OrderView) -> Decimal:
    assert order.exit_price is not None
    assert order.entry_price is not None
    gained = Decimal(order.exit_price) - Decimal(order.entry_price)
    sign = 1 if order.side == "sell" else -1
    return sign * gained * Decimal(order.filled_quantity or 0)
