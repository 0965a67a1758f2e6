"""A person's word on the bus: stored within moments, or never sent.

A service keeps trying until what it says is stored. A person is told that it failed and decides
again; their word must not come out of a buffer an hour later.
"""

import json
from typing import Any

from interlock.runtime.bus.port import MESSAGE_ID_HEADER
from interlock.runtime.bus.tcp_only import BusError, Client
from interlock.runtime.errors import UnavailableError
from interlock.wire import catalogue, codec
from interlock.wire.base import Message


async def store_now(client: Client, message: Message, seconds: float) -> None:
    """Publish `message` once and wait until the broker says that it is stored.

    Raises
    ------
    UnavailableError
        When it does not say so within `seconds`; whether it is stored is then unknown.
    """
    subject = catalogue.subject_of(message)
    if not client.is_connected:
        raise UnavailableError("the bus is away")
    try:
        answer = await client.request(
            subject,
            codec.encode(message),
            timeout=seconds,
            headers={MESSAGE_ID_HEADER: message.message_id},
        )
        said: dict[str, Any] = json.loads(answer.data)
    except (BusError, TimeoutError, OSError, ValueError) as error:
        raise UnavailableError(f"the bus did not store it: {type(error).__name__}") from error
    if "error" in said:
        raise UnavailableError(f"the bus: {said['error'].get('description', 'refused')}")
