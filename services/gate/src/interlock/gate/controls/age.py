"""How old what an intent rests on may be."""

from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail
from interlock.gate.controls.control import OURS, Control
from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.wire.orders import ControlFailure


def intent(case: Case) -> ControlFailure | None:
    limit = case.config.max_intent_age_seconds
    if limit is None and case.intent.reduce_only:
        return None
    return _fresh("age.intent", case, case.intent.ts_market, limit)


def features(case: Case) -> ControlFailure | None:
    known = None if case.features is None else case.features.ts_event
    return _fresh("age.features", case, known, case.config.max_features_age_seconds)


def _fresh(
    code: str, case: Case, moment: UnixNanos | None, limit: int | None
) -> ControlFailure | None:
    if limit is None:
        return fail(code, UNKNOWN, NOT_CONFIGURED)
    if moment is None:
        return fail(code, "none", f"0 to {limit} s")
    age = case.now - moment
    if 0 <= age <= limit * NANOS_PER_SECOND:
        return None
    return fail(code, f"{age / NANOS_PER_SECOND:.3f} s", f"0 to {limit} s")


CONTROLS = (
    Control(
        "age.intent",
        "the market event behind the intent is fresh and not in the future",
        "seconds",
        OURS,
        intent,
        binds_reducing=True,
    ),
    Control(
        "age.features",
        "the instrument's features are fresh and not in the future",
        "seconds",
        OURS,
        features,
    ),
)
