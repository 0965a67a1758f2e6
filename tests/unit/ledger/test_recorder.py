"""Journal first, tables behind it; nothing twice, nothing missing."""

import resource
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from interlock.ledger.adapters.memory import MemoryTables
from interlock.ledger.recorder import Recorder
from interlock.ledger.rows import AnyRow, FillRow, Stamp
from interlock.ledger.tables import RowsRefusedError
from interlock.model.values import Side, TradingMode
from interlock.runtime.errors import UnavailableError
from interlock.runtime.journal import Journal, Place, read
from interlock.runtime.journal_proof import check
from interlock.runtime.loop import Recorded
from interlock.testkit.desk_messages import accepted, bar, denied, fill, intent, submitted
from interlock.wire import catalogue, codec
from interlock.wire.accounts import PositionChanged
from interlock.wire.base import Message, caused_id
from interlock.wire.catalogue import Stream
from interlock.wire.system import SpanRow, SpansExported

STAMP = Stamp(mode=TradingMode.DEMO, config_hash="c0ffee")


def recorded(*messages: Message) -> list[Recorded]:
    return [
        Recorded(
            stream=catalogue.entry_of(m).stream or Stream.DESK,
            subject=catalogue.subject_of(m),
            body=codec.encode(m),
            message=m,
        )
        for m in messages
    ]


def moved(cause: Message, entry: int, leave: int | None, quantity: int) -> PositionChanged:
    assert hasattr(cause, "intent_id")
    return PositionChanged(
        message_id=caused_id(cause, PositionChanged),
        decision_id=cause.decision_id,
        ts_event=cause.ts_event,
        desk="params",
        account="paper-1",
        instrument_id="SPY",
        trade_id="t",
        quantity=Decimal(quantity),
        avg_px=Decimal(entry),
        realised_pnl=Decimal(0),
        intent_id=cause.intent_id,
        entry_px=Decimal(entry),
        exit_px=None if leave is None else Decimal(leave),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


async def test_an_order_row_tells_the_whole_order(path):
    tables = MemoryTables()
    recorder = Recorder(Journal(path), tables, STAMP)
    sold = fill(1, Side.SELL, 10, 110)
    life = [intent(1), submitted(1), accepted(1), sold, moved(sold, 100, 110, 0)]
    await recorder.record(recorded(*life))
    await recorder.flush()
    (order,) = tables.all("orders")
    assert order["status"] == "filled"
    assert (order["requested_quantity"], order["quantity"]) == ("12", "10")
    assert (order["entry_price"], order["exit_price"]) == ("100", "110")
    assert (order["mode"], order["config_hash"], order["policy_version"]) == ("demo", "c0ffee", 3)
    assert order["reasons"] == ["momentum"]
    assert order["decision_id"] == intent(1).decision_id
    await recorder.close()


async def test_a_denied_order_has_size_zero_and_a_row_a_control(path):
    tables = MemoryTables()
    recorder = Recorder(Journal(path), tables, STAMP)
    await recorder.record(recorded(intent(1), denied(1), denied(2, quantity="NaN")))
    await recorder.flush()
    first, second = tables.all("orders")
    assert (first["status"], first["quantity"], first["requested_quantity"]) == (
        "denied",
        "0",
        "12",
    )
    assert (first["mode"], first["detail"]) == ("demo", "size.notional, price.stale")
    assert second["requested_quantity"] is None
    assert [row["code"] for row in tables.all("denials")] == ["size.notional", "price.stale"] * 2
    await recorder.close()


async def test_a_redelivery_makes_no_second_row_even_after_a_restart(path):
    tables = MemoryTables()
    batch = recorded(intent(1), submitted(1), fill(1))
    for _ in range(2):
        recorder = Recorder(Journal(path), tables, STAMP)
        await recorder.record(batch)
        await recorder.record([*batch, *batch])
        await recorder.flush()
        await recorder.close()
    assert len(list(read(path))) == 3
    assert len(tables.all("fills")) == 1
    assert len(tables.all("messages")) == 3
    assert check(path).ok


async def test_tables_that_were_away_are_made_from_the_journal(path):
    class AwayTables(MemoryTables):
        async def write(self, rows: Sequence[AnyRow], place: Place | None) -> None:
            raise UnavailableError(f"away with {len(rows)} rows, {place}")

    recorder = Recorder(Journal(path), AwayTables(), STAMP)
    await recorder.record(recorded(intent(1), fill(1)))
    await recorder.close()
    tables = MemoryTables()
    again = Recorder(Journal(path), tables, STAMP)
    await again.record(recorded(fill(2)))
    await again.flush()
    assert [row["trade_id"] for row in tables.all("fills")] == ["trade-1", "trade-2"]
    assert tables.place.seq == 3
    await again.close()


async def test_a_row_the_tables_refuse_does_not_hold_up_the_others(path):
    class ChoosyTables(MemoryTables):
        async def write(self, rows: Sequence[AnyRow], place: Place | None) -> None:
            if any(isinstance(row, FillRow) and row.trade_id == "trade-2" for row in rows):
                raise RowsRefusedError("no such number")
            await super().write(rows, place)

    tables = ChoosyTables()
    recorder = Recorder(Journal(path), tables, STAMP)
    await recorder.record(recorded(fill(1), fill(2), fill(3)))
    await recorder.flush()
    assert [row["trade_id"] for row in tables.all("fills")] == ["trade-1", "trade-3"]
    assert (len(tables.all("messages")), tables.place.seq) == (3, 3)
    await recorder.close()


async def test_unreadable_bytes_are_journaled_once_and_make_no_row(path):
    tables = MemoryTables()
    recorder = Recorder(Journal(path), tables, STAMP)
    junk = Recorded(stream=Stream.DESK, subject="evt.x", body=b"\xff{", message=None)
    await recorder.record([junk])
    await recorder.record([junk])
    await recorder.flush()
    assert [row.body for row in read(path)] == [b"\xff{"]
    assert tables.all("messages") == []
    await recorder.close()


async def test_a_message_where_it_does_not_travel_takes_no_other_message_s_place(path):
    tables = MemoryTables()
    recorder = Recorder(Journal(path), tables, STAMP)
    (real,) = recorded(fill(1))
    forged = Recorded(stream=Stream.DESK, subject="evt.x", body=real.body, message=None)
    await recorder.record([forged])
    await recorder.close()
    recorder = Recorder(Journal(path), tables, STAMP)
    await recorder.record([forged, real])
    await recorder.flush()
    assert [row.subject for row in read(path)] == ["evt.x", real.subject]
    assert [row["trade_id"] for row in tables.all("fills")] == ["trade-1"]
    await recorder.close()


async def test_spans_go_to_the_tables_only(path):
    tables = MemoryTables()
    recorder = Recorder(Journal(path), tables, STAMP)
    row = SpanRow(
        trace_id="t",
        span_id="s",
        parent_span_id="",
        service="gate",
        name="decide",
        started_at=1,
        ended_at=2,
        failed=False,
        attributes={"code": "ok"},
    )
    body = msgspec.json.encode(SpansExported(spans=[row]))
    spans = Recorded(stream=Stream.TELEMETRY, subject="sys.spans.gate", body=body, message=None)
    await recorder.record([spans, spans])
    await recorder.flush()
    assert [one["span_id"] for one in tables.all("spans")] == ["s"]
    assert list(read(path)) == []
    await recorder.close()


async def test_a_full_disk_acknowledges_nothing_and_the_same_batch_can_come_again(path):
    recorder = Recorder(Journal(path), MemoryTables(), STAMP)
    await recorder.record(recorded(bar(1, 100.0)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, hard))
    try:
        with pytest.raises(UnavailableError, match="journal"):
            await recorder.record(recorded(bar(2, 100.0)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await recorder.record(recorded(bar(2, 100.0)))
    assert len(list(read(path))) == 2
    await recorder.close()


async def test_our_own_messages_are_journaled_before_they_are_said(path):
    recorder = Recorder(Journal(path), MemoryTables(), STAMP)
    own = moved(fill(1), 100, None, 10)
    await recorder.write_down(own)
    await recorder.write_down(own)
    assert [codec.decode(row.body) for row in read(path)] == [own]
    await recorder.close()
