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


class Stored(Struct, frozen=True, kw_only=True):
    """A message, and when the broker stored it (UNIX ns)."""

    message: Message
    stored_at: int


async def onwards(
    bus: NatsBus, kind: type[Message], place: Place | None
) -> tuple[list[Stored], Place]:
    """Return what was stored of `kind` after `place`, or ever, and the place to go on from.

    What cannot be read is passed over.

    Raises
    ------
    UnavailableError
        When the broker does not answer.
    """
    entry = catalogue.BY_KIND[kind]
    assert entry.stream is not None
    info = await ask(bus.client, f"$JS.API.STREAM.INFO.{entry.stream}", b"")
    created, last = str(info["created"]), int(info["state"]["last_seq"])
    known = place is not None and place.created == created and place.sequence <= last
    begin = place.sequence if place is not None and known else 0
    found: list[Stored] = []
    if begin < last:
        for sequence, stored_at, message in await bus.stored_after(kind, begin):
            last = max(last, sequence)
            if message is not None:
                found.append(Stored(message=message, stored_at=stored_at))
    return found, Place(created=created, sequence=last)
