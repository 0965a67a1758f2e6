"""The kill switch: a latch in memory, the cancelling of every open order, a file that remembers.

Theory of operation. A press latches at once, and from that moment `may_send` lets nothing through
that increases risk; it is asked directly before the venue is. Then every order that was open is
cancelled at the venue while the press is being written to the disk: with one request where the
venue has one, which also ends what is not ours, then each by itself, first what adds risk, as many
a second as the venue takes. Neither needs the bus, the policy store or the gate. What the venue
answers goes to the core as reports, which says it on the bus when there is one. A press gives its
turns no longer than `PRESS_SECONDS`, for the loop waits for it; an order the venue has not answered
for, or that had no turn yet, is asked for again by `sweep` until it has ended. The one request is
not repeated once something that reduces was sent since. A disk that refuses to be written keeps
nothing from being cancelled.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from interlock.exec.adapters.cancelling import Cancelling, Pace
from interlock.exec.adapters.open_orders import OpenOrders
from interlock.exec.ports import NEVER_SENT, SwitchMoved
from interlock.model.trading import Way
from interlock.runtime.switch_file import (
    KILL_FILE,
    Switch,
    SwitchState,
    mark_of,
    read_kill_file,
    read_switch,
    write_switch,
)
from interlock.venues.port import ProtectiveOrder, Venue, VenueCanceled
from interlock.wire.base import Report
from interlock.wire.orders import SubmitOrder

_log = logging.getLogger(__name__)

PRESS_SECONDS = 1.5
TRIES_AT_ALL = 5
"""So often the one request for all is made that a venue does not take."""

_IN_MEMORY = Switch(state=SwitchState.ARMED, way=Way.START, by="", reason="", seen_at=0)


@dataclass(slots=True)
class KillSwitch:
    """One desk's switch. `folder` is the state folder; none in a backtest, which has no disk.

    `now` is the machine's clock in UNIX ns, also where the desk runs on the data's.
    """

    venue: Venue
    folder: Path | None = None
    now: Callable[[], int] = time.time_ns
    orders: OpenOrders = field(default_factory=OpenOrders)
    standing: Switch = _IN_MEMORY
    unwritten: bool = False
    _mark: tuple[int, int, int] = (0, 0, 0)
    _to_cancel: set[str] = field(default_factory=set[str])
    _tries_at_all: int = 0
    _last_submit_at: int = 0
    _writing: int = 0
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    pace: Pace = field(init=False)
    _cancelling: Cancelling = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.venue.cancels_per_second)
        self._cancelling = Cancelling(self.venue, self.orders, self.pace, self.hear)
        if self.folder is not None:
            self.standing = read_switch(self.folder)
            self._mark = mark_of(self.folder)
            self._last_submit_at = self.standing.last_submit_at

    @property
    def pressed(self) -> bool:
        return self.standing.pressed

    def may_send(self, order: SubmitOrder) -> bool:
        """Return whether `order` may go to the venue now; it counts as sent where it may."""
        if order.reduce_only:
            # It is to stay: nothing may be asked any more that would end it, too.
            self._tries_at_all = 0
            self.orders.place(order)
            return True
        if self.pressed:
            return False
        self._last_submit_at = self.now()
        self.orders.place(order)
        return True

    def hear(self, reports: Sequence[Report]) -> None:
        """Take in what the venue has said, whoever asked."""
        self.orders.hear(reports)
        self.pace.hear(reports)

    def is_ending(self, client_order_id: str) -> bool:
        """Return whether the press itself asks for the end of an order."""
        return self.pressed and client_order_id in self._to_cancel

    async def press(self, way: Way, by: str, reason: str) -> Sequence[Report]:
        """Latch, cancel, remember, in this order; return what the core is to be told.

        A press by a rule gives way to one that only a person may take back. Any other second press
        changes nothing, but what is still open is asked for again.
        """
        stricter = self.standing.way is Way.RULE and way is not Way.RULE
        if self.pressed and not stricter:
            return await self.sweep()
        self.standing = Switch(
            state=SwitchState.PRESSED,
            way=way,
            by=by,
            reason=reason,
            seen_at=self.now(),
            last_submit_at=self._last_submit_at,
        )
        _log.critical("the kill switch is pressed by %s (%s): %s", way, by, reason)
        self._to_cancel, self._tries_at_all = set(self.orders), TRIES_AT_ALL
        async with self._one_at_a_time:
            first_writing = self._begin_writing()
            reports = await self._cancel()
            if first_writing is not None:
                await first_writing
            await self._write()
        return [self.moved(), *reports]

    async def sweep(self) -> Sequence[Report]:
        """Ask once more for the end of what was open at the press."""
        if not self.pressed or not (self._to_cancel or self._tries_at_all or self.unwritten):
            return ()
        async with self._one_at_a_time:
            reports = await self._cancel()
            await self._write()
        return reports

    async def arm(self, by: str, reason: str, *, by_person: bool) -> Sequence[Report]:
        """Let orders through again, where that may be; return what the core is to be told."""
        if not self.pressed or not (by_person or self.standing.way is Way.RULE):
            return ()
        if self.folder is not None and read_kill_file(self.folder) is not None:
            _log.error("not armed: %s is still there", KILL_FILE)
            return ()
        armed = Switch(
            state=SwitchState.ARMED,
            way=Way.COMMAND if by_person else Way.RULE,
            by=by,
            reason=reason,
            seen_at=self.now(),
            last_submit_at=self._last_submit_at,
        )
        async with self._one_at_a_time:
            if not await self._written(armed):
                return ()
            self.standing = armed
            self._to_cancel.clear()
            self._tries_at_all = 0
        _log.warning("the kill switch is armed again by %s: %s", by, reason)
        return [self.moved()]

    async def restore(self, pressed_at: int) -> Sequence[Report]:
        """Take up the switch as the last exec left it; `pressed_at` is what that one has said.

        A file that says armed while exec's last word was pressed was put there by somebody else,
        unless it says which person resumed, later than that.
        """
        resumed = self.standing.way is Way.COMMAND and self.standing.seen_at > pressed_at
        if not self.pressed and pressed_at and not resumed:
            return await self.press(
                Way.FILE, "exec", "switch.json says armed, and the switch was pressed"
            )
        if not self.pressed:
            return [self.moved()] if pressed_at else ()
        self._to_cancel, self._tries_at_all = set(self.orders), TRIES_AT_ALL
        self.standing = replace(self.standing, cancelled_at=0)
        async with self._one_at_a_time:
            reports = await self._cancel()
            await self._write()
        return [self.moved(), *reports]

    def tampered(self) -> str:
        """Return what is wrong with ``switch.json`` since we wrote it, the empty text if nothing.

        It is looked into only when it has changed.
        """
        if self.folder is None or self._writing:
            return ""
        mark = mark_of(self.folder)
        if mark == self._mark:
            return ""
        found = read_switch(self.folder)
        if found == self.standing:
            self._mark = mark
            return ""
        return found.reason if found.pressed else "switch.json was changed by somebody else"

    async def mend(self) -> None:
        """Write the file again as it must be."""
        async with self._one_at_a_time:
            await self._write()

    def moved(self) -> SwitchMoved:
        standing = self.standing
        return SwitchMoved(
            pressed=standing.pressed,
            way=standing.way,
            by=standing.by,
            reason=standing.reason,
            seen_at=standing.seen_at,
            last_submit_at=standing.last_submit_at,
            cancelled_at=standing.cancelled_at,
            cancelled=standing.cancelled,
        )

    async def _cancel(self) -> Sequence[Report]:
        """Ask for the end of `_to_cancel`, and put the figures into `standing`."""
        until = self.pace.clock() + PRESS_SECONDS
        reports: list[Report] = []
        if self._tries_at_all:
            told = await self._end_all()
            reports += told or ()
            if told is not None:
                reports += await self._cancelling.each(self._left(), self.venue.look_up, until)
        reports += await self._cancelling.each(self._left(), self.venue.cancel, until)
        over = {name for name in self._to_cancel if name not in self.orders}
        self._to_cancel -= over
        standing = self.standing
        done = not self._to_cancel and not standing.cancelled_at
        self.standing = replace(
            standing,
            cancelled=standing.cancelled + sum(map(self.orders.has_ended, over)),
            left=len(self._to_cancel),
            cancelled_at=self.now() if done else standing.cancelled_at,
        )
        return reports

    async def _end_all(self) -> Sequence[Report] | None:
        """Use the venue's one request for all, until it was taken, or is not to be used."""
        told = await self._cancelling.all_at_once()
        taken = told is not None or not self.venue.cancels_all
        self._tries_at_all = 0 if taken else self._tries_at_all - 1
        return told

    def _left(self) -> Sequence[str]:
        return self.orders.by_urgency(self._to_cancel)

    def _begin_writing(self) -> "asyncio.Task[bool] | None":
        return None if self.folder is None else asyncio.create_task(self._written(self.standing))

    async def _write(self) -> None:
        await self._written(self.standing)

    async def _written(self, switch: Switch) -> bool:
        if self.folder is None:
            return True
        self._writing += 1
        try:
            await asyncio.to_thread(write_switch, self.folder, switch)
        except OSError as error:
            _log.critical("switch.json cannot be written: %s", error)
            self.unwritten = True
            return False
        else:
            self.unwritten = False
            self._mark = mark_of(self.folder)
            return True
        finally:
            self._writing -= 1


def never_sent(order: SubmitOrder | ProtectiveOrder) -> VenueCanceled:
    """Return the report of an order that the switch kept back, with its row already written."""
    return VenueCanceled(client_order_id=order.client_order_id, reason=NEVER_SENT)
