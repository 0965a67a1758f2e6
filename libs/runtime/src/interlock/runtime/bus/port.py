"""What a service needs of a bus.

The guarantees, tested on every adapter by one contract suite: messages on one subject arrive in
the order they were stored; what was not acknowledged is delivered again; a message id is stored
once inside the de-duplication window, and on the approvals' subjects once for ever; a publish can
ask for the subject's last sequence and is refused when it is another.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from interlock.wire.base import Message
from interlock.wire.catalogue import Stream
from interlock.wire.system import DeadLettered

MESSAGE_ID_HEADER = "Nats-Msg-Id"
TRACE_HEADER = "traceparent"


class WrongSequenceError(Exception):
    """The subject's last sequence is not the one the publisher expected: somebody else wrote."""


class Delivery(Protocol):
    """One message as it was delivered; `tries` counts deliveries, this one included."""

    @property
    def stream(self) -> Stream: ...
    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def tries(self) -> int: ...
    @property
    def stored_at(self) -> int:
        """When it was stored; comparable over all streams."""
        ...

    @property
    def sequence(self) -> int:
        """Its place in its stream, to tell earlier from later; never an identity."""
        ...

    def decode(self) -> Message:
        """Return the message, or raise `interlock.wire.codec.UndecodableError`."""
        ...

    async def ack(self) -> None: ...

    async def keep(self) -> None:
        """Say that the work goes on, so that the message is not delivered again yet."""
        ...


class Inbox(Protocol):
    """One service's durable place in one stream."""

    @property
    def stream(self) -> Stream: ...
    @property
    def waiting(self) -> Iterable[Delivery]:
        """What has been delivered and not taken yet, in the order of storing."""
        ...

    def take(self, delivery: Delivery) -> Delivery:
        """Take one of `waiting` in hand and return it."""
        ...

    async def lag(self) -> int:
        """Return how many stored messages this service has not been given yet."""
        ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """A message of the past, read back at start.

    `own`: this service said it. What it heard and has not acknowledged comes once more.
    """

    message: Message
    own: bool
    acknowledged: bool = True


class Bus(Protocol):
    """The bus as one service sees it."""

    def publish(self, messages: Sequence[Message], headers: Mapping[str, str]) -> Awaitable[None]:
        """Send `messages`, after all that was published before; keep trying while the bus is away.

        What is returned is done when every message is stored.
        """
        ...

    async def publish_expecting(self, message: Message, last_sequence: int) -> int:
        """Store `message` if its subject's last sequence is `last_sequence`; return the new one.

        Raises
        ------
        WrongSequenceError
            When the subject has moved on.
        """
        ...

    async def tell(self, subject: str, body: bytes) -> None:
        """Send without storing and without waiting."""
        ...

    async def listen(self, subject: str, hear: Callable[[bytes], None]) -> None:
        """Call `hear` with every body sent to `subject` from now on, stored or not."""
        ...

    async def park(self, letter: DeadLettered) -> None: ...

    async def open_inbox(self, stream: Stream, arrived: Callable[[], None]) -> Inbox: ...

    def history(self, *, whole: bool = False) -> AsyncIterator[Remembered]:
        """Read back what this service had heard (acknowledged) and said, oldest first.

        `whole`: also what it may have heard, and has not acknowledged.
        """
        ...

    async def latest(self, kinds: Sequence[type[Message]]) -> Sequence[Message]:
        """Return the last stored message on each subject of `kinds`, which share a stream.

        Raises
        ------
        UnavailableError
            When the broker does not answer.
        """
        ...

    async def settled(self, services: Sequence[str]) -> bool:
        """Return whether none of `services` has anything left to be given or to acknowledge."""
        ...

    async def close(self) -> None: ...
