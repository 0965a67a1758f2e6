"""Two gates and two execs at once, on one machine and as if on two.

In one state folder the second of each must refuse to work. With a state folder of its own, as on
another machine with the same keys, it shares the first one's place on the bus: each is given half
of the intents and orders, and either may be killed. Whatever they do, no intent is approved twice,
no order is sent twice, and nothing of an older epoch is sent.
"""

import asyncio
import shutil
from random import Random

import uvloop
from interlock.wire.catalogue import EXEC, GATE

from tests.chaos.audit import audit
from tests.chaos.desk import CORE, Desk, desk, until
from tests.chaos.load import Load, load_on, mixed_intent
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 10, 1
LIMIT_SECONDS = 240
BATCH = 20
REFUSED = 2
VERDICT_BOUND_SECONDS = 20.0


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


async def _run(seed: int, trials: int) -> Outcome:
    chance = Random(seed)
    async with desk() as running, load_on(running, seed) as load:
        refused = await _second_in_one_folder(running)
        elsewhere = _another_machine(running)
        for number in range(trials):
            await _both_at_once(running, load, chance, number * BATCH, elsewhere)
        await running.settled(load.ear)
        # One of each may have been killed for good, the first or the second.
        left = [name for name in running.running if name.partition("-")[0] in {GATE, EXEC}]
        await running.stop(*left)
        await running.start(GATE, EXEC)
        found = await audit(running, load.ear, load.acknowledged)
    return Outcome(
        fault="F6",
        what="two gates and two execs at once",
        seed=seed,
        trials=trials,
        unit="rounds",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches,
        detected=refused,
        open_breaks=found.open_breaks,
        failures=[
            *found.told,
            *require_all(
                [
                    (refused == len((GATE, EXEC)), f"{refused} of 2 second instances refused"),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                ]
            ),
        ],
        # The second gate never hears of the first one's approval: it cannot give another, because
        # the stream takes one, but it may deny what was approved.
        note=f"{len(load.approved)} approved, {len(load.denied)} denied, "
        f"{found.contradicted} denied by one machine after the other's approval",
    )


async def _second_in_one_folder(running: Desk) -> int:
    """Return how many of a second gate and a second exec refuse to work beside the first."""
    names = f"{GATE}-2", f"{EXEC}-2"
    for name in names:
        await running.launch(name)
    codes = [await running.wait(name) for name in names]
    return codes.count(REFUSED)


def _another_machine(running: Desk) -> str:
    """Return a state folder with the same keys and the same switch."""
    other = running.state.root.with_name(f"{running.state.root.name}-other")
    other.mkdir(mode=0o700)
    shutil.copytree(running.state.secrets, other / "secrets")
    shutil.copy(running.state.root / "switch.json", other)
    return str(other)


async def _both_at_once(
    running: Desk, load: Load, chance: Random, first: int, elsewhere: str
) -> None:
    for name in (GATE, EXEC):
        if name not in running.running:
            await running.start(name)
        if f"{name}-3" not in running.running:
            await running.start(f"{name}-3", INTERLOCK_STATE=elsewhere)
    intents = [mixed_intent(load, number, chance)[0] for number in range(first, first + BATCH)]
    await asyncio.gather(*(load.ask(intent) for intent in intents))
    if chance.random() < 0.5:
        await asyncio.sleep(0.05 * chance.random())
        await running.kill(chance.choice((GATE, f"{GATE}-3")))
        await running.kill(chance.choice((EXEC, f"{EXEC}-3")))
    await until(lambda: not load.unjudged(), VERDICT_BOUND_SECONDS, f"verdicts of {CORE}")
