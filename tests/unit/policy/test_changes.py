"""How a version is left again: by a person who goes back, or by a limit that tripped over it."""

import pytest
from interlock.policy.config import ParameterLimits
from interlock.testkit.decisions import account, policy, proposal
from interlock.testkit.desk_messages import tick
from interlock.wire.policy import (
    FreezeReason,
    ProposalJudged,
    ProposalVerdict,
    RollBackPolicy,
    SetParameter,
    TradingStateChanged,
)
from interlock.wire.system import TripLevel
from msgspec.structs import replace

from tests.unit.policy.policy_cells import (
    LIMITS,
    START,
    command,
    config,
    fresh_cell,
    of,
    policy_cell,
    refusal_of,
    say,
    tripped,
    versions,
)

V = ProposalVerdict
EASY = {"max_accept_rate": 1.0, "max_accepted_in_window": 9}


def cadence(cell, n, proposed, pnl=0, **more):
    """Let a proposal be judged `n` seconds into desk time; return what was said to it."""
    say(cell, replace(tick(n), clock_offset_ns=0))
    say(cell, account(n, pnl))
    return say(cell, proposal(n, proposed, **more))


def values(cell):
    return cell.state.policy.version, cell.state.policy.parameters["threshold_bps"]


def changed_cell(*steps, **changes):
    """Return a cell that has accepted these values, one each ten seconds."""
    cell = policy_cell(config(**(EASY | changes)))
    for n, value in enumerate(steps, 1):
        (row, _) = cadence(cell, 10 * n, value)
        assert row.verdict is V.ACCEPTED
    return cell


# A person goes back.


def test_a_rollback_is_a_new_version_with_the_older_parameters():
    cell = changed_cell(1.2, 1.4)
    (back,) = versions(say(cell, command(RollBackPolicy, version=2)))
    assert (back.version, back.parameters) == (4, {"threshold_bps": 1.2})
    assert [(one.old, one.new) for one in back.changes] == [(1.4, 1.2)]
    assert (back.author, back.reason) == ("ann", "back to version 2: because")
    assert (back.proposal_id, back.key_id) == (None, "seal")
    assert back.signature


def test_a_rollback_may_be_rolled_back():
    cell = changed_cell(1.2)
    say(cell, command(RollBackPolicy, version=1))
    assert values(cell) == (3, 1.0)
    say(cell, command(RollBackPolicy, version=2))
    assert values(cell) == (4, 1.2)


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (0, "policy.unknown_version"),
        (-1, "policy.unknown_version"),
        (3, "policy.unknown_version"),
        (2**63, "policy.unknown_version"),
        (2, "policy.unchanged"),
    ],
)
def test_a_version_that_is_none_or_is_in_force_is_refused(version, code):
    assert refusal_of(changed_cell(1.2), command(RollBackPolicy, version=version)) == code


def test_a_person_sets_a_parameter_as_a_new_version():
    cell = changed_cell(1.2)
    wanted = command(SetParameter, parameter="threshold_bps", value=2.5)
    (version,) = versions(say(cell, wanted))
    assert (version.version, version.parameters) == (3, {"threshold_bps": 2.5})
    assert (version.author, version.reason, version.signature != "") == ("ann", "because", True)


@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        ("aggressiveness", 1.0, "policy.unknown_parameter"),
        ("threshold_bps", 1.2, "policy.unchanged"),
        ("threshold_bps", 3.1, "policy.outside_limits"),
        ("threshold_bps", -1.0, "policy.outside_limits"),
    ],
)
def test_a_person_gets_past_no_hard_limit(parameter, value, code):
    wanted = command(SetParameter, parameter=parameter, value=value)
    assert refusal_of(changed_cell(1.2), wanted) == code


def test_a_rollback_does_not_get_past_the_limits_of_today():
    """A hard limit that a person has tightened since is not loosened by an older version."""
    tight = ParameterLimits(initial=0.8, lower=0.3, upper=0.9, max_step=0.2)
    cell = fresh_cell(config(parameters={"threshold_bps": tight}))
    for number, value in ((1, 1.0), (2, 0.8)):
        older = replace(policy(number, value), key_id="seal")
        cell.recover(older, own=True)
    cell.recover(policy_cell().state.trading, own=True)
    assert refusal_of(cell, command(RollBackPolicy, version=1)) == "policy.outside_limits"


def test_what_may_not_be_traded_is_not_rolled_back():
    cell = changed_cell(1.2)
    banned = replace(cell.state.policy, version=3, do_not_trade=["SPY"], message_id="banned")
    cell.recover(banned, own=True)
    (back,) = versions(say(cell, command(RollBackPolicy, version=1)))
    assert (back.version, back.do_not_trade) == (4, ["SPY"])


# A limit trips right after a change.


@pytest.mark.parametrize("level", TripLevel)
def test_a_change_that_a_limit_trips_over_is_taken_back(level):
    cell = changed_cell(1.2)
    (back,) = versions(say(cell, tripped(level, about="threshold")))
    assert (back.version, back.parameters) == (3, {"threshold_bps": 1.0})
    assert back.author == "policy"
    assert back.reason == "back to version 1: loss.day: -2.6 %, the limit is -2.5 %"
    assert back.proposal_id is None


def test_a_change_is_taken_back_when_the_kill_rule_fires_on_it():
    cell = changed_cell(1.2)
    said = say(cell, account(20, 0, day_pnl=-START, equity_at_day_start=START))
    assert of(TradingStateChanged, said)[0].flatten
    (back,) = versions(said)
    assert back.parameters == {"threshold_bps": 1.0}
    assert back.reason.startswith("back to version 1: kill rule: ")


def test_all_changes_within_the_window_are_taken_back_and_no_older_one():
    cell = changed_cell(1.2, revert_window_seconds=60)
    cadence(cell, 100, 1.4)
    cadence(cell, 110, 1.6)
    say(cell, tripped())
    assert values(cell) == (5, 1.2)


@pytest.mark.parametrize(("second", "version"), [(70, 3), (71, 2)])
def test_a_change_that_has_lasted_the_window_stays(second, version):
    cell = changed_cell(1.2, revert_window_seconds=60)
    say(cell, account(second))
    say(cell, tripped())
    assert cell.state.policy.version == version


def test_a_desk_without_a_window_takes_nothing_back():
    cell = changed_cell(1.2, revert_window_seconds=0)
    say(cell, account(11))
    assert versions(say(cell, tripped())) == []


def test_what_a_person_or_the_configuration_changed_is_not_taken_back():
    cell = changed_cell(1.2)
    say(cell, command(RollBackPolicy, version=1))
    assert versions(say(cell, tripped())) == []
    assert versions(say(policy_cell(), tripped())) == []


def test_a_second_trip_takes_nothing_further_back():
    cell = changed_cell(1.2)
    say(cell, tripped(n=1))
    assert versions(say(cell, tripped(n=2))) == []
    assert values(cell) == (3, 1.0)


def test_a_change_that_was_taken_back_is_not_made_again_at_once():
    cell = changed_cell(1.2, revert_window_seconds=60)
    say(cell, tripped())
    (row,) = cadence(cell, 130, 1.2)
    assert (row.verdict, row.freeze_reasons) == (V.FROZEN, [FreezeReason.REVERTED])
    (row, _) = cadence(cell, 131, 1.2)
    assert row.verdict is V.ACCEPTED


# A difference instead of a value, and steps that make it safer.


@pytest.mark.parametrize(
    ("delta", "verdict", "applied"),
    [
        (0.2, V.ACCEPTED, 1.2),
        (-0.1, V.ACCEPTED, 0.9),
        (0.0, V.UNCHANGED, 1.0),
        (0.2000001, V.STEP_TOO_LARGE, 1.0),
        (2.1, V.OUT_OF_BOUNDS, 1.0),
        (-1.0, V.OUT_OF_BOUNDS, 1.0),
    ],
)
def test_a_delta_moves_the_value_in_force_and_is_held_to_the_same_rules(delta, verdict, applied):
    cell = policy_cell(config(**EASY))
    (row, *_) = cadence(cell, 10, 1.05, delta=delta)
    assert (row.verdict, row.applied) == (verdict, applied)
    assert row.delta == pytest.approx(delta)
    assert values(cell)[1] == applied


def test_deltas_add_up_on_paper_and_not_in_binary():
    cell = policy_cell(config(**EASY))
    for n in range(1, 4):
        cadence(cell, 10 * n, 0.0, delta=0.1)
    assert values(cell) == (4, 1.3)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_delta_that_is_no_number_is_no_proposal(number):
    with pytest.raises(ValueError, match="delta must be finite"):
        proposal(1, 1.0, delta=number)


def judged(cell, n, proposed, pnl=0):
    return of(ProposalJudged, cadence(cell, n, proposed, pnl))[0].verdict


@pytest.mark.parametrize(("tightens", "safer"), [("down", 0.9), ("up", 1.1)])
def test_a_step_that_tightens_waits_for_no_freeze_and_no_share(tightens, safer):
    limits = replace(LIMITS, tightens=tightens)
    cell = policy_cell(config(parameters={"threshold_bps": limits}))
    assert judged(cell, 10, 2.0 - safer, pnl="-9000") is V.FROZEN
    assert judged(cell, 20, safer, pnl="-9000") is V.ACCEPTED
    further = safer + (safer - 1.0)
    assert judged(cell, 22, further, pnl="-9000") is V.TOO_SOON
    assert judged(cell, 30, further, pnl="-9000") is V.ACCEPTED
    assert judged(cell, 40, safer) is V.TOO_MANY_ACCEPTED
    assert judged(cell, 50, 0.29) is V.OUT_OF_BOUNDS


def test_a_parameter_without_a_safe_side_has_no_short_cut():
    cell = policy_cell()
    for n, value in enumerate((0.9, 1.1), 1):
        assert judged(cell, 10 * n, value, pnl="-9000") is V.FROZEN
    assert judged(cell, 30, 0.9) is V.ACCEPT_RATE
