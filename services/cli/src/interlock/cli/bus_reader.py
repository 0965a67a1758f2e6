"""Reading the bus with the operator's eyes: streams, consumers, and messages as they pass.

The operator may create no consumer. Whoever may create one may name another's and overwrite it,
and may have the server deliver to any subject, whatever the user itself may publish (both tried on
nats-server 2.15.0). So stored messages are read one by one, by stream and sequence.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, RawStreamMsg, StreamInfo
from nats.js.errors import NotFoundError

from interlock.cli.errors import CliError
from interlock.cli.run_record import RunRecord
from interlock.cli.servers.nats import nats_password
from interlock.cli.state_folder import StateFolder
from interlock.runtime.bus.permissions import OPERATOR

CONNECT_SECONDS = 2.0
WAITING_MESSAGES = 65_536


@dataclass(frozen=True, slots=True)
class Passing:
    """One message on the bus, as bytes."""

    subject: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BusReader:
    """A connection that only reads."""

    client: Client
    streams: JetStreamContext
    denied: asyncio.Future[str]

    async def stream_list(self) -> list[StreamInfo]:
        return sorted(await self.streams.streams_info(), key=lambda info: info.config.name or "")

    async def subject_list(self) -> list[tuple[str, str, int]]:
        """Return subject, stream and number of stored messages of every subject."""
        rows: list[tuple[str, str, int]] = []
        for stream in await self.stream_list():
            name = stream.config.name or ""
            info = await self.streams.stream_info(name, subjects_filter=">")
            counts = info.state.subjects or {}
            rows += [(subject, name, count) for subject, count in counts.items()]
        return sorted(rows)

    async def consumer_list(self) -> list[ConsumerInfo]:
        found: list[ConsumerInfo] = []
        for stream in await self.stream_list():
            found += await self.streams.consumers_info(stream.config.name or "")
        return sorted(found, key=lambda info: (info.stream_name, info.name))

    async def tail(self, subject: str, since: datetime | None) -> AsyncIterator[Passing]:
        """Yield the messages of `subject` as they pass, before them those stored since `since`."""
        live = asyncio.Queue[Passing](maxsize=WAITING_MESSAGES)

        async def hear(message: Msg) -> None:
            await live.put(Passing(message.subject, message.data))

        await self.client.subscribe(subject, cb=hear)
        await self.client.flush()
        stored = set[Passing]()
        if since is not None:
            listening_since = datetime.now(UTC)
            async for message, at in self._stored(subject, since):
                if at >= listening_since:
                    # Stored and heard: it waits in the queue as well.
                    stored.add(message)
                yield message
        while True:
            heard = await self._next(live)
            if heard in stored:
                stored.remove(heard)
            else:
                yield heard

    async def _next(self, live: "asyncio.Queue[Passing]") -> Passing:
        coming = asyncio.ensure_future(live.get())
        try:
            await asyncio.wait((coming, self.denied), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise CliError(self.denied.result())
            return coming.result()
        finally:
            coming.cancel()

    async def _stored(
        self, subject: str, since: datetime
    ) -> AsyncIterator[tuple[Passing, datetime]]:
        """Merge the streams by the time of storing."""
        heads: dict[str, RawStreamMsg] = {}
        for stream in await self.stream_list():
            name = stream.config.name or ""
            first = await self._message(name, subject, max(stream.state.first_seq, 1))
            while first is not None and _time(first) < since:
                first = await self._message(name, subject, (first.seq or 0) + 1)
            if first is not None:
                heads[name] = first
        while heads:
            name = min(heads, key=lambda stream: _time(heads[stream]))
            message = heads.pop(name)
            yield Passing(message.subject or "", message.data or b""), _time(message)
            following = await self._message(name, subject, (message.seq or 0) + 1)
            if following is not None:
                heads[name] = following

    async def _message(self, stream: str, subject: str, sequence: int) -> RawStreamMsg | None:
        try:
            return await self.streams.get_msg(stream, seq=sequence, subject=subject, next=True)
        except NotFoundError:
            return None


def _time(message: RawStreamMsg) -> datetime:
    assert message.time is not None
    return message.time


@asynccontextmanager
async def reading(state: StateFolder, record: RunRecord) -> AsyncGenerator[BusReader]:
    """Connect to the bus of a running desk as its operator.

    Raises
    ------
    CliError
        When the desk has no bus, the server cannot be reached, or it refuses the operator.
    """
    address = record.servers.get("nats")
    if not address:
        raise CliError(f"desk {record.desk} runs in one process: it has no bus to look at")
    own = urlsplit(address).username is not None
    denied: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def failed(error: Exception) -> None:
        if not denied.done():
            denied.set_result(f"the bus refuses: {error}")

    async def closed() -> None:
        await failed(ConnectionError("the connection is closed"))

    client = Client()
    try:
        await client.connect(
            address,
            name="interlock bus",
            inbox_prefix=f"_INBOX.{OPERATOR}",
            connect_timeout=CONNECT_SECONDS,  # type: ignore[arg-type]
            allow_reconnect=False,
            error_cb=failed,
            closed_cb=closed,
            user=None if own else OPERATOR,
            password=None if own else nats_password(state, OPERATOR),
        )
    except (NatsError, OSError, TimeoutError) as error:
        raise CliError(f"the bus at {address} cannot be reached: {error}") from error
    try:
        yield BusReader(client, client.jetstream(), denied)
    except NatsError as error:
        raise CliError(f"the bus does not answer: {error}") from error
    finally:
        await client.close()
