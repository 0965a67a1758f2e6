"""NATS, Redis, the gate and exec are stopped for a while in the middle of things, and go on.

What was stopped wakes up with an old picture of the world. While the gate or exec sleeps, a person
halts the desk and resumes it: what was approved before is of an older epoch and is refused. Nothing
is sent after its approval has expired, however long the sleep was.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import uvloop
from interlock.wire.catalogue import EXEC, GATE
from interlock.wire.orders import OrderRefused, SubmitOrder
from interlock.wire.policy import HaltTrading, ResumeTrading

from tests.chaos.asking import all_judged, kept_asking, revived, trades_again
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import NATS, REDIS, Desk, desk
from tests.chaos.load import Load, command, load_on
from tests.chaos.report import Outcome, require_all
from tests.chaos.sent_late import sent_late

FULL, SMOKE = 12, 4
LIMIT_SECONDS = 240
PAUSES_SECONDS = (0.5, 3.0, 30.0)
SLEEPERS = (EXEC, GATE, NATS, REDIS)
ANSWERED_BEFORE_SECONDS = 0.25
"""What Redis answered before it slept may be approved a moment later: a denial's bound."""
OLD = {"epoch", "expired"}


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    recovery: list[float] = field(default_factory=list[float])
    restarted: list[str] = field(default_factory=list[str])
    approved_without_redis: int = 0


async def _run(seed: int, trials: int) -> Outcome:
    chance, seen = Random(seed), _Seen()
    plan = [(seconds, name) for seconds in PAUSES_SECONDS for name in SLEEPERS]
    async with desk() as running, load_on(running, seed) as load:
        async with kept_asking(load, seed):
            for number in range(trials):
                await asyncio.sleep(0.1 + 0.2 * chance.random())
                seconds, name = plan[number % len(plan)]
                await _pause(running, load, seen, name, seconds)
        await all_judged(load)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
        late = await sent_late(load.ear)
    return _outcome(seed, trials, load, found, seen, late)


async def _pause(running: Desk, load: Load, seen: _Seen, name: str, seconds: float) -> None:
    pid = running.running[name].pid
    os.kill(pid, signal.SIGSTOP)
    slept = time.monotonic()
    try:
        await asyncio.sleep(seconds / 2)
        if name in {GATE, EXEC}:
            for kind in (HaltTrading, ResumeTrading):
                await load.ear.publish([command(kind, time.time_ns())], {})
        await asyncio.sleep(seconds / 2)
        woken = time.monotonic()
    finally:
        os.kill(pid, signal.SIGCONT)
    seen.restarted += await revived(running)
    seen.recovery.append(await trades_again(load, woken) - woken)
    if name == REDIS:
        seen.approved_without_redis += sum(
            slept + ANSWERED_BEFORE_SECONDS < at < woken for at, _ in load.approved.values()
        )


def _outcome(
    seed: int, trials: int, load: Load, found: Audit, seen: _Seen, late: list[str]
) -> Outcome:
    refused = Counter(event.code for event in found.of(OrderRefused))
    old = sum(refused[code] for code in OLD)
    return Outcome(
        fault="F5",
        what="NATS, Redis, gate, exec paused",
        seed=seed,
        trials=trials,
        unit="pauses",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted + seen.approved_without_redis,
        detected=old,
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *late[:5],
            *require_all(
                [
                    (old > 0, f"no old approval was refused, only {dict(refused)}"),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                    (
                        not seen.approved_without_redis,
                        f"{seen.approved_without_redis} approved while Redis slept",
                    ),
                ]
            ),
        ],
        note=f"{len(found.of(SubmitOrder))} approved; refused {dict(refused)}; "
        f"ended by the watchdog: {', '.join(seen.restarted) or 'none'}",
    )
