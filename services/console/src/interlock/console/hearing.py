"""The console's ear and mouth on the bus: what it hears goes into `Live` and to open pages.

Theory of operation. It hears messages as they pass, without a place of its own in any stream, so
the desk never waits for it. What was said before, or while the link was down, is read back: the
last word on each thing. The rest is in the tables.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from interlock.console.state import STARTS_FROM, Live, add_bar, evolve
from interlock.runtime.bus.nats import NatsBus, connect
from interlock.runtime.bus.overview import StreamOverview, overview
from interlock.runtime.bus.stored_now import store_now
from interlock.runtime.bus.tcp_only import BusError
from interlock.runtime.errors import UnavailableError
from interlock.wire import catalogue, codec
from interlock.wire.base import Message
from interlock.wire.catalogue import CONSOLE, Stream
from interlock.wire.decisions import ModeChanged
from interlock.wire.market import Bar

_log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5
LOOK_SECONDS = 0.5
STORE_SECONDS = 2.0
_BARS_READ_BACK = 50_000
_MODES_AMONG = 10_000_000


def _to_nobody(_: Message) -> None:
    """Tell nobody."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(slots=True)
class Hearing:
    """One connection to the bus.

    `heard` is told each message after it was taken into `live`, `missed` that some may have passed
    while the link was away.
    """

    url: str
    password: str
    live: Live
    heard: Callable[[Message], None] = _to_nobody
    missed: Callable[[], None] = _nothing
    _bus: NatsBus | None = None
    _waiting: dict[str, asyncio.Future[Message]] = field(
        default_factory=dict[str, "asyncio.Future[Message]"]
    )

    @property
    def bus(self) -> NatsBus | None:
        return self._bus

    @property
    def up(self) -> bool:
        return self._bus is not None and self._bus.client.is_connected

    async def run(self) -> None:
        """Keep a connection until cancelled; what cannot be reached is tried again without end."""
        while True:
            try:
                client = await connect(self.url, CONSOLE, self.password, _log.warning)
            except (BusError, OSError, TimeoutError):
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self._bus = bus = NatsBus(client, CONSOLE)
            bus.start_watchdog()
            try:
                await self._listen(bus)
            finally:
                await bus.close()

    async def _listen(self, bus: NatsBus) -> None:
        """Listen until the link is lost for good."""
        for entry in catalogue.ENTRIES:
            if CONSOLE in entry.listeners:
                await bus.listen(entry.filter, self._hear)
        reconnects = -1
        while not bus.lost_link.is_set():
            current = bus.client.stats["reconnects"]
            if reconnects != current and bus.client.is_connected:
                try:
                    await self._catch_up(bus)
                except UnavailableError as error:
                    _log.warning("%s", error)
                else:
                    reconnects = current
                    self.missed()
            await asyncio.sleep(LOOK_SECONDS)

    async def _catch_up(self, bus: NatsBus) -> None:
        for stream in (Stream.DESK, Stream.MARKET):
            kinds = [one for one in STARTS_FROM if catalogue.BY_KIND[one].stream is stream]
            for message in await bus.latest(kinds):
                evolve(self.live, message, time.time_ns())
        # Several modes may hold at once, so the last word on one subject is not enough.
        for message in await bus.newest(ModeChanged, _MODES_AMONG):
            evolve(self.live, message, time.time_ns())

    def _hear(self, body: bytes) -> None:
        try:
            message = codec.decode(body)
        except codec.UndecodableError as error:
            # Whoever must handle it parks it; the console only looks.
            _log.debug("unreadable: %s", error)
            return
        evolve(self.live, message, time.time_ns())
        answer = self._waiting.get(message.message_id)
        if answer is not None and not answer.done():
            answer.set_result(message)
        self.heard(message)

    async def say(
        self, message: Message, answers: set[str], answer_seconds: float
    ) -> Message | None:
        """Store a person's word and return its answer, none where there is none in time.

        `answers` are the ids of the messages that would answer it.

        Raises
        ------
        UnavailableError
            When it was not stored; it is not sent later either.
        """
        if self._bus is None:
            raise UnavailableError("the bus is away")
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting |= dict.fromkeys(answers, waiting)
        try:
            await store_now(self._bus.client, message, STORE_SECONDS)
            async with asyncio.timeout(answer_seconds):
                return await waiting
        except TimeoutError:
            return None
        finally:
            for name in answers:
                self._waiting.pop(name, None)

    async def streams(self) -> list[StreamOverview]:
        """Ask the broker how full the streams are.

        Raises
        ------
        UnavailableError
            When it does not answer.
        """
        if self._bus is None or not self.up:
            raise UnavailableError("the bus is away")
        return await overview(self._bus.client)

    async def read_bars(self) -> None:
        """Read back the bars that the bus still has, the newest of them."""
        if self._bus is None or not self.up:
            raise UnavailableError("the bus is away")
        older = Live()
        for message in await self._bus.newest(Bar, _BARS_READ_BACK):
            if isinstance(message, Bar):
                add_bar(older, message)
        for name, bars in older.bars.items():
            since = self.live.bars.pop(name, None)
            for bar in [*bars, *(since or ())]:
                add_bar(self.live, bar)
