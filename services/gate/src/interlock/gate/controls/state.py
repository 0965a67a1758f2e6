"""Whether the desk may trade at all: its state, the switch, the book, the store, the cool-down."""

from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail
from interlock.gate.controls.control import DESK, FIA, OURS, Control
from interlock.gate.counting import difference, scope_of
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import TradingState
from interlock.wire.orders import ControlFailure


def trading(case: Case) -> ControlFailure | None:
    stands = case.state.stands
    if stands is TradingState.ACTIVE:
        return None
    return fail("state.trading", stands, TradingState.ACTIVE)


def switch(case: Case) -> ControlFailure | None:
    if not case.state.switch_pressed:
        return None
    return fail("state.switch", f"pressed: {case.state.switch_reason}", "not pressed")


def reconciled(case: Case) -> ControlFailure | None:
    if case.state.reconciled and case.name not in case.state.broken:
        return None
    observed = ", ".join(case.state.breaks) or "not reconciled"
    return fail("state.reconciled", observed, "no break")


def venue_link(case: Case) -> ControlFailure | None:
    if not case.state.venue_mute:
        return None
    return fail("state.venue_link", case.state.venue_mute, "the venue's news of orders comes in")


def policy_store(case: Case) -> ControlFailure | None:
    known, epoch, answer = case.state.policy_version, case.state.epoch, case.answer
    same = answer.version == known and answer.epoch == epoch
    if not answer.error and known is not None and same:
        return None
    observed = answer.error or f"version {answer.version}, epoch {answer.epoch}"
    return fail("state.policy_store", observed, f"version {known}, epoch {epoch}")


def counters(case: Case) -> ControlFailure | None:
    """Say nothing of a store that is not to be believed: that has been said."""
    if case.answer.error:
        return None
    found = difference(case.state.tally, case.answer, scope_of(case.now))
    return None if found is None else fail("state.counters", *found)


def cooldown(case: Case) -> ControlFailure | None:
    seconds = case.config.cooldown_seconds
    if seconds is None:
        return fail("state.cooldown", UNKNOWN, NOT_CONFIGURED)
    filled = case.book.filled_at.get(case.name)
    if filled is None:
        return None
    rested = case.now - filled
    if seconds == 0 or rested >= seconds * NANOS_PER_SECOND:
        return None
    return fail("state.cooldown", f"{rested / NANOS_PER_SECOND:.3f} s", f"{seconds} s")


CONTROLS = (
    Control("state.trading", "the desk is active", "state", FIA, trading),
    Control("state.switch", "exec's kill switch is not pressed", "state", FIA, switch),
    Control(
        "state.reconciled",
        "our book equals the venue's in this instrument, and over the account",
        "state",
        OURS,
        reconciled,
    ),
    Control(
        "state.venue_link",
        "the venue's own news of orders comes in",
        "state",
        OURS,
        venue_link,
    ),
    Control(
        "state.policy_store",
        "the policy store answers with the version and the epoch the gate knows",
        "version",
        OURS,
        policy_store,
    ),
    Control(
        "state.counters",
        "the policy store has counted today's approvals as this gate has",
        "count",
        OURS,
        counters,
    ),
    Control(
        "state.cooldown",
        "the instrument has rested since its last fill",
        "seconds",
        DESK,
        cooldown,
    ),
)
