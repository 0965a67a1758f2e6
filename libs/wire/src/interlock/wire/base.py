"""The two message bases, and the two kinds of value that never travel.

A message says what is, was or shall be, and is published. An `Effect` is what a core asks its
shell to do (sign, call a model, place an order at a venue); a `Report` is what came of it, handed
back to the same core. Effects and reports stay inside one service.
"""

from functools import cache
from typing import ClassVar

from msgspec import Struct

from interlock.model.ids import DecisionId, MessageId, UnixNanos, derive_id


class Message(Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """What every message carries. It cannot hold itself, so the cycle collector may pass it over.

    `decision_id` is also the OpenTelemetry trace id. `ts_event` is the moment on the data's clock,
    in UNIX nanoseconds UTC, at which the message is true.
    """

    message_id: MessageId
    decision_id: DecisionId
    ts_event: UnixNanos


class DeskMessage(Message, frozen=True, kw_only=True):
    """A message that belongs to one desk."""

    desk: str


class Effect(Struct, frozen=True, kw_only=True):
    """Something a core asks its shell to do, once all that was said before it is durable.

    An effect that is `harmless` touches nothing outside and need not wait for that. One that can
    be `put_off` has no reports, and nothing waits for it: it is done before the cause is settled.
    """

    harmless: ClassVar[bool] = False
    put_off: ClassVar[bool] = False


class Report(Struct, frozen=True, kw_only=True):
    """What came of an effect."""


type Heard = Message | Report
"""What a core is told."""

type Said = Message | Effect
"""What a core answers."""


@cache
def tag_of(kind: type[Message]) -> str:
    """Return the wire tag of a message type, such as ``order.filled.v1``."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def caused_id(cause: Message, kind: type[Message], key: object = "") -> MessageId:
    """Return the id of the message of this `kind` that `cause` brings about.

    `key` keeps apart several messages of one kind with one cause.
    """
    return derive_id(cause.message_id, kind.__struct_config__.tag, key)


def root_ids(kind: type[Message], *parts: object) -> tuple[MessageId, DecisionId]:
    """Return the message and decision ids of something no other message caused."""
    message_id = derive_id(tag_of(kind), *parts)
    return message_id, derive_id("decision", message_id)
