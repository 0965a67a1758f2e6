"""Liveness, readiness and metrics over plain HTTP on loopback."""

import asyncio
from collections.abc import Callable, Iterable

_ANSWER = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: {size}\r\nConnection: close\r\n\r\n"
)
_REQUEST_TIMEOUT_SECONDS = 2.0
_ASK_AGAIN_SECONDS = 0.03


async def serve(
    port: int, ready: Callable[[], str], metrics: Callable[[], bytes]
) -> asyncio.Server:
    """Answer ``/healthz``, ``/readyz`` and ``/metrics`` on 127.0.0.1:`port`.

    `ready` returns what is missing, the empty text when nothing is.
    """

    def answer(path: str) -> tuple[str, bytes]:
        match path:
            case "/healthz":
                return "200 OK", b"alive\n"
            case "/readyz":
                missing = ready()
                return ("503 Service Unavailable" if missing else "200 OK"), (
                    missing or "ready"
                ).encode()
            case "/metrics":
                return "200 OK", metrics()
            case _:
                return "404 Not Found", b"nothing here\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), _REQUEST_TIMEOUT_SECONDS)
            parts = line.decode("latin-1").split()
            status, body = answer(parts[1] if len(parts) > 1 else "")
            writer.write(_ANSWER.format(status=status, size=len(body)).encode() + body)
            await writer.drain()
        except (TimeoutError, OSError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", port)


async def wait_until_ready(ports: Iterable[int]) -> None:
    """Return when the services behind all of these health ports say that they are ready."""
    for port in ports:
        while not await _is_ready(port):  # noqa: ASYNC110 - another process has no event of ours
            await asyncio.sleep(_ASK_AGAIN_SECONDS)


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(_REQUEST_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /readyz HTTP/1.1\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
