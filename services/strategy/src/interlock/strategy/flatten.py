"""Closing every position once the desk's rules demand it: reduce-only, through the gate.

Asked at once for all that is held, and again at each bar for what is still there: an order may have
been on its way, or the gate may have had no price. What the venue or the gate answered to such an
order itself is not asked again before the next bar.
"""

from collections.abc import Sequence

from interlock.model.values import ZERO, Side
from interlock.strategy.intents import Order, intent_of
from interlock.strategy.state import StrategyState
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
    order = Order(
        instrument=instrument,
        side=Side.SELL if held > ZERO else Side.BUY,
        close=price,
        ts_market=ts_market,
        quantity=abs(held),
        leaving=True,
    )
    reasons, key = ["flatten", change.reason], f"flatten {name}"
    intent = intent_of(state, cause, order, reasons, now, key=key, decision_id=change.decision_id)
    return [intent]
