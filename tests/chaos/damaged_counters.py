"""Valkey's part of F10: its append-only file is damaged while it is down, and a gate goes on."""

import asyncio
import shutil
from pathlib import Path
from random import Random
from typing import Any

import redis.asyncio as redis

from tests.chaos.damage import damage_one, files_below
from tests.chaos.damage_counts import Damage
from tests.chaos.desk import REDIS, Desk, desk, until
from tests.chaos.load import Load, approved_again, load_on

WARM_UP = 10
FLUSHED_SECONDS = 0.3
"""The gate counts what no question came for within 0.1 s."""


async def damaged_counters(seed: int, chance: Random, trials: int) -> Damage:
    found = Damage("append-only file")
    async with desk() as running, load_on(running, seed) as load:
        for number in range(WARM_UP):
            await load.ask(load.intent(number))
        for number in range(WARM_UP, WARM_UP + trials):
            await approved_again(load, 1_000_000 + number * 1_000)
            await asyncio.sleep(FLUSHED_SECONDS)
            await _damage_once(running, load, found, chance, number)
    return found


async def _damage_once(
    running: Desk, load: Load, found: Damage, chance: Random, number: int
) -> None:
    before = await _everything(running)
    await running.kill(REDIS)
    folder, kept = running.state.valkey / "appendonlydir", running.state.root / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept)
    done = damage_one(_data(folder), chance)
    await running.launch(REDIS)
    await running.ready(REDIS, or_dead=True)
    if running.running[REDIS].process.returncode is not None:
        running.running.pop(REDIS)
        found.judge(f"{done}: refused to start", harmless=False, detected=True)
    else:
        after = await _everything(running)
        intent_id = await load.ask(load.intent(number))
        await until(lambda: load.judged(intent_id), 10.0, f"a verdict after {done}")
        found.judge(done, harmless=before == after, detected=intent_id in load.denied)
        if intent_id in load.approved:
            return
        await running.kill(REDIS)
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    await running.start(REDIS)


def _data(folder: Path) -> list[Path]:
    return files_below(folder)


async def _everything(running: Desk) -> dict[bytes, Any]:
    """Return every key with its value."""
    client = redis.Redis.from_url(running.addresses.redis_url)
    found: dict[bytes, Any] = {}
    try:
        async for key in client.scan_iter():
            match await client.type(key):
                case b"hash":
                    found[key] = await client.hgetall(key)
                case b"set":
                    found[key] = await client.smembers(key)
                case _:
                    found[key] = await client.dump(key)
    finally:
        await client.aclose()
    return found
