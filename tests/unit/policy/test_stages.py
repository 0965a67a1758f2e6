"""S3.9, row by row: the stages, what each leaves of the configured caps, and what it takes."""

from decimal import Decimal

import pytest
from interlock.model.instrument import Instrument
from interlock.model.values import Stage
from interlock.policy.commands import STAGES
from interlock.policy.config import PromotionRule
from interlock.testkit.cells import begin, react
from interlock.testkit.decisions import reconciled
from interlock.testkit.desk_messages import ids
from interlock.wire.policy import PromotionAssessed, SetStage
from interlock.wire.reasoning import CallKind, EscalationTriggered, Trigger

from tests.unit.policy.policy_cells import (
    command,
    config,
    fresh_cell,
    on_day,
    refusal_of,
    switched,
    trading_after,
    tripped,
)
from tests.unit.policy.test_promotion import GOOD

BUCKETS = tuple(
    Instrument(instrument_id=bucket.upper(), venue="paper", bucket=bucket)
    for bucket in ("core", "penny", "fno")
)


def desk_at_start(**changes):
    cell = fresh_cell(config(**changes), instruments=BUCKETS)
    begin(cell, 0)
    react(cell, reconciled(), 0)
    return cell


def shown(cell, message):
    """Let `message` happen; return what is said of the promotion because of it."""
    said = react(cell, message, message.ts_event)
    return [one for one in said if isinstance(one, PromotionAssessed)]


def ten_good_sessions(cell, first_day):
    """Show what a promotion needs, and begin the day after."""
    for day, pnl in enumerate([*GOOD, 0], first_day):
        shown(cell, on_day(day))
        shown(cell, on_day(day, pnl, second=4_000))


def desk_at(stage):
    """Take a desk up to `stage` as a person must: step by step, ten good sessions at each."""
    cell = desk_at_start()
    for n in range(1, STAGES.index(stage) + 1):
        ten_good_sessions(cell, 100 * n)
        trading_after(cell, command(SetStage, stage=STAGES[n], n=n))
    return cell


def test_s3_9_the_stages_and_their_order():
    assert [str(stage) for stage in STAGES] == [
        "demo", "demo_testing", "stress", "live_micro", "live_limited", "full",
    ]  # fmt: skip


ALL = {}
QUARTER = {"core": 0.25, "penny": 0.25, "fno": 0.25}
HALF = {"penny": 0.5, "fno": 0.5}


@pytest.mark.parametrize(
    ("stage", "paper", "scales", "shorts", "options"),
    [
        (Stage.DEMO, True, ALL, True, True),
        (Stage.DEMO_TESTING, True, ALL, True, True),
        (Stage.STRESS, True, ALL, True, True),
        (Stage.LIVE_MICRO, False, QUARTER, False, False),
        (Stage.LIVE_LIMITED, False, HALF, True, True),
        (Stage.FULL, False, ALL, True, True),
    ],
    ids=[
        "demo: paper",
        "demo testing: paper",
        "stress: paper",
        "live micro: 25 % of caps, no shorts, no options",
        "live limited: full core, half penny and F&O",
        "full: all caps",
    ],
)
def test_s3_9_what_a_stage_allows(stage, paper, scales, shorts, options):
    trading = desk_at(stage).state.trading
    assert trading.stage is stage
    assert trading.demo_only is paper
    assert trading.cap_scales == scales
    assert (trading.allow_short, trading.allow_options) == (shorts, options)


@pytest.mark.parametrize("stage", STAGES[:-1])
def test_s3_9_each_step_up_takes_ten_sessions_of_its_own_and_a_person(stage):
    cell = desk_at(stage)
    up = STAGES[STAGES.index(stage) + 1]
    assert refusal_of(cell, command(SetStage, stage=up, n=50)) == "stage.criteria"
    ten_good_sessions(cell, 900)
    assert refusal_of(cell, command(SetStage, "", stage=up, n=51)) == "command.unnamed"
    assert trading_after(cell, command(SetStage, stage=up, n=52)).stage is up


@pytest.mark.parametrize("stage", STAGES[:-2])
def test_s3_9_no_stage_is_passed_over(stage):
    cell = desk_at(stage)
    ten_good_sessions(cell, 900)
    beyond = STAGES[STAGES.index(stage) + 2]
    assert refusal_of(cell, command(SetStage, stage=beyond, n=50)) == "stage.skipped"


@pytest.mark.parametrize("stage", STAGES[1:])
def test_s3_9_a_forced_kill_ends_the_way_up_at_every_stage(stage):
    cell = desk_at(stage)
    ten_good_sessions(cell, 900)
    react(cell, on_day(910, -900, second=5_000), 0)
    (told,) = shown(cell, on_day(911))
    held = next(one for one in told.criteria if one.name == "sessions")
    assert (held.holds, held.observed.split()[0]) == (False, "0")


def sessions_of(cell, profits, first_day=1):
    for day, pnl in enumerate(profits, first_day):
        shown(cell, on_day(day))
        shown(cell, on_day(day, pnl, second=4_000))
    (told,) = shown(cell, on_day(first_day + len(profits)))
    return {one.name: one for one in told.criteria}


def escalated(day, *, granted=True):
    return EscalationTriggered(
        **ids("escalated", day, granted),
        ts_event=day,
        trigger=Trigger.RISK,
        call=CallKind.REWARD_ENGINEER,
        observed={},
        limits={},
        granted=granted,
        reason="",
        calls_today=1,
        ts_desk=0,
    )


def test_s3_9_criterion_ten_sessions_in_a_row_with_all_gates_held():
    assert sessions_of(desk_at_start(), GOOD)["sessions"].holds
    nine = sessions_of(desk_at_start(), GOOD[:9])["sessions"]
    assert (nine.holds, nine.observed.split()[0], nine.needed) == (False, "9", "10")


@pytest.mark.parametrize("broken", [tripped(), switched("file")])
def test_s3_9_criterion_a_gate_that_did_not_hold_begins_the_row_anew(broken):
    cell = desk_at_start()
    sessions_of(cell, GOOD[:5])
    react(cell, broken, 0)
    row = sessions_of(cell, GOOD[:9], first_day=7)["sessions"]
    assert (row.holds, row.observed.split()[0]) == (False, "9")


@pytest.mark.parametrize(("sharpe_above", "holds"), [(0.8, True), (1e6, False)])
def test_s3_9_criterion_sharpe_above_0_8(sharpe_above, holds):
    cell = desk_at_start(promotion=PromotionRule(sharpe_above=sharpe_above))
    assert sessions_of(cell, GOOD)["sharpe"].holds is holds
    assert PromotionRule().sharpe_above == 0.8


@pytest.mark.parametrize(("low", "holds"), [("27700", True), ("27500", False)])
def test_s3_9_criterion_drawdown_below_8_per_cent(low, holds):
    # The day has no loss of its own, so the kill rule says nothing: what falls is the mark.
    cell = desk_at_start()
    shown(cell, on_day(1))
    shown(cell, on_day(1, equity=Decimal(low), second=4_000))
    found = sessions_of(cell, GOOD, first_day=2)["drawdown"]
    assert found.holds is holds
    assert found.needed == "below 8 %"


def test_s3_9_criterion_no_kill():
    cell = desk_at_start()
    found = sessions_of(cell, [*GOOD[:9], -900])
    assert not found["sessions"].holds


def test_s3_9_criterion_less_than_one_granted_escalation_a_day():
    refused, granted = desk_at_start(), desk_at_start()
    for day, pnl in enumerate(GOOD, 1):
        for cell, is_granted in ((refused, False), (granted, True)):
            shown(cell, on_day(day))
            react(cell, escalated(day, granted=is_granted), 0)
            shown(cell, on_day(day, pnl, second=4_000))
    (told,) = shown(refused, on_day(11))
    row = next(one for one in told.criteria if one.name == "escalations")
    assert (row.holds, row.observed, row.needed) == (True, "0.00 a day", "below 1 a day")
    (told,) = shown(granted, on_day(11))
    row = next(one for one in told.criteria if one.name == "escalations")
    assert (row.holds, row.observed) == (False, "1.00 a day")


def test_s3_9_every_criterion_is_told_once_a_day_and_after_a_change_of_stage():
    cell = desk_at_start()
    (told,) = shown(cell, on_day(1))
    assert [one.name for one in told.criteria] == ["sessions", "sharpe", "drawdown", "escalations"]
    assert (told.stage, told.next_stage) == (Stage.DEMO, Stage.DEMO_TESTING)
    assert shown(cell, on_day(1, 10, second=4_000)) == []
    ten_good_sessions(cell, 2)
    trading_after(cell, command(SetStage, stage=Stage.DEMO_TESTING))
    (told,) = shown(cell, on_day(12, 1, second=5_000))
    assert (told.stage, told.next_stage) == (Stage.DEMO_TESTING, Stage.STRESS)
    assert not any(one.holds for one in told.criteria)
    assert shown(cell, on_day(12, 1, second=5_001)) == []


def test_s3_9_there_is_no_stage_after_full():
    cell = desk_at(Stage.FULL)
    (told,) = shown(cell, on_day(900))
    assert told.next_stage is None
