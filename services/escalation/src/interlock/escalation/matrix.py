"""The matrix of triggers, as a table, and what it says of a moment.

Theory of operation. A trigger has parts. Each part holds one observed number against its level:
it is beyond where it fires, clear where the trouble is over, and between the two nothing changes,
so that a number that trembles around a level asks once. What is not known is neither. `evaluate` is
pure: the service asks it about what it has heard, ``interlock escalation explain`` about a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from interlock.escalation.config import EscalationConfig, Level
from interlock.escalation.snapshot import Snapshot
from interlock.wire.reasoning import CallKind, Trigger


class Beyond(StrEnum):
    """On which side of its level a number is trouble."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"


class Where(StrEnum):
    """Where an observed number stands."""

    BEYOND = "beyond"
    BETWEEN = "between"
    CLEAR = "clear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """One condition of a trigger, on the number of this name."""

    observed: str
    beyond: Beyond


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One trigger. `all_parts`: each of them must hold; without it, one is enough.

    `once_a_day`: it fires once on a trading day, whether or not it has cleared in between.
    """

    trigger: Trigger
    call: CallKind
    parts: tuple[Part, ...]
    all_parts: bool = False
    once_a_day: bool = False


MATRIX: tuple[Row, ...] = (
    Row(
        trigger=Trigger.KILL_SWITCH,
        call=CallKind.SANITY_JUDGE,
        parts=(Part("daily_pnl_pct", Beyond.BELOW), Part("kill_rule_fired", Beyond.AT_LEAST)),
        once_a_day=True,
    ),
    Row(
        trigger=Trigger.RISK,
        call=CallKind.REWARD_ENGINEER,
        parts=(Part("drawdown_5d_pct", Beyond.ABOVE), Part("daily_loss_pct", Beyond.ABOVE)),
    ),
    Row(
        trigger=Trigger.REGIME,
        call=CallKind.REGIME_AUDITOR,
        parts=(Part("volatility_zscore", Beyond.ABOVE), Part("correlation", Beyond.BELOW)),
        all_parts=True,
    ),
    Row(
        trigger=Trigger.MODEL_DECAY,
        call=CallKind.REWARD_ENGINEER,
        parts=(Part("accuracy_points_below", Beyond.AT_LEAST), Part("sharpe_ratio", Beyond.BELOW)),
    ),
    Row(
        trigger=Trigger.EVENT_HEAT,
        call=CallKind.REGIME_AUDITOR,
        parts=(Part("put_call_ratio", Beyond.ABOVE),),
    ),
)
"""In the order in which calls are granted: the kill switch asks first."""

_KILL_RULE = Level(fires=1.0, clears=0.0)
_DIGITS = 9


class Evaluation(Struct, frozen=True, kw_only=True):
    """What one row of the matrix says of a moment.

    `holds`: the condition is true; `fires`: and it was not before; `clear`: the trouble is over.
    `granted` and `reason` are about the call that it asks for, or would ask for.
    """

    trigger: Trigger
    call: CallKind
    observed: dict[str, float]
    unknown: list[str]
    limits: dict[str, float]
    clears_at: dict[str, float]
    conditions: list[str]
    holds: bool
    clear: bool
    fires: bool
    granted: bool
    reason: str
    calls_today: int


def observations(snapshot: Snapshot, config: EscalationConfig) -> dict[str, float | None]:
    """Return every number the matrix asks for, none where it is not known."""
    pnl, accuracy = snapshot.daily_pnl, snapshot.ensemble_accuracy
    volatility = snapshot.volatility_zscore
    below = None if accuracy is None else config.baseline_accuracy_pct - accuracy
    return {
        "daily_pnl_pct": pnl,
        "kill_rule_fired": 1.0 if snapshot.kill_day else 0.0,
        "drawdown_5d_pct": snapshot.max_drawdown_5d,
        "daily_loss_pct": None if pnl is None else -pnl,
        "volatility_zscore": None if volatility is None else abs(volatility),
        "correlation": snapshot.correlation_breakdown,
        # 55.1 - 48.1 is less than 7 to a float.
        "accuracy_points_below": None if below is None else round(below, _DIGITS),
        "sharpe_ratio": snapshot.sharpe_ratio,
        "put_call_ratio": snapshot.put_call_ratio,
    }


def level_of(config: EscalationConfig, name: str) -> Level:
    if name == "kill_rule_fired":
        return _KILL_RULE
    level: Level = getattr(config.levels, name)
    return level


def where(value: float | None, beyond: Beyond, level: Level) -> Where:
    """Hold a number against its level. What is no number is not known."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is not equal to itself
        return Where.UNKNOWN
    match beyond:
        case Beyond.ABOVE:
            fires, clear = value > level.fires, value <= level.clears
        case Beyond.AT_LEAST:
            fires, clear = value >= level.fires, value <= level.clears
        case Beyond.BELOW:
            fires, clear = value < level.fires, value >= level.clears
    if fires:
        return Where.BEYOND
    return Where.CLEAR if clear else Where.BETWEEN


def _holds(row: Row, places: Sequence[Where]) -> bool:
    beyond = [place is Where.BEYOND for place in places]
    return all(beyond) if row.all_parts else any(beyond)


def _clear(row: Row, places: Sequence[Where]) -> bool:
    """One part that is over ends a trigger that needs all; one that needs any ends with the last.

    What is not known neither ends a trigger nor keeps it, but somebody has to say that it is over.
    """
    if Where.CLEAR not in places:
        return False
    return row.all_parts or not {Where.BEYOND, Where.BETWEEN} & set(places)


def cleared(snapshot: Snapshot, config: EscalationConfig) -> list[Trigger]:
    """Return the triggers whose trouble is over."""
    seen = observations(snapshot, config)
    return [row.trigger for row in MATRIX if _clear(row, _places(row, seen, config))]


def _places(row: Row, seen: Mapping[str, float | None], config: EscalationConfig) -> list[Where]:
    return [
        where(seen[part.observed], part.beyond, level_of(config, part.observed))
        for part in row.parts
    ]


def evaluate(snapshot: Snapshot, config: EscalationConfig) -> list[Evaluation]:
    """Return what each row says of this moment, calls granted in the table's order."""
    seen = observations(snapshot, config)
    said: list[Evaluation] = []
    calls, judged = snapshot.calls_today, snapshot.judge_asked_today
    for row in MATRIX:
        places = _places(row, seen, config)
        holds = _holds(row, places)
        fires = holds and row.trigger not in snapshot.standing
        granted, reason = _grant(row.call, calls, config.max_calls_per_day, judged=judged)
        if snapshot.paused_by:
            granted, reason = False, paused_reason(snapshot.paused_by)
        if fires and granted:
            calls += 1
            judged |= row.call is CallKind.SANITY_JUDGE
        names = [part.observed for part in row.parts]
        said.append(
            Evaluation(
                trigger=row.trigger,
                call=row.call,
                observed={name: value for name in names if (value := seen[name]) is not None},
                unknown=[name for name in names if seen[name] is None],
                limits={name: level_of(config, name).fires for name in names},
                clears_at={name: level_of(config, name).clears for name in names},
                conditions=[
                    f"{part.observed} {part.beyond} {level_of(config, part.observed).fires:g}"
                    for part in row.parts
                ],
                holds=holds,
                clear=_clear(row, places),
                fires=fires,
                granted=granted,
                reason=reason,
                calls_today=calls,
            )
        )
    return said


def paused_reason(by: str) -> str:
    return f"models are not asked: paused by {by}"


def _grant(call: CallKind, calls: int, most: int, *, judged: bool) -> tuple[bool, str]:
    """Return whether one more call is granted, and why; the last one is the kill switch's."""
    if calls >= most:
        return False, f"all {most} calls of this trading day are made"
    if call is not CallKind.SANITY_JUDGE and calls - judged >= most - 1:
        kept = f"{calls} of {most} calls of this trading day are made"
        return False, f"{kept}, the last one is kept for the kill switch"
    return True, f"call {calls + 1} of {most} of this trading day"
