"""Every link of the desk to NATS and Redis is late, uneven, slow or torn while intents keep coming.

Verdicts come later, some are denials because the policy store did not answer in time, and some
approvals expire on their way. No limit is passed, nothing is lost and nothing is sent twice.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

import uvloop
from interlock.testkit.fault_proxy import Trouble
from interlock.wire.catalogue import EXEC, GATE, POLICY
from interlock.wire.orders import OrderRefused

from tests.bench.report import percentile
from tests.chaos.asking import all_judged, kept_asking, revived, trades_again
from tests.chaos.audit import Audit, audit
from tests.chaos.desk import CORE, NATS, REDIS
from tests.chaos.links import Links, linked_desk
from tests.chaos.load import Load, load_on
from tests.chaos.report import Outcome, require_all
from tests.chaos.sent_late import sent_late

FULL, SMOKE = 32, 4
LIMIT_SECONDS = 240
LASTS_SECONDS = 0.5
RESET_EVERY_SECONDS = 0.2
LINKS = ((POLICY, NATS), (POLICY, REDIS), (GATE, NATS), (GATE, REDIS), (EXEC, NATS))
RESETS = "reset"
TROUBLES = {
    "latency": Trouble(latency_seconds=0.05),
    "jitter": Trouble(jitter_seconds=0.15),
    "slow bytes": Trouble(bytes_per_second=20_000),
    RESETS: Trouble(),
}


def run(seed: int, trials: int) -> Outcome:
    return uvloop.run(_run(seed, trials))


@dataclass(slots=True)
class _Seen:
    recovery: list[float] = field(default_factory=list[float])
    lasted: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    restarted: list[str] = field(default_factory=list[str])


async def _run(seed: int, trials: int) -> Outcome:
    chance, seen = Random(seed), _Seen()
    async with linked_desk(LINKS, CORE, seed) as (running, links), load_on(running, seed) as load:
        async with kept_asking(load, seed):
            for number in range(trials):
                name = list(TROUBLES)[number % len(TROUBLES)]
                began = time.monotonic()
                await _trouble(links, name, chance)
                seen.restarted += await revived(running)
                ended = time.monotonic()
                seen.recovery.append(await trades_again(load, ended) - ended)
                seen.lasted.append((name, began, ended))
        await all_judged(load)
        await running.settled(load.ear)
        found = await audit(running, load.ear, load.acknowledged)
        late = await sent_late(load.ear)
    return _outcome(seed, trials, load, found, seen, late)


async def _trouble(links: Links, name: str, chance: Random) -> None:
    proxies = list(links.values())
    for proxy in proxies:
        proxy.trouble = TROUBLES[name]
    ends = time.monotonic() + LASTS_SECONDS
    while (left := ends - time.monotonic()) > 0:
        if name == RESETS:
            chance.choice(proxies).reset()
            left = min(left, RESET_EVERY_SECONDS)
        await asyncio.sleep(left)
    for proxy in proxies:
        proxy.trouble = Trouble()


def _verdict_seconds(load: Load, seen: _Seen) -> dict[str, list[float]]:
    """Return how long those verdicts took that were asked for in each kind of trouble."""
    moments = {
        **{intent_id: at for intent_id, (at, _) in load.denied.items()},
        **{intent_id: at for intent_id, (at, _) in load.approved.items()},
    }
    took: dict[str, list[float]] = {}
    for name, began, ended in seen.lasted:
        took.setdefault(name, []).extend(
            moments[intent_id] - asked_at
            for intent_id, asked_at in load.asked.items()
            if began < asked_at < ended and intent_id in moments
        )
    return took


def _outcome(
    seed: int, trials: int, load: Load, found: Audit, seen: _Seen, late: list[str]
) -> Outcome:
    refused = Counter(event.code for event in found.of(OrderRefused))
    p99 = {
        name: f"{percentile(took, 0.99):.2f} s"
        for name, took in _verdict_seconds(load, seen).items()
        if took
    }
    return Outcome(
        fault="F8",
        what="links late, uneven, slow, torn",
        seed=seed,
        trials=trials,
        unit="troubles",
        acknowledged=len(load.acknowledged),
        lost=found.lost,
        duplicated=found.duplicated,
        unsigned=found.unsigned,
        breaches=found.breaches + found.contradicted,
        open_breaks=found.open_breaks,
        recovery_seconds=seen.recovery,
        failures=[
            *found.told,
            *late[:5],
            *require_all(
                [
                    (len(p99) == min(trials, len(TROUBLES)), f"verdicts only in {sorted(p99)}"),
                    (not found.parked, f"{len(found.parked)} messages were parked"),
                ]
            ),
        ],
        note="verdict p99: "
        + ", ".join(f"{name} {took}" for name, took in p99.items())
        + f"; refused {dict(refused)}; restarted {len(seen.restarted)}",
    )
