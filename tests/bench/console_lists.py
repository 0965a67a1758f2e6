"""The console: its lists over a million decisions, and changes on an open page at 200 a second."""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import httpx
from interlock.runtime.stores.postgres import Postgres, Statement
from interlock.testkit.desk_messages import intent
from interlock.wire.catalogue import STRATEGY

from tests.bench.report import Line, millis, percentile
from tests.integration.console_desk import ConsoleDesk, console_desk

DECISIONS = 1_000_000
AT_ONCE = 50_000
DENIED_EACH, PROPOSED_EACH = 7, 10
ASKED = 400
LIST_TARGET_SECONDS = 0.020
EVENTS_PER_SECOND, EVENTS_FOR_SECONDS = 200, 30
EVENT_TARGET_SECONDS = 0.300
GROWTH_TARGET_BYTES = 16 * 1024**2
_MEMORY_PAGE = 4_096

_ORDERS = """
INSERT INTO orders (intent_id, message_id, decision_id, ts_event, status, mode, desk, account,
  venue, strategy, instrument_id, side, order_type, reference_price, requested_quantity, quantity,
  filled_quantity, reasons, policy_version, conviction, detail)
SELECT md5('i' || n), md5('m' || n), md5('d' || n), n * 1000000000::bigint,
  CASE WHEN n %% 7 = 0 THEN 'denied' ELSE 'filled' END, 'demo', 'params', 'paper-1', 'paper',
  'threshold', (ARRAY['SPY','AAPL','IBM','GOOG','MSFT'])[1 + n %% 5],
  CASE WHEN n %% 2 = 0 THEN 'buy' ELSE 'sell' END, 'market', 100, 10, 10, 10, '["entry"]',
  n / 1000, n %% 101, CASE WHEN n %% 7 = 0 THEN 'size.notional' END
FROM generate_series(%s::int, %s::int) AS n
"""
_DENIALS = """
INSERT INTO denials (message_id, place, decision_id, ts_event, desk, account, intent_id,
  instrument_id, strategy, side, requested_quantity, code, observed, "limit", policy_version, epoch)
SELECT md5('x' || n), 0, md5('d' || n), n * 1000000000::bigint, 'params', 'paper-1', md5('i' || n),
  'SPY', 'threshold', 'buy', '10',
  CASE WHEN n %% 70000 = 0 THEN 'loss.day' ELSE 'size.notional' END, '1', '2', n / 1000, 1
FROM generate_series(%s::int, %s::int) AS n WHERE n %% 7 = 0
"""
_PROPOSALS = """
INSERT INTO proposals (message_id, decision_id, ts_event, desk, proposal_id, provider, parameter,
  old, proposed, applied, delta, verdict, phase, seen_in_window, accepted_in_window, window_ns,
  freeze_reasons, policy_version, ts_desk)
SELECT md5('p' || n), md5('q' || n), n * 1000000000::bigint, 'params', md5('p' || n), 'rules',
  'threshold_bps', 1, 1.1, 1.1, 0.1, CASE WHEN n %% 1000 = 0 THEN 'accepted' ELSE 'too_soon' END,
  'live', 1, 1, 1, '[]', n / 1000, n
FROM generate_series(%s::int, %s::int) AS n WHERE n %% 10 = 0
"""
FILTERS = (
    "",
    "instrument=IBM",
    "verdict=denied",
    "verdict=accepted",
    "epoch=500",
    "code=size.notional",
    "code=loss.day",
    "min_conviction=100",
    "min_conviction=90&instrument=SPY&verdict=approved",
    "verdict=pending&instrument=SPY",
)
LISTS = ("/api/orders?status=all", "/api/orders?status=open", "/api/orders?instrument=AAPL")


def measure() -> Iterable[Line]:
    """Measure lists and changes on one console."""
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Line]:
    async with console_desk(folder) as desk:
        await _fill(desk)
        return [await _lists(desk), await _changes(desk)]


async def _fill(desk: ConsoleDesk) -> None:
    async with Postgres(desk.postgres_url, application="bench", statement_seconds=300) as store:
        for first in range(0, DECISIONS, AT_ONCE):
            part = (first + 1_000, first + AT_ONCE + 999)
            await store.transact([Statement(sql, part) for sql in (_ORDERS, _DENIALS, _PROPOSALS)])
        for table in ("orders", "denials", "proposals"):
            await store.transact([Statement(f"ANALYZE {table}")])


async def _lists(desk: ConsoleDesk) -> Line:
    """Ask for pages, each following from a page before or from a random place of the list."""
    chance = random.Random(7)
    paths = [f"/api/decisions?{one}" for one in FILTERS] + list(LISTS)
    next_of: dict[str, str | None] = dict.fromkeys(paths)
    seconds = dict[str, list[float]]()
    async with desk.person("vera") as viewer:
        for _ in range(ASKED):
            path = chance.choice(paths)
            cursor = next_of[path] if chance.random() < 0.8 else None
            joint = "&" if "?" in path else "?"
            asked = f"{path}{joint}limit=50" + (f"&cursor={cursor}" if cursor else "")
            began = time.perf_counter()
            answer = await viewer.get(asked)
            seconds.setdefault(path, []).append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text
            next_of[path] = answer.json()["next"]
    every = [one for of_path in seconds.values() for one in of_path]
    slowest = max(seconds, key=lambda path: percentile(seconds[path], 0.5))
    p99 = percentile(every, 0.99)
    return Line(
        what=f"a page of a list over {DECISIONS:,} decisions, over HTTP",
        p50=millis(percentile(every, 0.5)),
        p99=millis(p99),
        target=f"p99 <= {millis(LIST_TARGET_SECONDS)}",
        met=p99 <= LIST_TARGET_SECONDS,
        note=f"slowest {slowest}: p50 {millis(percentile(seconds[slowest], 0.5))}",
    )


async def _changes(desk: ConsoleDesk) -> Line:
    """Publish intents at a steady pace and time each from there to the open page."""
    sent: dict[str, float] = {}
    late: list[float] = []
    async with desk.person("vera") as viewer, viewer.stream("GET", "/api/stream") as response:
        reading = asyncio.create_task(_read(response, sent, late))
        bus = await desk.bus(STRATEGY)
        began, before = time.perf_counter(), _resident(desk)
        total = EVENTS_PER_SECOND * EVENTS_FOR_SECONDS
        for number in range(total):
            wanted = intent(1_000_000 + number)
            await asyncio.sleep(max(0.0, began + number / EVENTS_PER_SECOND - time.perf_counter()))
            sent[wanted.intent_id] = time.perf_counter()
            await bus.publish([wanted], {})
            if number == total // 3:
                before = _resident(desk)
        await asyncio.sleep(1.0)
        grown = _resident(desk) - before
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await bus.close()
    p99 = percentile(late, 0.99)
    return Line(
        what=f"bus to open page at {EVENTS_PER_SECOND} events a second",
        p50=millis(percentile(late, 0.5)),
        p99=millis(p99),
        target=f"p99 <= {millis(EVENT_TARGET_SECONDS)}",
        met=p99 <= EVENT_TARGET_SECONDS and grown <= GROWTH_TARGET_BYTES and not sent,
        note=f"{len(sent)} of {total} missing, memory {grown / 1024**2:+.1f} MiB",
    )


async def _read(response: httpx.Response, sent: dict[str, float], late: list[float]) -> None:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: ") and name == "order":
            began = sent.pop(json.loads(line[6:])["intent_id"], None)
            if began is not None:
                late.append(time.perf_counter() - began)


def _resident(desk: ConsoleDesk) -> int:
    assert desk.process is not None
    text = Path(f"/proc/{desk.process.pid}/statm").read_text(encoding="ascii")
    return int(text.split()[1]) * _MEMORY_PAGE
