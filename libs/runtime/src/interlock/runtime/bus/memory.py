"""The bus inside one process, with the guarantees of the real one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from interlock.runtime.bus.port import (
    MESSAGE_ID_HEADER,
    Delivery,
    Inbox,
    Remembered,
    WrongSequenceError,
)
from interlock.wire import catalogue, codec, subjects
from interlock.wire.base import Message
from interlock.wire.catalogue import SERVICES, STREAMS, Recovery, Stream
from interlock.wire.system import DeadLettered

_FOR_EVER = {spec.name for spec in STREAMS if spec.one_per_subject_for_ever}


@dataclass(slots=True)
class Stored:
    """One stored message: as an object where it was published so, as bytes where it was not."""

    sequence: int
    order: int
    subject: str
    message: Message | None
    raw: bytes | None
    headers: Mapping[str, str]


@dataclass(slots=True)
class _Log:
    """One stream."""

    rows: list[Stored] = field(default_factory=list[Stored])
    ids: set[str] = field(default_factory=set[str])
    last_by_subject: dict[str, int] = field(default_factory=dict[str, int])


class MemoryServer:
    """What the broker is to the real bus: streams, and each service's place in them."""

    def __init__(self) -> None:
        self._logs = {stream: _Log() for stream in Stream}
        self._inboxes: dict[tuple[str, Stream], MemoryInbox] = {}
        self._places: dict[tuple[str, Stream], _Place] = {}
        self._ears: list[tuple[str, Callable[[bytes], None]]] = []
        self._order = 0

    def store(
        self, subject: str, stream: Stream, message: Message | bytes, headers: Mapping[str, str]
    ) -> int:
        """Append to a stream and return the sequence; a known message id changes nothing."""
        log = self._logs[stream]
        message_id = headers.get(MESSAGE_ID_HEADER, "")
        if message_id in log.ids or (stream in _FOR_EVER and subject in log.last_by_subject):
            return log.last_by_subject.get(subject, 0)
        if message_id:
            log.ids.add(message_id)
        self._order += 1
        row = Stored(
            sequence=len(log.rows) + 1,
            order=self._order,
            subject=subject,
            message=None if isinstance(message, bytes) else message,
            raw=message if isinstance(message, bytes) else None,
            headers=headers,
        )
        log.rows.append(row)
        log.last_by_subject[subject] = row.sequence
        for (_, where), inbox in self._inboxes.items():
            if where is stream:
                inbox.offer(row)
        self._sound(subject, lambda: body_of(row))
        return row.sequence

    def last_sequence(self, subject: str, stream: Stream) -> int:
        return self._logs[stream].last_by_subject.get(subject, 0)

    def rows(self, stream: Stream) -> Sequence[Stored]:
        return self._logs[stream].rows

    def open(self, service: str, stream: Stream, arrived: Callable[[], None]) -> "MemoryInbox":
        """Return the service's inbox; one it had before gives up its unacknowledged messages."""
        place = self._places.setdefault((service, stream), _Place())
        inbox = MemoryInbox(service, stream, arrived, place)
        for row in self._logs[stream].rows[place.given :]:
            inbox.offer(row)
        self._inboxes[service, stream] = inbox
        return inbox

    def settled(self, services: Sequence[str] = SERVICES) -> bool:
        return all(
            inbox.idle for (service, _), inbox in self._inboxes.items() if service in services
        )

    def acknowledged(self, service: str, stream: Stream, row: Stored) -> bool:
        place = self._places.get((service, stream))
        return place is not None and row.sequence in place.acked

    def listen(self, subject: str, hear: Callable[[bytes], None]) -> None:
        self._ears.append((subject, hear))

    def tell(self, subject: str, body: bytes) -> None:
        """Send bytes that no publisher waits for; a stream may keep them all the same."""
        if matches(subjects.SPANS_FROM_ALL, subject):
            self.store(subject, Stream.TELEMETRY, body, {})
        else:
            self._sound(subject, lambda: body)

    def _sound(self, subject: str, body: Callable[[], bytes]) -> None:
        for pattern, hear in self._ears:
            if matches(pattern, subject):
                hear(body())


def body_of(row: Stored) -> bytes:
    if row.raw is not None:
        return row.raw
    assert row.message is not None
    return codec.encode(row.message)


def matches(pattern: str, subject: str) -> bool:
    """Return whether a NATS subject matches a pattern with ``*`` and a closing ``>``."""
    wanted, given = pattern.split("."), subject.split(".")
    for index, part in enumerate(wanted):
        if part == ">":
            return len(given) > index
        if index >= len(given) or part not in ("*", given[index]):
            return False
    return len(wanted) == len(given)


@dataclass(slots=True)
class _Place:
    """How far a service has come in a stream; it outlives the service."""

    given: int = 0
    acked: set[int] = field(default_factory=set[int])
    tries: dict[int, int] = field(default_factory=dict[int, int])
    waiting: dict[int, Stored] = field(default_factory=dict[int, Stored])
    in_hand: dict[int, Stored] = field(default_factory=dict[int, Stored])


class MemoryInbox:
    """A durable place in a stream: given in order, given again until acknowledged."""

    def __init__(
        self, service: str, stream: Stream, arrived: Callable[[], None], place: _Place
    ) -> None:
        heard = [e for e in catalogue.heard_by(service) if e.stream is stream]
        self.stream = stream
        self._kinds = frozenset(e.kind for e in heard)
        self._filters = tuple(catalogue.filters_of(service).get(stream, ()))
        self._arrived = arrived
        self._place = place
        unfinished = {**place.in_hand, **place.waiting}
        place.in_hand, place.waiting = {}, dict(sorted(unfinished.items()))
        if place.waiting:
            arrived()

    @property
    def idle(self) -> bool:
        return not self._place.in_hand and not self._place.waiting

    def offer(self, row: Stored) -> None:
        self._place.given = max(self._place.given, row.sequence)
        if self._wants(row):
            self._place.waiting[row.sequence] = row
            self._arrived()

    def _wants(self, row: Stored) -> bool:
        if row.message is not None:
            return type(row.message) in self._kinds
        return any(matches(pattern, row.subject) for pattern in self._filters)

    @property
    def waiting(self) -> Iterator["MemoryDelivery"]:
        for row in self._place.waiting.values():
            yield MemoryDelivery(self, row, self.tries(row) + 1)

    def take(self, delivery: Delivery) -> "MemoryDelivery":
        row = self._place.waiting.pop(delivery.sequence)
        tries = self._place.tries[row.sequence] = self.tries(row) + 1
        self._place.in_hand[row.sequence] = row
        return MemoryDelivery(self, row, tries)

    def tries(self, row: Stored) -> int:
        return self._place.tries.get(row.sequence, 0)

    async def lag(self) -> int:
        return len(self._place.waiting)

    def finish(self, row: Stored) -> None:
        self._place.in_hand.pop(row.sequence, None)
        self._place.tries.pop(row.sequence, None)
        self._place.acked.add(row.sequence)


class MemoryDelivery:
    """One stored message in the hands of a service."""

    __slots__ = ("_inbox", "_row", "tries")

    def __init__(self, inbox: MemoryInbox, row: Stored, tries: int) -> None:
        self._inbox = inbox
        self._row = row
        self.tries = tries

    @property
    def stream(self) -> Stream:
        return self._inbox.stream

    @property
    def subject(self) -> str:
        return self._row.subject

    @property
    def body(self) -> bytes:
        return body_of(self._row)

    @property
    def headers(self) -> Mapping[str, str]:
        return self._row.headers

    @property
    def stored_at(self) -> int:
        return self._row.order

    @property
    def sequence(self) -> int:
        return self._row.sequence

    def decode(self) -> Message:
        if self._row.message is not None:
            return self._row.message
        return codec.decode_on(self.subject, self.body)

    async def ack(self) -> None:
        self._inbox.finish(self._row)

    async def keep(self) -> None:
        """Nothing is taken back from a service that lives in this process."""


class MemoryBus:
    """The memory server as one service sees it."""

    def __init__(self, server: MemoryServer, service: str) -> None:
        self._server = server
        self._service = service

    def publish(self, messages: Sequence[Message], headers: Mapping[str, str]) -> Awaitable[None]:
        for message in messages:
            entry = catalogue.entry_of(message)
            subject = catalogue.subject_of(message)
            if entry.stream is None:
                self._server.tell(subject, codec.encode(message))
            else:
                stamped = {**headers, MESSAGE_ID_HEADER: message.message_id}
                self._server.store(subject, entry.stream, message, stamped)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stored.set_result(None)
        return stored

    async def publish_expecting(self, message: Message, last_sequence: int) -> int:
        entry = catalogue.entry_of(message)
        assert entry.stream is not None
        subject = catalogue.subject_of(message)
        if self._server.last_sequence(subject, entry.stream) != last_sequence:
            raise WrongSequenceError(subject)
        headers = {MESSAGE_ID_HEADER: message.message_id}
        return self._server.store(subject, entry.stream, message, headers)

    async def tell(self, subject: str, body: bytes) -> None:
        self._server.tell(subject, body)

    async def listen(self, subject: str, hear: Callable[[bytes], None]) -> None:
        self._server.listen(subject, hear)

    async def park(self, letter: DeadLettered) -> None:
        await self.publish([letter], {})

    async def open_inbox(self, stream: Stream, arrived: Callable[[], None]) -> Inbox:
        return self._server.open(self._service, stream, arrived)

    async def history(self, *, whole: bool = False) -> AsyncIterator[Remembered]:
        heard = {
            e.tag for e in catalogue.heard_by(self._service) if e.recovery is not Recovery.NONE
        }
        said = {e.tag for e in catalogue.said_by(self._service)}
        rows = [(row.order, stream, row) for stream in Stream for row in self._server.rows(stream)]
        for _, stream, row in sorted(rows, key=lambda item: item[0]):
            if row.message is None:
                continue
            tag = row.message.__struct_config__.tag
            if tag in said:
                yield Remembered(row.message, own=True)
            elif tag in heard:
                acknowledged = self._server.acknowledged(self._service, stream, row)
                if acknowledged or whole:
                    yield Remembered(row.message, own=False, acknowledged=acknowledged)

    async def latest(self, kinds: Sequence[type[Message]]) -> Sequence[Message]:
        streams = {catalogue.BY_KIND[kind].stream for kind in kinds}
        stored = [row.message for one in streams if one for row in self._server.rows(one)]
        wanted = [message for message in stored if type(message) in kinds and message is not None]
        return list({catalogue.subject_of(message): message for message in wanted}.values())

    async def settled(self, services: Sequence[str]) -> bool:
        return self._server.settled(services)

    async def close(self) -> None:
        """Nothing to give back."""
