"""What became of each approved order, heard as exec says it: sent, answered, unknown, over."""

import time
from dataclasses import dataclass, field

from interlock.wire import codec
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderUnknown,
)

from tests.chaos.load import Load

ANSWERS = (
    OrderAccepted, OrderCanceled, OrderExpired, OrderFilled, OrderRefused, OrderRejected,
)  # fmt: skip


@dataclass(slots=True)
class OrderWatch:
    """When each intent was last answered, and when it became unknown, of the monotonic clock."""

    answered: dict[str, float] = field(default_factory=dict[str, float])
    unknown: dict[str, float] = field(default_factory=dict[str, float])
    ended: set[str] = field(default_factory=set[str])
    resolved_seconds: list[float] = field(default_factory=list[float])

    def hear(self, body: bytes) -> None:
        now = time.monotonic()
        message = codec.decode(body)
        if isinstance(message, OrderUnknown):
            self.unknown.setdefault(message.intent_id, now)
        elif isinstance(message, ANSWERS):
            self.answered[message.intent_id] = now
            if not isinstance(message, OrderAccepted | OrderFilled) or (
                isinstance(message, OrderFilled) and not message.leaves_qty
            ):
                self.ended.add(message.intent_id)
            since = self.unknown.pop(message.intent_id, None)
            if since is not None:
                self.resolved_seconds.append(now - since)

    def open_of(self, load: Load) -> list[str]:
        """Return the approved intents whose fate nobody knows yet."""
        return [
            intent_id
            for intent_id in load.approved
            if intent_id not in self.answered or intent_id in self.unknown
        ]

    def unfinished(self, load: Load) -> list[str]:
        """Return the approved intents whose order has not ended."""
        return [
            intent_id
            for intent_id in load.approved
            if intent_id not in self.ended and self.answered.get(intent_id) != 0.0
        ]
