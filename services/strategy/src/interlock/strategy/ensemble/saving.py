"""The order that moves what a day has saved: an ordinary intent, at the day's close.

It carries no stops: what is saved is meant to stay.
"""

from collections.abc import Sequence

from interlock.model.values import ZERO, Side
from interlock.strategy.ensemble.exposure import exposed, room_of, unit_of
from interlock.strategy.ensemble.modes import may_act
from interlock.strategy.ensemble.permission import limits_for, may_enter
from interlock.strategy.ensemble.sip import REASON
from interlock.strategy.ensemble.sizing import quantity_within
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.intents import Order, intent_of
from interlock.strategy.state import StrategyState
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Message


def save(
    state: StrategyState, ensemble: EnsembleState, account: AccountUpdated, now: int
) -> Sequence[Message]:
    """Return the intent for what is owed, where it comes to a lot and may be asked for."""
    name, owed = ensemble.savings.instrument_id, ensemble.savings.owed
    instrument, known = state.instruments.get(name), state.closes.get(name)
    if instrument is None or known is None or owed <= ZERO or name in state.asking:
        return ()
    if not may_act(ensemble.mode(name)) or not may_enter(state, ensemble, instrument):
        return ()
    limits, unit = limits_for(ensemble, instrument), unit_of(state, ensemble, instrument)
    if limits is None or unit is None or state.positions.get(name, ZERO) < ZERO:
        return ()
    equity = max(account.equity_at_day_start, ZERO)
    left = limits.name * equity - exposed(state, ensemble, name) * unit
    room = room_of(state, ensemble, instrument.bucket, limits.bucket * equity)
    quantity = quantity_within(instrument, min(owed, left, room, limits.order * equity), unit)
    if quantity <= ZERO:
        return ()
    close, ts_market = known
    order = Order(
        instrument=instrument, side=Side.BUY, close=close, ts_market=ts_market, quantity=quantity
    )
    reasons = [REASON, f"day_pnl={account.day_pnl:.2f}", f"owed={owed:.2f}"]
    return [intent_of(state, account, order, reasons, now)]
