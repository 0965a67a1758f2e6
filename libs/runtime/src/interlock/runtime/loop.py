"""The service loop: take, decode, decide, publish, acknowledge; once for every service.

Theory of operation. Decisions are made one after the other; their words travel together. What a
decision says is sent at once, in order, and the next message is taken in hand while it travels: the
state has taken it in already, and if the process dies before it is stored, the state dies with it.
An effect waits until everything said so far is durable, unless it is harmless. A message is
acknowledged when all it brought about is durable and what was put off is done.

Messages are heard in the order of storing,
except that one the service is not `ready` for waits, with all later ones of its subject, while
other subjects go on, for a bounded time. Acknowledgements keep the order of the stream all the
same, so that after a crash everything later than the first unfinished message comes again. A
message that cannot be handled is tried three times and then parked with its body, so that what
follows flows. What cannot be handled *now* (a store that is away) is tried until it can. A service
with a `record` step (the ledger) is given batches.
"""

import asyncio
import base64
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable

import msgspec

from interlock.model.ids import derive_id
from interlock.runtime.bus.port import Bus, Delivery, Inbox, Remembered
from interlock.runtime.clock import Clock
from interlock.runtime.errors import TooLargeError, UnavailableError
from interlock.runtime.failpoints import Failpoint, armed
from interlock.runtime.metrics import Metrics
from interlock.runtime.recent import RecentIds
from interlock.runtime.service import Cell, Perform, Publish, Reaction
from interlock.runtime.telemetry import Span, Telemetry, encode_spans
from interlock.wire import catalogue, codec, subjects
from interlock.wire.base import Effect, Message, Report, tag_of
from interlock.wire.catalogue import Stream
from interlock.wire.system import Caused, DeadLettered, MessagesSettled, Settled

_log = logging.getLogger(__name__)

MAX_TRIES = 3
MOST_DELIVERIES = 6
"""So often a message may be in hand when its service dies."""
PARKED_BYTES = 512 * 1024
"""How much of a body is parked: in base64 and with all else it must fit into one message."""
PARKED_REASON_CHARS = 1_000
BACK_OFF_SECONDS = 0.2
MAX_UNDERWAY = 64
"""How many messages may be decided while their words travel: after a crash they come again."""
SPANS_EVERY_SECONDS = 0.25
LAG_EVERY_SECONDS = 2.0
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A delivery on its way into the journal; `message` is none for unreadable bytes.

    `sequence` is its place in its stream, 0 where it has none yet.
    """

    stream: Stream
    subject: str
    body: bytes
    message: Message | None
    sequence: int = 0


@dataclass(slots=True)
class _Words:
    """What was said because of one thing, and the effects put off until all of it is stored."""

    said: list[Message] = field(default_factory=list[Message])
    posted: deque[tuple[asyncio.Future[None], list[Message]]] = field(
        default_factory=deque[tuple[asyncio.Future[None], list[Message]]]
    )
    put_off: deque[Effect] = field(default_factory=deque[Effect])

    @property
    def are_stored(self) -> bool:
        return all(future.done() for future, _ in self.posted)


@dataclass(slots=True)
class _InHand:
    """A delivery from being taken to being acknowledged."""

    delivery: Delivery
    began: float
    words: _Words = field(default_factory=_Words)
    span: Span | None = None
    settled: Settled | None = None
    decided: bool = False


type Record = Callable[[Sequence[Recorded]], Awaitable[None]]


@dataclass(kw_only=True, slots=True)
class Loop[S]:
    """One running service.

    `hold_seconds` bounds the wait for a message that is not ready; `tell_settled` makes the loop
    report to a replay's waves; `batch` is how many deliveries `record` is given at most, or how
    many of one subject the service's `foresee`.
    """

    cell: Cell[S]
    bus: Bus
    clock: Clock
    telemetry: Telemetry
    metrics: Metrics
    streams: Iterable[Stream]
    hold_seconds: float = 0.25
    tell_settled: bool = False
    record: Record | None = None
    batch: int = 1
    handled: int = 0
    published: int = 0
    parked: int = 0
    _failpoint: Failpoint | None = field(default_factory=armed)
    _inboxes: list[Inbox] = field(default_factory=list[Inbox])
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _done: RecentIds = field(default_factory=RecentIds)
    _held_since: dict[tuple[Stream, int], float] = field(
        default_factory=dict[tuple[Stream, int], float]
    )
    _unacked: list[Delivery] = field(default_factory=list[Delivery])
    _reports: deque[Report] = field(default_factory=deque[Report])
    _in_hand: deque[_InHand] = field(default_factory=deque[_InHand])
    _decided: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    async def recover(self) -> int:
        """Fold the past into the state and return how many messages that were."""
        count = 0
        arrange = self.cell.service.arrange
        past: Iterable[Remembered] = [
            one async for one in self.bus.history(whole=arrange is not None)
        ]
        for remembered in past if arrange is None else arrange(past):
            self.clock.observe(remembered.message.ts_event)
            self.cell.recover(remembered.message, own=remembered.own)
            if remembered.acknowledged and not remembered.own:
                self._done.add(remembered.message.message_id)
            count += 1
        return count

    async def begin(self) -> None:
        """Say what the service has to say at its start, then open the inboxes."""
        await self._say(self.cell.begin(self.clock.now()))
        for stream in self.streams:
            self._inboxes.append(await self.bus.open_inbox(stream, self._arrived.set))

    async def run(self) -> None:
        """Handle messages until cancelled."""
        housekeeping = asyncio.create_task(self._keep_house())
        work = [asyncio.create_task(self._decide()), asyncio.create_task(self._finish())]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (housekeeping, *work):
                task.cancel()
            await asyncio.gather(housekeeping, *work, return_exceptions=True)
            await self.send_spans()

    async def _decide(self) -> None:
        """Take messages in hand and decide them, as long as not too many are under way."""
        foresee = self.cell.service.foresee
        while True:
            while len(self._in_hand) >= MAX_UNDERWAY:
                self._room.clear()
                await self._room.wait()
            batch = [_InHand(one, time.perf_counter()) for one in await self._next_batch()]
            self._in_hand += batch
            while self._reports:
                await self._say(self.cell.hear(self._reports.popleft(), self.clock.now()))
            if self.record is not None:
                await self._recorded(self.record, [one.delivery for one in batch])
            if foresee is not None:
                foresee([read for one in batch if (read := _read(one.delivery)) is not None])
            for one in batch:
                await self._handle(one)
                one.decided = True
                self._decided.set()

    async def _finish(self) -> None:
        """Acknowledge what is decided and stored, in the order of deciding."""
        while True:
            while not (self._in_hand and self._in_hand[0].decided):
                self._decided.clear()
                await self._decided.wait()
            await self._stored(self._in_hand[0].words)
            done: list[_InHand] = []
            while self._in_hand and (one := self._in_hand[0]).decided and one.words.are_stored:
                await self._stored(one.words)
                await self._catch_up(one.words)
                self._count(one)
                done.append(self._in_hand.popleft())
            deliveries = [one.delivery for one in done]
            self._reach("acknowledging", map(_read, deliveries))
            await self._acknowledge(deliveries)
            self._reach("acknowledged", map(_read, deliveries))
            await self._tell_settled([one.settled for one in done if one.settled is not None])
            self._room.set()

    async def _say(self, reaction: Reaction) -> None:
        """Carry out a reaction that no delivery caused, to its end."""
        words = _Words()
        await self._drive(reaction, {}, words)
        await self._stored(words)
        await self._catch_up(words)
        self._count_said(words.said)

    async def _stored(self, words: _Words) -> None:
        """Return when all of `words` are durable."""
        while words.posted:
            future, messages = words.posted[0]
            await future
            if words.posted and words.posted[0][0] is future:
                words.posted.popleft()
                self._reach("published", messages)

    async def _catch_up(self, words: _Words) -> None:
        """Do what was put off until `words` were stored."""
        while words.put_off:
            try:
                await self._perform(words.put_off[0])
            except UnavailableError as error:
                _log.warning("%s; trying again", error)
                await asyncio.sleep(BACK_OFF_SECONDS)
            else:
                words.put_off.popleft()

    def report(self, report: Report) -> None:
        """Hand the service something its shell noticed by itself, before the next message."""
        self._reports.append(report)
        self._arrived.set()

    async def _next_batch(self) -> list[Delivery]:
        while True:
            self._arrived.clear()
            batch: list[Delivery] = []
            while len(batch) < self.batch and (picked := self._pick()) is not None:
                inbox, delivery = picked
                if self.record is None and batch and delivery.subject != batch[0].subject:
                    break
                self._held_since.pop((delivery.stream, delivery.sequence), None)
                batch.append(inbox.take(delivery))
            if batch or self._reports:
                return batch
            try:
                await asyncio.wait_for(self._arrived.wait(), self._patience())
            except TimeoutError:
                continue

    def _pick(self) -> tuple[Inbox, Delivery] | None:
        """Return the oldest delivery that is ready, none where none is."""
        best: tuple[Inbox, Delivery] | None = None
        for inbox in self._inboxes:
            delivery = self._first_ready(inbox)
            if delivery is not None and (best is None or delivery.stored_at < best[1].stored_at):
                best = inbox, delivery
        return best

    def _first_ready(self, inbox: Inbox) -> Delivery | None:
        held: set[str] = set()
        for delivery in inbox.waiting:
            if delivery.subject in held:
                continue
            if self._is_ready(delivery):
                return delivery
            held.add(delivery.subject)
        return None

    def _is_ready(self, delivery: Delivery) -> bool:
        try:
            message = delivery.decode()
        except codec.UndecodableError:
            return True
        if self.cell.service.ready(self.cell.state, message):
            return True
        now = time.monotonic()
        since = self._held_since.setdefault((delivery.stream, delivery.sequence), now)
        return now - since >= self.hold_seconds

    async def _acknowledge(self, finished: Sequence[Delivery]) -> None:
        """Acknowledge what is done, but nothing that is later than something held back."""
        firsts: dict[Stream, int] = {}
        for inbox in self._inboxes:
            first = next(iter(inbox.waiting), None)
            if first is not None:
                firsts[inbox.stream] = first.sequence
        for one in self._in_hand:
            stream, sequence = one.delivery.stream, one.delivery.sequence
            firsts[stream] = min(sequence, firsts.get(stream, sequence))
        done, self._unacked = [*self._unacked, *finished], []
        for delivery in done:
            if delivery.sequence < firsts.get(delivery.stream, delivery.sequence + 1):
                await delivery.ack()
            else:
                self._unacked.append(delivery)

    def _patience(self) -> float | None:
        """Return how long to wait for a delivery: for ever, unless a message is being held."""
        if not self._held_since:
            return None
        now = time.monotonic()
        waited = now - min(self._held_since.values())
        return max(0.001, self.hold_seconds - waited)

    async def _recorded(self, record: Record, batch: Sequence[Delivery]) -> None:
        rows = [
            Recorded(
                stream=d.stream,
                subject=d.subject,
                body=d.body,
                message=_read(d),
                sequence=d.sequence,
            )
            for d in batch
        ]
        while True:
            try:
                await record(rows)
            except UnavailableError as error:
                _log.error("cannot record: %s; trying again", error)
                await asyncio.sleep(BACK_OFF_SECONDS)
            else:
                return

    async def _handle(self, one: _InHand) -> None:
        """Decide one delivery, or park it."""
        delivery = one.delivery
        if delivery.stream is Stream.TELEMETRY:
            return
        # What is done already is no poison, however often its acknowledgement was lost. What was
        # handed to a service that died may have lain beside the message it died of.
        poison = delivery.tries > MOST_DELIVERIES and not self._is_done(delivery)
        tries = delivery.tries if poison else 1
        reason = "the service died with this message in hand"
        while tries <= MAX_TRIES:
            try:
                await self._try(one)
            except UnavailableError as error:
                _log.warning("%s: %s; trying again", delivery.subject, error)
                await asyncio.sleep(BACK_OFF_SECONDS)
            except codec.UndecodableError as error:
                reason = f"unreadable: {error}"
                tries += 1
            except TooLargeError as error:
                # The state has taken the answer in already, so a second try would say nothing.
                reason = f"the answer to it cannot be published: {error}"
                tries = MAX_TRIES + 1
            except Exception as error:  # noqa: BLE001 - whatever it is, what follows must flow
                _log.exception("%s could not be handled", delivery.subject)
                reason = f"{type(error).__name__}: {error}"
                tries += 1
            else:
                return
        await self._park(delivery, reason, tries - 1)

    def _is_done(self, delivery: Delivery) -> bool:
        message = _read(delivery)
        return message is not None and message.message_id in self._done

    async def _try(self, one: _InHand) -> None:
        delivery, message = one.delivery, one.delivery.decode()
        if message.message_id in self._done:
            one.settled = Settled(message_id=message.message_id, caused=[])
            return
        self._reach("taken", [message])
        self.clock.observe(message.ts_event)
        one.span = span = self.telemetry.start(message, delivery.subject, delivery.headers)
        try:
            reaction = self.cell.react(message, self.clock.now())
            await self._drive(reaction, self.telemetry.headers_of(span), one.words)
        except Exception as error:
            self.telemetry.finish(span, one.words.said, f"{type(error).__name__}: {error}")
            one.span = None
            raise
        self._done.add(message.message_id)
        caused = [Caused(message_id=m.message_id, tag=tag_of(type(m))) for m in one.words.said]
        one.settled = Settled(message_id=message.message_id, caused=caused)

    def _count(self, one: _InHand) -> None:
        """Close the books on a delivery: its span, its metrics."""
        if one.span is None:
            return
        self.telemetry.finish(one.span, one.words.said)
        self.metrics.latency.observe(time.perf_counter() - one.began)
        self.metrics.handled.labels(type=tag_of(type(one.delivery.decode()))).inc()
        self.handled += 1
        self._count_said(one.words.said)

    def _count_said(self, said: Sequence[Message]) -> None:
        for message in said:
            self.metrics.said(message)
        self.published += len(said)

    async def _drive(self, reaction: Reaction, headers: dict[str, str], words: _Words) -> None:
        """Carry out the steps of a reaction; what it says is on its way then."""
        reports: Sequence[Report] | None = None
        while True:
            try:
                step = reaction.send(reports)
            except StopIteration:
                return
            reports = None
            match step:
                case Publish(messages):
                    self._reach("publishing", messages)
                    stored = asyncio.ensure_future(self.bus.publish(messages, headers))
                    words.posted.append((stored, messages))
                    words.said += messages
                case Perform(effect) if effect.put_off:
                    words.put_off.append(effect)
                case Perform(effect):
                    if not effect.harmless:
                        for earlier in [*(one.words for one in self._in_hand), words]:
                            await self._stored(earlier)
                    reports = await self._perform(effect)

    async def _perform(self, effect: Effect) -> Sequence[Report]:
        self._reach("performing", [effect])
        result = self.cell.service.perform(effect)
        reports = await result if isawaitable(result) else result
        self._reach("performed", [effect])
        return reports

    def _reach(self, moment: str, things: Iterable[object]) -> None:
        if self._failpoint is not None:
            self._failpoint.reach(self.cell.service.name, moment, things)

    async def _park(self, delivery: Delivery, reason: str, tries: int) -> None:
        service = self.cell.service.name
        _log.error("parked a message of %s: %.300s", delivery.subject, reason)
        identity = (service, delivery.stream, delivery.subject, delivery.stored_at)
        reason, body = reason[:PARKED_REASON_CHARS], delivery.body
        if len(body) > PARKED_BYTES:
            reason += f" (the first {PARKED_BYTES} of {len(body)} bytes)"
        letter = DeadLettered(
            message_id=derive_id("dead", *identity),
            decision_id=derive_id("decision", "dead", *identity),
            ts_event=self.clock.now(),
            desk="",
            service=service,
            stream=delivery.stream,
            subject=delivery.subject,
            reason=reason,
            tries=tries,
            headers=dict(delivery.headers),
            body=base64.b64encode(body[:PARKED_BYTES]).decode(),
        )
        await self.bus.park(letter)
        self.parked += 1
        self.metrics.parked.inc()

    async def _tell_settled(self, settled: list[Settled]) -> None:
        if not self.tell_settled or not settled:
            return
        service = self.cell.service.name
        news = MessagesSettled(service=service, settled=settled)
        await self.bus.tell(subjects.settled(service), _encoder.encode(news))

    async def _keep_house(self) -> None:
        """Send finished spans and measure the lag, beside the work."""
        measured_at = 0.0
        while True:
            await asyncio.sleep(SPANS_EVERY_SECONDS)
            await self.send_spans()
            if time.monotonic() - measured_at > LAG_EVERY_SECONDS:
                measured_at = time.monotonic()
                await self._measure_lag()

    async def send_spans(self) -> None:
        spans = self.telemetry.take_spans()
        if spans is not None:
            await self.bus.tell(subjects.spans(self.telemetry.service), encode_spans(spans))

    async def _measure_lag(self) -> None:
        for inbox in self._inboxes:
            try:
                self.metrics.lag.labels(stream=inbox.stream).set(await inbox.lag())
            except Exception as error:  # noqa: BLE001 - a missing gauge must not stop a service
                _log.debug("lag of %s: %s", inbox.stream, error)


def _read(delivery: Delivery) -> Message | None:
    try:
        return delivery.decode()
    except codec.UndecodableError:
        return None


def streams_of(service: str) -> list[Stream]:
    """Return the streams a service hears messages on."""
    return sorted({e.stream for e in catalogue.heard_by(service) if e.stream is not None})
