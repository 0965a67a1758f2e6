"""The shell that writes everything down: first into the journal, then into the tables.

Theory of operation. `record` returns when a batch is durable in the journal; only then may its
messages be acknowledged. The tables are made from the journal behind it, in larger steps, and
keep the journal's place in the same transaction: a database that is slow or away holds up no
order, and after any crash the tables go on where they stood, missing nothing and doubling
nothing. Spans are measurements, not decisions: they go to the tables only, and those of the last
moments before a crash may be lost.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from interlock.ledger.rows import AnyRow, Stamp, rows_of
from interlock.ledger.storage_alarm import StorageAlarm
from interlock.ledger.tables import RowsRefusedError, Tables
from interlock.model.ids import derive_id
from interlock.runtime.errors import UnavailableError
from interlock.runtime.journal import Entry, Journal, Reader, Row, read_tail
from interlock.runtime.loop import Recorded
from interlock.wire import catalogue, codec
from interlock.wire.base import Message
from interlock.wire.catalogue import Stream
from interlock.wire.system import SpanRow, SpansExported

_log = logging.getLogger(__name__)

REMEMBERED = 100_000
ROWS_PER_STEP = 500
SPANS_PER_STEP = 2_000
SPANS_KEPT = 50_000
# Long enough for a step to hold many rows, short enough for a person to see no delay.
LINGER_SECONDS = 0.2
BACK_OFF_SECONDS = 0.5
LAST_STEPS_SECONDS = 5.0


_spans = msgspec.json.Decoder(SpansExported)


class Recorder:
    """`spans_lost` counts spans that found no room while the tables were away."""

    def __init__(
        self, journal: Journal, tables: Tables, stamp: Stamp, alarm: StorageAlarm | None = None
    ) -> None:
        self.spans_lost = 0
        self._alarm = alarm
        self._journal = journal
        self._tables = tables
        self._stamp = stamp
        self._reader: Reader | None = None
        self._waiting_spans = deque[SpanRow]()
        self._news = asyncio.Event()
        self._stepping = asyncio.Lock()
        self._seen: dict[str, None] = {}
        self._remember(_identity(row.subject, row.body) for row in read_tail(journal.path))

    async def record(self, batch: Sequence[Recorded]) -> None:
        """Make `batch` durable. What the journal has already is not written again.

        Raises
        ------
        UnavailableError
            When the disk is full or broken: nothing of the batch counts as recorded.
        """
        fresh: dict[str, Entry] = {}
        for one in batch:
            if one.stream is Stream.TELEMETRY:
                self._take_spans(one)
                continue
            identity = (
                _identity(one.subject, one.body) if one.message is None else one.message.message_id
            )
            if identity not in self._seen:
                fresh[identity] = Entry(one.stream, one.subject, one.body)
        if fresh:
            # Beside the event loop: a slow disk must not keep the health check from answering.
            await self._written(fresh)
        self._news.set()

    async def _written(self, fresh: dict[str, Entry]) -> None:
        try:
            await asyncio.to_thread(self._append, fresh)
        except UnavailableError as error:
            if self._alarm is not None:
                await self._alarm.journal_failed(str(error))
            raise
        if self._alarm is not None:
            self._alarm.journal_written()

    async def write_down(self, message: Message) -> None:
        """Make a message of our own durable, before it is published."""
        stream = catalogue.entry_of(message).stream
        assert stream is not None
        subject, body = catalogue.subject_of(message), codec.encode(message)
        recorded = Recorded(stream=stream, subject=subject, body=body, message=message)
        await self.record([recorded])

    def _append(self, fresh: dict[str, Entry]) -> None:
        try:
            self._journal.append(fresh.values())
        except OSError as error:
            raise UnavailableError(f"the journal: {error}") from error
        self._remember(fresh)

    def _remember(self, identities: Iterable[str]) -> None:
        self._seen.update(dict.fromkeys(identities))
        surplus = len(self._seen) - REMEMBERED
        for oldest in list(islice(self._seen, max(0, surplus))):
            del self._seen[oldest]

    def _take_spans(self, recorded: Recorded) -> None:
        try:
            spans = _spans.decode(recorded.body).spans
        except msgspec.MsgspecError as error:
            _log.warning("unreadable spans on %s: %s", recorded.subject, error)
            return
        room = SPANS_KEPT - len(self._waiting_spans)
        self.spans_lost += max(0, len(spans) - room)
        self._waiting_spans.extend(spans[: max(0, room)])

    async def project(self) -> None:
        """Make the tables follow the journal, until cancelled."""
        while True:
            try:
                while await self._step():
                    pass
            except UnavailableError as error:
                _log.warning("the tables fall behind: %s", error)
                if self._alarm is not None:
                    await self._alarm.tables_failed(str(error))
                await asyncio.sleep(BACK_OFF_SECONDS)
                continue
            if self._alarm is not None:
                self._alarm.tables_followed()
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(LINGER_SECONDS)

    async def flush(self) -> None:
        """Return when the tables hold everything recorded so far, or raise `UnavailableError`."""
        while await self._step():
            pass

    async def close(self) -> None:
        """Bring the tables up to the journal if that can be done soon; sign and close both."""
        try:
            await asyncio.wait_for(self.flush(), LAST_STEPS_SECONDS)
        except (UnavailableError, TimeoutError) as error:
            _log.warning("the tables will catch up at the next start: %r", error)
        finally:
            self._journal.close()
            if self._reader is not None:
                self._reader.close()
            await self._tables.close()

    async def _step(self) -> bool:
        """Bring the tables one step on, and return whether there was anything to do."""
        async with self._stepping:
            if self._reader is None:
                self._reader = Reader(self._journal.path, await self._tables.open())
            reader, before = self._reader, self._reader.place
            rows = reader.take(ROWS_PER_STEP, self._journal.place)
            spans = list(islice(self._waiting_spans, SPANS_PER_STEP))
            if not rows and not spans:
                return False
            content = [row for one in rows for row in self._table_rows(one)]
            try:
                await self._tables.write([*content, *spans], reader.place)
            except RowsRefusedError as error:
                _log.error("the tables refused a step, taking its rows one by one: %s", error)
                await self._write_singly([*content, *spans])
                await self._tables.write([], reader.place)
            except BaseException:
                reader.place = before
                raise
            for _ in spans:
                self._waiting_spans.popleft()
            return True

    async def _write_singly(self, rows: Sequence[AnyRow]) -> None:
        """Leave out only what cannot be kept; the journal has it all the same."""
        for row in rows:
            try:
                await self._tables.write([row], None)
            except RowsRefusedError as error:
                _log.error("%s left out of the tables: %s", type(row).__name__, error)

    def _table_rows(self, row: Row) -> list[AnyRow]:
        try:
            message = codec.decode_on(row.subject, row.body)
        except codec.UndecodableError:
            return []
        return rows_of(message, row.stream, row.subject, self._stamp)


def _identity(subject: str, body: bytes) -> str:
    """Return a message's id; unreadable bytes are known by what they are, not by what they say."""
    try:
        return codec.decode_on(subject, body).message_id
    except codec.UndecodableError:
        return derive_id("unreadable", subject, body.hex())
