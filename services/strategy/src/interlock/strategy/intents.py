"""A wish as an intent: what every engine and every rule asks with."""

from decimal import Decimal

from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND, DecisionId, UnixNanos
from interlock.model.instrument import Instrument
from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.strategy.state import StrategyState
from interlock.wire.base import Message, caused_id
from interlock.wire.build import build_of
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderIntent, Protection


class Order(Struct, frozen=True, kw_only=True):
    """What is wanted, at which price it was seen. `leaving`: it may only close.

    `close` is in the instrument's currency, `ts_market` the moment at which that was the price.
    With a `resting_at` it adds to the book at that price and no other; without it goes to market.
    """

    instrument: Instrument
    side: Side
    close: float
    ts_market: UnixNanos
    quantity: Decimal = ZERO
    leaving: bool = False
    resting_at: Decimal | None = None
    protection: Protection | None = None


def is_old(state: StrategyState, features: FeaturesComputed, now: int) -> bool:
    """Return whether the bar was missed, and asked for since: it decides nothing."""
    return now - features.ts_event > state.config.max_features_age_seconds * NANOS_PER_SECOND


def intent_of(
    state: StrategyState,
    cause: Message,
    order: Order,
    reasons: list[str],
    now: int,
    *,
    key: str = "",
    decision_id: DecisionId = "",
) -> OrderIntent:
    """Return the intent for `order` that `cause` brings about; `key` keeps several apart."""
    instrument, rests = order.instrument, order.resting_at is not None
    intent_id = caused_id(cause, OrderIntent, key or state.config.label)
    return OrderIntent(
        message_id=intent_id,
        decision_id=decision_id or cause.decision_id,
        ts_event=now,
        desk=state.desk,
        intent_id=intent_id,
        account=state.account,
        venue=state.venue,
        strategy=state.config.label,
        instrument_id=instrument.instrument_id,
        side=order.side,
        order_type=OrderType.LIMIT if rests else OrderType.MARKET,
        quantity=order.quantity,
        limit_price=order.resting_at,
        time_in_force=TimeInForce.GTC,
        reduce_only=order.leaving,
        reference_price=instrument.price(order.close),
        ts_market=order.ts_market,
        policy_version=state.policy_version,
        reasons=reasons,
        currency=instrument.currency,
        build=build_of(),
        post_only=rests,
        protection=order.protection,
    )
