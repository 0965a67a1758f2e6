"""What the matrix says of a snapshot, and word for word what would be asked."""

from typing import Any

from msgspec import Struct

from interlock.escalation.config import EscalationConfig
from interlock.escalation.matrix import evaluate
from interlock.escalation.request import request_of
from interlock.escalation.snapshot import Snapshot
from interlock.wire.reasoning import CallKind, Trigger


class Explanation(Struct, frozen=True, kw_only=True):
    """One row of the matrix at a moment.

    `holds`: the condition is true; `standing`: it has fired before and not cleared; `fires`: it
    would ask now. `granted` says whether a call would be granted, `request` what it would send.
    """

    trigger: Trigger
    call: CallKind
    conditions: list[str]
    observed: dict[str, float]
    unknown: list[str]
    limits: dict[str, float]
    clears_at: dict[str, float]
    holds: bool
    standing: bool
    fires: bool
    granted: bool
    reason: str
    request: dict[str, Any]


def explain(snapshot: Snapshot, config: EscalationConfig) -> list[Explanation]:
    """Return every row, in the order in which calls are granted."""
    return [
        Explanation(
            trigger=one.trigger,
            call=one.call,
            conditions=one.conditions,
            observed=one.observed,
            unknown=one.unknown,
            limits=one.limits,
            clears_at=one.clears_at,
            holds=one.holds,
            standing=one.trigger in snapshot.standing,
            fires=one.fires,
            granted=one.granted,
            reason=one.reason,
            request=request_of(one.call, one.trigger, snapshot),
        )
        for one in evaluate(snapshot, config)
    ]
