"""Identifiers that derive from their cause, so that doing a thing twice makes the same id."""

from hashlib import blake2b

type UnixNanos = int
type DecisionId = str
type MessageId = str

NANOS_PER_SECOND = 1_000_000_000
CLIENT_ORDER_ID_PREFIX = "il-"


def derive_id(*parts: object) -> str:
    """Return 32 hexadecimal digits that depend on every part and on their order.

    The unit separator between parts keeps ``("ab", "c")`` and ``("a", "bc")`` apart.
    """
    text = "\x1f".join(map(str, parts))
    if "\x1b" in text or text.count("\x1f") >= len(parts):
        text = "\x1f".join([_escaped(str(part)) for part in parts])
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _escaped(text: str) -> str:
    """Keep a separator inside a part from looking like one between parts."""
    return text.replace("\x1b", "\x1b0").replace("\x1f", "\x1b1")


def client_order_id(intent_id: str) -> str:
    """Return the venue-facing order id of an intent: 35 characters, within every venue's limit."""
    return CLIENT_ORDER_ID_PREFIX + intent_id
