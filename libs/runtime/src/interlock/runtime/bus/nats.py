"""The bus over NATS JetStream.

Theory of operation. A service has one durable pull consumer per stream it hears, made for it by
an administrator (`interlock.runtime.bus.admin`); it may pull from those, acknowledge, read stored
messages back, and publish its own subjects, and nothing else. Messages are pulled a few ahead and
handled one at a time. While a message is in hand its delivery is kept alive, so that the waiting
time before another delivery can be short: a killed service gets its work back within seconds.

nats-py keeps a publish that timed out and sends it later, and notices a half-open link only after
minutes; hence no pending buffer, short pings, and a watchdog that ends the process when the link
answers nothing.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime

from interlock.runtime.bus.nats_outbox import PUBLISH_TIMEOUT_SECONDS, NatsOutbox
from interlock.runtime.bus.port import (
    MESSAGE_ID_HEADER,
    Delivery,
    Inbox,
    Remembered,
    WrongSequenceError,
)
from interlock.runtime.bus.tcp_only import BusError, Client, Msg, Subscription
from interlock.runtime.config import ConfigError
from interlock.runtime.errors import TooLargeError, UnavailableError
from interlock.wire import catalogue, codec
from interlock.wire.base import Message
from interlock.wire.catalogue import STREAMS, Recovery, Stream
from interlock.wire.system import DeadLettered

_log = logging.getLogger(__name__)

RECONNECT_SECONDS = 0.1
AHEAD = 64
PULL_EXPIRES_SECONDS = 30
IDLE_HEARTBEAT_SECONDS = 2
KEEP_ALIVE_SECONDS = 1.0
TEND_SECONDS = 0.1
SINGLY_SECONDS = 60.0
WATCHDOG_SECONDS = 1.0
WATCHDOG_PATIENCE_SECONDS = 3.5
HISTORY_BATCH = 1_000
_DURABLE = {spec.name for spec in STREAMS if spec.durable_before_ack}
HEADER_BYTES = 8_192
"""What is left of the broker's limit for headers, which count as well; ours take 200 bytes."""
_WRONG_LAST_SEQUENCE = 10_071


def damaged(stream: Stream, messages: int) -> str:
    """Return what to say of messages that the broker counts and cannot give."""
    return (
        f"the broker has lost {messages} acknowledged messages of {stream}: its files are damaged; "
        "keep them, and give another --state"
    )


def consumer_name(service: str) -> str:
    """Return the name of a service's durable consumer; it is the same in every stream."""
    return service


async def connect(url: str, user: str, password: str, on_error: Callable[[str], None]) -> Client:
    """Open a connection under the rules above, as `user`; without a password the URL says who."""

    async def failed(error: Exception) -> None:
        on_error(f"{type(error).__name__}: {error}")

    client = Client()
    await client.connect(
        url,
        user=user if password else None,
        password=password or None,
        name=user,
        error_cb=failed,
        pending_size=0,
        ping_interval=1,
        max_outstanding_pings=2,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]
        connect_timeout=2,
        inbox_prefix=f"_INBOX.{user}",
    )
    return client


class NatsBus:
    """The bus as one service sees it."""

    def __init__(self, client: Client, service: str) -> None:
        self._client = client
        self._service = service
        self._inboxes: list[NatsInbox] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._outbox = NatsOutbox(client)
        self.lost_link: asyncio.Event = asyncio.Event()

    @property
    def client(self) -> Client:
        return self._client

    def start_watchdog(self) -> None:
        """Set `lost_link` when the server answers nothing although the link seems up."""
        self._tasks.append(asyncio.create_task(self._watch()))

    def publish(self, messages: Sequence[Message], headers: Mapping[str, str]) -> Awaitable[None]:
        bodies = [codec.encode(message) for message in messages]
        for message, body in zip(messages, bodies, strict=True):
            if len(body) > self._client.max_payload - HEADER_BYTES:
                raise TooLargeError(f"{catalogue.subject_of(message)}: {len(body)} bytes")
        stored = list[Awaitable[None]]()
        for message, body in zip(messages, bodies, strict=True):
            subject = catalogue.subject_of(message)
            if catalogue.entry_of(message).stream is None:
                stored.append(self.tell(subject, body))
            else:
                stamped = {**headers, MESSAGE_ID_HEADER: message.message_id}
                stored.append(self._outbox.send(subject, body, stamped))
        return stored[0] if len(stored) == 1 else _all_of(stored)

    async def publish_expecting(self, message: Message, last_sequence: int) -> int:
        subject = catalogue.subject_of(message)
        answer = await self._client.request(
            subject,
            codec.encode(message),
            timeout=PUBLISH_TIMEOUT_SECONDS,
            headers={
                MESSAGE_ID_HEADER: message.message_id,
                "Nats-Expected-Last-Subject-Sequence": str(last_sequence),
            },
        )
        document = json.loads(answer.data)
        if document.get("error", {}).get("err_code") == _WRONG_LAST_SEQUENCE:
            raise WrongSequenceError(subject)
        if "error" in document:
            raise OSError(document["error"].get("description", "the broker refused"))
        return int(document["seq"])

    async def tell(self, subject: str, body: bytes) -> None:
        try:
            await self._client.publish(subject, body)
        except BusError as error:
            _log.debug("%s was not told: %s", subject, error)

    async def listen(self, subject: str, hear: Callable[[bytes], None]) -> None:
        async def heard(msg: Msg) -> None:
            hear(msg.data)

        await self._client.subscribe(subject, cb=heard)
        await self._client.flush()

    async def park(self, letter: DeadLettered) -> None:
        await self.publish([letter], {})

    async def open_inbox(self, stream: Stream, arrived: Callable[[], None]) -> Inbox:
        inbox = NatsInbox(self._client, self._service, stream, arrived)
        await inbox.start()
        self._inboxes.append(inbox)
        self._tasks.append(asyncio.create_task(inbox.tend()))
        return inbox

    async def history(self, *, whole: bool = False) -> AsyncIterator[Remembered]:
        """Read back by direct get, merged over the streams by the time of storing."""
        rows: list[tuple[int, int, Remembered]] = []
        own = {entry.tag: entry for entry in catalogue.said_by(self._service)}
        heard = {entry.tag: entry for entry in catalogue.heard_by(self._service)}
        for entry in {**heard, **own}.values():
            if entry.stream is None or entry.recovery is Recovery.NONE:
                continue
            last_only = entry.recovery is Recovery.LAST
            ends = await self._acknowledged(entry.stream) if entry.tag in heard else 0
            async for msg in self._read_back(entry.stream, entry.filter, last_only=last_only):
                headers = msg.headers or {}
                sequence = int(headers.get("Nats-Sequence", 0))
                is_own = entry.tag in own
                acknowledged = is_own or sequence <= ends
                if not acknowledged and not whole:
                    continue
                message = _read_stored(msg)
                if message is None:
                    continue
                remembered = Remembered(message, own=is_own, acknowledged=acknowledged)
                rows.append((_stored_at(msg), sequence, remembered))
        rows.sort(key=lambda row: row[:2])
        for _, _, remembered in rows:
            yield remembered

    async def latest(self, kinds: Sequence[type[Message]]) -> Sequence[Message]:
        entries = [catalogue.BY_KIND[kind] for kind in kinds]
        (stream,) = {entry.stream for entry in entries}
        assert stream is not None
        asked: dict[str, object] = {
            "batch": HISTORY_BATCH,
            "multi_last": [entry.filter for entry in entries],
        }
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                found, _ = await self._direct_get(stream, asked)
        except (BusError, TimeoutError, OSError) as error:
            raise UnavailableError(f"the bus: {type(error).__name__}") from error
        read = [_read_stored(msg) for msg in found]
        return [message for message in read if message is not None]

    async def newest(self, kind: type[Message], among: int) -> list[Message]:
        """Return the stored messages of `kind` among the last `among` of its stream, in order.

        Raises
        ------
        UnavailableError
            When the broker does not answer.
        """
        entry = catalogue.BY_KIND[kind]
        assert entry.stream is not None
        try:
            answer = await self._client.request(
                f"$JS.API.STREAM.INFO.{entry.stream}", timeout=PUBLISH_TIMEOUT_SECONDS
            )
            last = int(json.loads(answer.data)["state"]["last_seq"])
            back = self._read_back(
                entry.stream, entry.filter, last_only=False, sequence=max(1, last - among)
            )
            read = [_read_stored(msg) async for msg in back]
        except (BusError, TimeoutError, OSError, KeyError) as error:
            raise UnavailableError(f"the bus: {type(error).__name__}") from error
        return [message for message in read if message is not None]

    async def stored_after(
        self, kind: type[Message], sequence: int
    ) -> AsyncIterator[tuple[int, int, Message | None]]:
        """Yield what was stored of `kind` after `sequence`: sequence, UNIX ns, message.

        The message is none where it cannot be read.

        Raises
        ------
        UnavailableError
            When the broker does not answer.
        """
        entry = catalogue.BY_KIND[kind]
        assert entry.stream is not None
        back = self._read_back(entry.stream, entry.filter, last_only=False, sequence=sequence + 1)
        try:
            async for msg in back:
                at = int((msg.headers or {})["Nats-Sequence"])
                yield at, _stored_at(msg), _read_stored(msg)
        except (BusError, TimeoutError, OSError, KeyError, ConfigError) as error:
            raise UnavailableError(f"the bus: {type(error).__name__}") from error

    async def _acknowledged(self, stream: Stream) -> int:
        info = await self._consumer_info(stream, self._service)
        return 0 if info is None else int(info["ack_floor"]["stream_seq"])

    async def _read_back(
        self, stream: Stream, pattern: str, *, last_only: bool, sequence: int = 1
    ) -> AsyncIterator[Msg]:
        left = 0
        while True:
            asked: dict[str, object] = {"batch": HISTORY_BATCH}
            if last_only:
                asked["multi_last"] = [pattern]
            else:
                asked |= {"seq": sequence, "next_by_subj": pattern}
            found, pending = await self._direct_get(stream, asked)
            if left and not found and stream in _DURABLE:
                raise ConfigError(damaged(stream, left))
            for msg in found:
                yield msg
            # The broker ends a batch early where it grows too large in bytes.
            if last_only or not found or not pending:
                return
            sequence, left = int((found[-1].headers or {})["Nats-Sequence"]) + 1, pending

    async def readable(self, stream: Stream) -> int:
        """Return how many messages of `stream` the broker can give."""
        return len([1 async for _ in self._read_back(stream, ">", last_only=False)])

    async def _direct_get(self, stream: Stream, asked: dict[str, object]) -> tuple[list[Msg], int]:
        """Return what was found, and how many more there are."""
        found: list[Msg] = []
        finished: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def hear(msg: Msg) -> None:
            headers = msg.headers or {}
            if "Nats-Sequence" in headers:
                found.append(msg)
            elif not finished.done():
                finished.set_result(int(headers.get("Nats-Num-Pending", 0)))

        reply = self._client.new_inbox()
        subscription = await self._client.subscribe(reply, cb=hear)
        subject = f"$JS.API.DIRECT.GET.{stream}"
        await self._client.publish(subject, json.dumps(asked).encode(), reply=reply)
        try:
            pending = await asyncio.wait_for(finished, timeout=PULL_EXPIRES_SECONDS)
        finally:
            await subscription.unsubscribe()
        return found, pending

    async def settled(self, services: Sequence[str]) -> bool:
        for service in services:
            for stream in {e.stream for e in catalogue.heard_by(service) if e.stream}:
                info = await self._consumer_info(stream, service)
                if info is None or info["num_pending"] or info["num_ack_pending"]:
                    return False
        return True

    async def _consumer_info(
        self, stream: Stream, service: str
    ) -> dict[str, dict[str, int]] | None:
        subject = f"$JS.API.CONSUMER.INFO.{stream}.{consumer_name(service)}"
        try:
            answer = await self._client.request(subject, timeout=PUBLISH_TIMEOUT_SECONDS)
        except (BusError, TimeoutError):
            return None
        document: dict[str, dict[str, int]] = json.loads(answer.data)
        return None if "error" in document else document

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCHDOG_SECONDS)
            if not self._client.is_connected:
                continue
            connection = self._client.stats["reconnects"]
            try:
                await asyncio.wait_for(self._client.flush(), WATCHDOG_PATIENCE_SECONDS)
            except (BusError, TimeoutError) as error:
                # An answer that was awaited on a connection that has been replaced never comes.
                if self._client.is_connected and connection == self._client.stats["reconnects"]:
                    _log.critical("the bus accepts and answers nothing: %s", error)
                    self.lost_link.set()
                    return

    async def close(self) -> None:
        await self._outbox.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client.is_closed:
            return
        try:
            await self._client.drain()
        except (BusError, TimeoutError):
            await self._client.close()


async def _all_of(parts: Sequence[Awaitable[None]]) -> None:
    for part in parts:
        await part


def _read_stored(msg: Msg) -> Message | None:
    try:
        return codec.decode_on((msg.headers or {}).get("Nats-Subject", ""), msg.data)
    except codec.UndecodableError:
        return None


def _stored_at(msg: Msg) -> int:
    text = (msg.headers or {}).get("Nats-Time-Stamp", "")
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)


class NatsInbox:
    """A durable pull consumer, read a few messages ahead.

    The consumer lives in another account, and the broker takes an answer without a byte for the
    last one to a request from there: what it still owed to that request goes nowhere, and comes
    again after the acknowledgement's time is up. So after a message without a byte each message is
    asked for singly for a while, and a second one costs nothing.
    """

    def __init__(
        self, client: Client, service: str, stream: Stream, arrived: Callable[[], None]
    ) -> None:
        self.stream = stream
        self._client = client
        self._service = service
        self._arrived = arrived
        self._waiting: dict[int, NatsDelivery] = {}
        self._in_hand: dict[str, NatsDelivery] = {}
        self._asked = 0
        self._heard_at = 0.0
        self._connection = client.stats["reconnects"]
        self._singly_until = 0.0
        self._subscription: Subscription | None = None
        self._reply = ""
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer_name(service)}"

    async def start(self) -> None:
        """Listen on a new subject; what was asked for on an old one is asked for again."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()
        self._reply = self._client.new_inbox()
        self._subscription = await self._client.subscribe(
            self._reply, cb=self._hear, pending_msgs_limit=-1, pending_bytes_limit=-1
        )
        self._asked = 0
        await self._ask()

    @property
    def waiting(self) -> Iterable["NatsDelivery"]:
        return self._waiting.values()

    def take(self, delivery: Delivery) -> "NatsDelivery":
        return self._waiting.pop(delivery.sequence)

    async def lag(self) -> int:
        subject = f"$JS.API.CONSUMER.INFO.{self.stream}.{consumer_name(self._service)}"
        answer = await self._client.request(subject, timeout=PUBLISH_TIMEOUT_SECONDS)
        return int(json.loads(answer.data).get("num_pending", 0))

    async def tend(self) -> None:
        """Keep what is in hand from being delivered again, and ask anew after a silence.

        A broker that was killed knows nothing of what it was asked for, and it may be back before
        anybody looks whether it is away: only the count of connections tells.
        """
        loop = asyncio.get_running_loop()
        kept_at = loop.time()
        while True:
            await asyncio.sleep(TEND_SECONDS)
            if not self._client.is_connected:
                continue
            silent = loop.time() - self._heard_at > 3 * IDLE_HEARTBEAT_SECONDS
            connection = self._client.stats["reconnects"]
            if silent or connection != self._connection:
                # A broker that lived on still owes answers to the old question, and would give
                # messages to it that reach nobody.
                again = self._ask if connection == self._connection else self.start
                self._connection = connection
                self._asked = 0
                await self._guarded(again)
            if loop.time() - kept_at < KEEP_ALIVE_SECONDS:
                continue
            kept_at = loop.time()
            for delivery in list(self._in_hand.values()):
                await self._guarded(delivery.keep)

    async def _guarded(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except BusError as error:
            _log.debug("%s: %s", self.stream, error)

    async def _ask(self) -> None:
        """Ask for as many more that `AHEAD` are on their way, before the last of them is here."""
        if self._asked > AHEAD // 2:
            return
        wanted, self._asked = AHEAD - self._asked, AHEAD
        self._heard_at = now = asyncio.get_running_loop().time()
        times, batch = (wanted, 1) if now < self._singly_until else (1, wanted)
        request = {
            "batch": batch,
            "expires": PULL_EXPIRES_SECONDS * 1_000_000_000,
            "idle_heartbeat": IDLE_HEARTBEAT_SECONDS * 1_000_000_000,
        }
        body = json.dumps(request).encode()
        for _ in range(times):
            await self._client.publish(self._next, body, reply=self._reply)

    async def _hear(self, msg: Msg) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        headers = msg.headers or {}
        if "Status" in headers and not msg.reply.startswith("$JS.ACK"):
            if headers["Status"] != "100":
                self._asked = max(0, self._asked - int(headers.get("Nats-Pending-Messages", AHEAD)))
                await self._guarded(self._ask)
            return
        delivery = NatsDelivery(self, msg, headers)
        if (earlier := self._waiting.get(delivery.sequence)) is not None:
            # A process that slept finds it delivered many times and has tried it not once.
            delivery.tries = min(delivery.tries, earlier.tries)
        self._in_hand[msg.reply] = delivery
        self._waiting[delivery.sequence] = delivery
        self._asked -= 1
        self._arrived()
        await self._guarded(self._ask if msg.data or headers else self._was_cut_short)

    async def _was_cut_short(self) -> None:
        now = asyncio.get_running_loop().time()
        singly, self._singly_until = now < self._singly_until, now + SINGLY_SECONDS
        await (self._ask() if singly else self.start())

    def finish(self, msg: Msg) -> None:
        self._in_hand.pop(msg.reply, None)


class NatsDelivery:
    """One pulled message."""

    __slots__ = ("_inbox", "_message", "_msg", "headers", "sequence", "stored_at", "tries")

    def __init__(self, inbox: NatsInbox, msg: Msg, headers: Mapping[str, str]) -> None:
        # $JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<its sequence>.<stored at>.<pending>
        facts = msg.reply.split(".")
        self._inbox = inbox
        self._msg = msg
        self._message: Message | None = None
        self.headers = headers
        self.tries = int(facts[4])
        self.sequence = int(facts[5])
        self.stored_at = int(facts[7])

    @property
    def stream(self) -> Stream:
        return self._inbox.stream

    @property
    def subject(self) -> str:
        return self._msg.subject

    @property
    def body(self) -> bytes:
        return self._msg.data

    def decode(self) -> Message:
        if self._message is None:
            self._message = codec.decode_on(self.subject, self._msg.data)
        return self._message

    async def ack(self) -> None:
        """Acknowledge; where the link is down the message comes again and is known by its id."""
        self._inbox.finish(self._msg)
        try:
            await self._msg.ack()
        except BusError as error:
            _log.debug("an acknowledgement was lost: %s", error)

    async def keep(self) -> None:
        await self._msg.in_progress()
