"""The broker is killed again and again while intents keep coming.

What it had acknowledged is still there afterwards, nothing is sent twice although everybody says
again what was not answered, and the desk trades again within 2 s of the broker's return.
"""

import asyncio
import time
from random import Random

import uvloop

from tests.bench.report import percentile
from tests.chaos.asking import all_judged, kept_asking, next_approval
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import CORE, NATS, Desk, desk
from tests.chaos.load import Load, load_on
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 100, 3
LIMIT_SECONDS = 240
RESUME_BOUND_SECONDS = 2.0


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


async def _run(seed: int, trials: int) -> Outcome:
    chance, resumed = Random(seed), list[float]()
    async with desk() as running, load_on(running, seed) as load:
        async with kept_asking(load, seed):
            for _ in range(trials):
                await asyncio.sleep(0.1 + 0.2 * chance.random())
                resumed.append(await _kill_once(running, load, 0.3 * chance.random()))
        await all_judged(load)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
        ended = [name for name in CORE if running.running[name].process.returncode is not None]
    return _outcome(seed, trials, load, found, resumed, ended)


async def _kill_once(running: Desk, load: Load, away_seconds: float) -> float:
    """Return how long after the broker's return the next order is approved."""
    await running.kill(NATS)
    await asyncio.sleep(away_seconds)
    await running.start(NATS)
    back = time.monotonic()
    return await next_approval(load, back) - back


def _outcome(
    seed: int, trials: int, load: Load, found: Audit, resumed: list[float], ended: list[str]
) -> Outcome:
    worst = percentile(resumed, 0.99)
    return Outcome(
        fault="F1",
        what="NATS killed under load",
        seed=seed,
        trials=trials,
        unit="kills",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted,
        open_breaks=found.open_breaks,
        recovery_seconds=resumed,
        failures=[
            *found.told,
            *require_all(
                [
                    (worst <= RESUME_BOUND_SECONDS, f"{worst:.1f} s until the desk traded again"),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                    (not ended, f"ended with the broker: {', '.join(ended)}"),
                ]
            ),
        ],
        note=f"{len(load.approved)} approved; recovery from the broker's return",
    )
