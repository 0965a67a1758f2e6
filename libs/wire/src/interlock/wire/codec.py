"""Bytes to messages and back. JSON, so that a person can read the bus."""

import msgspec

from interlock.wire.base import Message
from interlock.wire.catalogue import BY_TAG

_encoder = msgspec.json.Encoder()
_decoders = {tag: msgspec.json.Decoder(entry.kind) for tag, entry in BY_TAG.items()}


class _Tagged(msgspec.Struct):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


class UndecodableError(ValueError):
    """The bytes are no message of the catalogue. The text names the field."""


def encode(message: Message) -> bytes:
    return _encoder.encode(message)


def decode(body: bytes) -> Message:
    """Return the message in `body`, or raise `UndecodableError` saying what is wrong with it.

    Unknown fields are let through: a newer writer may have added one.
    """
    try:
        tag = _tag_decoder.decode(body).type
        decoder = _decoders.get(tag)
        if decoder is None:
            raise UndecodableError(f"no message has the type {tag!r}")
        message: Message = decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UndecodableError(str(error)) from error
    return message
