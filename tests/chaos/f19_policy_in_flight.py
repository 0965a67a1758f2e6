"""The rules change while intents and orders are under way, and builds are mixed.

Versions change between intent and verdict; the desk is halted and resumed between approval and
sending. Then a strategy, a gate and an exec of another build: nothing passes between two builds.
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field, replace
from random import Random

import uvloop
from interlock.wire.catalogue import EXEC, GATE, POLICY
from interlock.wire.orders import OrderRefused, OrderSubmitted
from interlock.wire.policy import HaltTrading, PolicyChanged, ResumeTrading, RollBackPolicy

from tests.chaos.audit import Audit, audit
from tests.chaos.desk import CORE, Desk, desk, until
from tests.chaos.load import Load, approved_again, command, load_on
from tests.chaos.other_build import OTHER
from tests.chaos.report import Outcome, require_all

FULL, SMOKE = 60, 2
LIMIT_SECONDS = 240
BURST = 12
HALT_EVERY = 10
BOUND_SECONDS = 15.0
NARROW = {
    "INTERLOCK__POLICY__PARAMETERS": (
        "{ threshold_bps = { initial = 2.0, lower = 2.0, upper = 3.0, max_step = 0.2 } }"
    )
}
"""Limits that put another value in force, so that there are two versions to go between."""


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Mixed:
    """What was asked where two builds met, by who was of the other one."""

    asked: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    wrong: list[str] = field(default_factory=list[str])


async def _run(seed: int, trials: int) -> Outcome:
    chance, mixed = Random(seed), _Mixed()
    async with desk() as running:
        await _second_version(running)
        async with load_on(running, seed) as load:
            for number in range(trials):
                await _change_under_way(load, chance, number)
                if number % HALT_EVERY == 1:
                    await _halt_before_sending(running, load, number)
            versions = load.version
            await _strategy_of_another_build(load, mixed)
            for base, name in ((6_000_000, GATE), (7_000_000, EXEC)):
                # Skew halts a desk, so a person has resumed it by now.
                await approved_again(load, base)
                await _service_of_another_build(running, load, name, mixed)
            await running.settled(load.ear)
            found = await audit(running, load.ear, load.acknowledged)
    return _outcome(seed, trials, load, found, mixed, versions)


def _outcome(
    seed: int, trials: int, load: Load, found: Audit, mixed: _Mixed, versions: int
) -> Outcome:
    sent = {event.intent_id for event in found.of(OrderSubmitted)}
    passed = [
        f"an order passed a {who} of another build"
        for who, asked in mixed.asked.items()
        if sent & set(asked)
    ]
    refused = [event.code for event in found.of(OrderRefused)]
    stale = sum(1 for intent_id in load.denied if "version.policy" in load.codes(intent_id))
    return Outcome(
        fault="F19",
        what="policy changed in flight, builds mixed",
        seed=seed,
        trials=trials,
        unit="changes",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted + len(passed),
        detected=sum(len(asked) for asked in mixed.asked.values()),
        open_breaks=found.open_breaks,
        failures=[
            *found.told,
            *passed,
            *mixed.wrong[:5],
            *require_all(
                [
                    (len(found.of(PolicyChanged)) > trials, "the policy did not change each time"),
                    ("build" in refused, f"exec refused for {sorted(set(refused))} only"),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                ]
            ),
        ],
        note=f"to version {versions}; {stale} denied for an old one, "
        f"{refused.count('epoch') + refused.count('expired')} refused after a halt, "
        f"{refused.count('build')} for their build",
    )


async def _second_version(running: Desk) -> None:
    for environment in (NARROW, {}):
        await running.stop(POLICY)
        await running.start(POLICY, **environment)


async def _change_under_way(load: Load, chance: Random, number: int) -> None:
    """Go back to the other version in the middle of a burst."""
    before, first = load.version, number * BURST
    back = command(RollBackPolicy, number, version=before - 1)
    cut = chance.randrange(BURST)
    asks = [load.ask(load.intent(first + n)) for n in range(BURST)]
    await asyncio.gather(*asks[:cut], load.ear.publish([back], {}), *asks[cut:])
    await until(lambda: load.version > before, BOUND_SECONDS, "the next version")
    await until(lambda: not load.unjudged(), BOUND_SECONDS, "verdicts")


async def _halt_before_sending(running: Desk, load: Load, number: int) -> None:
    """Approve while exec is stopped, halt and resume, and let exec go on with what it finds."""
    pid = running.running[EXEC].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for n in range(BURST):
            await load.ask(load.intent(1_000_000 + number * BURST + n))
        await until(lambda: not load.unjudged(), BOUND_SECONDS, "verdicts")
        await load.ear.publish([command(HaltTrading, number)], {})
        await load.ear.publish([command(ResumeTrading, number)], {})
        await running.settled(load.ear, (POLICY,))
    finally:
        os.kill(pid, signal.SIGCONT)
    await running.settled(load.ear, CORE)
    await approved_again(load, 2_000_000 + number * 1_000)


async def _strategy_of_another_build(load: Load, mixed: _Mixed) -> None:
    asked = [await load.ask(load.intent(3_000_000 + n, build=OTHER)) for n in range(BURST)]
    mixed.asked["strategy"] = asked
    await until(lambda: not load.unjudged(), BOUND_SECONDS, "verdicts")
    for intent_id in asked:
        if intent_id not in load.denied or "version.skew" not in load.codes(intent_id):
            mixed.wrong.append(f"an intent of another build was not denied for it: {intent_id}")


async def _service_of_another_build(running: Desk, load: Load, name: str, mixed: _Mixed) -> None:
    """Run `name` as another build; with a gate of the other build, ask it in its own words too."""
    ours = running.children[name]
    program = (sys.executable, "-m", "tests.chaos.other_build", f"interlock.{name}")
    await running.stop(name)
    running.children[name] = replace(ours, argv=program)
    await running.start(name)
    base = 4_000_000 if name == GATE else 5_000_000
    words = (OTHER, None) if name == GATE else (None,)
    asked = [
        await load.ask(load.intent(base + n * 10 + at, **({"build": word} if word else {})))
        for n in range(BURST)
        for at, word in enumerate(words)
    ]
    mixed.asked[name] = asked
    await until(lambda: not load.unjudged(), BOUND_SECONDS, "verdicts")
    if not any(intent_id in load.approved for intent_id in asked):
        mixed.wrong.append(f"nothing was approved beside a {name} of another build")
    await running.settled(load.ear)
    await running.stop(name)
    running.children[name] = ours
    await running.start(name)
