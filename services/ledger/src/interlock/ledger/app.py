"""The ledger, wired: everything the desk hears is written down here."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from interlock.ledger.adapters.memory import MemoryTables
from interlock.ledger.adapters.postgres import PostgresTables
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.ports import WriteDown
from interlock.ledger.recorder import Recorder
from interlock.ledger.rows import Stamp
from interlock.ledger.state import State, evolve, opening
from interlock.ledger.tables import Tables
from interlock.model.desk import DeskConfig
from interlock.runtime.config import ConfigError
from interlock.runtime.journal import Journal, JournalError
from interlock.runtime.launch import Parts, Process, run
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
    recorder = Recorder(journal, tables, stamp)
    process.closers.append(recorder.close)
    return Parts(
        service=build(file.desk, config, recorder.write_down),
        record=recorder.record,
        batch=BATCH,
        extra_streams=(Stream.TELEMETRY,),
        work=recorder.project,
    )


def main() -> None:
    run(LEDGER, assemble)
