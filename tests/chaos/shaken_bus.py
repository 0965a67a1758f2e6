"""A memory bus that delivers each message up to five times and out of order.

It keeps what the port promises and nothing more: messages of one subject are first delivered in
the order they were stored. Subjects overtake each other, and what was acknowledged comes again,
at once or much later.
"""

from collections.abc import Callable, Iterator
from random import Random

from interlock.runtime.bus.memory import (
    MemoryDelivery,
    MemoryInbox,
    MemoryServer,
    Stored,
    _Place,
)
from interlock.wire.catalogue import Stream

MOST_DELIVERIES = 5
AGAIN_WITHIN = 60
"""How many other deliveries may come before one that comes again."""


class ShakenServer(MemoryServer):
    """What the broker is, on its worst day."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self.shaken: list[ShakenInbox] = []

    @property
    def delivered_again(self) -> int:
        return sum(inbox.delivered_again for inbox in self.shaken)

    @property
    def overtaken(self) -> int:
        return sum(inbox.overtaken for inbox in self.shaken)

    def open(self, service: str, stream: Stream, arrived: Callable[[], None]) -> "ShakenInbox":
        place = self._places.setdefault((service, stream), _Place())
        chance = Random(f"{self._seed} {service} {stream}")
        inbox = ShakenInbox(service, stream, arrived, place, chance)
        for row in self._logs[stream].rows[place.given :]:
            inbox.offer(row)
        self._inboxes[service, stream] = inbox
        self.shaken.append(inbox)
        return inbox


class ShakenInbox(MemoryInbox):
    """A place in a stream whose deliveries are shuffled and repeated."""

    def __init__(
        self,
        service: str,
        stream: Stream,
        arrived: Callable[[], None],
        place: _Place,
        chance: Random,
    ) -> None:
        super().__init__(service, stream, arrived, place)
        self._chance = chance
        self._again: list[tuple[int, Stored]] = []
        self._repeats: dict[int, int] = {}
        self._finished = 0
        self.delivered_again = 0
        self.overtaken = 0

    @property
    def waiting(self) -> Iterator[MemoryDelivery]:
        """Merge the subjects at random; each keeps its own order."""
        queues: dict[str, list[Stored]] = {}
        for row in self._place.waiting.values():
            queues.setdefault(row.subject, []).append(row)
        # The same every time it is asked, so that what is taken is what was looked at.
        chance = Random(self._finished)
        names = sorted(queues)
        while names:
            name = chance.choice(names)
            row = queues[name].pop(0)
            if not queues[name]:
                names.remove(name)
            yield MemoryDelivery(self, row, 1)

    def finish(self, row: Stored) -> None:
        super().finish(row)
        self._finished += 1
        self.overtaken += any(other.order < row.order for other in self._place.waiting.values())
        left = self._repeats.setdefault(row.sequence, self._chance.randrange(MOST_DELIVERIES))
        if left:
            self._repeats[row.sequence] = left - 1
            self._again.append((self._finished + self._chance.randint(0, AGAIN_WITHIN), row))
        due = [item for item in self._again if item[0] <= self._finished]
        for item in due:
            self._again.remove(item)
            self.delivered_again += 1
            self._place.waiting[item[1].sequence] = item[1]
            self._arrived()
