"""How full the streams are, and how far behind who listens to them is."""

from msgspec import Struct

from interlock.runtime.bus.condition import ask
from interlock.runtime.bus.tcp_only import Client
from interlock.wire.catalogue import STREAMS


class ConsumerOverview(Struct, frozen=True, kw_only=True):
    """`pending` were not given yet, `unacknowledged` were and are in hand."""

    name: str
    pending: int
    unacknowledged: int
    redelivered: int


class StreamOverview(Struct, frozen=True, kw_only=True):
    name: str
    messages: int
    bytes: int
    max_bytes: int
    first_sequence: int
    last_sequence: int
    consumers: tuple[ConsumerOverview, ...]


async def overview(client: Client) -> list[StreamOverview]:
    """Ask the broker for every stream of the catalogue.

    Raises
    ------
    UnavailableError
        When it does not answer.
    """
    return [await _stream(client, spec.name) for spec in STREAMS]


async def _stream(client: Client, name: str) -> StreamOverview:
    info = await ask(client, f"$JS.API.STREAM.INFO.{name}", b"")
    listed = await ask(client, f"$JS.API.CONSUMER.LIST.{name}", b"")
    state = info["state"]
    consumers = sorted(listed.get("consumers") or [], key=lambda one: str(one["name"]))
    return StreamOverview(
        name=name,
        messages=state["messages"],
        bytes=state["bytes"],
        max_bytes=info["config"]["max_bytes"],
        first_sequence=state["first_seq"],
        last_sequence=state["last_seq"],
        consumers=tuple(
            ConsumerOverview(
                name=one["name"],
                pending=one["num_pending"],
                unacknowledged=one["num_ack_pending"],
                redelivered=one["num_redelivered"],
            )
            for one in consumers
        ),
    )
