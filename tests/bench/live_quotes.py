"""A live feed under 50,000 quotes a minute: its processor time, from the socket to the bus."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle

import psutil
import uvloop
from interlock.cli import stack
from interlock.cli.run_record import read_run_record
from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.wire.catalogue import FEED

from tests.bench.bus_world import World, world
from tests.bench.desk import PATH, measured_desk
from tests.bench.report import Line

QUOTES_A_MINUTE = 50_000
MEASURED_SECONDS = 20.0
TARGET_CORES = 0.5
BURSTS_A_SECOND = 50


def measure() -> Iterator[Line]:
    cores, sent, published, seconds = uvloop.run(_measure())
    yield Line(
        what=f"processor time of a live feed at {sent / seconds * 60:,.0f} quotes a minute",
        p50=f"{cores:.2f} cores",
        target=f"<= {TARGET_CORES} cores",
        met=cores <= TARGET_CORES,
        note=f"{sent:,} quotes came, {published:,} were passed on, the latest of each instrument",
    )


async def _measure() -> tuple[float, int, int, float]:
    symbols = [one.symbol for one in measured_desk().desk.instruments]
    async with AlpacaStub() as stub, world(()) as bus:
        await bus.supervisor.start([_feed(bus, stub)])
        while len(stub.data.subscribed) < 2:  # Prices and news.
            await asyncio.sleep(0.05)
        await _tell(stub, symbols, 3.0)
        process = psutil.Process(read_run_record(bus.state).children[FEED].pid)
        client = await stack.administrator(bus.state, bus.addresses)
        before, passed = _seconds_of(process), await stack.bars_published(client)
        began = time.monotonic()
        sent = await _tell(stub, symbols, MEASURED_SECONDS)
        seconds = time.monotonic() - began
        cores = (_seconds_of(process) - before) / seconds
        published = await stack.bars_published(client) - passed
        await client.close()
    return cores, sent, published, seconds


def _feed(bus: World, stub: AlpacaStub):
    settings = {
        "INTERLOCK_DESK_FILE": str(PATH),
        "INTERLOCK_REPLAY": "",
        "INTERLOCK__ALPACA__TRADING_URL": stub.url,
        "INTERLOCK__ALPACA__DATA_URL": stub.url,
        "INTERLOCK__ALPACA__DATA_STREAM_URL": stub.data_stream_url,
        **stub.environ,
    }
    children = stack.services(bus.state, bus.addresses, settings)
    (feed,) = (child for child in children if child.name == FEED)
    return replace(feed, env={**feed.env, "INTERLOCK_WAIT_FOR_PORTS": ""})


def _seconds_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _tell(stub: AlpacaStub, symbols: list[str], seconds: float) -> int:
    """Tell quotes, each in a frame of its own, and return how many."""
    names, sent, began = cycle(symbols), 0, time.monotonic()
    while (gone := time.monotonic() - began) < seconds:
        while sent < gone * QUOTES_A_MINUTE / 60:
            await stub.data.tell(_quote(next(names), sent))
            sent += 1
        await asyncio.sleep(1 / BURSTS_A_SECOND)
    return sent


def _quote(symbol: str, number: int) -> dict[str, object]:
    return {
        "T": "q",
        "S": symbol,
        "t": datetime.now(UTC).isoformat()[:26] + "Z",
        "bx": "V",
        "bp": 100.0 + number % 100 / 100,
        "bs": 3,
        "ax": "V",
        "ap": 101.0 + number % 100 / 100,
        "as": 2,
        "c": ["R"],
        "z": "B",
    }
