"""Whether everybody works by the same rules and the same words; and one approval an intent."""

from interlock.gate.case import Case, fail
from interlock.gate.controls.control import OURS, SEC, Control, Level
from interlock.wire.orders import ControlFailure


def policy(case: Case) -> ControlFailure | None:
    known = case.state.policy_version
    if known is not None and case.intent.policy_version == known:
        return None
    return fail("version.policy", case.intent.policy_version, known)


def stamped(case: Case) -> ControlFailure | None:
    if case.intent.build:
        return None
    return fail("version.build", "none", case.state.build)


def same_build(case: Case) -> ControlFailure | None:
    if not case.intent.build or case.intent.build == case.state.build:
        return None
    return fail("version.skew", case.intent.build, case.state.build)


def duplicate(case: Case) -> ControlFailure | None:
    if case.intent.intent_id not in case.state.approved:
        return None
    return fail("duplicate.intent", case.intent.intent_id, "one approval per intent")


CONTROLS = (
    Control(
        "version.policy",
        "the intent was decided under the policy in force",
        "version",
        OURS,
        policy,
    ),
    Control("version.build", "the intent names the build of its sender", "build", OURS, stamped),
    Control(
        "version.skew",
        "sender and gate are of one build and one schema",
        "build",
        OURS,
        same_build,
        Level.HALT,
    ),
    Control(
        "duplicate.intent",
        "one intent is approved at most once, for ever",
        "count",
        SEC,
        duplicate,
        binds_reducing=True,
    ),
)
