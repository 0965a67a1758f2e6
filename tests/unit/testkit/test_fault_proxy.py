"""The proxy's own word is tested: a fault that did nothing would prove nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from interlock.testkit.fault_proxy import FaultProxy, Trouble

SHORT = 0.1
PATIENCE = 5.0


@asynccontextmanager
async def proxied() -> AsyncIterator[tuple[FaultProxy, list[bytes]]]:
    """A proxy before a server that answers in capitals, and what that server heard."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1_000_000):
            heard.append(piece)
            writer.write(piece.upper())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with FaultProxy("127.0.0.1", port, seed=1) as proxy:
            yield proxy, heard


async def connect(proxy: FaultProxy):
    return await asyncio.open_connection("127.0.0.1", proxy.port)


async def answer(reader: asyncio.StreamReader, count: int) -> bytes:
    return await asyncio.wait_for(reader.readexactly(count), PATIENCE)


async def test_everything_passes_as_it_was_said():
    async with proxied() as (proxy, _):
        reader, writer = await connect(proxy)
        writer.write(b"a" * 100_000)
        assert await answer(reader, 100_000) == b"A" * 100_000
        writer.close()


@pytest.mark.parametrize(
    ("trouble", "at_least"),
    [
        (Trouble(latency_seconds=0.05), 0.1),
        (Trouble(latency_seconds=0.02, jitter_seconds=0.02), 0.04),
        (Trouble(bytes_per_second=500), 0.1),
    ],
)
async def test_what_is_late_or_slow_keeps_its_order(trouble: Trouble, at_least: float):
    async with proxied() as (proxy, _):
        proxy.trouble = trouble
        reader, writer = await connect(proxy)
        began = time.monotonic()
        for number in range(10):
            writer.write(b"a%d-------" % number)
            await asyncio.sleep(0)
        said = b"".join(b"A%d-------" % number for number in range(10))
        assert await answer(reader, len(said)) == said
        assert time.monotonic() - began >= at_least
        writer.close()


async def test_a_link_that_was_down_delivers_late_and_everything():
    async with proxied() as (proxy, heard):
        reader, writer = await connect(proxy)
        proxy.hold()
        writer.write(b"first")
        later_reader, later_writer = await connect(proxy)
        later_writer.write(b"second")
        await asyncio.sleep(SHORT)
        assert heard == []
        proxy.release()
        assert await answer(reader, 5) == b"FIRST"
        assert await answer(later_reader, 6) == b"SECOND"
        for one in (writer, later_writer):
            one.close()


async def test_a_client_that_leaves_a_dead_link_is_noticed():
    async with proxied() as (proxy, _):
        reader, writer = await connect(proxy)
        writer.write(b"a")
        assert await answer(reader, 1) == b"A"
        proxy.hold()
        writer.write(b"lost in the queue")
        writer.close()
        await asyncio.sleep(SHORT)
        assert len(proxy.left) == 1


async def test_an_orphan_says_nothing_and_does_not_end_but_a_new_connection_works():
    async with proxied() as (proxy, heard):
        reader, writer = await connect(proxy)
        writer.write(b"a")
        assert await answer(reader, 1) == b"A"
        proxy.orphan()
        writer.write(b"never")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), SHORT)
        later_reader, later_writer = await connect(proxy)
        later_writer.write(b"b")
        assert await answer(later_reader, 1) == b"B"
        assert heard == [b"a", b"b"]
        for one in (writer, later_writer):
            one.close()


async def test_a_reset_is_told_and_what_was_held_is_lost():
    async with proxied() as (proxy, heard):
        reader, writer = await connect(proxy)
        writer.write(b"a")
        assert await answer(reader, 1) == b"A"
        proxy.hold()
        writer.write(b"never")
        await asyncio.sleep(SHORT)
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), PATIENCE)
        proxy.release()
        await asyncio.sleep(SHORT)
        assert heard == [b"a"]
        assert proxy.left == []


async def test_a_server_that_is_gone_is_a_reset():
    async with FaultProxy("127.0.0.1", 1) as proxy:
        reader, _ = await connect(proxy)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), PATIENCE)
