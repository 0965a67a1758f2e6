"""Entries that wait for people, as the ledger's tables in a real PostgreSQL tell of them."""

import pytest
from interlock.ledger.adapters.memory import MemoryTables
from interlock.ledger.adapters.postgres import PostgresTables
from interlock.ledger.approval_queries import approvals, request
from interlock.ledger.config import LedgerConfig
from interlock.ledger.decision import decision_of
from interlock.ledger.queries import summary
from interlock.ledger.state import evolve, opening
from interlock.ledger.summary import summarise
from interlock.testkit.approvals import approve, asked, reject
from interlock.testkit.cells import react
from interlock.testkit.desk_messages import ACCOUNT, DESK, SECOND, START, ids, tick
from interlock.wire.approvals import ApprovalLapsed, LapseCode

from tests.integration.test_ledger_postgres import keep, recorded
from tests.unit.policy.policy_cells import policy_cell

pytestmark = pytest.mark.servers

YES, HALF, NO, LATE, LAPSED = (
    asked(n, needed=2 if n == 2 else 1, expires_at=(100 if n == 4 else 900) * SECOND)
    for n in range(1, 6)
)


def everything():
    """Return a small history of requests, one of each end, as policy tells it."""
    cell, told = policy_cell(), []

    def hear(message, now=6 * SECOND):
        told.extend((message, *react(cell, message, now)))

    for one in (YES, HALF, NO, LATE, LAPSED):
        hear(one, one.ts_event)
    for word in (approve(YES), approve(HALF), reject(NO, "bob"), approve(LAPSED)):
        hear(word)
    hear(tick(100), 100 * SECOND)
    lapsed = ApprovalLapsed(
        **ids("lapsed"),
        ts_event=101 * SECOND,
        request_id=LAPSED.request_id,
        intent_id=LAPSED.intent.intent_id,
        instrument_id="SPY",
        code=LapseCode.PRICE,
        reason="the price moved",
    )
    told.append(lapsed)
    hear(approve(LAPSED, n=2), 102 * SECOND)
    return told


async def test_each_request_stands_as_policy_and_strategy_said_last(store, tmp_path):
    told = everything()
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), recorded(told))
    found = {row["request_id"]: row for row in await approvals(store, DESK, state=None)}
    states = {request_id: (row["state"], row["by"]) for request_id, row in found.items()}
    assert states == {
        YES.request_id: ("approved", ["ann"]),
        HALF.request_id: ("pending", ["ann"]),
        NO.request_id: ("rejected", ["bob"]),
        LATE.request_id: ("expired", []),
        LAPSED.request_id: ("lapsed", ["ann"]),
    }
    assert found[LAPSED.request_id]["reason"] == "the price moved"
    assert found[NO.request_id]["reason"] == "bob says no"
    (waits,) = await approvals(store, None)
    assert waits["request_id"] == HALF.request_id
    assert (waits["needed"], waits["notional"], waits["decided_at"]) == (2, 1_000, None)
    assert [row["n"] for row in await approvals(store, DESK, state=None, limit=2)] == [5, 4]
    assert (await request(store, YES.request_id))["decided_at"] == 6 * SECOND
    assert await request(store, "nobody's") is None
    assert await approvals(store, "another", state=None) == []


async def test_a_decisions_trace_names_the_person(store, tmp_path):
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), recorded(everything()))
    (row,) = (await decision_of(store, YES.decision_id)).approvals
    assert (row["state"], row["by"], row["reason"]) == ("approved", ["ann"], "ann says yes")


async def test_the_counts_of_the_tables_are_those_of_the_fold(store, tmp_path):
    told = everything()
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), recorded(told))
    state = opening(ACCOUNT, "USD", START, LedgerConfig())
    for message in told:
        evolve(state, message)
    total = summarise(state.tally, START)
    assert await summary(store, DESK, START) == total
    assert (total.approval_requests, total.approvals_lapsed) == (5, 1)
    assert total.approval_requests_by_end == {"approved": 2, "expired": 1, "rejected": 1}


async def test_a_history_that_is_told_twice_makes_each_row_once(store, tmp_path):
    memory, told = MemoryTables(), everything()
    for n, tables in enumerate((memory, PostgresTables(store))):
        await keep(tmp_path / f"{n}" / "journal.jsonl", tables, recorded([*told, *told]))
    for table in ("approval_requests", "approval_events"):
        found = await store.rows(f"SELECT count(*) AS n FROM {table}")
        assert found[0]["n"] == len(memory.all(table))
