"""What a service is: a state, two pure functions, and a shell for its effects.

Theory of operation. A message comes in. `evolve` takes it into the state; `decide` looks at the
new state and answers with messages (to be published) and effects (to be performed). Messages the
service itself says are taken into its state as well, before they are published. An effect's
reports come back into the same two functions. Nothing else ever changes a service's state, so a
restarted service stands where it stood once it has folded `evolve` over what it had heard and
said. `evolve` owns the state it is given and may update it in place; nobody else holds it.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field

from interlock.runtime.bus.port import Remembered
from interlock.runtime.recent import RecentIds
from interlock.wire.base import Effect, Heard, Message, Report, Said


def always_ready(_state: object, _message: Message) -> bool:
    return True


def _nothing(_state: object, _now: int) -> Sequence[Said]:
    return ()


def _cannot(effect: Effect) -> Sequence[Report]:
    raise NotImplementedError(f"no shell performs {type(effect).__name__}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Service[S]:
    """One service, independent of bus and clock.

    `ready` says whether a message can be judged yet; where it cannot, the loop hears the other
    streams first, for a bounded time. `begin` speaks once, after recovery. `perform` carries out
    an effect and returns its reports, at once or as an awaitable. `arrange` puts the past into the
    order in which it is to be taken in again, where that is not the order of storing; it is given
    what was not acknowledged as well. `foresee` tells the shell which messages come next, one right
    after the other, so that it may ask once on behalf of all.
    """

    name: str
    state: S
    evolve: Callable[[S, Heard], S]
    decide: Callable[[S, Heard, int], Sequence[Said]]
    ready: Callable[[S, Message], bool] = always_ready
    begin: Callable[[S, int], Sequence[Said]] = _nothing
    perform: Callable[[Effect], Sequence[Report] | Awaitable[Sequence[Report]]] = _cannot
    arrange: Callable[[Iterable[Remembered]], Iterable[Remembered]] | None = None
    foresee: Callable[[Sequence[Message]], None] | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """A step of a reaction: these messages must be durable before it goes on."""

    messages: list[Message]


@dataclass(frozen=True, slots=True)
class Perform:
    """A step of a reaction: carry this out and send the reports back in."""

    effect: Effect


type Step = Publish | Perform
type Reaction = Generator[Step, Sequence[Report] | None]


@dataclass(slots=True)
class Cell[S]:
    """A running service: its current state and the ids of what it has lately said.

    Only the recent past is ever heard, and so answered, a second time.
    """

    service: Service[S]
    state: S
    said: RecentIds = field(default_factory=RecentIds)
    _taken_in: str = ""

    def recover(self, message: Message, *, own: bool) -> None:
        """Take in a message of the past, without answering it."""
        self.state = self.service.evolve(self.state, message)
        if own:
            self.said.add(message.message_id)

    def begin(self, now: int) -> Reaction:
        """Return the reaction to being started."""
        return self.say(self.service.begin(self.state, now), now)

    def react(self, message: Message, now: int) -> Reaction:
        """Return the reaction to `message`. A second try does not take it in twice."""
        if self._taken_in != message.message_id:
            self._taken_in = message.message_id
            self.state = self.service.evolve(self.state, message)
        yield from self.say(self.service.decide(self.state, message, now), now)

    def hear(self, report: Report, now: int) -> Reaction:
        """Return the reaction to something the shell noticed by itself."""
        yield from self.say(report, now)

    def take_own(self, message: Message) -> bool:
        """Take in what the service says itself; return whether it is new and to be published."""
        if message.message_id in self.said:
            return False
        self.said.add(message.message_id)
        self.state = self.service.evolve(self.state, message)
        return True

    def say(self, first: Sequence[Said] | Report, now: int) -> Reaction:
        """Return the steps by which an answer becomes messages and effects."""
        waiting = deque[Sequence[Said] | Report]([first])
        while waiting:
            item = waiting.popleft()
            if isinstance(item, Report):
                self.state = self.service.evolve(self.state, item)
                item = self.service.decide(self.state, item, now)
            fresh: list[Message] = []
            for said in item:
                if isinstance(said, Effect):
                    if fresh:
                        yield Publish(fresh)
                        fresh = []
                    waiting.extend((yield Perform(said)) or ())
                elif self.take_own(said):
                    fresh.append(said)
            if fresh:
                yield Publish(fresh)
