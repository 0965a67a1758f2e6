"""One data set, three drivers: the same decisions, orders and ids."""

import asyncio
import csv
import importlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from interlock.cli import backtest_run
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.runtime.bus.memory import MemoryBus, MemoryServer
from interlock.runtime.bus.port import Bus
from interlock.runtime.clock import DataClock
from interlock.runtime.config import DeskFile, load_desk_file
from interlock.runtime.launch import Process, Settings, loop_of
from interlock.runtime.signing import create_keys
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.runtime.switch_file import arm_at_first_start
from interlock.runtime.telemetry import Telemetry
from interlock.venues.replay import open_replay
from interlock.wire.base import Message, tag_of
from interlock.wire.catalogue import services_of
from interlock.wire.orders import GateHeard
from interlock.wire.system import Heartbeat

DESK_FILE = Path(__file__).parents[2] / "deploy" / "desks" / "params.toml"
PATIENCE = 90.0

type Decisions = dict[str, list[dict[str, object]]]


def slice_of(dataset: str, rows: int, folder: Path) -> Path:
    """Write the first rows of a data set as a file of its own."""
    path = folder / "slice.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "symbol", "open", "high", "low", "close", "volume"])
        for row in islice(open_replay(dataset).rows(), rows):
            day = msgspec.convert(row.ts_start // 1_000_000_000, int)
            writer.writerow([_date(day), row.symbol, row.open, row.high, row.low, row.close,
                             row.volume])  # fmt: skip
    return path


def _date(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


class Record:
    """Everything said, by type in the order of saying, without what a key or a machine adds."""

    def __init__(self) -> None:
        self.decisions: Decisions = defaultdict(list)

    def add(self, message: Message) -> None:
        # A gate hears several streams, and in which order is each run's own.
        if isinstance(message, Heartbeat | GateHeard):
            return
        body = msgspec.to_builtins(message)
        for name in ("signature", "key_id"):
            body.pop(name, None)
        self.decisions[tag_of(type(message))].append(body)


class Recorded:
    """A bus that writes down what is published on it."""

    def __init__(self, bus: Bus, record: Record) -> None:
        self._bus = bus
        self._record = record

    def __getattr__(self, name):
        return getattr(self._bus, name)

    async def publish(self, messages: Sequence[Message], headers) -> None:
        for message in messages:
            self._record.add(message)
        await self._bus.publish(messages, headers)


def with_backtest(file: DeskFile, replay: Path) -> Decisions:
    record = Record()
    desk = backtest_run.assemble(file, 0, {}, record.add)
    data = backtest_run.open_data(file, str(replay))
    desk.backtest.run(open_waves(file.section("feed", FeedConfig), file.desk, data))
    return record.decisions


async def with_loops(
    file: DeskFile, replay: Path, state: Path, bus_of: Callable[[str], Awaitable[Bus]]
) -> Decisions:
    """Run every service in its own loop, as its process would, until the replay has ended."""
    create_keys(state / "secrets")
    arm_at_first_start(state)
    settings = Settings(desk_file=Path(file.path), state=state, replay=str(replay))
    record, rules = Record(), MemoryRulesStore()
    tasks: list[asyncio.Task[None]] = []
    processes: list[Process] = []
    replaying = None
    for name in services_of(file.sections):
        module = importlib.import_module(f"interlock.{name.replace('-', '_')}.app")
        process = Process(
            settings=settings, desk_file=file, clock=DataClock(),
            bus=Recorded(await bus_of(name), record), telemetry=Telemetry(name),
            memory_rules=rules,
        )  # fmt: skip
        processes.append(process)
        parts = await module.assemble(process)
        loop = loop_of(parts, process)
        await loop.recover()
        await loop.begin()
        tasks.append(asyncio.create_task(loop.run()))
        if parts.work is not None:
            replaying = asyncio.create_task(parts.work())
            tasks.append(replaying)
    try:
        assert replaying is not None
        async with asyncio.timeout(PATIENCE):
            await replaying
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for process in processes:
            for close in process.closers:
                await close()
            await process.bus.close()
    return record.decisions


def assert_same(ours: Decisions, theirs: Decisions) -> None:
    assert {tag: len(rows) for tag, rows in ours.items()} == {
        tag: len(rows) for tag, rows in theirs.items()
    }
    for tag, rows in ours.items():
        assert rows == theirs[tag], tag


@pytest.fixture
def file() -> DeskFile:
    return load_desk_file(DESK_FILE, {})


async def test_the_memory_bus_and_the_backtest_decide_alike(file, tmp_path):
    replay = slice_of("crash-2008", 600, tmp_path)
    server = MemoryServer()

    async def bus_of(service: str) -> Bus:
        return MemoryBus(server, service)

    ours = with_backtest(file, replay)
    assert len(ours["order.filled.v1"]) > 10
    assert len(ours["policy.proposal-judged.v1"]) > 100
    assert_same(ours, await with_loops(file, replay, tmp_path / "state", bus_of))


async def test_the_memory_bus_and_the_backtest_forecast_alike(tmp_path):
    file = load_desk_file(DESK_FILE, {"INTERLOCK__SIGNALS__MODELS": "{ shipped = true }"})
    replay = slice_of("crash-2008", 400, tmp_path)
    server = MemoryServer()

    async def bus_of(service: str) -> Bus:
        return MemoryBus(server, service)

    ours = with_backtest(file, replay)
    assert {row["model_set"] for row in ours["data.features.v1"]} == {"stocks-2006-12-31"}
    assert all(row["missing_models"] == () for row in ours["data.features.v1"])
    assert_same(ours, await with_loops(file, replay, tmp_path / "state", bus_of))


async def test_s3_10_every_day_of_a_replay_is_written_about_and_alike(tmp_path):
    text = DESK_FILE.read_text() + "\n[local_reasoner.post_mortem]\n"
    (tmp_path / "desk.toml").write_text(text)
    file = load_desk_file(tmp_path / "desk.toml", {})
    replay = slice_of("crash-2008", 60, tmp_path)
    server = MemoryServer()

    async def bus_of(service: str) -> Bus:
        return MemoryBus(server, service)

    ours = with_backtest(file, replay)
    days = [one["day"] for one in ours["account.day-summarised.v1"]]
    assert len(days) == len(set(days)) > 10
    assert len(days) == len(ours["data.clock.v1"])
    assert [one["day"] for one in ours["reasoner.post-mortem.v1"]] == days
    assert ours["reasoner.post-mortem.v1"][-1]["source"] == "rules"
    assert_same(ours, await with_loops(file, replay, tmp_path / "state", bus_of))


@pytest.mark.servers
async def test_nats_and_the_backtest_decide_alike(file, tmp_path, broker):
    replay = slice_of("crash-2008", 160, tmp_path)
    ours = with_backtest(file, replay)
    assert ours["order.filled.v1"]
    assert_same(ours, await with_loops(file, replay, tmp_path / "desk", broker.bus))


ESCALATING = """
[escalation]
sharpe_least_days = 5

[escalation.levels]
drawdown_5d_pct = { fires = 1.0, clears = 0.5 }
daily_loss_pct = { fires = 0.5, clears = 0.2 }
daily_pnl_pct = { fires = -0.5, clears = -0.2 }
volatility_zscore = { fires = 1.0, clears = 0.5 }
correlation = { fires = 0.9, clears = 0.95 }
"""


@pytest.fixture
def escalating(tmp_path) -> DeskFile:
    """Return a desk whose triggers fire easily, asking rules."""
    path = tmp_path / "escalating.toml"
    path.write_text(DESK_FILE.read_text(encoding="utf-8") + ESCALATING, encoding="utf-8")
    return load_desk_file(path, {})


def calls_by_day(decisions: Decisions) -> dict[object, list[object]]:
    days: dict[object, list[object]] = defaultdict(list)
    for row in decisions["escalation.triggered.v1"]:
        if row["granted"]:
            days[row["day"]].append(row["call"])
    return days


async def test_escalations_are_the_same_on_the_memory_bus_and_in_the_backtest(escalating, tmp_path):
    replay = slice_of("crash-2008", 600, tmp_path)
    server = MemoryServer()

    async def bus_of(service: str) -> Bus:
        return MemoryBus(server, service)

    ours = with_backtest(escalating, replay)
    days = calls_by_day(ours)
    assert sum(map(len, days.values())) > 10
    assert max(map(len, days.values())) <= 3
    answers = (
        "reasoner.regime-audited.v1",
        "reasoner.rewards-engineered.v1",
        "reasoner.sanity-judged.v1",
    )
    written = [one for one in ours["reasoner.post-mortem.v1"] if one["source"] == "cloud"]
    answered = sum(len(ours[tag]) for tag in answers) + len(written)
    assert answered == sum(map(len, days.values()))
    assert written
    assert all(ours[tag] for tag in answers)
    assert_same(ours, await with_loops(escalating, replay, tmp_path / "state", bus_of))


@pytest.mark.servers
async def test_escalations_are_the_same_on_nats(escalating, tmp_path, broker):
    replay = slice_of("crash-2008", 160, tmp_path)
    ours = with_backtest(escalating, replay)
    assert ours["escalation.triggered.v1"]
    assert_same(ours, await with_loops(escalating, replay, tmp_path / "desk", broker.bus))


def test_a_desk_without_the_section_has_no_escalations(file, tmp_path):
    ours = with_backtest(file, slice_of("crash-2008", 160, tmp_path))
    assert not [tag for tag in ours if tag.startswith("escalation")]


def test_the_backtest_says_the_same_twice(file, tmp_path):
    replay = slice_of("crash-2008", 600, tmp_path)
    assert_same(with_backtest(file, replay), with_backtest(file, replay))
