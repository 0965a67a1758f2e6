"""The gate is killed at each point at which it waits for something, and at random ones.

Whatever it had in hand comes again: each intent gets one verdict, the one it would have had.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import uvloop
from interlock.gate import ports
from interlock.runtime.failpoints import VARIABLE
from interlock.wire.base import Effect
from interlock.wire.catalogue import GATE
from interlock.wire.orders import OrderIntent

from tests.chaos.audit import Audit, audit
from tests.chaos.desk import Desk, desk, until
from tests.chaos.load import HUGE, Load, load_on, mixed_intent
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 48, 2
LIMIT_SECONDS = 300
DESKS = 3
BATCH = 10
AT_RANDOM = ""
AT_START = (".SettleCounters",)
"""What the gate does once, before it hears anything."""
VERDICT_BOUND_SECONDS = 15.0


def points() -> list[str]:
    """Return each point of the gate's loop on an intent's way; the empty one is any moment."""
    effects = sorted(
        name
        for name, kind in vars(ports).items()
        if isinstance(kind, type) and issubclass(kind, Effect) and kind is not Effect
    )
    return [
        "gate.taken.OrderIntent",
        *(f"gate.{moment}.{name}" for name in effects for moment in ("performing", "performed")),
        *(
            f"gate.{moment}.{name}"
            for name in ("SubmitOrder", "OrderDenied")
            for moment in ("publishing", "published")
        ),
        "gate.acknowledging.OrderIntent",
        "gate.acknowledged.OrderIntent",
        AT_RANDOM,
    ]


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    expected: dict[str, bool] = field(default_factory=dict[str, bool])
    recovery: list[float] = field(default_factory=list[float])
    not_reached: list[str] = field(default_factory=list[str])
    number: int = 0


async def _run(seed: int, trials: int) -> Outcome:
    known = points()
    wanted = [known[number % len(known)] for number in range(trials)]
    desks = min(DESKS, max(1, trials // 4))
    parts = await asyncio.gather(
        *(_one_desk(seed * 100 + number, wanted[number::desks]) for number in range(desks))
    )
    audits = [found for found, _, _ in parts]
    recovery = [seconds for _, seen, _ in parts for seconds in seen.recovery]
    other_verdict = [text for _, _, texts in parts for text in texts]
    never = [point for _, seen, _ in parts for point in seen.not_reached]
    parked = sum(len(found.parked) for found in audits)
    return Outcome(
        fault="F3",
        what="gate killed at each await point",
        seed=seed,
        trials=trials,
        unit="kills",
        acknowledged=sum(seen.number for _, seen, _ in parts),
        lost=sum(found.lost for found in audits),
        duplicated=sum(found.duplicated for found in audits),
        unsigned=sum(found.unsigned for found in audits),
        breaches=sum(found.breaches + found.contradicted for found in audits) + len(other_verdict),
        open_breaks=sum(found.open_breaks for found in audits),
        recovery_seconds=recovery,
        failures=[
            *(text for found in audits for text in found.told),
            *other_verdict[:5],
            *require_all(
                [
                    (not never, f"never reached: {', '.join(sorted(set(never)))}"),
                    (not parked, f"{parked} messages were parked"),
                ]
            ),
        ],
        note=f"{len(set(wanted))} points; what was in hand comes again after 3 s",
    )


async def _one_desk(seed: int, wanted: Sequence[str]) -> tuple[Audit, _Seen, list[str]]:
    chance, seen = Random(seed), _Seen()
    async with desk() as running, load_on(running, seed) as load:
        for point in wanted:
            await _kill_once(running, load, seen, point, chance)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
    return found, seen, _other_verdicts(load, seen)


def _other_verdicts(load: Load, seen: _Seen) -> list[str]:
    return [
        f"intent {intent_id} had to be {'approved' if approve else 'denied'} and was not"
        for intent_id, approve in seen.expected.items()
        if approve != (intent_id in load.approved)
    ]


async def _kill_once(running: Desk, load: Load, seen: _Seen, point: str, chance: Random) -> None:
    await running.stop(GATE)
    hit = 1 if point.endswith(AT_START) else chance.randint(1, 2)
    await running.launch(GATE, **({VARIABLE: f"{point}:{hit}"} if point else {}))
    await running.ready(GATE, or_dead=True)
    for intent, verdict in _batch(load, seen, chance):
        if verdict is not None:
            seen.expected[intent.intent_id] = verdict
        await load.ask(intent)
    if point == AT_RANDOM:
        await asyncio.sleep(0.02 * chance.random())
        await running.kill(GATE)
    elif await _survives(running, load):
        seen.not_reached.append(point)
        return
    died = time.monotonic()
    await running.start(GATE)
    await until(lambda: not load.unjudged(), VERDICT_BOUND_SECONDS, f"verdicts after {point}")
    seen.recovery.append(time.monotonic() - died)


def _batch(load: Load, seen: _Seen, chance: Random) -> list[tuple[OrderIntent, bool | None]]:
    """Return intents of which enough are approved and enough denied for any point to be hit."""
    first, seen.number = seen.number, seen.number + BATCH
    batch: list[tuple[OrderIntent, bool | None]] = [
        (load.intent(first), True),
        (load.intent(first + 1), True),
        (load.intent(first + 2, quantity=HUGE), False),
        (load.intent(first + 3, quantity=HUGE), False),
        *(mixed_intent(load, number, chance) for number in range(first + 4, seen.number)),
    ]
    chance.shuffle(batch)
    return batch


async def _survives(running: Desk, load: Load) -> bool:
    """Return whether the gate answers everything and lives: the point is not on its way."""
    gate = running.running[GATE]

    def over() -> bool:
        return gate.process.returncode is not None or not load.unjudged()

    await until(over, VERDICT_BOUND_SECONDS, "the gate to die or to answer")
    # The point after the last answer lies a moment later.
    await asyncio.sleep(0.1)
    if gate.process.returncode is None:
        return True
    await running.wait(GATE)
    return False
