"""I15 by the broker's clock: an order is sent after its row is stored, so the row must be in time.

What a process noted as its own time says little where the process or its links slept in between.
"""

from interlock.runtime.bus.nats import NatsBus, _stored_at
from interlock.wire import codec
from interlock.wire.catalogue import BY_KIND, Stream
from interlock.wire.orders import OrderAccepted, OrderSubmitted, SubmitOrder


async def sent_late(reader: NatsBus, *, by_age: bool = False) -> list[str]:
    """Return the orders the venue took although their row was stored after they had expired.

    `by_age` is for a desk with another clock than the broker: an approval lives as long as it says
    from when it was stored.
    """
    expires: dict[str, int] = {}
    stored: dict[str, int] = {}
    taken: set[str] = set()
    for kind in (SubmitOrder, OrderSubmitted, OrderAccepted):
        entry = BY_KIND[kind]
        assert entry.stream in {Stream.APPROVALS, Stream.DESK}
        async for msg in reader._read_back(entry.stream, entry.filter, last_only=False):
            try:
                message = codec.decode(msg.data)
            except codec.UndecodableError:
                continue
            match message:
                case SubmitOrder():
                    lives = message.expires_at - message.ts_event
                    ends = _stored_at(msg) + lives if by_age else message.expires_at
                    expires[message.client_order_id] = ends
                case OrderSubmitted():
                    stored[message.client_order_id] = _stored_at(msg)
                case OrderAccepted():
                    taken.add(message.client_order_id)
                case _:
                    pass
    return [
        f"I15 sent {(stored[name] - expires[name]) / 1e9:.3f} s after it expired: {name}"
        for name in sorted(taken & stored.keys() & expires.keys())
        if stored[name] > expires[name]
    ]
