"""A gate that approves ten SPY at 100, and what to ask it."""

from decimal import Decimal

from interlock.gate.app import build
from interlock.gate.config import BucketLimits, GateConfig, InstrumentLimits
from interlock.gate.rules_store import GateRules
from interlock.model.values import InstrumentKind, OrderType, Side
from interlock.runtime.errors import UnavailableError
from interlock.runtime.signing import throwaway_signer
from interlock.runtime.stores.rules import MemoryRulesStore, Saved
from interlock.testkit.cells import begin, cell_of, finish, react
from interlock.testkit.decisions import (
    approved,
    desk,
    features,
    policy,
    reconciled,
    trading,
    wanted,
)
from interlock.testkit.desk_messages import DESK, SECOND, bar, fill, tick
from interlock.testkit.rules import reader, signed, store_of
from interlock.wire.orders import OrderDenied, SubmitOrder
from interlock.wire.system import SafetyTripped

NOW = 100
EQUITY = 30_000
SIGNER = throwaway_signer()
LIMITS = {
    "max_order_quantity": Decimal(50),
    "max_order_notional": Decimal(4_000),
    "min_order_notional": Decimal(0),
    "max_position_notional": Decimal(6_000),
}
BUCKET = {
    "max_gross_pct": Decimal(100),
    "max_name_pct": Decimal(100),
    "max_order_pct": Decimal(100),
    "long_only": False,
}
WHOLE = {
    "max_gross_notional": Decimal(8_000),
    "max_gross_pct": Decimal(100),
    "max_net_pct": Decimal(100),
    "max_sector_pct": Decimal(100),
    "collar_bps": Decimal(50),
    "max_reference_age_seconds": 10,
    "max_intent_age_seconds": 10,
    "max_features_age_seconds": 60,
    "max_orders_per_second": 100,
    "max_orders_per_minute": 100,
    "halt_orders_per_minute": 100,
    "max_entries_without_person": 100,
    "max_daily_loss_pct": Decimal(2),
    "max_weekly_loss_pct": Decimal(5),
    "max_drawdown_5d_pct": Decimal(8),
    "max_consecutive_losses": 3,
    "min_cash": Decimal(0),
    "max_day_notional": Decimal(100_000),
    "fee_bps": Decimal(0),
    "cooldown_seconds": 0,
    "allowed_kinds": (InstrumentKind.EQUITY,),
    "sides": (Side.BUY, Side.SELL),
    "session": "always",
}


class AwayStore(MemoryRulesStore):
    """A policy store that does not answer."""

    async def read(self, desk, *_, **__):
        raise UnavailableError(f"no answer about {desk}")


def rules_of(store):
    return GateRules(desk=DESK, store=store, reader=reader())


def config_of(*, default=None, bucket=None, **changes):
    fields = {
        "default_limits": InstrumentLimits(**(LIMITS if default is None else default)),
        "buckets": {"core": BucketLimits(**(BUCKET | (bucket or {})))},
    }
    return GateConfig(**(WHOLE | fields | changes))


def gate_cell(*, store=None, heard=True, of=None, standing=None, rules=None, **changes):
    """Return a gate that is active and reconciled, with every limit configured.

    `of` changes the desk, `standing` and `rules` are what policy says, the rest is configuration.
    """
    said = (rules or policy(3), standing or trading())
    kept = store_of(*said) if store is None else store
    cell = cell_of(
        build(desk(**(of or {})), config_of(**changes), "c0ffee", rules_of(kept), SIGNER)
    )
    if heard:
        seen = [tick(NOW), *priced_all(cell), *featured_all(cell)]
        for message in (*reversed(said), reconciled(), *seen):
            react(cell, message, 0)
    return cell


def priced_all(cell):
    return [priced(one.instrument_id) for one in set_of_instruments(cell)]


def featured_all(cell, **more):
    return [features(NOW - 1, 1.0, one.instrument_id, **more) for one in set_of_instruments(cell)]


def set_of_instruments(cell):
    return {one.instrument_id: one for one in cell.state.instruments.values()}.values()


def priced(name="SPY", close=100.0, at=NOW):
    return bar(at, close, name)


def answers(cell, intent, now=NOW):
    """Return all that the gate says to an intent but what the verdict rests on."""
    return react(cell, intent, round(now * SECOND))


def ask(cell, intent, now=NOW):
    """Return the one verdict on an intent."""
    (verdict,) = [one for one in answers(cell, intent, now) if not isinstance(one, SafetyTripped)]
    return verdict


def codes(cell, intent=None, now=NOW):
    """Return the codes of the denial, none for an approval."""
    answer = ask(cell, intent or wanted(NOW), now)
    if isinstance(answer, SubmitOrder):
        return []
    assert isinstance(answer, OrderDenied)
    assert all(failure.observed and failure.limit for failure in answer.failures)
    return [failure.code for failure in answer.failures]


def failure_of(cell, intent=None, now=NOW):
    """Return observed and limit of the one control that failed."""
    (failure,) = ask(cell, intent or wanted(NOW), now).failures
    return failure.code, failure.observed, failure.limit


def limit_order(price, n=NOW, **more):
    value = price if isinstance(price, Decimal | None) else Decimal(price)
    return wanted(n, order_type=OrderType.LIMIT, limit_price=value, **more)


def held(cell, quantity, name="SPY", n=1, **more):
    side = Side.BUY if quantity > 0 else Side.SELL
    more = {"fee": Decimal(0), **more}
    react(cell, fill(n, side, abs(quantity), instrument_id=name, **more), 0)
    return cell


def working(cell, n, quantity, side=Side.BUY, name="SPY", **more):
    """Let the gate remember an approval of its own, and the store with it."""
    order = approved(n, quantity=Decimal(quantity), side=side, instrument_id=name, **more)
    cell.recover(order, own=True)
    begin(cell, 0)
    return order


def store():
    """Return the policy store that fits what `gate_cell` has heard."""
    return store_of(policy(3), trading())


def stand(cell, kept, standing):
    """Let policy say what may be traded now, to the store and to the gate."""
    assert finish(kept.save(signed(standing))) is Saved.TAKEN
    react(cell, standing, 0)


NO_AMOUNTS = ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "-1", "0", "-0", "9E+999", "1E-999"]
