"""A replay's lock-step: the next market event goes out when the last one has settled.

Theory of operation. Every listener, when it is done with a message, tells (without storing it)
which messages it published because of it. A wave is over when each (message, listener) pair that
came of its first message is done. Words can be lost when a process dies; so after a silence the
broker is asked instead, and twice the answer "nothing pending, nothing unacknowledged" ends the
wave as well. Live feeds do without waves: there the market does not wait.
"""

import asyncio
from collections.abc import Sequence

import msgspec

from interlock.runtime.bus.port import Bus
from interlock.runtime.telemetry import Telemetry
from interlock.wire import catalogue, subjects
from interlock.wire.base import Message, tag_of
from interlock.wire.system import MessagesSettled

SILENCE_SECONDS = 2.0
ENOUGH_QUIET = 2
ASK_SECONDS = 0.02
ALWAYS = catalogue.services_of()
_decoder = msgspec.json.Decoder(MessagesSettled)


class Waves:
    """Publishes messages one at a time, each with everything that follows from it.

    `services` are those that run; nobody waits for others.
    """

    def __init__(self, bus: Bus, telemetry: Telemetry, services: Sequence[str] = ALWAYS) -> None:
        self._bus = bus
        self._services = services
        self._telemetry = telemetry
        self._open: set[tuple[str, str]] = set()
        self._early: set[tuple[str, str]] = set()
        self._moved = asyncio.Event()

    async def start(self) -> None:
        """Listen to the services, and wait until nothing is left of whatever came before."""
        await self._bus.listen(subjects.SETTLED_FROM_ALL, self._hear)
        await self._wait_for_broker()

    async def publish(self, message: Message) -> None:
        """Publish `message` and return when everything it brought about is done."""
        self._expect(message.message_id, tag_of(type(message)))
        span = self._telemetry.start(message, catalogue.subject_of(message), {})
        await self._bus.publish([message], self._telemetry.headers_of(span))
        self._telemetry.finish(span)
        while self._open:
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), SILENCE_SECONDS)
            except TimeoutError:
                await self._wait_for_broker()
                self._open.clear()
        self._early.clear()

    def _hear(self, body: bytes) -> None:
        try:
            news = _decoder.decode(body)
        except msgspec.DecodeError:
            return  # Nobody's word: the broker is asked after the silence.
        for settled in news.settled:
            for caused in settled.caused:
                self._expect(caused.message_id, caused.tag)
            pair = (settled.message_id, news.service)
            if pair in self._open:
                self._open.remove(pair)
            else:
                self._early.add(pair)
        if not self._open:
            self._moved.set()

    def _expect(self, message_id: str, tag: str) -> None:
        for listener in catalogue.listeners_of(tag):
            if listener not in self._services:
                continue
            pair = (message_id, listener)
            if pair in self._early:
                self._early.remove(pair)
            else:
                self._open.add(pair)

    async def _wait_for_broker(self) -> None:
        quiet = 0
        while quiet < ENOUGH_QUIET:
            quiet = quiet + 1 if await self._bus.settled(self._services) else 0
            await asyncio.sleep(ASK_SECONDS)
