"""What cannot be written halts the desk at once; tables that fall behind are told of once."""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from interlock.ledger.adapters.memory import MemoryTables
from interlock.ledger.recorder import Recorder
from interlock.ledger.rows import AnyRow, Stamp
from interlock.ledger.storage_alarm import JOURNAL_CODE, TABLES_CODE, StorageAlarm
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import TradingMode
from interlock.runtime.errors import UnavailableError
from interlock.runtime.journal import Entry, Journal, Place
from interlock.runtime.loop import Recorded
from interlock.testkit.desk_messages import bar
from interlock.wire import catalogue, codec
from interlock.wire.base import Message
from interlock.wire.system import AlertRaised, SafetyTripped, TripLevel

STAMP = Stamp(mode=TradingMode.DEMO, config_hash="c0ffee")


class Heard:
    """An alarm, what it said, and the clock it is told."""

    def __init__(self) -> None:
        self.said: list[Message] = []
        self.now = NANOS_PER_SECOND
        self.alarm = StorageAlarm(desk="params", say=self._say, now=lambda: self.now)

    async def _say(self, message: Message) -> None:
        self.said.append(message)

    async def tables_fail_for(self, seconds: int) -> None:
        for _ in range(seconds + 1):
            await self.alarm.tables_failed("away")
            self.now += NANOS_PER_SECOND


def recorded(message: Message) -> Recorded:
    stream = catalogue.entry_of(message).stream
    assert stream is not None
    subject, body = catalogue.subject_of(message), codec.encode(message)
    return Recorded(stream=stream, subject=subject, body=body, message=message)


async def test_a_journal_that_cannot_be_written_halts_the_desk_once_until_it_can(tmp_path: Path):
    class FullJournal(Journal):
        full = True

        def append(self, batch: Iterable[Entry]) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().append(batch)

    heard, journal = Heard(), FullJournal(tmp_path / "journal.jsonl")
    recorder = Recorder(journal, MemoryTables(), STAMP, heard.alarm)
    for number, full in enumerate((True, True, False, True), start=1):
        journal.full = full
        try:
            await recorder.record([recorded(bar(number, 100.0))])
        except UnavailableError:
            assert full
    first, second = heard.said
    assert isinstance(first, SafetyTripped)
    assert (first.code, first.level) == (JOURNAL_CODE, TripLevel.HALT)
    assert "No space left" in first.observed
    assert isinstance(second, SafetyTripped)
    await recorder.close()


async def test_tables_are_told_of_when_they_have_been_behind_for_a_while():
    heard = Heard()
    heard.alarm.tables_followed()
    await heard.tables_fail_for(1)
    assert heard.said == []
    await heard.tables_fail_for(9)
    (alert,) = heard.said
    assert isinstance(alert, AlertRaised)
    assert alert.code == TABLES_CODE
    heard.alarm.tables_followed()
    await heard.tables_fail_for(9)
    assert len(heard.said) == 2


async def test_tables_that_come_up_last_are_no_alert():
    heard = Heard()
    await heard.tables_fail_for(60)
    assert heard.said == []


async def test_the_recorder_tells_of_its_tables(tmp_path: Path):
    class Failing(MemoryTables):
        fails = False

        async def write(self, rows: Sequence[AnyRow], place: Place | None) -> None:
            if self.fails:
                raise UnavailableError("away")
            await super().write(rows, place)

    heard, tables = Heard(), Failing()
    recorder = Recorder(Journal(tmp_path / "journal.jsonl"), tables, STAMP, heard.alarm)
    following = asyncio.create_task(recorder.project())
    await recorder.record([recorded(bar(1, 100.0))])
    while not tables.place.seq:
        await asyncio.sleep(0.01)
    tables.fails = True
    await recorder.record([recorded(bar(2, 100.0))])
    while not heard.said:
        heard.now += NANOS_PER_SECOND
        await asyncio.sleep(0.01)
    following.cancel()
    tables.fails = False
    await recorder.close()
    assert [message.code for message in heard.said] == [TABLES_CODE]
