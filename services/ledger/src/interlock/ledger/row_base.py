"""What every row of the ledger's tables has, and how it is copied from its message."""

from typing import Any

from msgspec import Struct

from interlock.wire.base import Message


class Row(Struct, frozen=True, kw_only=True):
    """A row names the message it was made from."""

    message_id: str
    decision_id: str
    ts_event: int


def ids_of(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "decision_id": message.decision_id,
        "ts_event": message.ts_event,
    }


def copied[R: Row](kind: type[R], message: Message, **more: object) -> R:
    """Return a row with the message's fields that the row's columns are named after."""
    names = [name for name in kind.__struct_fields__ if name not in more]
    fields: dict[str, Any] = {name: getattr(message, name) for name in names} | more
    return kind(**fields)
