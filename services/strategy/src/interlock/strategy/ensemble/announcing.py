"""Telling of failure modes: one message and one alert as each begins, and as it ends."""

from collections.abc import Sequence

from interlock.model.ids import client_order_id
from interlock.model.values import Severity
from interlock.strategy.ensemble.modes import FAILURES
from interlock.strategy.ensemble.ports import ReasonerSilent
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.state import StrategyState
from interlock.wire.base import Heard, Message, caused_id, root_ids
from interlock.wire.catalogue import STRATEGY
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.market import FeedStatusChanged
from interlock.wire.orders import CancelOrders
from interlock.wire.system import AlertRaised


def announcements(
    state: StrategyState, ensemble: EnsembleState, cause: Heard, now: int
) -> list[Message]:
    """Return what is to be said of the modes that hold now and were not announced, or the reverse.

    Where the data of an instrument stops, the entry that is open in it is cancelled as well.
    """
    failing = ensemble.failing()
    said: list[Message] = []
    for mode in FAILURES:
        if (mode in failing) != (mode in ensemble.announced):
            said += _changed(state, mode, cause, now, begun=mode in failing)
    if isinstance(cause, FeedStatusChanged) and cause.instrument_id in ensemble.stalled:
        said += _cancelled(state, ensemble, cause, now)
    return said


def _changed(
    state: StrategyState, mode: Mode, cause: Heard, now: int, *, begun: bool
) -> Sequence[Message]:
    failure = FAILURES[mode]
    if isinstance(cause, Message):
        message_id, decision_id = caused_id(cause, ModeChanged, mode), cause.decision_id
    else:
        message_id, decision_id = root_ids(ModeChanged, state.desk, mode, begun, now)
    changed = ModeChanged(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        mode=mode,
        begun=begun,
        reason=_reason(cause),
        by_silence=begun and isinstance(cause, ReasonerSilent),
    )
    alert = AlertRaised(
        message_id=caused_id(changed, AlertRaised),
        decision_id=decision_id,
        ts_event=now,
        desk=state.desk,
        service=STRATEGY,
        severity=failure.severity if begun else Severity.INFO,
        code=f"mode.{mode}" if begun else f"mode.{mode}.over",
        text=failure.begins if begun else failure.ends,
        dedupe_key=f"{state.desk}.mode.{mode}.{message_id}",
    )
    return [changed, alert]


def _reason(cause: Heard) -> str:
    match cause:
        case FeedStatusChanged():
            return f"{cause.instrument_id}: {cause.condition}, {cause.detail}"
        case ReasonerSilent():
            return f"no heartbeat for {cause.seconds:.1f} s"
        case _:
            return getattr(cause, "reason", "")


def _cancelled(
    state: StrategyState, ensemble: EnsembleState, cause: FeedStatusChanged, now: int
) -> Sequence[CancelOrders]:
    """Return what ends the open entry by its own id: stops and closing orders are kept."""
    name = cause.instrument_id
    entry = ensemble.asked.get(name)
    if entry is None or state.asking.get(name) != entry.intent_id:
        return ()
    return [
        CancelOrders(
            message_id=caused_id(cause, CancelOrders, entry.intent_id),
            decision_id=entry.decision_id,
            ts_event=now,
            desk=state.desk,
            account=state.account,
            by=STRATEGY,
            reason=FAILURES[Mode.DATA_STALL].begins,
            client_order_id=client_order_id(entry.intent_id),
        )
    ]
