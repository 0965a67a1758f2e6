"""What the command line asks the tables. Every call raises `UnavailableError` like its store."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from interlock.ledger.day_queries import last_post_mortem
from interlock.ledger.rows import PolicyVersionRow
from interlock.ledger.story import Story
from interlock.ledger.summary import Summary
from interlock.model.values import ZERO
from interlock.runtime.journal import read_tail
from interlock.runtime.stores.postgres import Postgres
from interlock.wire.accounts import AccountUpdated
from interlock.wire.approvals import ApprovalLapsed, ApprovalRequested
from interlock.wire.base import Message, tag_of
from interlock.wire.market import Bar, ClockTicked
from interlock.wire.orders import OrderDenied, OrderFilled, OrderIntent, SubmitOrder
from interlock.wire.policy import ProposalJudged, ProposalVerdict
from interlock.wire.reasoning import ParameterProposal
from interlock.wire.system import SpanRow

_ASK_AGAIN_SECONDS = 0.05


def _as[M](kind: type[M], row: dict[str, Any]) -> M:
    return msgspec.convert(row, kind)


async def caught_up(store: Postgres, journal: Path, patience_seconds: float) -> bool:
    """Wait until the tables hold every row that the journal now has; false where they do not."""
    last_seq = 0
    for row in read_tail(journal, tail_bytes=1):
        last_seq = row.seq
    try:
        async with asyncio.timeout(patience_seconds):
            while True:
                found = await store.rows("SELECT seq FROM journal_place")
                if (found[0]["seq"] if found else 0) >= last_seq:
                    return True
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
    except TimeoutError:
        return False


async def are_there(store: Postgres) -> bool:
    """Return whether the database holds a ledger's tables."""
    found = await store.rows("SELECT to_regclass('journal_place') IS NOT NULL AS there")
    return bool(found[0]["there"])


async def audit_rows(
    store: Postgres,
    desk: str,
    since_ns: int | None = None,
    *,
    lead_in_ns: int = 900_000_000_000,
) -> list[ProposalJudged]:
    """Return the proposals of a desk as judged, in order, since a moment of the data's clock.

    Those of the `lead_in_ns` of desk time before it come along: the first windows need them.
    """
    columns = ", ".join(f'"{name}"' for name in ProposalJudged.__struct_fields__)
    found = await store.rows(
        f"SELECT {columns} FROM proposals WHERE desk = %(desk)s"  # noqa: S608 - names of ours
        " AND (%(since)s::bigint IS NULL OR n >= (SELECT min(n) FROM proposals"
        "  WHERE desk = %(desk)s AND ts_desk > (SELECT ts_desk FROM proposals"
        "   WHERE desk = %(desk)s AND ts_event >= %(since)s ORDER BY n LIMIT 1) - %(lead)s))"
        " ORDER BY n",
        {"desk": desk, "since": since_ns, "lead": lead_in_ns},
    )
    return [_as(ProposalJudged, row) for row in found]


async def last_moment(store: Postgres, desk: str) -> int | None:
    """Return the end of the data, from which "the last day" is counted back.

    It is the time of the last cadence or proposal, none where there is neither.
    """
    found = await store.rows(
        "SELECT max(ts_event) AS at FROM (SELECT ts_event FROM accounts WHERE desk = %(desk)s"
        " UNION ALL SELECT ts_event FROM proposals WHERE desk = %(desk)s) AS moments",
        {"desk": desk},
    )
    moment: int | None = found[0]["at"]
    return moment


async def begin_of_last(store: Postgres, desk: str, length_ns: int) -> int | None:
    """Return the first moment of the last `length_ns` of the data, none where there is no data."""
    last = await last_moment(store, desk)
    return None if last is None else last - length_ns + 1


async def spans_of(store: Postgres, decision_id: str) -> list[SpanRow]:
    """Return the spans of one decision; its id is the trace's."""
    columns = ", ".join(SpanRow.__struct_fields__)
    found = await store.rows(
        f"SELECT {columns} FROM spans WHERE trace_id = %s ORDER BY started_at",  # noqa: S608
        (decision_id,),
    )
    return [_as(SpanRow, row) for row in found]


async def orders(store: Postgres, desk: str | None, limit: int = 100) -> list[dict[str, Any]]:
    """Return the latest orders of a desk or of all, newest first, with all their columns."""
    return await store.rows(
        "SELECT * FROM orders WHERE %(desk)s::text IS NULL OR desk = %(desk)s"
        " ORDER BY ts_event DESC, intent_id LIMIT %(limit)s",
        {"desk": desk, "limit": limit},
    )


async def policy_versions(store: Postgres, desk: str) -> list[PolicyVersionRow]:
    """Return every policy version of a desk, the one in force last."""
    columns = ", ".join(PolicyVersionRow.__struct_fields__)
    found = await store.rows(
        f"SELECT {columns} FROM policy_versions"  # noqa: S608 - names of ours
        " WHERE desk = %s ORDER BY version, ts_event",
        (desk,),
    )
    return [_as(PolicyVersionRow, row) for row in found]


async def desks(store: Postgres) -> list[str]:
    """Return the desks that have had a policy."""
    found = await store.rows("SELECT DISTINCT desk FROM policy_versions ORDER BY desk")
    return [row["desk"] for row in found]


async def last_account(store: Postgres, desk: str) -> AccountUpdated | None:
    """Return the account as last published, none before the first cadence."""
    columns = ", ".join(f'"{name}"' for name in AccountUpdated.__struct_fields__)
    found = await store.rows(
        f"SELECT {columns} FROM accounts"  # noqa: S608 - names of ours
        " WHERE desk = %s ORDER BY n DESC LIMIT 1",
        (desk,),
    )
    return _as(AccountUpdated, found[0]) if found else None


async def summary(
    store: Postgres, desk: str, equity_at_start: Decimal, story: Story | None = None
) -> Summary:
    """Return the summary of everything in the tables, as the ledger's own fold makes it."""
    messages = await _counts(store, "SELECT tag AS name, count(*) AS n FROM messages GROUP BY tag")
    verdicts = await _counts(
        store,
        "SELECT verdict AS name, count(*) AS n FROM proposals WHERE desk = %s GROUP BY 1",
        desk,
    )
    account = await last_account(store, desk)
    equity = equity_at_start if account is None else account.equity

    def seen(kind: type[Message]) -> int:
        return messages.get(tag_of(kind), 0)

    return Summary(
        bars=seen(Bar),
        ticks=seen(ClockTicked),
        proposals_seen=seen(ParameterProposal),
        proposals_applied=verdicts.get(ProposalVerdict.ACCEPTED, 0),
        proposals_by_verdict=verdicts,
        reasoner_failures=await _counts(
            store,
            "SELECT outcome AS name, count(*) AS n FROM model_calls"
            " WHERE desk = %s AND outcome <> 'answered' GROUP BY 1",
            desk,
        ),
        intents=seen(OrderIntent),
        approvals=seen(SubmitOrder),
        denials=seen(OrderDenied),
        denials_by_code=await _counts(
            store,
            "SELECT code AS name, count(*) AS n FROM denials WHERE desk = %s GROUP BY 1",
            desk,
        ),
        fills=seen(OrderFilled),
        fees=ZERO if account is None else account.fees,
        equity_at_start=equity_at_start,
        equity=equity,
        pnl=equity - equity_at_start,
        realised_pnl=ZERO if account is None else account.realised_pnl,
        unrealised_pnl=ZERO if account is None else account.unrealised_pnl,
        max_drawdown=await _max_drawdown(store, desk),
        messages=messages,
        sample_decision=await _sample_decision(store, desk),
        post_mortem=await last_post_mortem(store, desk),
        story=story,
        approval_requests=seen(ApprovalRequested),
        approval_requests_by_end=await _counts(
            store,
            "SELECT code AS name, count(*) AS n FROM approval_events"
            " WHERE desk = %s AND kind = 'decided' GROUP BY 1",
            desk,
        ),
        approvals_lapsed=seen(ApprovalLapsed),
    )


async def _counts(store: Postgres, sql: str, *parameters: object) -> dict[str, int]:
    found = await store.rows(sql, parameters)
    return {row["name"]: row["n"] for row in sorted(found, key=lambda row: str(row["name"]))}


async def _max_drawdown(store: Postgres, desk: str) -> float:
    found = await store.rows(
        "SELECT max((peak - equity) / peak)::double precision AS fall FROM"
        " (SELECT equity, max(equity) OVER (ORDER BY n) AS peak FROM accounts WHERE desk = %s)"
        " AS curve WHERE peak > 0",
        (desk,),
    )
    return float(found[0]["fall"] or 0.0)


async def _sample_decision(store: Postgres, desk: str) -> str:
    found = await store.rows(
        "SELECT decision_id FROM ("
        " (SELECT 1 AS place, decision_id FROM fills WHERE desk = %(desk)s"
        "   ORDER BY ts_event DESC LIMIT 1) UNION ALL"
        " (SELECT 2, decision_id FROM orders WHERE desk = %(desk)s"
        "   ORDER BY ts_event DESC LIMIT 1) UNION ALL"
        " (SELECT 3, decision_id FROM proposals WHERE desk = %(desk)s ORDER BY n DESC LIMIT 1)"
        ") AS candidates ORDER BY place LIMIT 1",
        {"desk": desk},
    )
    return found[0]["decision_id"] if found else ""
