"""The ledger's tables in a real PostgreSQL."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import msgspec
import psycopg
import pytest
from interlock.cli.main import app
from interlock.ledger import day_queries, queries
from interlock.ledger.adapters.memory import MemoryTables
from interlock.ledger.adapters.postgres import PostgresTables, migrations
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.day_rows import DayRow
from interlock.ledger.recorder import Recorder
from interlock.ledger.rows import TABLES, MessageRow, OrderChange, Stamp
from interlock.ledger.state import State, evolve, opening
from interlock.ledger.summary import summarise
from interlock.ledger.tables import RowsRefusedError, Tables
from interlock.model.values import Side, TradingMode
from interlock.runtime.errors import UnavailableError
from interlock.runtime.journal import START as JOURNAL_START
from interlock.runtime.journal import Journal
from interlock.runtime.loop import Recorded
from interlock.runtime.stores.postgres import Migration, MigrationError, Postgres, Statement
from interlock.testkit.desk_messages import (
    ACCOUNT,
    DAY,
    DESK,
    SECOND,
    START,
    accepted,
    bar,
    denied,
    fill,
    intent,
    judged,
    submitted,
    tick,
)
from interlock.wire import catalogue, codec
from interlock.wire.accounts import DaySummarised
from interlock.wire.base import Message
from interlock.wire.catalogue import Stream
from interlock.wire.policy import FreezeReason, ProposalVerdict
from interlock.wire.reasoning import (
    PostMortemSource,
    PostMortemWritten,
    ReasonerFailed,
    ReasonerFailure,
)
from interlock.wire.system import SpanRow, SpansExported
from typer.testing import CliRunner

pytestmark = pytest.mark.servers
STAMP = Stamp(mode=TradingMode.DEMO, config_hash="c0ffee")


def recorded(messages: list[Message]) -> list[Recorded]:
    return [
        Recorded(
            stream=catalogue.entry_of(m).stream or Stream.DESK,
            subject=catalogue.subject_of(m),
            body=codec.encode(m),
            message=m,
        )
        for m in messages
    ]


async def keep(path: Path, tables: Tables, batch: list[Recorded]) -> None:
    """Record `batch` and make the tables of it; the store connects anew when asked again."""
    recorder = Recorder(Journal(path), tables, STAMP)
    await recorder.record(batch)
    await recorder.flush()
    await recorder.close()


def day_of_trading() -> tuple[State, list[Message]]:
    """Return the ledger's state after a small day, and every message heard and said."""
    failed = ReasonerFailed(
        message_id="f" * 32,
        decision_id="d" * 32,
        ts_event=5,
        desk=DESK,
        reason=ReasonerFailure.TIMEOUT,
        detail="10 s",
        provider="openai",
        model="m",
        spent_usd=Decimal("0.001"),
        latency_ns=10**10,
    )
    written = PostMortemWritten(
        message_id="e" * 32,
        decision_id="d" * 32,
        ts_event=9,
        desk=DESK,
        day=0,
        figures={"day_pnl": -5.0},
        root_cause="it fell",
        recommendations=["hold less", "hold nothing"],
        source=PostMortemSource.LOCAL,
        provider="ollama",
        model="m",
        prompt_hash="0" * 64,
        answer="{}",
        tokens_in=1,
        tokens_out=2,
        cost_usd=Decimal(0),
        latency_ns=3,
        prompt="p",
    )
    frozen = {"freeze_reasons": [FreezeReason.BARS_STALE]}
    heard: list[Message] = [
        *(bar(0, 100.0), tick(0), judged(1, ProposalVerdict.ACCEPTED), failed),
        *(judged(2, ProposalVerdict.FROZEN, **frozen), intent(3), denied(3, quantity="NaN")),
        *(intent(4), submitted(4), accepted(4), fill(4, Side.BUY, 10, 100), bar(5, 110.0), tick(5)),
        *(intent(6, Side.SELL), submitted(6, Side.SELL), fill(6, Side.SELL, 10, Decimal("99.5"))),
        *(bar(7, 90.0), tick(7), tick(8, ts_event=8 * SECOND + DAY), written),
    ]
    state, everything = opening(ACCOUNT, "USD", START, LedgerConfig()), list[Message]()
    for message in heard:
        evolve(state, message)
        everything.append(message)
        for said in decide(state, message, 0):
            if isinstance(said, Message):
                evolve(state, said)
                everything.append(said)
    return state, everything


async def test_the_migrations_are_applied_once_and_guarded(database):
    async with database.store() as first, database.store() as second:
        assert await first.migrate(migrations()) == [step.name for step in migrations()]
        assert await second.migrate(migrations()) == []
        changed = [Migration(step.name, step.sql + "-- ") for step in migrations()]
        with pytest.raises(MigrationError, match="has changed"):
            await first.migrate(changed)
        with pytest.raises(MigrationError, match="does not know"):
            await first.migrate([])


async def test_the_columns_are_the_fields(store):
    for kind, (table, key) in TABLES.items():
        found = await store.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)
        )
        columns = {row["column_name"] for row in found} - {"n", "at"}
        assert columns == set(kind.__struct_fields__), table
        assert set(key) <= columns


async def test_postgres_and_memory_hold_the_same_after_a_day_told_twice(store, tmp_path):
    _, everything = day_of_trading()
    memory, kept = MemoryTables(), PostgresTables(store)
    for n, tables in enumerate((memory, kept)):
        await keep(tmp_path / f"{n}" / "journal.jsonl", tables, recorded(everything))
        assert (await tables.open()).seq == len(everything)
    # The whole journal once more, as after a lost place.
    await store.transact([Statement("DELETE FROM journal_place")])
    await keep(tmp_path / "1" / "journal.jsonl", kept, [])
    orders = await store.rows("SELECT * FROM orders ORDER BY intent_id")
    assert [_comparable(row, OrderChange) for row in orders] == [
        msgspec.structs.asdict(row) for _, row in sorted(memory.orders.items())
    ]
    for kind, (table, _) in TABLES.items():
        found = await store.rows(f"SELECT count(*) AS n FROM {table}")
        assert found[0]["n"] == len(memory.all(table)), kind


def _comparable(row: dict, kind: type[OrderChange]) -> dict:
    return {name: row[name] for name in kind.__struct_fields__}


async def test_an_order_row_has_what_the_journal_must_tell(store, tmp_path):
    _, everything = day_of_trading()
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), recorded(everything))
    rows = {row["intent_id"]: row for row in await queries.orders(store, DESK)}
    sold = rows["intent-6"]
    assert sold["at"].isoformat() == "1970-01-01T00:00:06+00:00"
    assert (sold["mode"], sold["desk"], sold["account"]) == ("demo", DESK, ACCOUNT)
    assert (sold["instrument_id"], sold["side"], sold["status"]) == ("SPY", "sell", "filled")
    assert (sold["requested_quantity"], sold["quantity"]) == (12, 10)
    assert (sold["entry_price"], sold["exit_price"]) == (100, Decimal("99.5"))
    assert (sold["reasons"], sold["policy_version"]) == (["momentum"], 3)
    assert (sold["config_hash"], sold["decision_id"]) == ("c0ffee", intent(6).decision_id)
    refused = rows["intent-3"]
    assert (refused["status"], refused["quantity"], refused["mode"]) == ("denied", 0, "demo")


async def test_the_queries_agree_with_the_ledgers_own_fold(store, tmp_path):
    state, everything = day_of_trading()
    path = tmp_path / "journal.jsonl"
    recorder = Recorder(Journal(path), PostgresTables(store), STAMP)
    await recorder.record(recorded(everything))
    assert not await queries.caught_up(store, path, patience_seconds=0.01)
    await recorder.flush()
    assert await queries.caught_up(store, path, patience_seconds=5)
    await recorder.close()
    assert await queries.summary(store, DESK, START) == summarise(state.tally, START)
    assert await queries.audit_rows(store, DESK) == list(state.audit)
    assert await queries.last_account(store, DESK) == state.tally.account


async def test_s3_10_days_and_post_mortems_come_back(store, tmp_path):
    state, everything = day_of_trading()
    (told,) = [one for one in everything if isinstance(one, DaySummarised)]
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), recorded(everything))
    (day,) = await day_queries.days(store, DESK)
    assert msgspec.convert(msgspec.to_builtins(day), DayRow) == msgspec.convert(
        told, DayRow, from_attributes=True
    )
    assert (day.day, day.fills, day.instruments[0].losers) == (-1, 2, 1)
    assert day.denials_by_code == {"price.stale": 1, "size.notional": 1}
    assert await day_queries.days(store, DESK, since_ns=DAY) == []
    (last,) = await day_queries.post_mortems(store, DESK)
    assert (last.day, last.root_cause, last.figures) == (0, "it fell", {"day_pnl": -5.0})
    assert await day_queries.post_mortems(store, None, 0) == [last]
    assert await day_queries.post_mortems(store, DESK, 1) == []
    assert state.tally.post_mortem is not None
    calls = await store.rows("SELECT outcome, prompt FROM model_calls ORDER BY outcome")
    assert calls == [
        {"outcome": "answered", "prompt": "p"}, {"outcome": "timeout", "prompt": None}
    ]  # fmt: skip


async def test_s3_10_a_person_reads_what_was_written_about_a_day(database, store, tmp_path):
    words = ["postmortem", "--postgres", database.server.url]

    async def told(*more):
        answer = await asyncio.to_thread(CliRunner().invoke, app, [*words, *more])
        assert answer.exit_code == 0, answer.output
        return answer.stdout

    assert await told() == "no post-mortem yet\n"
    _, everything = day_of_trading()
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), recorded(everything))
    assert (await told()).splitlines() == [
        f"desk {DESK}, 1970-01-01, by ollama/m (local)",
        "it fell",
        "- hold less",
        "- hold nothing",
        "day_pnl -5",
    ]
    assert await told("--day", "2008-10-10") == "nothing was written about that day\n"
    (row,) = json.loads(await told("--day", "1970-01-01", "--desk", DESK, "--json"))
    assert row["recommendations"] == ["hold less", "hold nothing"]


async def test_audit_rows_bring_the_window_before_the_period(store, tmp_path):
    seconds = (0, 400, 901, 1_000, 1_800)
    await keep(
        tmp_path / "journal.jsonl", PostgresTables(store), recorded([judged(n) for n in seconds])
    )
    rows = await queries.audit_rows(store, DESK, since_ns=1_000 * 10**9)
    assert [row.ts_event // 10**9 for row in rows] == [400, 901, 1_000, 1_800]
    assert await queries.audit_rows(store, DESK, since_ns=10**18) == []
    assert await queries.last_moment(store, DESK) == 1_800 * 10**9


async def test_spans_come_back_by_their_decision(store, tmp_path):
    rows = [
        SpanRow(
            trace_id="t",
            span_id=f"s{n}",
            parent_span_id="",
            service="gate",
            name="decide",
            started_at=10**18 + n,
            ended_at=10**18 + n + 1,
            failed=bool(n),
            attributes={"text": "nul \x00 and 'quote'"},
        )
        for n in range(2)
    ]
    body = msgspec.json.encode(SpansExported(spans=rows))
    spans = Recorded(stream=Stream.TELEMETRY, subject="sys.spans.gate", body=body, message=None)
    await keep(tmp_path / "journal.jsonl", PostgresTables(store), [spans, spans])
    found = await queries.spans_of(store, "t")
    assert [row.span_id for row in found] == ["s0", "s1"]
    assert found[1].failed
    assert found[0].attributes == {"text": "nul \ufffd and 'quote'"}


async def test_a_row_no_column_can_hold_is_refused_whole(store):
    tables = PostgresTables(store)
    row = MessageRow(
        message_id="m", decision_id="d", ts_event=2**70, stream="DESK", subject="s", tag="t"
    )
    with pytest.raises(RowsRefusedError):
        await tables.write([msgspec.structs.replace(row, message_id="a", ts_event=1), row], None)
    assert await store.rows("SELECT * FROM messages") == []


async def test_a_killed_server_loses_and_doubles_nothing(database, tmp_path):
    _, everything = day_of_trading()
    half = len(everything) // 2
    store = database.store()
    tables = PostgresTables(store)
    with Journal(tmp_path / "journal.jsonl") as journal:
        recorder = Recorder(journal, tables, STAMP)
        await recorder.record(recorded(everything[:half]))
        await recorder.flush()
        database.running.process.kill()
        await database.running.wait()
        await recorder.record(recorded(everything[half:]))
        with pytest.raises(UnavailableError):
            await recorder.flush()
        await database.start()
        await recorder.flush()
        found = await store.rows("SELECT count(*) AS n FROM messages")
        assert found[0]["n"] == len(everything)
        assert await tables.open() != JOURNAL_START
        await recorder.close()


async def test_a_wrong_password_is_unavailable_and_does_not_show_it(database):
    url = database.server.url.replace(":", ":wrong-", 2).replace(":wrong-//", "://")
    with pytest.raises(UnavailableError) as raised:
        await Postgres(url, application="test").rows("SELECT 1")
    assert "wrong-" not in str(raised.value)
    assert isinstance(raised.value.__cause__, psycopg.OperationalError)
