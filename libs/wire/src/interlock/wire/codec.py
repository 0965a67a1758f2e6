"""Bytes to messages and back. JSON, so that a person can read the bus."""

import msgspec

from interlock.wire.base import Message
from interlock.wire.catalogue import BY_TAG, subject_of

_encoder = msgspec.json.Encoder()
_decoders = {tag: msgspec.json.Decoder(entry.kind) for tag, entry in BY_TAG.items()}


class _Tagged(msgspec.Struct):
    type: str


_tag_decoder = msgspec.json.Decoder(_Tagged)


class UndecodableError(ValueError):
    """The bytes are no message of the catalogue, or not where they stand. The text says why."""


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


def decode_on(subject: str, body: bytes) -> Message:
    """Return the message in `body`, which was found on `subject`.

    The bus lets everybody publish on his own subjects only. So a message of another subject is
    nobody's word, however well it is written.

    Raises
    ------
    UndecodableError
        When the bytes are no message, or one that travels elsewhere.
    """
    message = decode(body)
    try:
        own = subject_of(message)
    except ValueError as error:
        raise UndecodableError(str(error)) from error
    if own != subject:
        raise UndecodableError(f"this message travels on {own}, not on {subject}")
    return message
