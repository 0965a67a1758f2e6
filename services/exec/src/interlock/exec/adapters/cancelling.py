"""Ending many orders at a venue that counts requests.

Theory of operation. A venue names how many requests for an end it takes a second; each waits for
its turn, and its seconds to answer begin with it. Turns go by `urgency`. What ends meanwhile takes
no turn. An answer of "too many requests" makes everybody wait, longer each time, until the venue
answers again; who did not get a turn asks again later. A venue that is not waited for, such as the
one in this process, is asked without a break, so that a replay stays as it was.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from math import inf

from interlock.exec.adapters.open_orders import OpenOrders
from interlock.venues.port import Reports, Venue, VenueBusy, VenueReport
from interlock.wire.base import Report

_log = logging.getLogger(__name__)

CANCEL_SECONDS = 2.0
CANCELS_AT_A_TIME = 32
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 16.0


@dataclass(slots=True)
class Pace:
    """Turns to send a request, `per_second` of them; none: as many as are wanted."""

    per_second: float | None
    clock: Callable[[], float] = time.monotonic
    _next_at: float = -inf
    _busy_until: float = -inf
    _pause_seconds: float = FIRST_PAUSE_SECONDS
    _line: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_free(self) -> bool:
        """Return whether nobody has to wait."""
        return self.per_second is None and self._next_at <= self.clock()

    async def turn(self, wanted: Callable[[], bool], until: float = inf) -> bool:
        """Wait for a turn; false where it is wanted no more, or does not come `until` then.

        Who waits here stands in no queue: the press of a switch passes what waits `in_line`.
        """
        while wanted():
            wait_seconds = self._next_at - self.clock()
            if wait_seconds <= 0:
                if self.per_second is not None:
                    self._next_at = self.clock() + 1 / self.per_second
                return True
            if self._next_at > until:
                return False
            await asyncio.sleep(wait_seconds)
        return False

    async def in_line(self, wanted: Callable[[], bool]) -> bool:
        """Wait for a turn behind all who came here before."""
        async with self._line:
            return await self.turn(wanted)

    def hear(self, reports: Sequence[Report]) -> None:
        if any(isinstance(one, VenueBusy) for one in reports):
            self._back_off()
        elif any(isinstance(one, VenueReport) for one in reports):
            self._pause_seconds = FIRST_PAUSE_SECONDS

    def _back_off(self) -> None:
        # Many are told the same at once: that is one reason to wait, not many.
        now = self.clock()
        if now < self._busy_until:
            return
        self._next_at = self._busy_until = now + self._pause_seconds
        _log.warning("the venue is asked too often: nothing for %g s", self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)


@dataclass(slots=True)
class Cancelling:
    """Asks `venue` for ends, and lets `hear` know of every answer as it comes."""

    venue: Venue
    orders: OpenOrders
    pace: Pace
    hear: Callable[[Sequence[VenueReport]], None]

    async def all_at_once(self) -> Sequence[VenueReport] | None:
        """Ask for everything with one request; none where the venue did not take it."""
        if not self.venue.cancels_all:
            return None
        try:
            answer = self.venue.cancel_all()
            if isawaitable(answer):
                answer = await asyncio.wait_for(answer, CANCEL_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, each order is asked for then
            _log.error("not cancelled with one request: %s", type(error).__name__)
            return None
        self.hear(answer)
        return answer

    async def each(
        self, names: Sequence[str], ask: Callable[[str], Reports], until: float
    ) -> list[VenueReport]:
        """Ask about the orders in turn, for as long as `until`; those that ended are left out."""
        free = asyncio.Semaphore(CANCELS_AT_A_TIME)
        told: list[VenueReport] = []
        slow: list[asyncio.Task[Sequence[VenueReport]]] = []
        for name in names:
            if not await self.pace.turn(partial(self.orders.__contains__, name), until):
                continue
            begin = partial(ask, name)
            if not slow:
                answer = _begun(name, begin)
                if not isawaitable(answer):
                    self.hear(answer)
                    told += answer
                    continue
                begin = partial(_same, answer)
            slow.append(asyncio.create_task(self._answered(name, begin, free)))
        for answered in slow:
            told += await answered
        return told

    async def _answered(
        self, name: str, begin: Callable[[], Reports], free: asyncio.Semaphore
    ) -> Sequence[VenueReport]:
        async with free:
            answer = _begun(name, begin)
            try:
                if isawaitable(answer):
                    answer = await asyncio.wait_for(answer, CANCEL_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others must be cancelled
                _log.error("%s could not be cancelled yet: %r", name, error)
                return ()
            self.hear(answer)
            return answer


def _begun(name: str, begin: Callable[[], Reports]) -> Reports:
    try:
        return begin()
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must be cancelled
        _log.error("%s could not be cancelled yet: %r", name, error)
        return ()


def _same(answer: Reports) -> Reports:
    return answer
