"""The rows of a journal in the order in which the gate took them in.

Theory of operation. The ledger writes rows in the order in which it heard them, and the gate heard
them in another. What the gate may have taken in waits here until a `GateHeard` lists it, and a
`GateHeard` waits until all that it lists is there. So memory holds what the gate has not told yet,
and what it told lately: after a crash it may list a message a second time.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from interlock.cli.audit.finding import FindingError
from interlock.gate.witness import in_order
from interlock.wire import catalogue
from interlock.wire.base import Message
from interlock.wire.catalogue import GATE
from interlock.wire.market import Quote
from interlock.wire.orders import GateHeard, OrderIntent
from interlock.wire.system import AlertRaised

LATELY = 20_000
"""More than a broker delivers again after a crash: 1,024 of each stream."""
PATIENCE_ROWS = 100_000
"""How many rows a list may be ahead of the messages in it; the ledger is hundreds apart."""

_TAKEN_IN = frozenset(
    entry.kind for entry in (*catalogue.heard_by(GATE), *catalogue.said_by(GATE))
) - {GateHeard, AlertRaised}


@dataclass(frozen=True, slots=True)
class Taken:
    """Something the gate took in: the row it stands in, and its bytes there.

    `judged` is on an intent whose verdict rests on what came until here. A quote has the row of
    the list that tells of it.
    """

    seq: int
    message: Message
    body: bytes
    judged: GateHeard | None = None


@dataclass(slots=True)
class GateOrder:
    """`unlisted` has what the gate has not told of, by message id, in the order of the rows."""

    unlisted: dict[str, Taken] = field(default_factory=dict[str, Taken])
    _lists: deque[Taken] = field(default_factory=deque[Taken])
    # A plain dict looks for its first key through all that were taken out before it.
    _lately: OrderedDict[str, Taken] = field(default_factory=OrderedDict[str, Taken])
    _missing: str = ""

    def add(self, seq: int, message: Message, body: bytes) -> Iterator[Taken]:
        """Take a row, and yield what can be put in order with it."""
        if isinstance(message, GateHeard):
            self._lists.append(Taken(seq, message, body))
        elif type(message) in _TAKEN_IN:
            self.unlisted[message.message_id] = Taken(seq, message, body)
            if message.message_id == self._missing:
                self._missing = ""
        while self._lists and not self._missing:
            told = self._lists[0].message
            assert isinstance(told, GateHeard)
            self._missing = self._first_missing(told)
            if not self._missing:
                yield from self._listed(self._lists.popleft(), told)
        if self._lists and seq - self._lists[0].seq > PATIENCE_ROWS:
            raise self.unresolved()

    @property
    def is_resolved(self) -> bool:
        return not self._lists

    def unresolved(self) -> FindingError:
        """Return what is wrong where a list never came to its end."""
        return FindingError(
            "journal.heard",
            self._lists[0].seq,
            f"row {self._lists[0].seq} lists message {self._missing}, which the gate took in and "
            "no row holds",
        )

    def _first_missing(self, told: GateHeard) -> str:
        for message_id in told.message_ids:
            if message_id not in self.unlisted and message_id not in self._lately:
                return message_id
        return ""

    def _listed(self, told_in: Taken, told: GateHeard) -> Iterator[Taken]:
        judged = self._judged(told_in.seq, told)
        for place, named in enumerate(in_order(told)):
            if isinstance(named, Quote):
                yield Taken(told_in.seq, named, b"")
                continue
            taken = self.unlisted.pop(named, None) or self._lately[named]
            self._lately.pop(named, None)
            self._lately[named] = taken
            if place == judged:
                taken = Taken(taken.seq, taken.message, taken.body, told)
            yield taken
        while len(self._lately) > LATELY:
            self._lately.popitem(last=False)
        yield told_in

    def _judged(self, seq: int, told: GateHeard) -> int:
        """Return the place of the intent a verdict was made on, -1 where none was."""
        if not told.intent_id:
            return -1
        found = -1
        for place, named in enumerate(in_order(told)):
            if isinstance(named, Quote):
                continue
            taken = self.unlisted.get(named) or self._lately[named]
            if isinstance(taken.message, OrderIntent) and (
                taken.message.intent_id == told.intent_id
            ):
                found = place
        if found < 0:
            raise FindingError(
                "journal.heard",
                seq,
                f"row {seq} tells of a verdict on intent {told.intent_id} and does not list it",
            )
        return found
