"""Questions that tell whether a server does its work, asked in its own protocol.

A few bytes by hand, because each client library takes half a second to import.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable

type Probe = Callable[[], Awaitable[bool]]

ANSWER_BOUND_SECONDS = 1.0
POSTGRES_PROTOCOL_3 = 196_608


def answers_http(host: str, port: int, path: str) -> Probe:
    """Return a probe that is content with status 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> bool:
        answer = await _ask(host, port, request, lines=1)
        return answer.split(b" ", 2)[1:2] == [b"200"]

    return probe


def answers_ping(host: str, port: int, password: str) -> Probe:
    """Return a probe for Valkey; while it loads its data it answers LOADING."""

    async def probe() -> bool:
        request = f"AUTH {password}\r\nPING\r\n".encode()
        return await _ask(host, port, request, lines=2) == b"+OK\r\n+PONG\r\n"

    return probe


def accepts_sessions(host: str, port: int, user: str) -> Probe:
    """Return a probe for PostgreSQL: during recovery it answers a start with an error.

    The start-up message is that of protocol 3.0 (PostgreSQL documentation, section 54.7); an
    authentication request ("R") is the answer of a server that takes sessions.
    """
    body = struct.pack("!i", POSTGRES_PROTOCOL_3) + f"user\0{user}\0\0".encode()
    request = struct.pack("!i", len(body) + 4) + body

    async def probe() -> bool:
        return await _ask(host, port, request, lines=0) == b"R"

    return probe


async def _ask(host: str, port: int, request: bytes, *, lines: int) -> bytes:
    """Return the first `lines` lines of the answer (0: its first byte), empty where none comes."""
    try:
        async with asyncio.timeout(ANSWER_BOUND_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                if not lines:
                    return await reader.readexactly(1)
                return b"".join([await reader.readline() for _ in range(lines)])
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return b""
