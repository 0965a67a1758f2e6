"""The watch over the local reasoner's heartbeat: a dead process does not say that it is dead.

Silence is counted only while this process was awake itself, so that a machine that slept does not
find the reasoner dead before it could have spoken.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from interlock.strategy.ensemble.ports import ReasonerHeard, ReasonerSilent
from interlock.wire.base import Report
from interlock.wire.catalogue import BY_KIND, REASONER
from interlock.wire.system import Heartbeat

LOOK_SECONDS = 0.1
LONGEST_NAP_SECONDS = 1.0
REASONER_BEATS = BY_KIND[Heartbeat].pattern.format(service=REASONER, instance="*")


@dataclass(slots=True)
class ReasonerWatch:
    """Reports each change between heard and silent, and the first of the two after a start.

    Until the first heartbeat the reasoner is given `first_seconds` to start.
    """

    limit_seconds: float
    first_seconds: float
    report: Callable[[Report], None]
    heard: bool = False
    quiet_seconds: float = 0.0
    told: bool | None = None

    def hear(self) -> None:
        self.heard, self.quiet_seconds = True, 0.0

    def pass_by(self, seconds: float) -> None:
        """Let time go by, and report what that changes."""
        self.quiet_seconds += min(seconds, LONGEST_NAP_SECONDS)
        silent = self.quiet_seconds > (self.limit_seconds if self.heard else self.first_seconds)
        if silent and self.told is not False:
            self.told = False
            self.report(ReasonerSilent(seconds=self.quiet_seconds))
        elif self.heard and not silent and self.told is not True:
            self.told = True
            self.report(ReasonerHeard())

    async def run(self) -> None:
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            self.pass_by(now - looked_at)
            looked_at = now
