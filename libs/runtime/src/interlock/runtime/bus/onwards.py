"""Reading one kind of message from where it was left, without a place of one's own in the stream.

Nothing waits for such a reader, and it needs no leave to make a consumer. Where the stream is
another than the one that was read, or was restored to an earlier end, it is read from the start.
"""

from msgspec import Struct

from interlock.runtime.bus.condition import ask
from interlock.runtime.bus.nats import NatsBus
from interlock.wire import catalogue
from interlock.wire.base import Message


class Place(Struct, frozen=True, kw_only=True):
    """How far a stream was read; `created` tells it from one made later under the same name."""

    created: str
    sequence: int


async def onwards(
    bus: NatsBus, kind: type[Message], place: Place | None, not_before: int
) -> tuple[list[Message], Place]:
    """Return what was stored of `kind` after `place`, and the place to go on from.

    Where the place is of no use, it is what was stored since `not_before` (UNIX ns). What cannot be
    read is passed over.

    Raises
    ------
    UnavailableError
        When the broker does not answer.
    """
    entry = catalogue.BY_KIND[kind]
    assert entry.stream is not None
    info = await ask(bus.client, f"$JS.API.STREAM.INFO.{entry.stream}", b"")
    created, last = str(info["created"]), int(info["state"]["last_seq"])
    begin, oldest = 0, not_before
    if place is not None and place.created == created and place.sequence <= last:
        begin, oldest = place.sequence, 0
    found: list[Message] = []
    if begin < last:
        async for sequence, stored_at, message in bus.stored_after(kind, begin):
            last = max(last, sequence)
            if message is not None and stored_at >= oldest:
                found.append(message)
    return found, Place(created=created, sequence=last)
