"""Keeping ccxt's websockets: watch until something breaks, drop all, begin again.

ccxt pings each connection and fails it when a pong is overdue; how soon is set in `ccxt_config`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_SETTLE_SECONDS = 0.3


class LinkDownError(Exception):
    """The link is down. The text is the reason."""


async def keep(
    exchange: Any, once: Callable[[], Awaitable[None]], down: Callable[[Exception], None]
) -> None:
    """Run `once` again whenever it fails, sooner after a long life than after a short one."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        began = time.monotonic()
        try:
            await once()
        except Exception as error:  # noqa: BLE001 - whatever ended the stream, it is down
            down(error)
        await exchange.close_ws_clients()
        if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def until_one_ends(jobs: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run jobs that have no end, and raise what ended the first of them."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        # ccxt cancels what waits for a connection that it closes.
        if not task.cancelled():
            await task
    raise LinkDownError("the connection was closed")


async def until_connected(exchange: Any) -> None:
    """Wait until all connections stand and have had a moment to take their subscriptions."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        while not _is_connected(exchange):  # noqa: ASYNC110 - ccxt has no event for it
            await asyncio.sleep(_LOOK_SECONDS)
    await asyncio.sleep(_SETTLE_SECONDS)


async def while_connected(exchange: Any) -> None:
    """Return when a connection has gone."""
    while _is_connected(exchange):  # noqa: ASYNC110 - ccxt has no event for it
        await asyncio.sleep(_LOOK_SECONDS)


def _is_connected(exchange: Any) -> bool:
    by_url: dict[str, Any] = exchange.clients or {}
    clients = list(by_url.values())
    return bool(clients) and all(client.isConnected and not client.closed() for client in clients)
