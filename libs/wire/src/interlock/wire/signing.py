"""The bytes a signature covers. No cryptography here: only what is signed."""

from msgspec.structs import replace

from interlock.wire import codec
from interlock.wire.orders import Protection, SubmitOrder
from interlock.wire.policy import PolicyChanged, TradingStateChanged

DOMAIN = b"interlock.submit-order.v2"
RULES_DOMAIN = b"interlock.rules.v1"


def rules_bytes(rules: PolicyChanged | TradingStateChanged) -> bytes:
    """Return the exact bytes of a policy version or a trading state, all but the signature."""
    return RULES_DOMAIN + b"\n" + codec.encode(replace(rules, signature=""))


def canonical_bytes(order: SubmitOrder) -> bytes:
    """Return the exact bytes of every field that moves money, in a fixed order.

    Each part is preceded by its length, so no two different orders share their bytes; an absent
    price is length -1 and cannot be confused with an empty one.
    """
    fields: tuple[str | None, ...] = (
        order.desk,
        order.decision_id,
        order.intent_id,
        order.client_order_id,
        order.account,
        order.venue,
        str(order.mode),
        order.instrument_id,
        str(order.side),
        str(order.order_type),
        str(order.quantity),
        None if order.limit_price is None else str(order.limit_price),
        str(order.time_in_force),
        str(order.reduce_only),
        str(order.policy_version),
        order.config_hash,
        str(order.epoch),
        str(order.expires_at),
        order.nonce,
        order.key_id,
        order.build,
        str(order.post_only),
        *_distances(order.protection),
    )
    parts = [DOMAIN]
    for field in fields:
        raw = b"" if field is None else field.encode()
        size = -1 if field is None else len(raw)
        parts.append(b"%d:%s" % (size, raw))
    return b"\n".join(parts)


def _distances(protection: Protection | None) -> tuple[str | None, ...]:
    if protection is None:
        return (None, None, None)
    found = (protection.stop, protection.trail, protection.profit)
    return tuple(None if distance is None else str(distance) for distance in found)
