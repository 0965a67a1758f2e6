"""Every verdict computed again, by the gate's own core, to the same bytes (I17).

Theory of operation. The first `GateConfigured` gives a gate; it takes in what the gate took in, in
its order. Where a list ends in a verdict the core is asked again, with the store's answer and the
time of then; the verdict itself is listed next, and must be what came out, byte for byte but for
the signature. What the desk's standing was at that place is kept beside it, without the gate's help
(I6, I7).

A gate that is configured anew starts anew: it folds the whole past under its new limits. So does
this, over the journal so far.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from interlock.cli.audit.finding import FindingError
from interlock.cli.audit.gate_order import Taken
from interlock.gate.config import GateConfig
from interlock.gate.core import decide
from interlock.gate.ports import SignOrder
from interlock.gate.state import GateState, evolve, opening
from interlock.gate.witness import answer_of
from interlock.model.desk import DeskConfig
from interlock.model.values import TradingState
from interlock.wire import codec
from interlock.wire.base import tag_of
from interlock.wire.orders import (
    GateConfigured,
    GateHeard,
    OrderDenied,
    OrderIntent,
    SubmitOrder,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged

type Verdict = SubmitOrder | OrderDenied
type Past = Callable[[], Iterator[Taken]]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the core says now, and the row that told of it then."""

    seq: int
    verdict: Verdict | None
    trouble: str = ""


@dataclass(slots=True)
class Verdicts:
    """`past` gives everything that was taken in, from the first on. `recomputed` counts."""

    past: Past
    recomputed: int = 0
    _gate: GateState | None = None
    _configured: GateConfigured | None = None
    _taken: int = 0
    _expected: dict[str, Expected] = field(default_factory=dict[str, Expected])
    _version: int | None = None
    _trading: TradingState = TradingState.HALTED
    _epoch: int = 0

    def take(self, taken: Taken) -> None:
        """Take in the next of what the gate took in. Raises `FindingError`."""
        match taken.message:
            case GateConfigured():
                self._configure(taken, taken.message)
            case SubmitOrder() | OrderDenied():
                self.hold(taken, taken.message)
            case PolicyChanged() if taken.message.version >= (self._version or 0):
                self._version = taken.message.version
            case TradingStateChanged() if taken.message.epoch >= self._epoch:
                self._trading, self._epoch = taken.message.state, taken.message.epoch
            case _:
                pass
        self._taken += 1
        if self._gate is None:
            raise FindingError(
                "journal.configured",
                taken.seq,
                f"row {taken.seq} was taken in by a gate that never said what it works under",
            )
        _take_in(self._gate, taken)
        if taken.judged is not None and isinstance(taken.message, OrderIntent):
            self._expect(self._gate, taken, taken.message, taken.judged)

    def hold(self, taken: Taken, verdict: Verdict) -> None:
        """Hold a verdict against what comes out today."""
        expected = self._expected.pop(verdict.intent_id, None)
        if expected is None:
            raise FindingError(
                "journal.verdict",
                taken.seq,
                f"row {taken.seq} is a verdict, and nothing says what it rests on",
            )
        again = expected.verdict
        if isinstance(again, SubmitOrder) and isinstance(verdict, SubmitOrder):
            again = replace(again, signature=verdict.signature)
        if again is None or codec.encode(again) != taken.body:
            raise FindingError("journal.verdict", taken.seq, self._difference(expected, taken))
        self.recomputed += 1
        if isinstance(verdict, SubmitOrder):
            self._hold_standing(taken, verdict)

    def _hold_standing(self, taken: Taken, order: SubmitOrder) -> None:
        # An exit goes out in a halt, and may be older than the policy: nothing holds it back.
        if order.reduce_only:
            return
        if order.policy_version != self._version:
            raise FindingError(
                "journal.policy_version",
                taken.seq,
                f"row {taken.seq} approves under policy version {order.policy_version}, in force "
                f"was {self._version}",
            )
        if self._trading is TradingState.HALTED:
            raise FindingError(
                "journal.halted",
                taken.seq,
                f"row {taken.seq} approves an order while the desk was halted",
            )

    def _configure(self, taken: Taken, configured: GateConfigured) -> None:
        if self._configured is not None and _same(self._configured, configured):
            return
        first = self._configured is None
        self._configured = configured
        gate = _gate_of(taken.seq, configured)
        if not first:
            for count, earlier in enumerate(self.past()):
                if count == self._taken:
                    break
                _take_in(gate, earlier)
        self._gate = gate

    def _expect(self, gate: GateState, taken: Taken, intent: OrderIntent, told: GateHeard) -> None:
        answer = answer_of(intent, told)
        verdict: Verdict | None = None
        trouble = ""
        try:
            for said in decide(evolve(gate, answer), answer, told.ts_event):
                if isinstance(said, OrderDenied):
                    verdict = said
                elif isinstance(said, SignOrder):
                    verdict = said.order
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            trouble = f"{type(error).__name__}: {error}"
        self._expected[intent.intent_id] = Expected(taken.seq, verdict, trouble)

    @property
    def lost(self) -> int:
        """How many verdicts were told of and never stored: a crash came between."""
        return len(self._expected)

    def _difference(self, expected: Expected, taken: Taken) -> str:
        again, found = expected.verdict, taken.message
        where = f"row {taken.seq} is not the verdict that the journal leads to"
        if again is None:
            return f"{where}: {expected.trouble or 'none comes out'}"
        if type(again) is not type(found):
            text = f"{tag_of(type(found))} stands where {tag_of(type(again))} comes out"
        else:
            ours, theirs = msgspec.to_builtins(again), msgspec.to_builtins(found)
            names = [name for name in ours if ours[name] != theirs[name] and name != "signature"]
            text = "; ".join(f"{name} is {theirs[name]}, not {ours[name]}" for name in names[:3])
        build = "" if self._configured is None else self._configured.build
        return f"{where}: {text or 'it is not written as it was'} (made by build {build})"


def _take_in(gate: GateState, taken: Taken) -> None:
    # What the gate failed at it parked, having taken in as much of it as this does.
    with suppress(ArithmeticError, LookupError, TypeError, ValueError):
        evolve(gate, taken.message)


def _same(one: GateConfigured, other: GateConfigured) -> bool:
    return one == replace(
        other,
        message_id=one.message_id,
        decision_id=one.decision_id,
        ts_event=one.ts_event,
    )


def _gate_of(seq: int, configured: GateConfigured) -> GateState:
    try:
        desk = msgspec.json.decode(configured.desk_section, type=DeskConfig)
        config = msgspec.json.decode(configured.gate_section, type=GateConfig)
    except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
        raise FindingError(
            "journal.configured", seq, f"row {seq} configures no gate of this build: {error}"
        ) from error
    return opening(desk, config, configured.config_hash, configured.key_id, configured.build)
