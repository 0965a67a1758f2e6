"""How a stream of the broker stands, to be held against what was written down elsewhere."""

import json
from typing import Any

from msgspec import Struct

from interlock.runtime.bus.nats import NatsBus, consumer_name, damaged
from interlock.runtime.bus.port import MESSAGE_ID_HEADER
from interlock.runtime.bus.tcp_only import BusError, Client
from interlock.runtime.config import ConfigError
from interlock.runtime.errors import UnavailableError
from interlock.wire.catalogue import Stream

TIMEOUT_SECONDS = 2.0


class Condition(Struct, frozen=True, kw_only=True):
    """`deleted` counts holes, `ack_floor` is the asking service's, `message_id` of the one asked.

    `message_id` is none where the stream keeps no message of that sequence any more.
    """

    first_sequence: int
    last_sequence: int
    deleted: int
    ack_floor: int
    message_id: str | None = None


async def condition_of(client: Client, service: str, stream: Stream, sequence: int) -> Condition:
    """Ask the broker how `stream` stands, and which message has `sequence`.

    Raises
    ------
    UnavailableError
        When the broker does not answer.
    """
    # The consumer first: what is stored and acknowledged between the two is then in the stream.
    consumer = await ask(client, f"$JS.API.CONSUMER.INFO.{stream}.{consumer_name(service)}", b"")
    info = await ask(client, f"$JS.API.STREAM.INFO.{stream}", b"")
    state = info["state"]
    held = state["first_seq"] <= sequence <= state["last_seq"] and sequence > 0
    return Condition(
        first_sequence=state["first_seq"],
        last_sequence=state["last_seq"],
        deleted=state.get("num_deleted", 0),
        ack_floor=consumer["ack_floor"]["stream_seq"],
        message_id=await _message_id(client, stream, sequence) if held else None,
    )


async def require_readable(bus: NatsBus, stream: Stream) -> None:
    """Return when every message that the broker counts in `stream` could be read.

    A message whose bytes have changed is passed over without a word, and is counted all the same.

    Raises
    ------
    ConfigError
        When some cannot.
    """
    info = await ask(bus.client, f"$JS.API.STREAM.INFO.{stream}", b"")
    missing = info["state"]["messages"] - await bus.readable(stream)
    if missing > 0:
        raise ConfigError(damaged(stream, missing))


async def ask(client: Client, subject: str, body: bytes) -> dict[str, Any]:
    """Ask the broker's own interface, and return its answer."""
    try:
        answer = await client.request(subject, body, timeout=TIMEOUT_SECONDS)
    except (BusError, TimeoutError, OSError) as error:
        raise UnavailableError(f"{subject}: {error!r}") from error
    document: dict[str, Any] = json.loads(answer.data)
    if "error" in document:
        raise UnavailableError(f"{subject}: {document['error'].get('description', 'refused')}")
    return document


async def _message_id(client: Client, stream: Stream, sequence: int) -> str | None:
    subject = f"$JS.API.DIRECT.GET.{stream}"
    try:
        answer = await client.request(
            subject, json.dumps({"seq": sequence}).encode(), timeout=TIMEOUT_SECONDS
        )
    except (BusError, TimeoutError, OSError) as error:
        raise UnavailableError(f"{subject}: {error!r}") from error
    return (answer.headers or {}).get(MESSAGE_ID_HEADER)
