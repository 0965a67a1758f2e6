"""What a model would leave alone, and several of its wishes in one moment."""

import pytest
from interlock.policy.config import ParameterLimits
from interlock.policy.state import evolve
from interlock.testkit.cells import begin, react
from interlock.testkit.decisions import account, policy, proposal
from interlock.testkit.desk_messages import SECOND, ids, tick
from interlock.wire.policy import Phase, PolicyChanged, ProposalJudged, ProposalVerdict
from interlock.wire.reasoning import DoNotTradeProposed
from msgspec.structs import replace

from tests.unit.policy.policy_cells import (
    LIMITS,
    config,
    fresh_cell,
    of,
    policy_cell,
    say,
    tripped,
    versions,
)

V = ProposalVerdict
OWN_PACE = {"max_accept_rate": 1.0, "max_accepted_in_window": 3}
WEIGHTS = {
    "weight.short": ParameterLimits(initial=0.4, lower=0.2, upper=0.6, max_step=0.1, **OWN_PACE),
    "weight.mid": ParameterLimits(initial=0.3, lower=0.1, upper=0.5, max_step=0.05, **OWN_PACE),
    "weight.rl": ParameterLimits(initial=0.3, lower=0.1, upper=0.5, max_step=0.1, **OWN_PACE),
    "threshold_bps": LIMITS,
}


def leave(names, n=1):
    return DoNotTradeProposed(
        **ids("leave", n, *names),
        ts_event=n * SECOND,
        names=names,
        cause="regime_auditor because of regime: crisis",
        provider="openai",
        model="gpt-5",
        ts_desk=n * SECOND,
    )


def listed(cell):
    return cell.state.policy.do_not_trade


def test_names_are_in_force_at_once_with_author_and_reason():
    cell = policy_cell()
    (version,) = versions(say(cell, leave(["SPY", "media"])))
    assert version.do_not_trade == ["SPY", "media"]
    assert version.do_not_trade_by_model == ["SPY", "media"]
    assert version.author == "openai/gpt-5"
    assert version.reason == "regime_auditor because of regime: crisis"
    assert (version.version, version.changes, version.signature != "") == (2, [], True)
    assert version.parameters == {"threshold_bps": 1.0}


def test_names_pass_a_freeze_and_every_pace():
    """No account was heard, no clock, and a feed is stale: nothing else would be accepted."""
    cell = policy_cell(config(max_accept_rate=0.0))
    assert versions(say(cell, leave(["GOOG"])))
    assert listed(cell) == ["GOOG"]


@pytest.mark.parametrize("names", [["TSLA"], ["", "energy"], ["spy"], ["SPY "], ["*"]])
def test_names_that_are_not_the_desks_are_left_out(names):
    cell = policy_cell()
    assert say(cell, leave(names)) == []
    assert listed(cell) == []


def test_a_models_names_replace_the_last_models_names():
    cell = policy_cell()
    say(cell, leave(["SPY"]))
    say(cell, leave(["GOOG"], n=2))
    assert listed(cell) == ["GOOG"]
    say(cell, leave([], n=3))
    assert listed(cell) == []


def test_names_of_a_person_or_the_configuration_are_never_replaced():
    cell = fresh_cell()
    evolve(cell.state, replace(policy(1), version=1, do_not_trade=["SPY"], key_id="seal"))
    begin(cell, 0)
    say(cell, leave(["GOOG", "SPY"]))
    assert listed(cell) == ["GOOG", "SPY"]
    assert cell.state.policy.do_not_trade_by_model == ["GOOG"]
    say(cell, leave([], n=2))
    assert listed(cell) == ["SPY"]


def test_names_that_stand_already_are_no_new_version():
    cell = policy_cell()
    say(cell, leave(["SPY"]))
    assert say(cell, leave(["SPY"], n=2)) == []


def test_in_the_shadow_phase_no_name_is_applied():
    cell = policy_cell(config(phase=Phase.SHADOW))
    assert say(cell, leave(["SPY"])) == []
    assert listed(cell) == []


def test_an_old_list_that_comes_again_changes_nothing():
    cell = policy_cell()
    first = leave(["SPY"])
    say(cell, first)
    say(cell, leave(["GOOG"], n=2))
    assert react(cell, first, 3 * SECOND) == []
    assert listed(cell) == ["GOOG"]


def moment(cell, n, *proposals):
    """Let several proposals of one moment be judged; return the verdicts by parameter."""
    say(cell, replace(tick(n), clock_offset_ns=0))
    say(cell, account(n))
    said = [message for one in proposals for message in say(cell, one)]
    return {row.parameter: row.verdict for row in of(ProposalJudged, said)}


def by(n, parameter, delta):
    return proposal(n, 0.0, parameter=parameter, delta=delta)


def test_several_parameters_of_one_moment_are_judged_each_by_its_own_limits():
    cell = policy_cell(config(parameters=WEIGHTS))
    verdicts = moment(
        cell,
        10,
        by(10, "weight.short", -0.1),
        by(10, "weight.mid", 0.06),
        by(10, "weight.rl", 0.1),
        by(10, "weight.unheard_of", 0.1),
        proposal(10, 1.1),
    )
    assert verdicts == {
        "weight.short": V.ACCEPTED,
        "weight.mid": V.STEP_TOO_LARGE,
        "weight.rl": V.ACCEPTED,
        "weight.unheard_of": V.UNKNOWN_PARAMETER,
        "threshold_bps": V.ACCEPT_RATE,
    }
    assert cell.state.policy.parameters == {
        "weight.short": pytest.approx(0.3),
        "weight.mid": 0.3,
        "weight.rl": pytest.approx(0.4),
        "threshold_bps": 1.0,
    }


def test_a_parameters_own_pace_takes_the_place_of_the_desks():
    cell = policy_cell(config(parameters=WEIGHTS, max_accepted_in_window=9))
    verdicts = [
        moment(cell, 10 * n, by(10 * n, "weight.short", 0.01 if n % 2 else -0.01))["weight.short"]
        for n in range(1, 5)
    ]
    assert verdicts == [V.ACCEPTED, V.ACCEPTED, V.ACCEPTED, V.TOO_MANY_ACCEPTED]


def test_a_difference_that_comes_again_after_others_is_not_applied_twice():
    cell = policy_cell(config(parameters=WEIGHTS))
    first = by(10, "weight.short", -0.1)
    moment(cell, 10, first, by(10, "weight.rl", 0.1))
    before = cell.state.policy
    assert say(cell, first) == []
    assert cell.state.policy == before


def test_a_limit_that_trips_takes_changes_back_over_the_names_and_leaves_the_names():
    cell = policy_cell(config(parameters=WEIGHTS))
    moment(cell, 10, by(10, "weight.short", -0.1))
    say(cell, leave(["SPY"], n=11))
    (back,) = versions(say(cell, tripped()))
    assert back.parameters["weight.short"] == 0.4
    assert back.do_not_trade == ["SPY"]
    say(cell, leave(["GOOG"], n=12))
    assert moment(cell, 20, by(20, "weight.rl", 0.1)) == {"weight.rl": V.FROZEN}


def test_names_survive_a_restart():
    cell = policy_cell()
    said = [one for n in (1, 2) for one in say(cell, leave([["SPY"], ["GOOG"]][n - 1], n=n))]
    again = fresh_cell()
    for message in reversed(of(PolicyChanged, said)):
        again.recover(message, own=True)
    assert listed(again) == ["GOOG"]
    assert again.state.policy.do_not_trade_by_model == ["GOOG"]
