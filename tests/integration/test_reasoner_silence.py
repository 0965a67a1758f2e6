"""A live strategy on a real bus: the local reasoner falls silent, and is heard again."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from interlock.model.ids import derive_id
from interlock.runtime.clock import WallClock
from interlock.runtime.config import load_desk_file
from interlock.runtime.launch import Process, Settings, loop_of
from interlock.runtime.telemetry import Telemetry
from interlock.strategy.app import assemble
from interlock.wire.base import Message
from interlock.wire.catalogue import LEDGER, REASONER, STRATEGY
from interlock.wire.decisions import ModeChanged
from interlock.wire.system import AlertRaised, Heartbeat

pytestmark = pytest.mark.servers

DESK = """
[desk]
name = "d"
account = "a"
venue = "paper"
cadence_seconds = 5
equity_usd = 1000
instruments = [{ instrument_id = "SPY", venue = "paper", bucket = "core", sector = "index" }]

[strategy]
kind = "ensemble"

[strategy.ensemble]
reasoner_silence_seconds = 0.5
reasoner_start_seconds = 0.5
buckets = { core = { cap_pct = 90, name_pct = 1.5 } }
"""
PATIENCE = 20.0


def beat(n):
    identity = derive_id("beat", n)
    return Heartbeat(
        message_id=identity,
        decision_id=identity,
        ts_event=n,
        desk="d",
        service=REASONER,
        instance="1",
        build="0",
        config_hash="",
        handled=0,
        published=0,
        parked=0,
    )


async def keep_beating(bus):
    for n in range(1_000_000):
        await bus.publish([beat(n)], {})
        await asyncio.sleep(0.02)


@asynccontextmanager
async def strategy(broker, folder: Path, replay: str = ""):
    """Run the strategy on its own connection, as its process does."""
    path = folder / "d.toml"
    path.write_text(DESK)
    process = Process(
        settings=Settings(desk_file=path, state=folder, nats_url=broker.url, replay=replay),
        desk_file=load_desk_file(path, {}),
        clock=WallClock(),
        bus=await broker.bus(STRATEGY),
        telemetry=Telemetry(STRATEGY),
    )
    parts = await assemble(process)
    loop = loop_of(parts, process)
    await loop.recover()
    await loop.begin()
    work = [asyncio.create_task(loop.run())]
    if parts.work is not None:
        work.append(asyncio.create_task(parts.work()))
    try:
        yield
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await process.bus.close()


async def said(bus) -> list[Message]:
    """Return what the strategy has said so far, from the stream."""
    kinds = AlertRaised, ModeChanged
    return [one.message async for one in bus.history(whole=True) if isinstance(one.message, kinds)]


async def until(bus, texts: list[str]) -> list[Message]:
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await said(bus)
            if [one.text for one in found if isinstance(one, AlertRaised)] == texts:
                return found
            await asyncio.sleep(0.05)


async def test_silence_is_told_once_and_so_is_the_next_word_also_over_a_restart(broker, tmp_path):
    reader, reasoner = await broker.bus(LEDGER), await broker.bus(REASONER)
    offline, online = "local reasoner offline, RL-only mode", "local reasoner online again"
    async with strategy(broker, tmp_path):
        found = await until(reader, [offline])
        assert [one.by_silence for one in found if isinstance(one, ModeChanged)] == [True]
    async with strategy(broker, tmp_path):
        await asyncio.sleep(1.0)
        await until(reader, [offline])
        alive = asyncio.create_task(keep_beating(reasoner))
        await until(reader, [offline, online])
        alive.cancel()
    await reader.close()
    await reasoner.close()


async def test_in_a_replay_nobody_is_late(broker, tmp_path):
    reader = await broker.bus(LEDGER)
    async with strategy(broker, tmp_path, replay="crash-2008"):
        await asyncio.sleep(1.5)
    assert await said(reader) == []
    await reader.close()
