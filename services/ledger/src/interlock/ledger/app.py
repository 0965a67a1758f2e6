"""The ledger, wired: everything the desk hears is written down here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from interlock.ledger.adapters.memory import MemoryTables
from interlock.ledger.adapters.postgres import PostgresTables
from interlock.ledger.anchoring import Anchoring
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.ports import WriteDown
from interlock.ledger.recorder import Recorder
from interlock.ledger.rows import Stamp
from interlock.ledger.state import State, evolve, opening
from interlock.ledger.storage_alarm import StorageAlarm
from interlock.ledger.stream_watch import WATCHED, Mark, StreamWatch, WatermarkError, load_marks
from interlock.ledger.tables import Tables
from interlock.model.desk import DeskConfig
from interlock.runtime.anchors import anchors_folder
from interlock.runtime.bus.condition import condition_of, require_readable
from interlock.runtime.bus.nats import NatsBus
from interlock.runtime.clock import WallClock
from interlock.runtime.config import ConfigError
from interlock.runtime.journal import Journal, JournalError
from interlock.runtime.launch import Parts, Process, run
from interlock.runtime.loop import Recorded
from interlock.runtime.service import Service
from interlock.runtime.signing import Verifier, journal_signer
from interlock.runtime.stores.postgres import Postgres
from interlock.wire.base import Effect, Message, Report
from interlock.wire.catalogue import LEDGER, Stream

BATCH = 256

type WriteMessageDown = Callable[[Message], Awaitable[None]]


def build(
    desk: DeskConfig, config: LedgerConfig, write_down: WriteMessageDown | None = None
) -> Service[State]:
    """Return the ledger's service; without `write_down` (a backtest) it keeps no journal."""

    async def perform(effect: Effect) -> Sequence[Report]:
        assert isinstance(effect, WriteDown)
        if write_down is not None:
            await write_down(effect.message)
        return ()

    state = opening(
        desk.account, desk.currency, desk.equity_usd, config, desk.day_starts_at_utc_hour
    )
    return Service(name=LEDGER, state=state, evolve=evolve, decide=decide, perform=perform)


def journal_path(state: Path) -> Path:
    """Return where the journal lies in a state folder."""
    return state / "journal" / "journal.jsonl"


async def assemble(process: Process) -> Parts[State]:
    file, settings = process.desk_file, process.settings
    config = file.section(LEDGER, LedgerConfig)
    if isinstance(process.bus, NatsBus):
        for stream in WATCHED:
            await require_readable(process.bus, stream)
    signer = journal_signer(settings.state / "secrets")
    path = journal_path(settings.state)
    try:
        journal = Journal(
            path,
            sign=signer.sign,
            verify=Verifier(signer.public_key).verify,
            rows_per_head=config.journal_rows_per_head,
        )
    except JournalError as error:
        raise ConfigError(
            f"the journal {path} is broken ({error}): keep it, and give another --state"
        ) from error
    url = settings.postgres_url
    tables: Tables = PostgresTables(Postgres(url, application=LEDGER)) if url else MemoryTables()
    stamp = Stamp(mode=file.desk.mode, config_hash=file.config_hash)
    alarm = StorageAlarm(
        desk=file.desk.name,
        now=WallClock().now,
        say=lambda message: process.bus.publish([message], {}),
    )
    recorder = Recorder(journal, tables, stamp, alarm)
    anchoring = Anchoring(
        journal=journal,
        desk=file.desk.name,
        folder=anchors_folder(),
        signer=signer,
        now=WallClock().now,
        say=lambda message: process.bus.publish([message], {}),
    )
    watch = _stream_watch(process, journal)
    process.closers += [recorder.close, anchoring.close]

    async def record(batch: Sequence[Recorded]) -> None:
        await recorder.record(batch)
        anchoring.notice(batch)
        if watch is not None:
            watch.notice(batch)

    async def work() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(recorder.project())
            tasks.create_task(anchoring.keep())
            if watch is not None:
                tasks.create_task(watch.keep())

    return Parts(
        service=build(file.desk, config, recorder.write_down),
        record=record,
        batch=BATCH,
        extra_streams=(Stream.TELEMETRY,),
        work=work,
    )


def _stream_watch(process: Process, journal: Journal) -> StreamWatch | None:
    """Return the watch over a broker's streams; memory loses nothing but with its process."""
    bus = process.bus
    if not isinstance(bus, NatsBus):
        return None
    path = journal.path.with_name("streams.json")
    marks, doubt = dict[Stream, Mark](), ""
    try:
        marks = load_marks(path, journal.place.seq)
    except WatermarkError as error:
        doubt = str(error)
    watch = StreamWatch(
        path=path,
        desk=process.desk_file.desk.name,
        ask=lambda stream, sequence: condition_of(bus.client, LEDGER, stream, sequence),
        say=lambda message: bus.publish([message], {}),
        now=process.clock.now,
        marks=marks,
        doubt=doubt,
    )
    process.closers.append(watch.save)
    return watch


def main() -> None:
    run(LEDGER, assemble)
