"""What the gate approved today, to hold the policy store's counters against. Pure.

The store's counters are every gate's together, the tally is what this gate remembers. Where the two
differ, somebody else approves, or somebody changed the store: nothing new is approved then, and a
gate that finds it at its start trips.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from interlock.gate.ports import (
    AskPolicyStore,
    CountApproval,
    CountersSettled,
    PolicyStoreAnswered,
    SettleCounters,
)
from interlock.model.counting import Counted
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.wire.base import root_ids
from interlock.wire.catalogue import GATE
from interlock.wire.orders import OrderIntent, SubmitOrder
from interlock.wire.system import SafetyTripped, TripLevel

NANOS_PER_DAY = 86_400 * NANOS_PER_SECOND
MICROS = Decimal(1_000_000)
CODE = "state.counters"
APPROVALS, NOTIONAL = "approvals", "notional_micros"


@dataclass(slots=True)
class Tally:
    """The approvals of one day (UTC) by intent, with quantity times reference price in millionths.

    Whole numbers, because the store has no others.
    """

    scope: str = ""
    approvals: dict[str, int] = field(default_factory=dict[str, int])
    notional_micros: int = 0


def scope_of(now: UnixNanos) -> str:
    return f"approvals-{now // NANOS_PER_DAY}"


def _micros(order: SubmitOrder) -> int:
    return int(order.quantity * order.reference_price * MICROS)


def tally(sums: Tally, order: SubmitOrder) -> None:
    """Take in an approval; the first of another day begins anew."""
    scope = scope_of(order.ts_event)
    if sums.scope != scope:
        sums.scope, sums.approvals, sums.notional_micros = scope, {}, 0
    if order.intent_id not in sums.approvals:
        micros = _micros(order)
        sums.approvals[order.intent_id] = micros
        sums.notional_micros += micros


def asked(intent: OrderIntent, epoch: int, now: UnixNanos) -> AskPolicyStore:
    return AskPolicyStore(intent=intent, scope=scope_of(now), epoch=epoch)


def counted(order: SubmitOrder) -> CountApproval:
    approval = _counted(order.intent_id, _micros(order))
    return CountApproval(scope=scope_of(order.ts_event), epoch=order.epoch, approval=approval)


def _counted(intent_id: str, micros: int) -> Counted:
    return Counted(member=intent_id, amounts={APPROVALS: 1, NOTIONAL: micros})


def settle(sums: Tally, epoch: int) -> SettleCounters:
    """Return what makes the store complete at the start."""
    approvals = [_counted(intent_id, micros) for intent_id, micros in sums.approvals.items()]
    return SettleCounters(scope=sums.scope, epoch=epoch, approvals=approvals)


def difference(
    sums: Tally, answer: PolicyStoreAnswered | CountersSettled, scope: str
) -> tuple[str, str] | None:
    """Return what the store counts and what this gate does, none where it is the same."""
    ours = (len(sums.approvals), sums.notional_micros) if sums.scope == scope else (0, 0)
    theirs = answer.approvals, answer.notional_micros
    return None if ours == theirs else (_shown(theirs), _shown(ours))


def _shown(numbers: tuple[int, int]) -> str:
    approvals, micros = numbers
    return f"{approvals} approvals of {Decimal(micros) / MICROS} together"


def tripped(
    sums: Tally, settled: CountersSettled, desk: str, now: UnixNanos
) -> list[SafetyTripped]:
    """Return the trip for a store that counts differently even after everything was counted."""
    if settled.error or settled.scope != sums.scope:
        return []
    found = difference(sums, settled, settled.scope)
    if found is None:
        return []
    message_id, decision_id = root_ids(SafetyTripped, desk, CODE, settled.scope, now)
    return [
        SafetyTripped(
            message_id=message_id,
            decision_id=decision_id,
            ts_event=now,
            desk=desk,
            service=GATE,
            code=CODE,
            level=TripLevel.HALT,
            observed=f"the policy store shows {found[0]}",
            limit=found[1],
        )
    ]
