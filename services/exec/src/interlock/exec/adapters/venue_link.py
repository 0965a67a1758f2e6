"""Exec's ear at the venue: the stream of order events, and the seconds that pass.

It runs beside the loop. What the stream tells, the kill switch hears first, then the core. A
stream that ends or breaks is a link that is down, and is begun again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.ports import Ticked
from interlock.venues.port import Tell, Venue, VenueLinkMoved
from interlock.wire.base import Report

_log = logging.getLogger(__name__)

AGAIN_SECONDS = 1.0


@dataclass(slots=True)
class VenueLink:
    """Hands `report` what the venue tells by itself."""

    venue: Venue
    switch: KillSwitch
    report: Tell

    async def run(self) -> None:
        """Listen and count seconds until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._tick())

    def tell(self, report: Report) -> None:
        heard: Sequence[Report] = [report]
        self.switch.orders.hear(heard)
        self.report(report)

    async def _listen(self) -> None:
        while True:
            reason = "the stream of order events has ended"
            try:
                await self.venue.run(self.tell)
            except Exception as error:  # noqa: BLE001 - whatever it is, the stream is begun again
                _log.exception("the stream of order events broke")
                reason = f"the stream of order events broke: {type(error).__name__}"
            self.tell(VenueLinkMoved(up=False, reason=reason))
            await asyncio.sleep(AGAIN_SECONDS)

    async def _tick(self) -> None:
        seconds = 0
        while True:
            await asyncio.sleep(1)
            seconds += 1
            self.report(Ticked(seconds=seconds))


def both(
    first: Callable[[], Awaitable[None]], second: Callable[[], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """Return what runs two endless works beside each other."""

    async def work() -> None:
        await asyncio.gather(first(), second())

    return work
