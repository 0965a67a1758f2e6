"""What people ask for: who may, when it is refused and with which code, and what comes of it."""

from decimal import Decimal

import pytest
from interlock.model.instrument import Instrument
from interlock.model.values import Stage
from interlock.policy.commands import STAGES
from interlock.policy.config import ON_PAPER, PromotionRule, StageRules
from interlock.testkit.cells import begin, react
from interlock.wire.policy import (
    ClearQuarantine,
    CommandRefused,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    ResumeTrading,
    RollBackPolicy,
    SetParameter,
    SetStage,
    TradingStateChanged,
)

from tests.unit.policy.policy_cells import (
    COMMANDS,
    command,
    config,
    fresh_cell,
    of,
    on_day,
    policy_cell,
    refusal_of,
    say,
    trading_after,
)

LOOSENING = (
    ResumeTrading,
    EnableStrategy,
    ClearQuarantine,
    SetStage,
    RollBackPolicy,
    SetParameter,
)
HOLDING_BACK = (HaltTrading, ForceDemo)
EASY = PromotionRule(sessions=1, sharpe_above=-1e9, drawdown_below_pct=100)


def promoted(cell, *stages):
    """Take a desk up, with good sessions at each stage; return what was said at each."""
    said = []
    for n, stage in enumerate(stages):
        for day in range(1, 5):
            say(cell, on_day(100 * (n + 1) + day, day))
        said.append(trading_after(cell, command(SetStage, stage=stage, n=n)))
    return said


def test_every_command_is_either_loosening_or_holding_back():
    assert {*LOOSENING, *HOLDING_BACK} == set(COMMANDS)


@pytest.mark.parametrize("kind", LOOSENING)
@pytest.mark.parametrize("nobody", ["", "  ", "\t\n", "policy", "Configuration", " POLICY "])
def test_i8_what_lets_more_risk_through_needs_the_name_of_a_person(kind, nobody):
    assert refusal_of(policy_cell(), command(kind, nobody)) == "command.unnamed"


@pytest.mark.parametrize("kind", HOLDING_BACK)
def test_i9_what_holds_back_is_never_refused(kind):
    for cell in (policy_cell(), fresh_cell()):
        if cell.state.trading is None:
            begin(cell, 0)
        for n, who in enumerate(("", "ann", "policy")):
            trading = trading_after(cell, command(kind, who, n))
            assert trading.author == (who or "nobody named")


def test_every_refusal_names_its_command_and_is_said_once():
    cell = policy_cell()
    asked = command(ClearQuarantine)
    (refused,) = say(cell, asked)
    assert isinstance(refused, CommandRefused)
    assert (refused.command, refused.by) == ("policy.clear-quarantine.v1", "ann")
    assert react(cell, asked, 0) == []


def test_i14_a_command_delivered_twice_makes_one_epoch():
    cell = policy_cell()
    for kind in (HaltTrading, ResumeTrading, ForceDemo):
        asked = command(kind)
        epoch = trading_after(cell, asked).epoch
        assert react(cell, asked, 0) == []
        assert cell.state.trading.epoch == epoch


def test_forced_demo_lasts_until_a_person_resumes():
    cell = policy_cell(config(promotion=EASY))
    promoted(cell, *STAGES[1:4])
    assert not cell.state.trading.demo_only
    assert trading_after(cell, command(ForceDemo)).demo_only
    assert of(TradingStateChanged, say(cell, on_day(900))) == []
    assert not trading_after(cell, command(ResumeTrading)).demo_only


# Stages.


def test_each_stage_allows_what_the_table_says():
    """SPEC S3.9: micro a quarter, no shorts, no options; limited half of penny and F&O; full."""
    cell = policy_cell(config(promotion=EASY))
    seen = {cell.state.trading.stage: cell.state.trading}
    seen |= {one.stage: one for one in promoted(cell, *STAGES[1:])}
    micro, limited, full = (seen[stage] for stage in STAGES[3:])
    assert micro.cap_scales == dict.fromkeys(("core", "fno", "penny"), 0.25)
    assert (micro.allow_short, micro.allow_options, micro.demo_only) == (False, False, False)
    assert limited.cap_scales == {"fno": 0.5, "penny": 0.5}
    assert (limited.allow_short, limited.allow_options) == (True, True)
    assert (full.cap_scales, full.allow_short, full.allow_options) == ({}, True, True)
    assert {stage for stage, one in seen.items() if one.demo_only} == ON_PAPER


def test_a_stage_names_every_bucket_of_the_desk():
    fish = (Instrument(instrument_id="FISH", venue="paper", bucket="fish"),)
    stages = {Stage.DEMO: StageRules(cap_scales={"*": 0.5, "penny": 0.1})}
    cell = policy_cell(config(stages=stages), instruments=fish)
    scales = {"core": 0.5, "fish": 0.5, "fno": 0.5, "penny": 0.1}
    assert cell.state.trading.cap_scales == scales


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Stage.DEMO, "stage.unchanged"),
        (Stage.DEMO_TESTING, "stage.criteria"),
        *((stage, "stage.skipped") for stage in STAGES[2:]),
    ],
)
def test_a_desk_that_has_shown_nothing_goes_nowhere(wanted, code):
    assert refusal_of(policy_cell(), command(SetStage, stage=wanted)) == code


def test_a_desk_may_always_go_back_and_by_any_number_of_stages():
    cell = policy_cell(config(promotion=EASY))
    promoted(cell, *STAGES[1:])
    assert cell.state.trading.stage is Stage.FULL
    trading_after(cell, command(HaltTrading))
    back = trading_after(cell, command(SetStage, "", stage=Stage.DEMO))
    assert (back.stage, back.demo_only, back.state) == (Stage.DEMO, True, "halted")


def test_what_was_shown_at_one_stage_counts_for_no_other():
    cell = policy_cell(config(promotion=EASY))
    promoted(cell, Stage.DEMO_TESTING)
    asked = command(SetStage, stage=Stage.STRESS)
    assert refusal_of(cell, asked) == "stage.criteria"


def test_stages_configured_anew_hold_from_the_restart_on():
    first = policy_cell()
    again = fresh_cell(config(stages={Stage.DEMO: StageRules(allow_short=False)}))
    again.recover(first.state.policy, own=True)
    again.recover(first.state.trading, own=True)
    (changed,) = begin(again, 0)
    assert (changed.allow_short, changed.reason) == (False, "the configured stages changed")
    assert changed.epoch == first.state.trading.epoch + 1
    assert changed.standing == first.state.trading.standing


def test_another_key_says_the_rules_again_and_changes_nothing_of_them():
    class Other:
        key_id = "other"

        def sign(self, message):
            return f"{len(message)}"

    first = policy_cell()
    trading_after(first, command(HaltTrading))
    again = fresh_cell(signer=Other())
    again.recover(first.state.policy, own=True)
    again.recover(first.state.trading, own=True)
    policy, trading = begin(again, 0)
    assert (policy.version, policy.changes, policy.key_id) == (2, [], "other")
    assert (trading.state, trading.key_id) == ("halted", "other")
    assert trading.signature


def test_equity_that_is_no_number_shows_nothing():
    cell = policy_cell(config(promotion=EASY))
    for day in range(1, 5):
        say(cell, on_day(day, equity=Decimal("NaN")))
    assert refusal_of(cell, command(SetStage)) == "stage.criteria"
