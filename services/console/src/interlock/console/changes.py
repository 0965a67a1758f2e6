"""What changed, for every open page: gathered, sent a few times a second, and kept for a while.

Theory of operation. What happens is noted at once and turned into events a few times a second: of a
thing that has one state (the desk's, the account's) only the last word, of things that are many
each one, the latest word on it, the newest `MOST_A_TURN` of a kind. All pages read one bounded ring
of finished events, each from its own place; a page that falls behind the ring is told that it
missed something. So nothing grows, whatever the desk does and however slow a reader is. A page's
right to read is asked for before each send and at least once a second: a stream ends with the
session it was opened in.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec

KEPT = 4_096
KEPT_BYTES = 16 * 1024**2
MOST_A_TURN = 200
BEAT_SECONDS = 10.0
LOOK_SECONDS = 1.0
_BEAT = b": still here\n\n"
_MICROSECOND_NS = 1_000
_MISSED = msgspec.json.encode({"missed": True})
RETRY_MS = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it goes over the wire; numbers grow, over restarts too."""

    number: int
    body: bytes


def _event(number: int, name: str, data: bytes) -> Event:
    body = b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), data)
    return Event(number, body)


class Changes:
    """The ring of events. Numbers begin with the machine's clock in µs, which no rate outruns."""

    def __init__(self, first_number: int | None = None) -> None:
        first = time.time_ns() // _MICROSECOND_NS if first_number is None else first_number
        self._next = first
        self._dropped_before = first
        self._ring: deque[Event] = deque()
        self._bytes = 0
        self._noted: dict[str, OrderedDict[str, object]] = {}
        self._arrived = asyncio.Event()
        self._readers = 0
        self.closed = False

    @property
    def readers(self) -> int:
        return self._readers

    def note(self, name: str, key: str, value: object) -> None:
        """Take down the latest word on something; the oldest of too many is let go."""
        of_name = self._noted.setdefault(name, OrderedDict())
        of_name.pop(key, None)
        of_name[key] = value
        if len(of_name) > MOST_A_TURN:
            of_name.popitem(last=False)

    def turn(self) -> int:
        """Make events of what was noted and return how many; with nobody reading, forget it.

        Whoever comes back later with an older number is told that something was missed.
        """
        noted, self._noted = self._noted, {}
        made = 0
        for name, values in noted.items():
            for value in values.values():
                made += 1
                if self._readers:
                    self._keep(_event(self._next, name, msgspec.json.encode(value)))
                self._next += 1
        if made and not self._readers:
            self._ring.clear()
            self._bytes = 0
            self._dropped_before = self._next
        if made:
            self._wake()
        return made

    def _keep(self, event: Event) -> None:
        self._ring.append(event)
        self._bytes += len(event.body)
        while len(self._ring) > KEPT or self._bytes > KEPT_BYTES:
            gone = self._ring.popleft()
            self._bytes -= len(gone.body)
            self._dropped_before = gone.number + 1

    def _wake(self) -> None:
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()

    def close(self) -> None:
        """End every stream: pages connect again when there is somebody to connect to."""
        self.closed = True
        self._wake()

    async def read(
        self, last_number: int | None, may_read: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """Yield events after `last_number` as they come, and a sign of life when none do.

        The stream ends as soon as `may_read` says no.
        """
        self._readers += 1
        try:
            at = self._next if last_number is None else last_number + 1
            yield b"retry: %d\n\n" % RETRY_MS
            quiet_since = time.monotonic()
            while not self.closed and may_read():
                waiting = self._after(at)
                at = self._next
                if not waiting and time.monotonic() - quiet_since >= BEAT_SECONDS:
                    waiting = _BEAT
                if waiting:
                    yield waiting
                    quiet_since = time.monotonic()
                    continue
                arrived = self._arrived
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await arrived.wait()
        finally:
            self._readers -= 1

    def _after(self, at: int) -> bytes:
        """Return the events from number `at` on, or that some of them are gone."""
        if at < self._dropped_before or at > self._next:
            return _event(self._next - 1, "missed", _MISSED).body
        return b"".join(one.body for one in self._ring if one.number >= at)
