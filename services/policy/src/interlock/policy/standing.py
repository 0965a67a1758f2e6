"""Changes of the desk's standing: what happened, held against the table, becomes a new epoch."""

from collections.abc import Iterable
from typing import Any

import msgspec

from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.trading import LETS_THROUGH, Standing, Trigger, next_standing
from interlock.model.values import Severity, Stage, TradingState
from interlock.policy.config import EVERY_BUCKET, ON_PAPER, SOURCE_STAGES
from interlock.policy.ports import SignRules
from interlock.policy.state import PolicyState
from interlock.wire.base import Message, caused_id, root_ids
from interlock.wire.catalogue import POLICY
from interlock.wire.policy import TradingStateChanged
from interlock.wire.system import AlertRaised

CONFIGURATION = "configuration"
_OF_STATE = {
    TradingState.ACTIVE: Standing.ACTIVE,
    TradingState.REDUCE_ONLY: Standing.REDUCED,
    TradingState.HALTED: Standing.HALTED,
}

type Fields = dict[str, Any]
"""Fields of `TradingStateChanged` that a change sets."""


def trading_of(state: PolicyState) -> TradingStateChanged:
    assert state.trading is not None, "the first start gives every desk a standing"
    return state.trading


def standing_of(trading: TradingStateChanged) -> Standing:
    """Return the standing; one that is not written down is the strictest that fits the state."""
    return _OF_STATE[trading.state] if trading.standing is None else trading.standing


def moved(state: PolicyState, trigger: Trigger, standing: Standing | None = None) -> Fields | None:
    """Return what `trigger` changes, none where the table has nothing to do.

    `standing` is the one to start from where it is not the desk's own.

    Raises
    ------
    IllegalTriggerError
        Where the standing does not allow it.
    """
    after = next_standing(standing or standing_of(trading_of(state)), trigger)
    if after is None:
        return None
    return {"standing": after, "since_day": state.today, "since_ts_desk": state.ts_desk}


def changed(
    state: PolicyState, cause: Message | None, now: int, author: str, reason: str, fields: Fields
) -> TradingStateChanged:
    """Return the next epoch: the standing as it is, but for `fields`.

    What follows from the standing is worked out anew: what is let through, what the stage allows,
    whether the desk is on paper. Positions that are to be closed are so until risk may grow again.
    """
    last = trading_of(state)
    epoch = last.epoch + 1
    if cause is None:
        message_id, decision_id = root_ids(TradingStateChanged, state.desk, epoch)
    else:
        message_id, decision_id = caused_id(cause, TradingStateChanged), cause.decision_id
    standing = fields.get("standing", standing_of(last))
    lets_through = LETS_THROUGH[standing]
    asked: bool = fields.get("flatten", last.flatten)
    follows: Fields = {
        "message_id": message_id,
        "decision_id": decision_id,
        "ts_event": now,
        "epoch": epoch,
        "author": author.strip() or "nobody named",
        "reason": reason,
        "standing": standing,
        "state": lets_through,
        "flatten": asked and lets_through is TradingState.HALTED,
        "kill_days": within_window(state, fields.get("kill_days", last.kill_days)),
        "demo_only": on_paper(last, fields),
        "key_id": state.key_id,
        "signature": "",
    }
    stage = stage_fields(state, fields.get("stage", last.stage))
    return msgspec.structs.replace(last, **{"cancel_orders": False, **fields, **stage, **follows})


def first(state: PolicyState, now: int) -> TradingStateChanged:
    """Return the standing of a desk that was never started: halted until its book is compared."""
    message_id, decision_id = root_ids(TradingStateChanged, state.desk, 1)
    blank = TradingStateChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        state=TradingState.HALTED,
        epoch=1,
        author=CONFIGURATION,
        reason="first start",
        standing=Standing.STARTING,
        key_id=state.key_id,
    )
    return msgspec.structs.replace(
        blank, demo_only=on_paper(blank, {}), **stage_fields(state, blank.stage)
    )


def on_paper(last: TradingStateChanged, fields: Fields) -> bool:
    """Return whether no order may reach a live account, for whichever reason."""
    return (
        fields.get("stage", last.stage) in ON_PAPER
        or fields.get("forced_demo", last.forced_demo)
        or fields.get("paper_after", last.paper_after) is not None
        or fields.get("quarantined_since", last.quarantined_since) is not None
    )


def stage_fields(state: PolicyState, stage: Stage) -> Fields:
    """Return what `stage` allows on this desk; every bucket of the desk is named."""
    rules = state.config.stage_rules(stage)
    named = {**rules.cap_scales}
    every = named.pop(EVERY_BUCKET, None)
    buckets = {*state.buckets, *_source_buckets(), *named}
    scales = {name: named.get(name, every) for name in sorted(buckets)}
    return {
        "cap_scales": {name: scale for name, scale in scales.items() if scale is not None},
        "allow_short": rules.allow_short,
        "allow_options": rules.allow_options,
    }


def _source_buckets() -> Iterable[str]:
    limited = SOURCE_STAGES[Stage.LIVE_LIMITED].cap_scales
    return ("core", *limited)


def within_window(state: PolicyState, kill_days: Iterable[int]) -> list[int]:
    """Return the kill days that still count: those of the last `window_days` trading days."""
    window = state.config.kill.window_days
    return [day for day in sorted({*kill_days}) if state.days_after(day) < window]


def cooled_down(state: PolicyState) -> bool:
    """Return whether the standing is of an earlier trading day and the cool-down is over."""
    last = trading_of(state)
    waited = state.ts_desk - last.since_ts_desk
    return (
        state.days_after(last.since_day) > 0
        and waited >= state.config.cool_down_seconds * NANOS_PER_SECOND
    )


def signed(
    state: PolicyState, trading: TradingStateChanged, alerts: Iterable[AlertRaised] = ()
) -> list[SignRules]:
    """Return what puts `trading` in force, nothing where it was said already."""
    if trading.message_id in state.answered:
        return []
    return [SignRules(rules=trading, alerts=[*alerts])]


def alert(
    state: PolicyState,
    cause: Message,
    now: int,
    code: str,
    text: str,
    severity: Severity = Severity.CRITICAL,
) -> AlertRaised:
    return AlertRaised(
        message_id=caused_id(cause, AlertRaised, code),
        decision_id=cause.decision_id,
        ts_event=now,
        desk=state.desk,
        service=POLICY,
        severity=severity,
        code=code,
        text=text,
        dedupe_key=f"{state.desk}.{code}",
    )
