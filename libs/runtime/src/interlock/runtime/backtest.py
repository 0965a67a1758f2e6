"""The driver of backtests: the same services in one process, one after the other.

Theory of operation. A message of the data set starts a wave. What the services say goes to the end
of one queue, and each message goes to its listeners in the catalogue's order, so there is one order
of events and it is always the same. A message that a service is not `ready` for waits, with later
ones of its subject, until it is; what still waits when nothing else moves is decided as it stands,
as the loop does after its bound. There is no bus, no encoding and no waiting: an effect whose
result really has to be waited for is an error. So is a message that cannot be handled, which the
loop would park: a backtest that goes on without it would be wrong.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

from interlock.runtime.clock import DataClock
from interlock.runtime.service import Cell, Publish, Reaction, Service, always_ready
from interlock.wire import catalogue
from interlock.wire.base import Message, Report, Said

type Watch = Callable[[Message], None]


class MustWaitError(RuntimeError):
    """A service asked for something that takes time, such as a model behind a network."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service} waits for something, and in a backtest nothing may")


class Member:
    """One service in a backtest, with its own clock: the latest moment it has heard of."""

    __slots__ = (
        "_decide",
        "_evolve",
        "_held",
        "_now",
        "_perform",
        "_queue",
        "_ready",
        "cell",
        "clock",
    )

    def __init__(self, service: Service[Any], clock: DataClock) -> None:
        self.cell: Cell[Any] = Cell(service, service.state)
        self.clock = clock
        self._evolve, self._decide = service.evolve, service.decide
        self._ready, self._perform = service.ready, service.perform
        self._now = clock.now()
        self._held: list[Message] = []
        self._queue: deque[Message] = deque()

    @property
    def name(self) -> str:
        return self.cell.service.name

    def join(self, queue: deque[Message]) -> None:
        """Say into `queue` from now on, first of all what there is to say at the start."""
        self._queue = queue
        self._carry_out(self.cell.begin(self._now))

    @property
    def may_wait(self) -> bool:
        return self._ready is not always_ready

    @property
    def listener(self) -> Watch:
        """How this service is to be told a message."""
        return self.hear_when_ready if self.may_wait else self.hear

    def hear(self, message: Message) -> None:
        """React to a message now."""
        if message.ts_event > self._now:
            self._now = message.ts_event
            self.clock.observe(self._now)
        cell = self.cell
        cell.state = state = self._evolve(cell.state, message)
        said = self._decide(state, message, self._now)
        if said:
            self._say(said)

    def hear_when_ready(self, message: Message) -> None:
        """React to a message once the service is ready for it, in the order of its subject."""
        if self._held or not self._ready(self.cell.state, message):
            self._held.append(message)
        else:
            self.hear(message)
        while self._held and (first := self._first_ready()) is not None:
            self._held.remove(first)
            self.hear(first)

    def give_up_waiting(self) -> bool:
        """React to the oldest message that waits, and return whether there was one."""
        if not self._held:
            return False
        self.hear(self._held.pop(0))
        return True

    def _first_ready(self) -> Message | None:
        blocked: set[str] = set()
        for message in self._held:
            subject = catalogue.subject_of(message)
            if subject in blocked:
                continue
            if self._ready(self.cell.state, message):
                return message
            blocked.add(subject)
        return None

    def _say(self, said: Sequence[Said]) -> None:
        first = said[0]
        if len(said) > 1 or not isinstance(first, Message):
            self._carry_out(self.cell.say(said, self._now))
        elif self.cell.take_own(first):
            self._queue.append(first)

    def _carry_out(self, reaction: Reaction) -> None:
        reports: Sequence[Report] | None = None
        while True:
            try:
                step = reaction.send(reports)
            except StopIteration:
                return
            if isinstance(step, Publish):
                self._queue.extend(step.messages)
                reports = None
            else:
                reports = self._finished(self._perform(step.effect))

    def _finished(self, result: Sequence[Report] | Awaitable[Sequence[Report]]) -> Sequence[Report]:
        """Return the reports, out of a coroutine too if it comes to its end without waiting."""
        # Asked first because nearly all are; whether a thing can be awaited is slow to find out.
        if isinstance(result, list | tuple) or not isinstance(result, Awaitable):
            return result
        steps = result.__await__()
        try:
            next(steps)
        except StopIteration as finished:
            reports: Sequence[Report] = finished.value
            return reports
        steps.close()
        raise MustWaitError(self.name)


class Backtest:
    """A desk in one process, on the data's clock.

    Parameters
    ----------
    members
        The services, in the order of starting. A service that is absent is not missed: what only
        it would hear is heard by nobody.
    watch
        Is shown every message, the data's own too, before its listeners hear it.
    """

    def __init__(self, members: Sequence[Member], watch: Watch | None = None) -> None:
        self._may_wait = [member for member in members if member.may_wait]
        self._queue: deque[Message] = deque()
        self._listeners = {
            entry.kind: tuple(_told(entry.listeners, members, watch)) for entry in catalogue.ENTRIES
        }
        for member in members:
            member.join(self._queue)
        self._settle()

    def publish(self, message: Message) -> None:
        """Let `message` happen, with everything that follows from it."""
        self._queue.append(message)
        self._settle()

    def run(self, messages: Iterable[Message]) -> None:
        """Let each of `messages` happen."""
        queue, settle = self._queue, self._settle
        for message in messages:
            queue.append(message)
            settle()

    def _settle(self) -> None:
        queue, listeners = self._queue, self._listeners
        while True:
            while queue:
                message = queue.popleft()
                for hear in listeners[type(message)]:
                    hear(message)
            for member in self._may_wait:
                if member.give_up_waiting():
                    break
            else:
                return


def _told(names: Sequence[str], members: Sequence[Member], watch: Watch | None) -> Iterator[Watch]:
    if watch is not None:
        yield watch
    by_name = {member.name: member for member in members}
    for name in names:
        if name in by_name:
            yield by_name[name].listener
