"""The pre-trade controls: one pure function each, all in one table.

Every control looks at the same `Case` and returns none, or a failure with what it observed and
what it allows. All are asked, so a denial names everything that was wrong. Controls that read
numbers come after those that make sure the numbers are there, and say nothing where they are not:
the first group has denied already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from interlock.gate.state import GateState, Reference
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.instrument import Instrument, on_step
from interlock.model.values import ZERO, OrderType, Side, TradingState
from interlock.wire.orders import ControlFailure, OrderIntent

BPS = Decimal(10_000)
MAX_EXPONENT = 18
"""What is traded has no more digits than this before the point; decimals may overflow beyond."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a control may look at.

    `name` is the instrument's own id where the intent used an alias, so that no alias splits a
    limit. `quantity` is none where the intent's is no size, `reference` where there is no price.
    """

    state: GateState
    intent: OrderIntent
    name: str
    now: int
    store_version: int | None
    store_error: str
    instrument: Instrument | None
    reference: Reference | None
    quantity: Decimal | None
    buying: Decimal
    selling: Decimal
    held: Decimal


def is_amount(value: Decimal) -> bool:
    """Return whether `value` is a size or a price that arithmetic can be done with."""
    return value.is_finite() and value > ZERO and abs(value.adjusted()) <= MAX_EXPONENT


def _usable(reference: Reference | None) -> Reference | None:
    return reference if reference is not None and is_amount(reference.price) else None


def case_of(
    state: GateState, intent: OrderIntent, now: int, version: int | None, error: str
) -> Case:
    """Gather what the controls look at, once."""
    instrument = state.instruments.get(intent.instrument_id)
    name = intent.instrument_id if instrument is None else instrument.instrument_id
    return Case(
        state=state,
        intent=intent,
        name=name,
        now=now,
        store_version=version,
        store_error=error,
        instrument=instrument,
        reference=_usable(state.references.get(name)),
        quantity=intent.quantity if is_amount(intent.quantity) else None,
        buying=state.leaves.get((name, Side.BUY), ZERO),
        selling=state.leaves.get((name, Side.SELL), ZERO),
        held=state.positions.get(name, ZERO),
    )


def _fail(code: str, observed: object, limit: object) -> ControlFailure:
    return ControlFailure(code=code, observed=str(observed), limit=str(limit))


def _trading_state(case: Case) -> ControlFailure | None:
    trading = case.state.trading
    if trading is TradingState.ACTIVE:
        return None
    return _fail("state.trading", trading, TradingState.ACTIVE)


def _reconciled(case: Case) -> ControlFailure | None:
    if case.state.reconciled:
        return None
    observed = ", ".join(case.state.breaks) or "not reconciled"
    return _fail("state.reconciled", observed, "no break")


def _policy_store(case: Case) -> ControlFailure | None:
    known = case.state.policy_version
    if not case.store_error and known is not None and case.store_version == known:
        return None
    observed = case.store_error or f"version {case.store_version}"
    return _fail("state.policy_store", observed, f"version {known}")


def _policy_version(case: Case) -> ControlFailure | None:
    known = case.state.policy_version
    if known is not None and case.intent.policy_version == known:
        return None
    return _fail("version.policy", case.intent.policy_version, known)


def _duplicate(case: Case) -> ControlFailure | None:
    if case.intent.intent_id not in case.state.approved:
        return None
    return _fail("duplicate.intent", case.intent.intent_id, "one approval per intent")


def _account(case: Case) -> ControlFailure | None:
    wanted = f"{case.state.account} at {case.state.venue}"
    asked = f"{case.intent.account} at {case.intent.venue}"
    if asked == wanted and case.intent.desk == case.state.desk:
        return None
    return _fail("permission.account", f"{case.intent.desk}: {asked}", wanted)


def _instrument(case: Case) -> ControlFailure | None:
    if case.instrument is not None:
        return None
    return _fail("permission.instrument", case.intent.instrument_id, "an instrument of the desk")


def _size(case: Case) -> ControlFailure | None:
    if case.quantity is not None:
        return None
    return _fail("size.number", case.intent.quantity, "a finite number above zero")


def _lot(case: Case) -> ControlFailure | None:
    if case.quantity is None or case.instrument is None:
        return None
    if on_step(case.quantity, case.instrument.lot):
        return None
    return _fail("size.lot", case.quantity, f"whole lots of {case.instrument.lot}")


def _price(case: Case) -> ControlFailure | None:
    price = case.intent.limit_price
    if (price is None) == (case.intent.order_type is OrderType.MARKET) and (
        price is None or is_amount(price)
    ):
        return None
    return _fail("price.number", price, f"a price above zero for {OrderType.LIMIT}, else none")


def _tick(case: Case) -> ControlFailure | None:
    price = case.intent.limit_price
    if price is None or not is_amount(price) or case.instrument is None:
        return None
    if on_step(price, case.instrument.tick):
        return None
    return _fail("price.tick", price, f"steps of {case.instrument.tick}")


def _order_quantity(case: Case) -> ControlFailure | None:
    limit = case.state.config.limits_of(case.name).max_order_quantity
    if limit is None:
        return _fail("size.quantity", case.quantity, "not configured")
    if case.quantity is None or case.quantity <= limit:
        return None
    return _fail("size.quantity", case.quantity, limit)


def _order_notional(case: Case) -> ControlFailure | None:
    limit = case.state.config.limits_of(case.name).max_order_notional
    if limit is None:
        return _fail("size.notional", case.quantity, "not configured")
    if case.quantity is None or case.reference is None:
        return None
    notional = case.quantity * case.reference.price
    return None if notional <= limit else _fail("size.notional", notional, limit)


def _reference(case: Case) -> ControlFailure | None:
    if case.reference is not None:
        return None
    known = case.state.references.get(case.name)
    observed = "none" if known is None else known.price
    return _fail("price.reference", observed, "a price above zero")


def _reference_age(case: Case) -> ControlFailure | None:
    limit = case.state.config.max_reference_age_seconds
    if limit is None:
        return _fail("price.stale", "unknown", "not configured")
    if case.reference is None:
        return None
    age = case.now - case.reference.ts_event
    if 0 <= age <= limit * NANOS_PER_SECOND:
        return None
    return _fail("price.stale", f"{age / NANOS_PER_SECOND:.3f} s", f"0 to {limit} s")


def _quality(case: Case) -> ControlFailure | None:
    wrong = case.state.suspect.get(case.name)
    if wrong is None:
        return None
    return _fail("price.quality", wrong, "a feed without fault")


def _collar(case: Case) -> ControlFailure | None:
    limit = case.state.config.collar_bps
    if limit is None:
        return _fail("price.collar", "unknown", "not configured")
    if case.reference is None:
        return None
    for price in (case.intent.limit_price, case.intent.reference_price):
        if price is None:
            continue
        if not is_amount(price):
            return _fail("price.collar", price, f"{limit} bps")
        distance = abs(price - case.reference.price) / case.reference.price * BPS
        if distance > limit:
            return _fail("price.collar", f"{distance:.2f} bps", f"{limit} bps")
    return None


def _intent_age(case: Case) -> ControlFailure | None:
    limit = case.state.config.max_intent_age_seconds
    if limit is None:
        return _fail("age.intent", "unknown", "not configured")
    age = case.now - case.intent.ts_market
    if 0 <= age <= limit * NANOS_PER_SECOND:
        return None
    return _fail("age.intent", f"{age / NANOS_PER_SECOND:.3f} s", f"0 to {limit} s")


def _worst(case: Case) -> Decimal | None:
    """Return the largest position that this order could lead to on its own side, signed."""
    if case.quantity is None:
        return None
    if case.intent.side is Side.BUY:
        return case.held + case.buying + case.quantity
    return case.held - case.selling - case.quantity


def _position(case: Case) -> ControlFailure | None:
    limit = case.state.config.limits_of(case.name).max_position_notional
    if limit is None:
        return _fail("position.notional", "unknown", "not configured")
    worst = _worst(case)
    if worst is None or case.reference is None:
        return None
    notional = abs(worst) * case.reference.price
    return None if notional <= limit else _fail("position.notional", notional, limit)


def _gross(case: Case) -> ControlFailure | None:
    limit = case.state.config.max_gross_notional
    if limit is None:
        return _fail("position.gross", "unknown", "not configured")
    worst = _worst(case)
    if worst is None or case.reference is None:
        return None
    gross = abs(worst) * case.reference.price
    for name, exposure in _exposures(case.state).items():
        if name == case.name or exposure == ZERO:
            continue
        reference = _usable(case.state.references.get(name))
        if reference is None:
            return _fail("position.gross", f"{exposure} {name} without a price", limit)
        gross += exposure * reference.price
    return None if gross <= limit else _fail("position.gross", gross, limit)


def _exposures(state: GateState) -> dict[str, Decimal]:
    """Return per instrument the larger of what we may come to hold and to owe."""
    leaves, exposures = state.leaves, dict[str, Decimal]()
    for name in dict.fromkeys([*state.positions, *(name for name, _ in leaves)]):
        held = state.positions.get(name, ZERO)
        long = held + leaves.get((name, Side.BUY), ZERO)
        short = held - leaves.get((name, Side.SELL), ZERO)
        exposures[name] = max(abs(long), abs(short))
    return exposures


def _short(case: Case) -> ControlFailure | None:
    worst = _worst(case)
    if case.state.config.allow_short or worst is None or worst >= ZERO:
        return None
    if case.intent.side is Side.BUY:
        return None
    return _fail("permission.short", worst, "no short position")


def _reduce_only(case: Case) -> ControlFailure | None:
    if not case.intent.reduce_only or case.quantity is None:
        return None
    closing = case.held if case.intent.side is Side.SELL else -case.held
    working = case.selling if case.intent.side is Side.SELL else case.buying
    room = max(closing - working, ZERO)
    return None if case.quantity <= room else _fail("position.reduce_only", case.quantity, room)


@dataclass(frozen=True, slots=True)
class Control:
    """One line of the table: the code, what it holds to, the unit, and where the rule is from.

    `binds_reducing` is false where a reduce-only order passes: a desk that is halted, blind or
    without limits must still be able to get out. What such an order may do at most is the matter
    of `position.reduce_only`.
    """

    code: str
    definition: str
    unit: str
    source: str
    check: Callable[[Case], ControlFailure | None]
    binds_reducing: bool = True


_FIA = "FIA best practices for automated trading risk controls, pre-trade controls"
_15C3 = "SEC rule 15c3-5"
_RTS6 = "MiFID II RTS 6, article 15"
_OURS = "Interlock"

CONTROLS: tuple[Control, ...] = (
    Control(
        "state.trading", "the desk is active", "state", _FIA, _trading_state, binds_reducing=False
    ),
    Control(
        "state.reconciled",
        "our book was held against the venue's and shows no break",
        "state",
        _OURS,
        _reconciled,
        binds_reducing=False,
    ),
    Control(
        "state.policy_store",
        "the policy store answers with the version the gate knows",
        "version",
        _OURS,
        _policy_store,
        binds_reducing=False,
    ),
    Control(
        "version.policy",
        "the intent was decided under the policy in force",
        "version",
        _OURS,
        _policy_version,
        binds_reducing=False,
    ),
    Control(
        "duplicate.intent",
        "one intent is approved at most once, for ever",
        "count",
        _15C3,
        _duplicate,
    ),
    Control(
        "permission.account", "desk, account and venue are this gate's", "name", _15C3, _account
    ),
    Control("permission.instrument", "the desk trades this instrument", "name", _15C3, _instrument),
    Control("permission.short", "no short position unless the desk may", "units", _15C3, _short),
    Control("size.number", "the quantity is a finite number above zero", "units", _RTS6, _size),
    Control("size.lot", "the quantity is whole lots", "units", _FIA, _lot),
    Control(
        "size.quantity",
        "at most so much in one order",
        "units",
        _RTS6,
        _order_quantity,
        binds_reducing=False,
    ),
    Control(
        "size.notional",
        "at most so much money in one order",
        "currency",
        _RTS6,
        _order_notional,
        binds_reducing=False,
    ),
    Control(
        "price.number",
        "a limit order has a price above zero, a market order none",
        "price",
        _RTS6,
        _price,
    ),
    Control("price.tick", "the price is on the instrument's grid", "price", _FIA, _tick),
    Control(
        "price.reference",
        "there is a market price",
        "price",
        _RTS6,
        _reference,
        binds_reducing=False,
    ),
    Control(
        "price.stale",
        "the market price is fresh",
        "seconds",
        _FIA,
        _reference_age,
        binds_reducing=False,
    ),
    Control(
        "price.quality",
        "the feed reports no jump, gap, crossed or stale data for it",
        "condition",
        _RTS6,
        _quality,
        binds_reducing=False,
    ),
    Control(
        "price.collar",
        "limit price and the strategy's price are near the market",
        "basis points",
        _RTS6,
        _collar,
        binds_reducing=False,
    ),
    Control(
        "position.notional",
        "position, all working orders and this one, worst case on its side",
        "currency",
        _15C3,
        _position,
        binds_reducing=False,
    ),
    Control(
        "position.gross",
        "the same over all instruments, long and short added",
        "currency",
        _15C3,
        _gross,
        binds_reducing=False,
    ),
    Control(
        "position.reduce_only",
        "a reduce-only order can only shrink a position",
        "units",
        _FIA,
        _reduce_only,
    ),
    Control(
        "age.intent",
        "the market event behind the intent is fresh and not in the future",
        "seconds",
        _OURS,
        _intent_age,
    ),
)


_CHECKS = {
    False: tuple(control.check for control in CONTROLS),
    True: tuple(control.check for control in CONTROLS if control.binds_reducing),
}


def run_controls(case: Case) -> list[ControlFailure]:
    """Return every control that says no, in the table's order."""
    failures: list[ControlFailure] = []
    for check in _CHECKS[case.intent.reduce_only]:
        failure = check(case)
        if failure is not None:
            failures.append(failure)
    return failures
