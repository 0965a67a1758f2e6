"""Alerts from the bus to people: read, queued in a line for each address, sent, and written down.

Theory of operation. An alert that passes only wakes this up; what is told is read from the stream,
from the place where the last process left it, so a start, a lost link and the common case are one
path. The place and all lines are one file, written before a message leaves and after it has
arrived: an alert is told at least once, and twice only where the process died in between. Each
address has a task of its own, so that one that hangs holds up nobody; nothing here is waited for
by the desk.

What the console has to say itself, that the bus is away or an address takes nothing, goes to the
other addresses and to open pages: it cannot go by the bus, on which the console says a person's
commands and nothing else.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from interlock.console.alerts import lines, wording
from interlock.console.alerts.addresses import Address, send
from interlock.console.alerts.lines import Line, Note, Told, rules_of
from interlock.console.alerts.memory import IDS_KEPT, Memory, keep_memory, read_memory
from interlock.model.ids import derive_id
from interlock.model.values import Severity
from interlock.runtime.bus.nats import NatsBus
from interlock.runtime.bus.onwards import onwards
from interlock.runtime.errors import UnavailableError
from interlock.wire.catalogue import CONSOLE
from interlock.wire.system import AlertRaised

_log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
TURN_SECONDS = 0.2
STORED_WITHIN_SECONDS = 0.05
STORED_TRIES = 20
FIRST_LOOK_BACK_SECONDS = 600
AWAY_SECONDS = 15.0
FAILURES_TOLD = 3
KEEP_PLACE_SECONDS = 60.0
_NANOS = 1_000_000_000
_BUS_AWAY, _BUS_BACK = "console.bus_away", "console.bus_back"
_UNDELIVERED = "console.alerts_undelivered"


def _to_nobody(_: AlertRaised) -> None:
    """Tell nobody."""


@dataclass(slots=True, kw_only=True)
class Telling:
    """Everything of one console's alerts.

    `on_data` is whether the desk lives on recorded data, `bus` returns the link while there is one,
    and `own` is told what the console itself has to say.
    """

    desk: str
    addresses: Sequence[Address]
    folder: Path
    bus: Callable[[], NatsBus | None]
    on_data: bool = False
    own: Callable[[AlertRaised], None] = _to_nobody
    _memory: Memory = field(default_factory=Memory)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: asyncio.Event = field(default_factory=asyncio.Event)
    _read_at: float = field(default_factory=time.monotonic)
    _kept_at: float = 0.0
    _is_away: bool = False

    def wake(self) -> None:
        """Read at once: an alert has passed."""
        self._woken.set()

    @property
    def lines(self) -> dict[str, Line]:
        return self._memory.lines

    async def run(self) -> None:
        """Tell until cancelled."""
        kept = read_memory(self.folder)
        names = {address.name for address in self.addresses}
        for name in sorted(kept.lines.keys() - names):
            if lost := lines.waits(kept.lines[name]):
                _log.warning("alert route %s is gone, and %d alerts that waited for it", name, lost)
        fresh = {name: kept.lines.get(name, Line()) for name in sorted(names)}
        self._memory = replace(kept, lines=fresh)
        self._keep()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            for address in self.addresses:
                group.create_task(self._tell(address))

    async def _listen(self) -> None:
        """Take in what is stored on the bus, and look after the quiet times."""
        while True:
            woken = await _set_within(self._woken, LOOK_SECONDS)
            self._woken.clear()
            found = await self._read()
            # A message passes a moment before it is stored.
            for _ in range(STORED_TRIES if woken else 0):
                if found or self._woken.is_set():
                    break
                await asyncio.sleep(STORED_WITHIN_SECONDS)
                found = await self._read()
            self._watch_bus()
            self._end_quiet()

    async def _read(self) -> bool:
        """Read on from the last place; return whether there was anything new."""
        bus = self.bus()
        if bus is None or not bus.client.is_connected:
            return False
        oldest = time.time_ns() - FIRST_LOOK_BACK_SECONDS * _NANOS
        try:
            found, place = await onwards(bus, AlertRaised, self._memory.place, oldest)
        except UnavailableError as error:
            _log.debug("alerts cannot be read: %s", error)
            return False
        self._read_at = time.monotonic()
        known = dict.fromkeys(self._memory.ids)
        fresh = 0
        for alert in found:
            if not isinstance(alert, AlertRaised) or alert.desk != self.desk:
                continue
            if alert.message_id in known:
                continue
            known[alert.message_id] = None
            self._take(alert)
            fresh += 1
            # The page's requests go on while a flood is taken in.
            await asyncio.sleep(0)
        # Only now: what is written down meanwhile must not pass over what was not taken yet.
        self._memory = replace(self._memory, place=place, ids=tuple(known)[-IDS_KEPT:])
        if fresh or time.monotonic() - self._kept_at > KEEP_PLACE_SECONDS:
            self._keep()
            self._turn.set()
        return fresh > 0

    def _take(self, alert: AlertRaised, but: str = "") -> None:
        """Put an alert into every line but one."""
        note = Note(
            severity=alert.severity,
            service=wording.plain(alert.service),
            code=wording.plain(alert.code),
            text=wording.plain(alert.text),
            key=derive_id("alert-key", alert.dedupe_key),
            ts_event=alert.ts_event,
        )
        now = time.time_ns()
        for address in self.addresses:
            if address.name != but:
                line = self.lines[address.name]
                self._put(address, lines.take(line, rules_of(address.route), note, now))

    def _put(self, address: Address, line: Line) -> None:
        self._memory = replace(self._memory, lines={**self.lines, address.name: line})

    def _end_quiet(self) -> None:
        now = time.time_ns()
        before = self._memory
        for address in self.addresses:
            line = self.lines[address.name]
            ended = lines.end_quiet(line, rules_of(address.route), now)
            if ended is not line:
                self._put(address, ended)
        if self._memory is not before:
            self._keep()
            self._turn.set()

    def _watch_bus(self) -> None:
        silent = time.monotonic() - self._read_at
        if self._is_away == (silent > AWAY_SECONDS):
            return
        self._is_away = not self._is_away
        if self._is_away:
            text = (
                f"the console has not reached the bus for {AWAY_SECONDS:g} s: nobody can say "
                "what the desk does; look at it"
            )
            self._say(Severity.CRITICAL, _BUS_AWAY, text, _BUS_AWAY)
        else:
            self._say(Severity.WARNING, _BUS_BACK, "the bus is there again", _BUS_BACK)

    def _say(self, severity: Severity, code: str, text: str, key: str, but: str = "") -> None:
        """Say something of the console's own to every address but one, and to open pages."""
        now = time.time_ns()
        identity = derive_id("alert", CONSOLE, key, now)
        alert = AlertRaised(
            message_id=identity,
            decision_id=identity,
            ts_event=now,
            desk=self.desk,
            service=CONSOLE,
            severity=severity,
            code=code,
            text=text,
            dedupe_key=key,
        )
        _log.warning("%s: %s", code, text)
        self.own(alert)
        self._take(alert, but)
        self._keep()
        self._turn.set()

    async def _tell(self, address: Address) -> None:
        """Send what the address's line lets go, one message at a time."""
        while True:
            step = lines.next_told(
                self.lines[address.name], rules_of(address.route), time.time_ns()
            )
            if step is None:
                await _set_within(self._turn, TURN_SECONDS)
                self._turn.clear()
                continue
            line, told = step
            self._put(address, line)
            self._keep()
            problem = await self._send(address, told)
            line = self.lines[address.name]
            now = time.time_ns()
            if not problem:
                if line.failures:
                    _log.info("alert route %s takes messages again", address.name)
                self._put(address, lines.sent(line, now))
                self._keep()
                continue
            line = lines.failed(line, problem, now)
            self._put(address, line)
            self._keep()
            _log.warning("alert route %s, try %d: %s", address.name, line.failures, problem)
            if line.failures == FAILURES_TOLD:
                text = (
                    f"alert route {address.name} takes nothing, {lines.waits(line)} alerts wait: "
                    f"{problem}"
                )
                key = f"{_UNDELIVERED}.{address.name}"
                self._say(Severity.WARNING, _UNDELIVERED, text, key, but=address.name)

    async def _send(self, address: Address, told: Told) -> str:
        title = wording.title(told, self.desk)
        body = wording.body(told, time.time_ns(), on_data=self.on_data)
        return await send(address, title, body, told.severity)

    def _keep(self) -> None:
        self._kept_at = time.monotonic()
        try:
            keep_memory(self.folder, self._memory)
        except OSError as error:
            # Told all the same: a full disk is no reason for silence.
            _log.warning("what was told cannot be written down: %s", error)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
