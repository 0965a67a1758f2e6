"""The order that moves what a day has saved: an ordinary intent, at the first bar after its close.

It carries no stops: what is saved is meant to stay.
"""

from collections.abc import Sequence
from decimal import Decimal

from interlock.model.values import ZERO, Side
from interlock.strategy.ensemble.exposure import exposed, room_for_order, unit_of
from interlock.strategy.ensemble.modes import may_act
from interlock.strategy.ensemble.permission import limits_for, may_enter
from interlock.strategy.ensemble.sip import REASON
from interlock.strategy.ensemble.sizing import quantity_within
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.intents import Order, intent_of, is_old
from interlock.strategy.state import StrategyState
from interlock.strategy.trim import is_trimming
from interlock.wire.accounts import AccountUpdated
from interlock.wire.market import FeaturesComputed
from interlock.wire.orders import OrderIntent


def save(state: StrategyState, features: FeaturesComputed, now: int) -> Sequence[OrderIntent]:
    """Return the intent for what is owed, where this bar is to ask for it and may."""
    ensemble = state.ensemble
    if ensemble is None or features.message_id != ensemble.savings.answered:
        return ()
    savings, account = ensemble.savings, ensemble.account
    if account is None or features.close <= 0 or is_old(state, features, now):
        return ()
    quantity = _quantity(state, ensemble, account)
    if quantity <= ZERO:
        return ()
    order = Order(
        instrument=state.instruments[savings.instrument_id],
        side=Side.BUY,
        close=features.close,
        ts_market=features.ts_event,
        quantity=quantity,
    )
    reasons = [REASON, f"day_pnl={savings.pnl:.2f}", f"owed={savings.owed:.2f}"]
    return [intent_of(state, features, order, reasons, now)]


def _quantity(state: StrategyState, ensemble: EnsembleState, account: AccountUpdated) -> Decimal:
    """Return the lots that what is owed pays for and the rules have room for."""
    name, owed = ensemble.savings.instrument_id, ensemble.savings.owed
    instrument = state.instruments.get(name)
    if instrument is None or owed <= ZERO or name in state.asking or is_trimming(state):
        return ZERO
    if not may_act(ensemble.mode(name)) or not may_enter(state, ensemble, instrument):
        return ZERO
    limits, unit = limits_for(ensemble, instrument), unit_of(state, ensemble, instrument)
    if limits is None or unit is None or state.positions.get(name, ZERO) < ZERO:
        return ZERO
    equity = max(account.equity_at_day_start, ZERO)
    left = limits.name * equity - exposed(state, ensemble, name) * unit
    room = room_for_order(state, ensemble, instrument.bucket, limits.bucket * equity)
    return quantity_within(instrument, min(owed, left, room, limits.order * equity), unit)
