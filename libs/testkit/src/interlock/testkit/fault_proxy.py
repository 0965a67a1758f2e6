"""A TCP proxy that misbehaves as networks do: late, slow, torn, cut, or dead without a word.

    async with FaultProxy("127.0.0.1", 4222, seed=7) as proxy:
        ...  # connect to proxy.port
        proxy.trouble = Trouble(latency_seconds=0.05, jitter_seconds=0.05)
        proxy.orphan()

Theory of operation. Each direction of a connection is a queue of pieces with the moment each is
due, so what is delivered keeps its order, whatever the trouble. Two faults look alike from one end
and are not: `hold` is a link that is down, on which TCP delivers everything once it is up again,
late; after `orphan` the other end is gone, and what was sent is lost for ever, while whoever
connects anew is served. Neither tells the client; only its own timeouts do. `reset` tells at once.
"""

import asyncio
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
READ_BYTES = 16_384
PIECES = 1_024
"""How many pieces of one direction are on their way at most: then the sender has to wait."""
DRIP_SECONDS = 0.01
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


type _Queue = asyncio.Queue[tuple[float, bytes]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """What happens to each piece that passes: a delay, more of it by chance, few bytes a second."""

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float | None = None


@dataclass(eq=False, slots=True)
class _Link:
    """One client's connection. `orphaned`: what it says goes nowhere, and nobody answers."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    orphaned: bool = False


@dataclass(slots=True)
class FaultProxy:
    """A proxy before the server at `host` and `port_of_server`.

    `connected` and `left` are moments of the monotonic clock: clients came, and went by themselves.
    """

    host: str
    port_of_server: int
    seed: int = 0
    trouble: Trouble = field(default_factory=Trouble)
    connected: list[float] = field(default_factory=list[float])
    left: list[float] = field(default_factory=list[float])
    _links: set[_Link] = field(default_factory=set[_Link])
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _chance: Random = field(default_factory=Random)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._chance.seed(self.seed)
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._flowing.set()
        self.reset()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def hold(self) -> None:
        """Let nothing pass in either direction, on no connection, until `release`."""
        self._flowing.clear()

    def release(self) -> None:
        """Deliver what was held, and let everything pass again."""
        self._flowing.set()

    def orphan(self) -> None:
        """Swallow for ever what passes on the connections that stand now; new ones work."""
        for link in self._links:
            link.orphaned = True

    def reset(self) -> None:
        """End every connection with a reset; what was held of them is lost."""
        for link in list(self._links):
            for end in (link.client, link.server):
                _reset(end)
        self._links.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.append(time.monotonic())
        try:
            back, there = await asyncio.open_connection(self.host, self.port_of_server)
        except OSError:
            _reset(writer)
            return
        link = _Link(writer, there)
        self._links.add(link)
        out: _Queue = asyncio.Queue(PIECES)
        home: _Queue = asyncio.Queue(PIECES)
        asked = asyncio.create_task(self._take(link, reader, out, self.left))
        sent = asyncio.create_task(self._give(link, out, there))
        answered = asyncio.create_task(self._take(link, back, home, []))
        told = asyncio.create_task(self._give(link, home, writer))
        # Whoever closes first closes for both, once what it said before has arrived.
        await asyncio.wait([sent, told], return_when=asyncio.FIRST_COMPLETED)
        self._links.discard(link)
        ways = (asked, sent, answered, told)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, there):
            with suppress(OSError):
                end.close()
                await end.wait_closed()

    async def _take(
        self, link: _Link, reader: asyncio.StreamReader, queue: _Queue, ended: list[float]
    ) -> None:
        """Read on whatever the trouble is, so that an end that closes is seen at once."""
        with suppress(OSError):
            while piece := await reader.read(READ_BYTES):
                trouble = self.trouble
                delay = trouble.latency_seconds + trouble.jitter_seconds * self._chance.random()
                await queue.put((time.monotonic() + delay, piece))
        if link in self._links:
            ended.append(time.monotonic())
        await queue.put((0.0, b""))

    async def _give(self, link: _Link, queue: _Queue, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                due, piece = await queue.get()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                await self._flowing.wait()
                if not piece and not (link.orphaned and writer is link.client):
                    return
                if not link.orphaned:
                    await self._write(writer, piece)

    async def _write(self, writer: asyncio.StreamWriter, piece: bytes) -> None:
        rate = self.trouble.bytes_per_second
        step = len(piece) if rate is None else max(1, int(rate * DRIP_SECONDS))
        for at in range(0, len(piece), step):
            writer.write(piece[at : at + step])
            await writer.drain()
            if rate is not None:
                await asyncio.sleep(step / rate)


def _reset(end: asyncio.StreamWriter) -> None:
    """Close with a reset instead of a farewell."""
    sock: socket.socket | None = end.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    end.transport.abort()
