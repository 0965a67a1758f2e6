"""One bit is flipped, or one file cut short, in the journal, in Valkey and in the broker.

Each piece of damage is noticed (the proof names it, the server or the ledger refuses to start, the
gate denies, the ledger trips), or nothing is lost by it.
"""

import asyncio
from random import Random

import uvloop

from tests.chaos.damage_counts import Damage
from tests.chaos.damaged_counters import damaged_counters
from tests.chaos.damaged_journal import damaged_journal
from tests.chaos.damaged_streams import damaged_streams
from tests.chaos.report import Outcome

FULL, SMOKE = 100, 2
"""Of each of the three."""
LIMIT_SECONDS = 400


def run(seed: int, trials: int) -> Outcome:
    parts = [damaged_journal(Random(seed), trials), *uvloop.run(_on_servers(seed, trials))]
    unnoticed = [text for part in parts for text in part.unnoticed]
    return Outcome(
        fault="F10",
        what="bit flips and truncations",
        seed=seed,
        trials=sum(part.trials for part in parts),
        unit="damages",
        lost=len(unnoticed),
        detected=sum(part.detected for part in parts),
        failures=[*unnoticed[:8], *_incomplete(parts, trials)],
        note="; ".join(part.told for part in parts),
    )


async def _on_servers(seed: int, trials: int) -> list[Damage]:
    return await asyncio.gather(
        damaged_counters(seed, Random(seed), trials), damaged_streams(seed, Random(seed), trials)
    )


def _incomplete(parts: list[Damage], trials: int) -> list[str]:
    return [f"{part.what}: {part.trials} trials" for part in parts if part.trials != trials]
