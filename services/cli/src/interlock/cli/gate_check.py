"""The gate on paper: the same controls on a written-down state, without servers. Pure.

The verdicts are those of `interlock.gate.core`, intent after intent: one that is approved counts
as a working order for those after it, and a second one of its id is a duplicate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from msgspec import Struct

from interlock.gate.config import GateConfig
from interlock.gate.core import decide
from interlock.gate.ports import PolicyStoreAnswered, SignOrder
from interlock.gate.state import GateState, Reference, evolve, keep_working
from interlock.model.desk import DeskConfig
from interlock.model.order import WorkingOrder
from interlock.model.values import Side, TradingState, require_finite, require_positive
from interlock.wire.orders import ControlFailure, OrderDenied, OrderIntent

UNREADABLE = "intent.unreadable"


class ReferencePrice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The latest price of an instrument and when it was true, in UNIX ns."""

    price: Decimal
    ts_event: int

    def __post_init__(self) -> None:
        require_finite("price", self.price)


class StandingOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that may still trade. Quantities in units of the instrument."""

    client_order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    filled: Decimal = Decimal(0)
    price: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        require_positive("quantity", self.quantity)
        if not 0 <= self.filled <= self.quantity:
            raise ValueError(f"filled must be from 0 to {self.quantity}, not {self.filled}")


class GateSnapshot(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``interlock gate check --state FILE`` reads. A part that is missing denies.

    Parameters
    ----------
    trading
        ``active``, ``reduce_only`` or ``halted``.
    epoch
        The number of the trading state's last change.
    reconciled, breaks
        Whether the book was held against the venue's, and what differed.
    policy_version
        The version the gate knows.
    stored_policy_version
        The version the policy store answers with; none where it does not answer.
    references
        Prices by instrument.
    positions
        Signed quantities by instrument; ``{}`` says that there are none.
    working
        Orders that may still trade; ``[]`` says that there are none.
    approved
        Ids of the intents approved so far; ``[]`` says that there are none.
    """

    trading: TradingState = TradingState.HALTED
    epoch: int = 0
    reconciled: bool = False
    breaks: list[str] = []
    policy_version: int | None = None
    stored_policy_version: int | None = None
    references: dict[str, ReferencePrice] = {}
    positions: dict[str, Decimal] | None = None
    working: list[StandingOrder] | None = None
    approved: list[str] | None = None

    def __post_init__(self) -> None:
        for name, quantity in (self.positions or {}).items():
            require_finite(f"the position in {name}", quantity)


class Verdict(Struct, frozen=True, kw_only=True):
    """One line of the answer. What cannot be read has no intent, and is denied."""

    line: int
    approved: bool
    intent_id: str | None
    instrument_id: str | None
    side: str | None
    quantity: str | None
    failures: list[ControlFailure]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperGate:
    """A gate that signs nothing."""

    state: GateState
    stored_policy_version: int | None


def paper_gate(
    desk: DeskConfig, config: GateConfig, config_hash: str, snapshot: GateSnapshot
) -> PaperGate:
    """Return a gate of `desk` in the state of `snapshot`.

    A part of the book that is not given is a break: nobody knows what the desk holds.
    """
    unknown = [
        f"{name} not given"
        for name in ("positions", "working", "approved")
        if getattr(snapshot, name) is None
    ]
    names = {name: one for one in desk.instruments for name in (one.instrument_id, *one.aliases)}

    def own_name(name: str) -> str:
        return names[name].instrument_id if name in names else name

    state = GateState(
        desk=desk.name,
        account=desk.account,
        venue=desk.venue,
        mode=desk.mode,
        config=config,
        config_hash=config_hash,
        key_id="none",
        instruments=names,
        approved=set(snapshot.approved or ()),
        policy_version=snapshot.policy_version,
        trading=snapshot.trading,
        epoch=snapshot.epoch,
        reconciled=snapshot.reconciled and not snapshot.breaks and not unknown,
        breaks=[*snapshot.breaks, *unknown],
    )
    for name, reference in snapshot.references.items():
        state.references[own_name(name)] = Reference(reference.price, reference.ts_event)
    for name, quantity in (snapshot.positions or {}).items():
        held = state.positions.get(own_name(name), Decimal(0))
        state.positions[own_name(name)] = held + quantity
    for order in snapshot.working or ():
        working = WorkingOrder(
            client_order_id=order.client_order_id,
            intent_id="",
            instrument_id=own_name(order.instrument_id),
            side=order.side,
            quantity=order.quantity,
            filled=order.filled,
            price=order.price,
        )
        keep_working(state, working)
    return PaperGate(state=state, stored_policy_version=snapshot.stored_policy_version)


def verdicts(gate: PaperGate, lines: Sequence[bytes], now: int) -> Iterator[Verdict]:
    """Yield one verdict for each line that is not blank; `now` is UNIX ns on the data's clock."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _verdict(gate, number, line, now)


def _verdict(gate: PaperGate, number: int, line: bytes, now: int) -> Verdict:
    try:
        intent = msgspec.json.decode(line, type=OrderIntent)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        failure = ControlFailure(code=UNREADABLE, observed=str(error), limit="an order intent")
        return Verdict(
            line=number,
            approved=False,
            intent_id=None,
            instrument_id=None,
            side=None,
            quantity=None,
            failures=[failure],
        )
    failures = _failures(gate, intent, now)
    return Verdict(
        line=number,
        approved=not failures,
        intent_id=intent.intent_id,
        instrument_id=intent.instrument_id,
        side=intent.side,
        quantity=str(intent.quantity),
        failures=failures,
    )


def _failures(gate: PaperGate, intent: OrderIntent, now: int) -> list[ControlFailure]:
    """Return what the gate has against an intent, and remember it as an order where approved."""
    version = gate.stored_policy_version
    unanswered = "" if version is not None else "not given"
    answer = PolicyStoreAnswered(intent=intent, version=version, error=unanswered)
    try:
        (said,) = decide(gate.state, answer, now)
    except ArithmeticError as error:
        # More digits than can be computed with: the running gate parks such an intent.
        return [ControlFailure(code=UNREADABLE, observed=type(error).__name__, limit="a number")]
    match said:
        case OrderDenied():
            return said.failures
        case SignOrder():
            evolve(gate.state, said.order)
            return []
        case _:
            raise TypeError(f"the gate answered with {type(said).__name__}")
