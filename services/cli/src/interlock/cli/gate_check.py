"""The gate on paper: the same controls on a written-down state, without servers. Pure.

The verdicts are those of `interlock.gate.core`, intent after intent: one that is approved counts
as a working order for those after it, and a second one of its id is a duplicate.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from interlock.cli.gate_snapshot import GateSnapshot, restore
from interlock.gate.config import GateConfig
from interlock.gate.controls.table import BY_CODE
from interlock.gate.core import decide
from interlock.gate.ports import PolicyStoreAnswered, SignOrder
from interlock.gate.state import GateState, evolve, opening
from interlock.model.desk import DeskConfig
from interlock.wire.build import build_of
from interlock.wire.orders import ControlFailure, OrderDenied, OrderIntent
from interlock.wire.system import SafetyTripped

UNREADABLE = "intent.unreadable"


class Explained(Struct, frozen=True, kw_only=True):
    """A control that said no: what it saw, what it allows, and what it is there for."""

    code: str
    observed: str
    limit: str
    holds: str
    level: str


class Verdict(Struct, frozen=True, kw_only=True):
    """One line of the answer. What cannot be read has no intent, and is denied."""

    line: int
    approved: bool
    intent_id: str | None
    instrument_id: str | None
    side: str | None
    quantity: str | None
    failures: list[Explained]


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperGate:
    """A gate that signs nothing, and a policy store that answers what was written down."""

    state: GateState
    snapshot: GateSnapshot


def paper_gate(
    desk: DeskConfig, config: GateConfig, config_hash: str, snapshot: GateSnapshot, now: int
) -> PaperGate:
    """Return a gate of `desk` in the state of `snapshot` at `now`, UNIX ns on the data's clock."""
    state = opening(desk, config, config_hash, "none", build_of())
    restore(state, snapshot, now)
    return PaperGate(state=state, snapshot=snapshot)


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
            failures=[_explained(failure)],
        )
    failures = _failures(gate, intent, now)
    return Verdict(
        line=number,
        approved=not failures,
        intent_id=intent.intent_id,
        instrument_id=intent.instrument_id,
        side=intent.side,
        quantity=str(intent.quantity),
        failures=[_explained(failure) for failure in failures],
    )


def _explained(failure: ControlFailure) -> Explained:
    control = BY_CODE.get(failure.code)
    return Explained(
        code=failure.code,
        observed=failure.observed,
        limit=failure.limit,
        holds="the line is an intent" if control is None else control.definition,
        level="deny" if control is None else control.level,
    )


def _failures(gate: PaperGate, intent: OrderIntent, now: int) -> list[ControlFailure]:
    """Return what the gate has against an intent, and remember it as an order where approved."""
    try:
        said = decide(gate.state, _answer(gate, intent), now)
    except ArithmeticError as error:
        # More digits than can be computed with: the running gate parks such an intent.
        return [ControlFailure(code=UNREADABLE, observed=type(error).__name__, limit="a number")]
    failures: list[ControlFailure] = []
    for one in said:
        match one:
            case SignOrder():
                evolve(gate.state, one.order)
            case OrderDenied():
                evolve(gate.state, one)
                failures = one.failures
            case SafetyTripped():
                evolve(gate.state, one)
            case _:
                raise TypeError(f"the gate answered with {type(one).__name__}")
    return failures


def _answer(gate: PaperGate, intent: OrderIntent) -> PolicyStoreAnswered:
    """Return what the store would answer: what was given, and what was approved here since."""
    given, tally = gate.snapshot, gate.state.tally
    counts, stored = given.counts, given.stored_counts
    missing = [
        f"{name} not given"
        for name in ("stored_policy_version", "stored_epoch", "stored_counts")
        if getattr(given, name) is None
    ]
    if missing or counts is None or stored is None:
        error = ", ".join(missing) or "counts not given"
        return PolicyStoreAnswered(intent=intent, version=None, error=error)
    return PolicyStoreAnswered(
        intent=intent,
        version=given.stored_policy_version,
        epoch=given.stored_epoch,
        approvals=stored.approvals - counts.approvals + len(tally.approvals),
        notional_micros=stored.notional_micros - counts.notional_micros + tally.notional_micros,
    )
