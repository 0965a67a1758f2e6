"""Closing every position once the desk's rules demand it: reduce-only, through the gate.

Asked at once for all that is held, and again at each bar for what is still there: an order may have
been on its way, or the gate may have had no price. What the venue or the gate answered to such an
order itself is not asked again before the next bar.
"""

from collections.abc import Sequence

from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.strategy.state import StrategyState
from interlock.wire.base import caused_id
from interlock.wire.build import build_of
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderCanceled, OrderExpired, OrderFilled, OrderIntent
from interlock.wire.policy import TradingStateChanged


def close_all(state: StrategyState, change: TradingStateChanged, now: int) -> Sequence[OrderIntent]:
    """Return what closes everything, where this change is the one in force and asks for it."""
    if state.flattening is None or state.flattening.epoch != change.epoch:
        return ()
    held = sorted(state.positions)
    return [intent for name in held for intent in close_one(state, name, change, now)]


def close_rest(
    state: StrategyState, heard: OrderFilled | OrderCanceled | OrderExpired, now: int
) -> Sequence[OrderIntent]:
    """Return what closes a position that an order left behind which was on its way."""
    if state.closing.get(heard.instrument_id) == heard.intent_id:
        return ()
    return close_one(state, heard.instrument_id, heard, now)


def close_one(
    state: StrategyState,
    name: str,
    cause: TradingStateChanged | FeaturesComputed | OrderFilled | OrderCanceled | OrderExpired,
    now: int,
) -> Sequence[OrderIntent]:
    change, instrument = state.flattening, state.instruments.get(name)
    held = state.positions.get(name, ZERO)
    if change is None or instrument is None or held == ZERO or name in state.asking:
        return ()
    price, ts_market = state.closes.get(name, (0.0, 0))
    intent_id = caused_id(cause, OrderIntent, f"flatten {name}")
    return [
        OrderIntent(
            message_id=intent_id,
            decision_id=change.decision_id,
            ts_event=now,
            desk=state.desk,
            intent_id=intent_id,
            account=state.account,
            venue=state.venue,
            strategy=state.config.name,
            instrument_id=name,
            side=Side.SELL if held > ZERO else Side.BUY,
            order_type=OrderType.MARKET,
            quantity=abs(held),
            limit_price=None,
            time_in_force=TimeInForce.GTC,
            reduce_only=True,
            reference_price=instrument.price(price),
            ts_market=ts_market,
            policy_version=state.policy_version,
            reasons=["flatten", change.reason],
            currency=instrument.currency,
            build=build_of(),
        )
    ]
