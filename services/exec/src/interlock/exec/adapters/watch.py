"""Exec's own watch: over the switch's files and over the gate's heartbeat, with or without a bus.

It runs beside the loop and asks nobody: a dead NATS, a dead policy store or a dead gate stops the
loop, not this. Silence is counted only while this process was awake itself, so that a machine that
slept does not find the gate dead before it could have spoken.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.model.trading import Way
from interlock.runtime.switch_file import read_kill_file
from interlock.wire.base import Report
from interlock.wire.catalogue import BY_KIND, GATE
from interlock.wire.system import Heartbeat

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.02
SWEEP_SECONDS = 1.0
LONGEST_NAP_SECONDS = 1.0
GATE_BEATS = BY_KIND[Heartbeat].pattern.format(service=GATE, instance="*")


@dataclass(slots=True)
class Silence:
    """How long the gate has said nothing, in seconds in which we were awake to hear it.

    Until its first word it is given `first_seconds` to start.
    """

    limit_seconds: float
    first_seconds: float
    heard: bool = False
    quiet_seconds: float = 0.0

    def hear(self) -> None:
        self.heard, self.quiet_seconds = True, 0.0

    def pass_by(self, seconds: float) -> None:
        self.quiet_seconds += min(seconds, LONGEST_NAP_SECONDS)

    @property
    def too_long(self) -> bool:
        return self.quiet_seconds > (self.limit_seconds if self.heard else self.first_seconds)


@dataclass(slots=True)
class Watch:
    """Presses `switch` when a file or a silence says so, and hands `report` what came of it."""

    switch: KillSwitch
    report: Callable[[Report], None]
    silence: Silence | None

    async def run(self) -> None:
        looked_at = swept_at = time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = time.monotonic()
            if self.silence is not None:
                self.silence.pass_by(now - looked_at)
            looked_at = now
            await self.look()
            if now - swept_at > SWEEP_SECONDS:
                swept_at = now
                await self._told(self.switch.sweep())

    async def look(self) -> None:
        """Look once, and press where that is called for."""
        switch = self.switch
        assert switch.folder is not None
        changed = switch.tampered()
        if changed and switch.pressed:
            _log.error("%s; written again: the switch stays pressed", changed)
            await switch.mend()
        elif changed:
            await self._told(switch.press(Way.FILE, "exec", changed))
        if switch.pressed and switch.standing.way is not Way.RULE:
            return
        found = read_kill_file(switch.folder)
        if found is not None:
            await self._told(switch.press(Way.FILE, found.by or "file", found.reason))
        elif self.silence is not None and self.silence.too_long:
            said = f"the gate has been silent for {self.silence.quiet_seconds:.1f} s"
            await self._told(switch.press(Way.SILENCE, "exec", said))

    async def _told(self, pressing: Awaitable[Sequence[Report]]) -> None:
        for report in await pressing:
            self.report(report)
