"""The disk under NATS, Redis, the journal or PostgreSQL takes not a byte more, under load.

Each has a small disk of its own, which is filled and emptied again. While it is full nothing may be
approved that nobody could account for, somebody is told within 5 s, and when there is room again
nothing that was acknowledged is missing. Orders wait for no table, so a full PostgreSQL denies
nothing. A broker without room can store no word, an alert neither: its health page says so.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import uvloop
from interlock.cli.state_folder import StateFolder
from interlock.wire import codec
from interlock.wire.base import Message
from interlock.wire.catalogue import LEDGER
from interlock.wire.system import AlertRaised, SafetyTripped

from tests.chaos.asking import all_judged, kept_asking, revived, trades_again
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import CORE, NATS, POSTGRES, REDIS, Desk, NotInTimeError, desk, until
from tests.chaos.load import Load, load_on
from tests.chaos.report import Outcome, require_all
from tests.chaos.small_disk import cannot_mount, empty, fill, move_onto_disk, small_disk

FULL, SMOKE = 12, 1
LIMIT_SECONDS = 240
ALERT_BOUND_SECONDS = 5.0
FULL_SECONDS = 2.0
JOURNAL = "journal"
DISKS = (JOURNAL, REDIS, NATS, POSTGRES)


def missing() -> str:
    with tempfile.TemporaryDirectory(prefix="interlock-chaos-") as name:
        return cannot_mount(Path(name) / "disk")


def run(seed: int, trials: int) -> Outcome:
    if lacking := missing():
        return Outcome(fault="F9", what="disk full", seed=seed, trials=0, failures=[lacking])
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    told_seconds: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    recovery: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])
    restarted: list[str] = field(default_factory=list[str])
    alarms: list[float] = field(default_factory=list[float])

    def hear(self, body: bytes) -> None:
        heard: Message = codec.decode(body)
        if isinstance(heard, SafetyTripped | AlertRaised) and heard.service == LEDGER:
            self.alarms.append(time.monotonic())


async def _run(seed: int, trials: int) -> Outcome:
    chance, seen = Random(seed), _Seen()
    wanted = [DISKS[number % len(DISKS)] for number in range(trials)]
    disks = ExitStack()
    async with desk(around=lambda state: _disks(disks, state, wanted)) as running:
        if POSTGRES in wanted:
            await running.start(POSTGRES)
            await running.stop(POSTGRES)
            move_onto_disk(running.state.postgres, disks)
            await running.start(POSTGRES)
        await running.start(LEDGER)
        async with load_on(running, seed) as load:
            for subject in ("evt.safety.tripped.>", "evt.alert.raised.>"):
                await load.ear.listen(subject, seen.hear)
            async with kept_asking(load, seed, pause_seconds=0.02):
                for name in wanted:
                    await asyncio.sleep(0.1 + 0.2 * chance.random())
                    await _filled(running, load, seen, name)
            await all_judged(load)
            await running.settled(load.ear, (*CORE, LEDGER))
            found = await audit(running, load.ear, load.acknowledged)
    return _outcome(seed, trials, load, found, seen)


@contextmanager
def _disks(disks: ExitStack, state: StateFolder, names: Sequence[str]) -> Iterator[None]:
    with disks:
        for name in set(names) - {POSTGRES}:
            disks.enter_context(small_disk(_folder(state, name)))
        yield


def _folder(state: StateFolder, name: str) -> Path:
    return {
        NATS: state.nats, REDIS: state.valkey, POSTGRES: state.postgres,
        JOURNAL: state.root / "journal",
    }[name]  # fmt: skip


async def _filled(running: Desk, load: Load, seen: _Seen, name: str) -> None:
    folder = _folder(running.state, name)
    began = time.monotonic()
    fill(folder)
    try:
        await until(lambda: _told(running, load, seen, name, began), ALERT_BOUND_SECONDS, name)
        told = time.monotonic()
        seen.told_seconds.setdefault(name, []).append(told - began)
        await asyncio.sleep(FULL_SECONDS)
        since = [at for at, _ in load.approved.values() if told + 0.25 < at]
        if since and name != POSTGRES:
            seen.wrong.append(f"{len(since)} approved with a full disk under {name}")
    except NotInTimeError:
        seen.wrong.append(f"nobody was told within 5 s that the disk under {name} is full")
    finally:
        empty(folder)
    mended = time.monotonic()
    if name == NATS and running.running[NATS].process.returncode is None:
        # What a broker could not store, it stores only when it is started anew.
        await running.stop(NATS)
        await running.start(NATS)
    seen.restarted += await revived(running)
    seen.recovery.append(await trades_again(load, mended, 20.0) - mended)


async def _told(running: Desk, load: Load, seen: _Seen, name: str, began: float) -> bool:
    if name == NATS:
        return not await running.running[NATS].child.probe()
    if name == REDIS:
        return any(
            at > began and "state.policy_store" in load.codes(intent_id)
            for intent_id, (at, _) in load.denied.items()
        )
    return any(at > began for at in seen.alarms)


def _outcome(seed: int, trials: int, load: Load, found: Audit, seen: _Seen) -> Outcome:
    told = ", ".join(f"{name} {max(took):.1f} s" for name, took in seen.told_seconds.items())
    return Outcome(
        fault="F9",
        what="disk full under NATS, Redis, journal, PostgreSQL",
        seed=seed,
        trials=trials,
        unit="disks",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted,
        detected=sum(map(len, seen.told_seconds.values())),
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *seen.wrong,
            *require_all(
                [(not found.parked, f"{len(found.parked)} messages were parked")],
            ),
        ],
        note=f"told after at most: {told}; started again: {', '.join(seen.restarted) or 'none'}",
    )
