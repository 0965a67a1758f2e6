"""Redis is killed again and again while intents keep coming.

Nothing may be approved while it is away, each denial comes within 250 ms, nothing that was
acknowledged is lost, and when it is back the desk goes on with the counts it had.
"""

import asyncio
import time
from dataclasses import dataclass, field
from random import Random

import uvloop

from tests.chaos.audit import audit
from tests.chaos.desk import REDIS, Desk, desk, until
from tests.chaos.load import Load, load_on, mixed_intent
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 100, 3
LIMIT_SECONDS = 240
PAUSE_SECONDS = 0.01
DENY_BOUND_SECONDS = 0.25


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    """Moments of the machine's clock between which Redis was certainly away."""

    away: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    recovery: list[float] = field(default_factory=list[float])
    slowest_denial: float = 0.0
    denied_while_away: int = 0


async def _run(seed: int, trials: int) -> Outcome:
    chance, seen = Random(seed), _Seen()
    async with desk() as running, load_on(running, seed) as load:
        asking = asyncio.create_task(_keep_asking(load, Random(seed)))
        try:
            for _ in range(trials):
                await asyncio.sleep(0.1 + 0.2 * chance.random())
                await _kill_once(running, load, seen, 0.05 + 0.15 * chance.random())
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: not load.unjudged(), 30.0, "every intent to be judged")
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
    approved_away = sum(
        1
        for _, order in load.approved.values()
        for first, last in seen.away
        if first < order.ts_event < last
    )
    return Outcome(
        fault="F2",
        what="Redis killed under load",
        seed=seed,
        trials=trials,
        unit="kills",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted + approved_away,
        detected=seen.denied_while_away,
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *require_all(
                [
                    (approved_away == 0, f"{approved_away} approvals while Redis was away"),
                    (
                        seen.slowest_denial <= DENY_BOUND_SECONDS,
                        f"a denial took {seen.slowest_denial:.3f} s",
                    ),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                    (seen.denied_while_away > 0, "nothing was asked while Redis was away"),
                ]
            ),
        ],
        note=f"slowest denial {seen.slowest_denial * 1e3:.0f} ms",
    )


async def _keep_asking(load: Load, chance: Random) -> None:
    number = 0
    while True:
        intent, _ = mixed_intent(load, number, chance)
        await load.ask(intent)
        number += 1
        await asyncio.sleep(PAUSE_SECONDS)


async def _kill_once(running: Desk, load: Load, seen: _Seen, away_seconds: float) -> None:
    await running.kill(REDIS)
    gone, gone_at = time.time_ns(), time.monotonic()
    await asyncio.sleep(away_seconds)
    asked = [i for i, at in load.asked.items() if at > gone_at and i in load.acknowledged]
    await until(lambda: all(map(load.judged, asked)), 5.0, "verdicts while Redis is away")
    for intent_id in asked:
        if intent_id in load.denied:
            took = load.denied[intent_id][0] - load.asked[intent_id]
            seen.slowest_denial = max(seen.slowest_denial, took)
            seen.denied_while_away += 1
    seen.away.append((gone, time.time_ns()))
    await running.start(REDIS)
    back = time.monotonic()
    await until(
        lambda: any(at > back for at, _ in load.approved.values()), 10.0, "an approval again"
    )
    seen.recovery.append(min(at for at, _ in load.approved.values() if at > back) - back)
