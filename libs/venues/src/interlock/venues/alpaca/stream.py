"""One connection to Alpaca's stream of order events, from its opening to its loss.

Theory of operation. The protocol is the documented one, through the library that the SDK uses. The
SDK's own `TradingStream` reconnects by itself and tells no one, so what was missed could not be
asked for before the next event; it also takes a refused key for a hiccup. A connection that
answers no ping within `PONG_SECONDS` is lost: TCP alone would notice after minutes.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from interlock.venues.alpaca.config import AlpacaConfig, AlpacaKeys
from interlock.venues.alpaca.orders import (
    HandshakeData,
    HandshakeFrame,
    OrderEventData,
    StreamFrame,
    TradeUpdateFrame,
)

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

PING_SECONDS = 0.5
PONG_SECONDS = 1.0
OPENING_SECONDS = 5.0

type Heard = Callable[[OrderEventData], Awaitable[None]]
type Job = Callable[[], Awaitable[None]]


class LinkLostError(Exception):
    """The connection is no more. The text is the reason, without secrets."""


def quiet_logger() -> logging.Logger:
    """Return a logger that never writes frames: at DEBUG websockets writes the secret key."""
    logger = logging.getLogger("interlock.venues.alpaca.frames")
    logger.setLevel(logging.WARNING)
    return logger


async def open_socket(url: str, keys: AlpacaKeys) -> "ClientConnection":
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    try:
        return await connect(
            url,
            open_timeout=OPENING_SECONDS,
            ping_interval=None,
            max_queue=None,  # else a back-fill would hold up the answers to our pings
            logger=quiet_logger(),
            close_timeout=1.0,
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        words = keys.hide(str(error)) or type(error).__name__
        raise LinkLostError(f"no connection: {words}") from None


async def order_events(
    config: AlpacaConfig, keys: AlpacaKeys, ready: Job, heard: Heard, watch: Job
) -> None:
    """Hand over order events until the connection is lost, which raises `LinkLostError`.

    `ready` is awaited once the stream has begun and before its first event; `watch` runs beside
    it and may find by other means that the stream says nothing.
    """
    from websockets.exceptions import WebSocketException

    socket = await open_socket(config.order_stream, keys)
    try:
        async with asyncio.timeout(OPENING_SECONDS):
            await _enter(socket, keys)

        async def read() -> None:
            await ready()
            while True:
                await _take(_bytes(await socket.recv()), heard)

        await first_to_end([read(), answer_pings(socket), watch()])
    except TimeoutError:
        raise LinkLostError("the stream does not let us in") from None
    except (OSError, WebSocketException, msgspec.MsgspecError) as error:
        raise as_lost(error, keys) from None
    finally:
        socket.transport.abort()


async def first_to_end(jobs: Iterable[Awaitable[None]]) -> None:
    """Run jobs side by side until one ends, end the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def answer_pings(socket: "ClientConnection") -> None:
    """Return never while the other side answers, and raise as soon as it does not."""
    while True:
        try:
            async with asyncio.timeout(PONG_SECONDS):
                await (await socket.ping())
        except TimeoutError:
            raise LinkLostError(f"silent: no answer to a ping within {PONG_SECONDS:g} s") from None
        await asyncio.sleep(PING_SECONDS)


def as_lost(error: Exception, keys: AlpacaKeys) -> LinkLostError:
    """Return any failure of a connection as the loss of it."""
    words = keys.hide(str(error)) or "no reason given"
    return LinkLostError(f"{type(error).__name__}: {words}"[:300])


async def _enter(socket: "ClientConnection", keys: AlpacaKeys) -> None:
    await socket.send(
        json.dumps(
            {
                "action": "authenticate",
                "data": {"key_id": keys.key, "secret_key": keys.secret},
            }
        )
    )
    answer = await _until(socket, "authorization")
    if answer.status != "authorized":
        raise LinkLostError("unauthorized: the stream refuses the keys")
    await socket.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
    answer = await _until(socket, "listening")
    if "trade_updates" not in answer.streams:
        raise LinkLostError("the stream does not send order events")


async def _until(socket: "ClientConnection", stream: str) -> HandshakeData:
    """Return the data of the next frame of a kind. Before we listen no other kind has news."""
    while True:
        frame = _bytes(await socket.recv())
        if _KIND.decode(frame).stream == stream:
            return _HANDSHAKE.decode(frame).data


async def _take(frame: bytes, heard: Heard) -> None:
    if _KIND.decode(frame).stream == "trade_updates":
        await heard(_UPDATE.decode(frame).data)


def _bytes(frame: str | bytes) -> bytes:
    """Paper accounts get binary frames and live ones text, with the same JSON in both."""
    return frame.encode() if isinstance(frame, str) else frame


_KIND = msgspec.json.Decoder(StreamFrame)
_HANDSHAKE = msgspec.json.Decoder(HandshakeFrame)
_UPDATE = msgspec.json.Decoder(TradeUpdateFrame)
