"""Who may trade what, where and when."""

from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail, worst
from interlock.gate.controls.control import DESK, FIA, RTS6, SEC, Control
from interlock.gate.session import is_open
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import ZERO, InstrumentKind, Side, Stage, TradingMode
from interlock.wire.orders import ControlFailure

LIVE_STAGES = frozenset({Stage.LIVE_MICRO, Stage.LIVE_LIMITED, Stage.FULL})


def account(case: Case) -> ControlFailure | None:
    state, intent = case.state, case.intent
    if (
        intent.account == state.account
        and intent.venue == state.venue
        and intent.desk == state.desk
    ):
        return None
    wanted = f"{state.desk}: {state.account} at {state.venue}"
    asked = f"{intent.desk}: {intent.account} at {intent.venue}"
    return fail("permission.account", asked, wanted)


def instrument(case: Case) -> ControlFailure | None:
    if case.instrument is not None:
        return None
    return fail("permission.instrument", case.intent.instrument_id, "an instrument of the desk")


def group(case: Case) -> ControlFailure | None:
    if case.instrument is None:
        return None
    if case.bucket is not None and case.line.sector:
        return None
    observed = f"bucket {case.line.bucket or 'none'}, sector {case.line.sector or 'none'}"
    return fail("permission.group", observed, "a configured bucket and a sector")


def kind(case: Case) -> ControlFailure | None:
    allowed = case.config.allowed_kinds
    if allowed is None:
        return fail("permission.kind", UNKNOWN, NOT_CONFIGURED)
    if case.instrument is None or case.instrument.kind in allowed:
        return None
    return fail("permission.kind", case.instrument.kind, ", ".join(allowed) or "none")


def side(case: Case) -> ControlFailure | None:
    allowed = case.config.sides
    if allowed is None:
        return fail("permission.side", UNKNOWN, NOT_CONFIGURED)
    if case.intent.side in allowed:
        return None
    return fail("permission.side", case.intent.side, ", ".join(allowed) or "none")


def short(case: Case) -> ControlFailure | None:
    position = worst(case)
    if case.intent.side is Side.BUY or position is None or position >= ZERO:
        return None
    standing = case.state.standing
    if not case.config.allow_short:
        return fail("permission.short", position, "no short position")
    if standing is None or not standing.allow_short:
        return fail("permission.short", position, "no short position at this stage")
    if case.bucket is None or case.bucket.long_only:
        return fail("permission.short", position, f"bucket {case.line.bucket} is long only")
    return None


def option(case: Case) -> ControlFailure | None:
    if case.instrument is None or case.instrument.kind is not InstrumentKind.OPTION:
        return None
    standing = case.state.standing
    if not case.config.allow_options:
        return fail("permission.option", case.name, "no options")
    if standing is None or not standing.allow_options:
        return fail("permission.option", case.name, "no options at this stage")
    return None


def session(case: Case) -> ControlFailure | None:
    hours = case.config.session
    if hours == "always":
        return None
    if hours is None:
        return fail("permission.session", UNKNOWN, NOT_CONFIGURED)
    if is_open(hours, case.now):
        return None
    seconds = case.now // NANOS_PER_SECOND
    return fail("permission.session", f"closed at {seconds} s", f"the hours in {hours.time_zone}")


def listed(case: Case) -> ControlFailure | None:
    banned = case.state.banned.get(case.name)
    if banned is None:
        return None
    return fail("permission.list", f"{case.name} by {banned}", "not on a do-not-trade list")


def strategy(case: Case) -> ControlFailure | None:
    if case.intent.strategy not in case.state.disabled:
        return None
    return fail("permission.strategy", f"{case.intent.strategy} is disabled", "a person enables it")


def live(case: Case) -> ControlFailure | None:
    if case.state.mode is not TradingMode.LIVE:
        return None
    standing = case.state.standing
    if standing is None:
        return fail("permission.live", UNKNOWN, "a live stage")
    if standing.demo_only:
        return fail("permission.live", "demo only", "a live stage")
    if standing.stage not in LIVE_STAGES:
        return fail("permission.live", f"stage {standing.stage}", "a live stage")
    return None


CONTROLS = (
    Control(
        "permission.account",
        "desk, account and venue are this gate's",
        "name",
        SEC,
        account,
        binds_reducing=True,
    ),
    Control(
        "permission.instrument",
        "the desk trades this instrument",
        "name",
        SEC,
        instrument,
        binds_reducing=True,
    ),
    Control(
        "permission.group",
        "the instrument has a sector, and a bucket that has limits",
        "name",
        SEC,
        group,
    ),
    Control("permission.kind", "the desk may trade this kind of instrument", "name", SEC, kind),
    Control("permission.side", "the desk may trade this side", "side", SEC, side),
    Control(
        "permission.short",
        "no short position unless configuration, stage and bucket allow it",
        "units",
        SEC,
        short,
        binds_reducing=True,
    ),
    Control(
        "permission.option",
        "no option unless configuration and stage allow it",
        "name",
        SEC,
        option,
    ),
    Control("permission.session", "the exchange is open", "hours", RTS6, session),
    Control("permission.list", "it is on no do-not-trade list", "name", SEC, listed),
    Control("permission.strategy", "the strategy is not disabled", "name", FIA, strategy),
    Control("permission.live", "a live order needs a live stage", "stage", DESK, live),
)
