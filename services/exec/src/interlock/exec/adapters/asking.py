"""Calls to a venue that has to be waited for, beside the loop.

Theory of operation. A venue in this process answers at once, and its answer is handed back at
once: a replay stays as it was. Of any other venue the call is begun at once and its answer is
handed to `report` when it comes, so that no order waits for another's answer. A call that takes
too long, or breaks, is an answer that did not come. A call may have to wait for its turn first,
where a venue takes only so many a second. That the venue has never seen an order counts
only while no sending of that order can be on its way.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import isawaitable
from typing import Any

from interlock.venues.port import Reports, Tell, VenueLost, VenueNeverSeen, VenueReport
from interlock.wire.base import Report

_log = logging.getLogger(__name__)

CALL_SECONDS = 4.0
"""After this a call counts as lost; an adapter gives up sooner."""
LANDING_SECONDS = 2.0
"""So long what was sent before a call was given up may still arrive."""


class Call(StrEnum):
    PLACE = "place"
    CANCEL = "cancel"
    LOOK_UP = "look_up"
    OPEN = "open"
    ADVANCE = "advance"


@dataclass(slots=True)
class Asking:
    """What is under way at the venue. Without `report` the caller is made to wait.

    `hear` is told every answer first.
    """

    hear: Callable[[Sequence[Report]], None]
    report: Tell | None = None
    _under_way: dict[tuple[Call, str], asyncio.Task[None]] = field(
        default_factory=dict[tuple[Call, str], asyncio.Task[None]]
    )
    _given_up: dict[str, float] = field(default_factory=dict[str, float])

    def orders(
        self,
        call: Call,
        name: str,
        begin: Callable[[], Reports],
        turn: Callable[[], Awaitable[bool]] | None = None,
    ) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        """Call the venue about one order. The same call is not made twice at once.

        It waits for its `turn`, and is not made where that says false.
        """
        if self.is_asked(call, name):
            return ()
        if turn is not None:
            return self.later(call, name, self._in_turn(call, name, begin, turn))
        try:
            answer = begin()
        except Exception as error:
            if self.report is None:
                raise
            return self._no_answer(call, name, error)
        if not isawaitable(answer):
            self.hear(answer)
            return answer
        return self.later(call, name, self._answered(call, name, answer))

    def later(
        self, call: Call, name: str, work: Coroutine[Any, Any, Sequence[Report]]
    ) -> Sequence[Report] | Awaitable[Sequence[Report]]:
        """Let `work` go on beside the loop, where its answer can be reported."""
        if self.report is None:
            return work
        loop = asyncio.get_running_loop()
        # Begun at once: the order's bytes leave before the loop turns to the next message.
        task = asyncio.Task(self._told(work, self.report), loop=loop, eager_start=True)
        if not task.done():
            self._under_way[call, name] = task
            task.add_done_callback(lambda _: self._under_way.pop((call, name), None))
        return ()

    def is_asked(self, call: Call, name: str) -> bool:
        """Return whether the answer to this very call is still to come."""
        return (call, name) in self._under_way

    async def close(self) -> None:
        """End what is under way: the orders are in doubt, and are looked up at the next start."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _told(self, work: Coroutine[Any, Any, Sequence[Report]], report: Tell) -> None:
        for one in await work:
            report(one)

    async def _answered(
        self, call: Call, name: str, answer: Awaitable[Sequence[VenueReport]]
    ) -> Sequence[Report]:
        try:
            reports = await asyncio.wait_for(answer, CALL_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the order's fate is not known
            return self._no_answer(call, name, error)
        reports = [one for one in reports if self._counts(one)]
        self.hear(reports)
        return reports

    async def _in_turn(
        self,
        call: Call,
        name: str,
        begin: Callable[[], Reports],
        turn: Callable[[], Awaitable[bool]],
    ) -> Sequence[Report]:
        if not await turn():
            return ()
        try:
            answer = begin()
        except Exception as error:  # noqa: BLE001 - whatever it is, the order's fate is not known
            return self._no_answer(call, name, error)
        if isawaitable(answer):
            return await self._answered(call, name, answer)
        self.hear(answer)
        return answer

    def _no_answer(self, call: Call, name: str, error: Exception) -> Sequence[Report]:
        # Its text may hold what the venue was sent, so only its kind is told.
        kind = type(error).__name__
        _log.error("%s %s: no answer: %s", call, name, kind)
        if call is Call.PLACE:
            self._given_up[name] = time.monotonic()
        return [VenueLost(client_order_id=name, reason=f"no answer: {kind}")]

    def _counts(self, report: VenueReport) -> bool:
        if not isinstance(report, VenueNeverSeen):
            return True
        name = report.client_order_id
        since = time.monotonic() - self._given_up.get(name, float("-inf"))
        return (Call.PLACE, name) not in self._under_way and since > LANDING_SECONDS
