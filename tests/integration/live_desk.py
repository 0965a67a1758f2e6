"""A desk that `interlock up` runs on a live market, and what its journal tells."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import asynccontextmanager, suppress

from interlock.cli.run_record import read_run_record
from interlock.cli.servers.nats import nats_password
from interlock.cli.state_folder import StateFolder
from interlock.runtime import journal
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.wire import codec
from interlock.wire.market import FeedStatusChanged

PATIENCE_SECONDS = 90.0
PATIENT = {
    # Bars and beats come seldom for a test, and late on a busy machine.
    "INTERLOCK__DESK__CADENCE_SECONDS": "2",
    "INTERLOCK__FEED__SILENT_AFTER_CADENCES": "5",
    "INTERLOCK__GATE__MAX_FEATURES_AGE_SECONDS": "300",
    "INTERLOCK__GATE__MAX_INTENT_AGE_SECONDS": "300",
    "INTERLOCK__STRATEGY__MAX_FEATURES_AGE_SECONDS": "300",
}
PROGRAM = [sys.executable, "-c", "from interlock.cli.main import app; app()"]


def environment(*more):
    """Return the environment of a desk: this one, without what is set for other desks."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("INTERLOCK__")}
    for one in more:
        mine |= one
    return mine


class Desk:
    """A running desk. What is read of its journal once is kept."""

    def __init__(self, state, process):
        self.state, self.process = StateFolder(state), process
        self._place, self._told = journal.START, defaultdict(list)

    async def until(self, holds):
        """Return what `holds` returns once it is true; it is asked about four times a second."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := holds()):
                assert self.process.returncode is None, await self.process.stderr.read()
                await asyncio.sleep(0.25)
        return found

    def journaled(self, kind):
        """Return the messages of a kind in the journal, as far as it is written."""
        with suppress(FileNotFoundError), self._file().open("rb") as file:
            file.seek(self._place.offset)
            for row in journal.chained(file, self._place):
                self._place = journal.Place(file.tell(), row.seq, row.hash)
                with suppress(codec.UndecodableError):
                    message = codec.decode_on(row.subject, row.body)
                    self._told[type(message)].append(message)
        return list(self._told[kind])

    def _file(self):
        return self.state.root / "journal" / "journal.jsonl"

    async def hears_quotes(self):
        """Return when no instrument is stale: what comes earlier finds no fresh price."""

        def fine():
            last = {one.instrument_id: one for one in self.journaled(FeedStatusChanged)}
            return last and {one.condition.value for one in last.values()} == {"ok"}

        await self.until(fine)

    async def say(self, user, message):
        """Publish a message in the name of a service of this desk, with its credentials."""
        url = read_run_record(self.state).servers["nats"]
        bus = NatsBus(
            await connect(url, user, nats_password(self.state, user), lambda _: None), user
        )
        try:
            await bus.publish([message], {})
        finally:
            await bus.close()

    def kill(self, name):
        """End a service the hard way, and return its process number."""
        number = self._child(name).pid
        os.killpg(number, signal.SIGKILL)
        return number

    async def returned(self, name, killed):
        """Return when another process than the killed one is ready."""
        await self.until(lambda: self._child(name).ready and self._child(name).pid != killed)

    def _child(self, name):
        return read_run_record(self.state).children[name]


def words(market, state, *more):
    where = ["--desk", str(market.desk_file), "--state", str(state), "--port", "0"]
    return [*PROGRAM, "up", *where, *more]


@asynccontextmanager
async def live_desk(market, state, **changes):
    """Run the market's desk until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *words(market, state, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(PATIENT, market.environ, changes),
    )
    desk = Desk(state, process)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            told = await process.stdout.readline()
        assert told, (await process.stderr.read()).decode()
        desk.told = json.loads(told)
        yield desk
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def run_to_its_end(market, state, changes):
    """Run `interlock up` where it is expected to end by itself."""
    return await _ran(words(market, state), environment(market.environ, changes))


async def verified(state):
    """Return what `interlock verify` finds."""
    done = await _ran([*PROGRAM, "verify", "--state", str(state), "--json"], environment())
    return json.loads(done.stdout)


async def _ran(program, environ):
    return await asyncio.to_thread(
        subprocess.run,
        program,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
