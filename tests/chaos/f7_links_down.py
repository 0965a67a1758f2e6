"""One service's link to NATS or Redis is down, or half-open: nobody tells the service.

Down, nothing passes on any connection, and what was said is delivered late. Half-open, the
connections that stand are dead for ever and new ones work. Whoever is behind such a link notices
within 3.5 s; a gate that is away from the bus for longer is silence to exec, which halts the desk.
"""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import product
from random import Random

import uvloop
from interlock.testkit.fault_proxy import FaultProxy
from interlock.wire.catalogue import EXEC, GATE, POLICY
from interlock.wire.system import SwitchChanged

from tests.chaos.asking import all_judged, kept_asking, revived, trades_again
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import CORE, NATS, REDIS, Desk, until
from tests.chaos.links import Links, linked_desk
from tests.chaos.load import Load, load_on
from tests.chaos.report import Outcome, require_all
from tests.chaos.sent_late import sent_late

FULL, SMOKE = 8, 1
LIMIT_SECONDS = 240
NOTICE_BOUND_SECONDS = 3.5
LONG_SECONDS = 13.0
"""Longer than the gate may be silent."""
HALF_OPEN, DOWN = "half-open", "down"
LINKS = ((GATE, NATS), (GATE, REDIS), (EXEC, NATS), (POLICY, NATS))
MUST_HALT = {(GATE, NATS), (EXEC, NATS)}


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    noticed: dict[str, float] = field(default_factory=dict[str, float])
    recovery: list[float] = field(default_factory=list[float])
    halts_wanted: int = 0
    restarted: list[str] = field(default_factory=list[str])


async def _run(seed: int, trials: int) -> Outcome:
    chance, seen = Random(seed), _Seen()
    plan = list(product((HALF_OPEN, DOWN), LINKS))
    async with linked_desk(LINKS, CORE, seed) as (running, links), load_on(running, seed) as load:
        async with kept_asking(load, seed):
            for number in range(trials):
                await asyncio.sleep(0.1 + 0.2 * chance.random())
                how, link = plan[number % len(plan)]
                await _broken(running, load, links, seen, how, link)
        await all_judged(load)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
        late = await sent_late(load.ear)
    return _outcome(seed, trials, load, found, seen, late)


async def _broken(
    running: Desk, load: Load, links: Links, seen: _Seen, how: str, link: tuple[str, str]
) -> None:
    proxy = links[link]
    began = time.monotonic()
    if how == HALF_OPEN:
        proxy.orphan()
        await _noticed(proxy, seen, how, link, began)
    else:
        proxy.hold()
        try:
            await _noticed(proxy, seen, how, link, began)
            if link in MUST_HALT:
                seen.halts_wanted += 1
                await asyncio.sleep(began + LONG_SECONDS - time.monotonic())
        finally:
            proxy.release()
    mended = time.monotonic()
    seen.restarted += await revived(running)
    seen.recovery.append(await trades_again(load, mended, 20.0) - mended)


async def _noticed(
    proxy: FaultProxy, seen: _Seen, how: str, link: tuple[str, str], began: float
) -> None:
    """Wait until the service gives its connection up."""

    def left() -> list[float]:
        return [at for at in proxy.left if at > began]

    service, server = link
    await until(left, 3 * NOTICE_BOUND_SECONDS, f"{service} to notice that {server} is {how}")
    seen.noticed[f"{service}-{server} {how}"] = min(left()) - began


def _outcome(
    seed: int, trials: int, load: Load, found: Audit, seen: _Seen, late: list[str]
) -> Outcome:
    pressed = [one for one in found.of(SwitchChanged) if one.pressed and one.way == "silence"]
    return Outcome(
        fault="F7",
        what="a link down or half-open",
        seed=seed,
        trials=trials,
        unit="links",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted,
        detected=len(seen.noticed),
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *late[:5],
            *(
                f"{name}: noticed after {seconds:.1f} s"
                for name, seconds in seen.noticed.items()
                if seconds > NOTICE_BOUND_SECONDS
            ),
            *require_all(
                [
                    (
                        len(pressed) >= seen.halts_wanted,
                        f"{len(pressed)} halts for silence instead of {seen.halts_wanted}",
                    ),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                ]
            ),
        ],
        note=f"noticed after {max(seen.noticed.values(), default=0.0):.1f} s at most; "
        f"{len(pressed)} halts for silence; ended by the watchdog: "
        f"{', '.join(seen.restarted) or 'none'}",
    )
