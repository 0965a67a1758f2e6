"""The kill switch: a latch in memory, the cancelling of every open order, a file that remembers.

Theory of operation. A press latches at once, and from that moment `may_send` lets nothing through
that increases risk; it is asked directly before the venue is. Then every order that was open is
cancelled at the venue, many at a time, while the press is being written to the disk. Neither needs
the bus, the policy store or the gate. What the venue answers goes to the core as reports, which
says it on the bus when there is one. An order the venue has not answered for is asked for again by
`sweep` until it has. A disk that refuses to be written keeps nothing from being cancelled.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path

from msgspec.structs import replace

from interlock.exec.adapters.open_orders import OpenOrders, ends
from interlock.exec.adapters.switch_file import (
    KILL_FILE,
    Switch,
    SwitchState,
    mark_of,
    read_kill_file,
    read_switch,
    write_switch,
)
from interlock.exec.ports import NEVER_SENT, SwitchMoved, Way
from interlock.venues.port import ProtectiveOrder, Venue, VenueCanceled, VenueReport
from interlock.wire.base import Report
from interlock.wire.orders import SubmitOrder

_log = logging.getLogger(__name__)

CANCEL_SECONDS = 2.0
CANCELS_AT_A_TIME = 32

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
    _last_submit_at: int = 0
    _writing: int = 0
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
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
            self.orders.place(order)
            return True
        if self.pressed:
            return False
        self._last_submit_at = self.now()
        self.orders.place(order)
        return True

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
        self._to_cancel = set(self.orders)
        async with self._one_at_a_time:
            first_writing = self._begin_writing()
            reports = await self._cancel()
            if first_writing is not None:
                await first_writing
            await self._write()
        return [self.moved(), *reports]

    async def sweep(self) -> Sequence[Report]:
        """Ask once more for the end of what was open at the press."""
        if not self.pressed or not (self._to_cancel or self.unwritten):
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
        self._to_cancel = set(self.orders)
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
        """Cancel what is open of `_to_cancel`, and put the figures into `standing`."""
        asked = [name for name in self._to_cancel if name in self.orders]
        reports = await _all_of([_Asking(self.venue, name) for name in asked])
        self.orders.hear(reports)
        self._to_cancel = {name for name in asked if name in self.orders}
        ended = {report.client_order_id for report in reports if ends(report)}
        standing = self.standing
        done = not self._to_cancel and not standing.cancelled_at
        self.standing = replace(
            standing,
            cancelled=standing.cancelled + len(ended),
            left=len(self._to_cancel),
            cancelled_at=self.now() if done else standing.cancelled_at,
        )
        return reports

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


@dataclass(frozen=True, slots=True)
class _Asking:
    """One order's cancelling."""

    venue: Venue
    client_order_id: str

    def begin(self) -> Sequence[VenueReport] | Awaitable[Sequence[VenueReport]]:
        try:
            return self.venue.cancel(self.client_order_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must be cancelled
            _log.error("%s could not be cancelled yet: %r", self.client_order_id, error)
            return ()


async def _all_of(asking: list[_Asking]) -> list[VenueReport]:
    """Return all answers; a venue that has to be waited for is asked many times at once."""
    answered: list[VenueReport] = []
    slow: list[tuple[str, Awaitable[Sequence[VenueReport]]]] = []
    for one in asking:
        answer = one.begin()
        if isawaitable(answer):
            slow.append((one.client_order_id, answer))
        else:
            answered += answer
    if slow:
        free = asyncio.Semaphore(CANCELS_AT_A_TIME)
        late = await asyncio.gather(*(_answer(name, answer, free) for name, answer in slow))
        answered += [report for reports in late for report in reports]
    return answered


async def _answer(
    name: str, answer: Awaitable[Sequence[VenueReport]], free: asyncio.Semaphore
) -> Sequence[VenueReport]:
    async with free:
        try:
            return await asyncio.wait_for(answer, CANCEL_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must be cancelled
            _log.error("%s could not be cancelled yet: %r", name, error)
            return ()


def never_sent(order: SubmitOrder | ProtectiveOrder) -> VenueCanceled:
    """Return the report of an order that the switch kept back, with its row already written."""
    return VenueCanceled(client_order_id=order.client_order_id, reason=NEVER_SENT)
