"""The broker's part of F10: message files and state of the streams that matter.

Each piece of damage is done to a copy of one stopped desk. Where the broker then starts and shows
every message as it was, nothing is lost; otherwise a ledger is started on it, which must refuse or
trip.
"""

import shutil
from pathlib import Path
from random import Random

from interlock.cli.servers.nats import nats_password
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.permissions import ADMIN
from interlock.runtime.bus.tcp_only import BusError, Client
from interlock.runtime.config import ConfigError
from interlock.wire import codec
from interlock.wire.catalogue import LEDGER, Stream
from interlock.wire.system import SafetyTripped

from tests.chaos.damage import damage_one, files_below
from tests.chaos.damage_counts import Damage
from tests.chaos.desk import CORE, NATS, Desk, NotInTimeError, desk, until
from tests.chaos.load import load_on

INTENTS = 30
WATCHED = (Stream.DESK, Stream.APPROVALS)
LOST = "journal.stream_lost"
IN_MEMORY = {"INTERLOCK_POSTGRES_URL": ""}
"""The ledger's tables; its journal and its marks are files all the same."""
ANSWER_SECONDS = 1.0
NOTICE_BOUND_SECONDS = 8.0
SERVER_BOUND_SECONDS = 10.0

type Messages = list[tuple[str, str, bytes]]


async def damaged_streams(seed: int, chance: Random, trials: int) -> Damage:
    found = Damage("stream files")
    async with desk() as running:
        await running.start(LEDGER, **IN_MEMORY)
        whole = await _history(running, seed)
        await running.stop()
        kept = running.state.root / "kept"
        for name in ("nats", "journal"):
            shutil.copytree(running.state.root / name, kept / name)
        for _ in range(trials):
            await _damage_once(running, kept, whole, found, chance)
    return found


async def _history(running: Desk, seed: int) -> Messages:
    """Let the desk work, and return what its streams hold when all of it is written down."""
    async with load_on(running, seed) as load:
        for number in range(INTENTS):
            await load.ask(load.intent(number))
        await until(lambda: not load.unjudged(), 20.0, "every intent to be judged")
        await running.settled(load.ear, (*CORE, LEDGER))
    await running.stop(*(name for name in running.running if name != NATS))
    whole = await _messages(running)
    assert whole is not None
    return whole


async def _damage_once(
    running: Desk, kept: Path, whole: Messages, found: Damage, chance: Random
) -> None:
    for name in ("nats", "journal"):
        shutil.rmtree(running.state.root / name)
        shutil.copytree(kept / name, running.state.root / name)
    folders = [one for name in WATCHED for one in running.state.nats.rglob(f"streams/{name}")]
    done = damage_one([file for one in folders for file in files_below(one)], chance)
    await running.launch(NATS)
    try:
        await running.ready(NATS, or_dead=True, seconds=SERVER_BOUND_SECONDS)
    except NotInTimeError:
        await running.kill(NATS)
        found.judge(f"{done}: never came up", harmless=False, detected=True)
        return
    if running.running[NATS].process.returncode is not None:
        running.running.pop(NATS)
        found.judge(f"{done}: refused to start", harmless=False, detected=True)
        return
    harmless = await _messages(running) == whole
    detected = False if harmless else await _noticed(running)
    await running.stop(*running.running)
    found.judge(done, harmless=harmless, detected=detected)


async def _noticed(running: Desk) -> bool:
    """Return whether a ledger that is started now refuses to work, or trips."""
    ear = await running.operator()
    trips: list[SafetyTripped] = []

    def hear(body: bytes) -> None:
        message = codec.decode(body)
        if isinstance(message, SafetyTripped) and message.code == LOST:
            trips.append(message)

    await ear.listen("evt.safety.tripped.>", hear)
    await running.launch(LEDGER, **IN_MEMORY)
    process = running.running[LEDGER].process
    try:
        await until(
            lambda: trips or process.returncode is not None, NOTICE_BOUND_SECONDS, "a notice"
        )
    except NotInTimeError:
        return False
    finally:
        await ear.close()
    return True


async def _messages(running: Desk) -> Messages | None:
    """Return every message of the watched streams, none where they cannot all be read."""
    password = nats_password(running.state, ADMIN)
    client = await connect(running.addresses.nats_url, ADMIN, password, lambda _: None)
    found: Messages = []
    try:
        for stream in WATCHED:
            if not await _is_there(client, stream):
                return None
            async for msg in NatsBus(client, ADMIN)._read_back(stream, ">", last_only=False):
                headers = msg.headers or {}
                found.append((headers["Nats-Sequence"], headers["Nats-Subject"], msg.data))
    except ConfigError:
        return None
    finally:
        await client.close()
    return found


async def _is_there(client: Client, stream: Stream) -> bool:
    try:
        answer = await client.request(f"$JS.API.STREAM.INFO.{stream}", timeout=ANSWER_SECONDS)
    except (BusError, TimeoutError):
        return False
    return b'"error"' not in answer.data
