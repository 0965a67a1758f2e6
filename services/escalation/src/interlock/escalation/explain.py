"""What the matrix says of a snapshot, and word for word what would be asked."""

from math import inf
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


_POSSIBLE: dict[str, tuple[float, float]] = {
    "max_drawdown_5d": (0, inf),
    "correlation_breakdown": (-1, 1),
    "ensemble_accuracy": (0, 100),
    "put_call_ratio": (0, inf),
    "news_sentiment": (-1, 1),
    "calls_today": (0, inf),
}


def require_possible(snapshot: Snapshot) -> None:
    """Raise ``ValueError`` where a number that a person wrote cannot be: it would fire nothing."""
    for name, (low, high) in _POSSIBLE.items():
        value = getattr(snapshot, name)
        if value is not None and not low <= value <= high:
            may_be = f"at least {low:g}" if high == inf else f"from {low:g} to {high:g}"
            raise ValueError(f"{name} is {may_be}, not {value:g}")
    if snapshot.judge_asked_today and not snapshot.calls_today:
        raise ValueError("judge_asked_today is one of calls_today, which is 0")


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
