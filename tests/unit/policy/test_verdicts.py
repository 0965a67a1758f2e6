"""Each verdict at its edge, the order of the rules, and what freezes them all."""

from decimal import Decimal

import msgspec
import pytest
from interlock.policy.app import build
from interlock.policy.config import ParameterLimits, PolicyConfig
from interlock.policy.core import ready
from interlock.runtime.stores.rules import MemoryRulesStore
from interlock.testkit.cells import begin, cell_of, react
from interlock.testkit.decisions import account, desk, policy, proposal
from interlock.testkit.desk_messages import SECOND, ids, tick
from interlock.testkit.rules import SEAL
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.market import FeedCondition, FeedStatusChanged
from interlock.wire.policy import (
    FreezeReason,
    Phase,
    PolicyChanged,
    ProposalJudged,
    ProposalVerdict,
)

V, F = ProposalVerdict, FreezeReason
LIMITS = ParameterLimits(initial=1.0, lower=0.3, upper=3.0, max_step=0.2)
EVERY = 5


def config(**changes):
    return PolicyConfig(**({"parameters": {"threshold_bps": LIMITS}} | changes))


def policy_cell(configured=None, store=None):
    service = build(desk(), configured or config(), "c0ffee", store or MemoryRulesStore(), SEAL)
    cell = cell_of(service)
    begin(cell, 0)
    return cell


def clock(n, offset_ms=0):
    return msgspec.structs.replace(tick(n), clock_offset_ns=round(offset_ms * 1_000_000))


def feed(condition, instrument_id="SPY"):
    return FeedStatusChanged(
        **ids("feed", condition, instrument_id),
        ts_event=0,
        instrument_id=instrument_id,
        condition=condition,
        detail="",
        dropped=False,
    )


def judge(cell, n, proposed, *, pnl=0, parameter="threshold_bps"):
    """Return the audit row of a proposal in a cadence where all is well."""
    react(cell, clock(n), n * SECOND)
    react(cell, account(n, pnl), n * SECOND)
    said = react(cell, proposal(n, proposed, parameter), n * SECOND)
    assert isinstance(said[0], ProposalJudged)
    changed = [message for message in said if isinstance(message, PolicyChanged)]
    assert bool(changed) == (said[0].verdict is V.ACCEPTED)
    return said[0]


def seen(cell, count=4, start=0):
    """Let proposals pass that change nothing, and return the second of the next cadence."""
    value = cell.state.policy.parameters["threshold_bps"]
    for index in range(count):
        assert judge(cell, start + (index + 1) * EVERY, value).verdict is V.UNCHANGED
    return start + (count + 1) * EVERY


@pytest.mark.parametrize(
    ("proposed", "verdict"),
    [
        (1.1, V.ACCEPTED),
        (1.2, V.ACCEPTED),
        (0.8, V.ACCEPTED),
        (1.2000001, V.STEP_TOO_LARGE),
        (0.7999999, V.STEP_TOO_LARGE),
        (3.0, V.STEP_TOO_LARGE),
        (3.0000001, V.OUT_OF_BOUNDS),
        (0.3, V.STEP_TOO_LARGE),
        (0.2999999, V.OUT_OF_BOUNDS),
        (-1.0, V.OUT_OF_BOUNDS),
        (1e308, V.OUT_OF_BOUNDS),
        (5e-324, V.OUT_OF_BOUNDS),
        (1.0, V.UNCHANGED),
    ],
)
def test_a_proposal_is_held_to_bounds_then_step_then_difference(proposed, verdict):
    cell = policy_cell()
    row = judge(cell, seen(cell), proposed)
    assert row.verdict is verdict
    assert (row.old, row.proposed) == (1.0, proposed)
    assert row.delta == pytest.approx(proposed - 1.0)
    assert row.applied == (proposed if verdict is V.ACCEPTED else 1.0)
    assert row.policy_version == (2 if verdict is V.ACCEPTED else 1)


@pytest.mark.parametrize("edge", [0.3, 3.0])
def test_the_bounds_themselves_are_allowed(edge):
    limits = ParameterLimits(initial=edge, lower=0.3, upper=3.0, max_step=0.2)
    inside = edge + 0.1 if edge < 1 else edge - 0.1
    cell = policy_cell(config(parameters={"threshold_bps": limits}))
    assert judge(cell, seen(cell), inside).verdict is V.ACCEPTED
    back = seen(cell, 4, 2_000)
    assert judge(cell, back, edge).verdict is V.ACCEPTED


def test_a_step_that_is_exact_on_paper_is_not_lost_to_binary():
    limits = ParameterLimits(initial=0.9, lower=0.3, upper=3.0, max_step=0.2)
    cell = policy_cell(config(parameters={"threshold_bps": limits}))
    assert 1.1 - 0.9 > 0.2
    assert judge(cell, seen(cell), 1.1).verdict is V.ACCEPTED


def test_a_parameter_nobody_configured_is_unknown():
    row = judge(policy_cell(), EVERY, 1.0, parameter="leverage")
    assert row.verdict is V.UNKNOWN_PARAMETER
    assert row.policy_version == 1


def test_the_accept_rate_counts_the_proposal_itself():
    cell = policy_cell()
    at = seen(cell, 2)
    assert judge(cell, at, 1.1).verdict is V.ACCEPT_RATE
    row = judge(cell, at + EVERY, 1.1)
    assert (row.verdict, row.seen_in_window, row.accepted_in_window) == (V.ACCEPTED, 4, 1)


def test_exactly_thirty_per_cent_is_allowed():
    cell = policy_cell(config(max_accepted_in_window=9))
    at = seen(cell, 3)
    assert judge(cell, at, 1.1).verdict is V.ACCEPTED
    at = seen(cell, 2, at)
    assert judge(cell, at, 1.2).verdict is V.ACCEPTED
    at = seen(cell, 1, at)
    assert judge(cell, at, 1.3).verdict is V.ACCEPT_RATE
    row = judge(cell, at + EVERY, 1.3)
    assert (row.verdict, row.seen_in_window, row.accepted_in_window) == (V.ACCEPTED, 10, 3)


def test_a_second_acceptance_inside_five_seconds_comes_too_soon():
    cell = policy_cell()
    at = seen(cell, 8)
    assert judge(cell, at, 1.1).verdict is V.ACCEPTED
    assert judge(cell, at + 4, 1.2).verdict is V.TOO_SOON
    assert judge(cell, at + 5, 1.2).verdict is V.ACCEPTED


def test_a_proposal_from_before_the_last_acceptance_comes_too_soon():
    cell = policy_cell()
    at = seen(cell, 8)
    assert judge(cell, at + EVERY, 1.1).verdict is V.ACCEPTED
    late = react(cell, proposal(at, 1.2), at * SECOND)
    assert [row.verdict for row in late] == [V.TOO_SOON]


def test_two_are_accepted_in_fifteen_minutes_and_a_third_after_that():
    cell = policy_cell()
    at = seen(cell, 20)
    assert judge(cell, at, 1.1).verdict is V.ACCEPTED
    assert judge(cell, at + EVERY, 1.2).verdict is V.ACCEPTED
    assert judge(cell, at + 2 * EVERY, 1.3).verdict is V.TOO_MANY_ACCEPTED
    seen(cell, 20, at + 600)
    assert judge(cell, at + 899, 1.3).verdict is V.TOO_MANY_ACCEPTED
    assert judge(cell, at + 900, 1.3).verdict is V.ACCEPTED
    assert judge(cell, at + 904, 1.4).verdict is V.TOO_SOON


def test_rules_are_asked_in_their_order():
    """One proposal that breaks many rules gets the first of them."""
    cell = policy_cell()
    react(cell, feed(FeedCondition.STALE), 0)
    at = EVERY
    assert judge(cell, at, 9.0).verdict is V.OUT_OF_BOUNDS
    assert judge(cell, at + 1, 2.0).verdict is V.STEP_TOO_LARGE
    assert judge(cell, at + 2, 1.0).verdict is V.UNCHANGED
    assert judge(cell, at + 3, 1.1).verdict is V.FROZEN
    react(cell, feed(FeedCondition.OK), 0)
    at = seen(cell, 16, 100)
    assert judge(cell, at, 1.1).verdict is V.ACCEPTED
    assert judge(cell, at + 5, 1.2).verdict is V.ACCEPTED
    assert judge(cell, at + 6, 1.3).verdict is V.TOO_SOON
    assert judge(cell, at + 10, 1.3).verdict is V.TOO_MANY_ACCEPTED


def test_shadow_judges_everything_and_applies_nothing():
    cell = policy_cell(config(phase=Phase.SHADOW))
    at = seen(cell, 4)
    for later in range(3):
        row = judge(cell, at + later * EVERY, 1.1)
        assert (row.verdict, row.applied, row.policy_version) == (V.SHADOW, 1.0, 1)
        assert row.accepted_in_window == 0
        assert row.phase is Phase.SHADOW
    assert judge(cell, at + 100, 9.0).verdict is V.OUT_OF_BOUNDS


@pytest.mark.parametrize(
    ("pnl", "frozen"),
    [("-149.99", False), ("-150", True), ("-150.01", True), ("NaN", True), ("-Infinity", True)],
)
def test_a_loss_of_half_a_percent_freezes_from_the_first_cent(pnl, frozen):
    cell = policy_cell()
    row = judge(cell, seen(cell), 1.1, pnl=pnl)
    assert row.freeze_reasons == ([F.LOSS_30_MIN] if frozen else [])
    assert row.verdict is (V.FROZEN if frozen else V.ACCEPTED)


@pytest.mark.parametrize(
    ("offset_ms", "frozen"),
    [(250, False), (-250, False), (250.000001, True), (-250.000001, True), (0, False)],
)
def test_the_clock_may_be_off_by_exactly_250_ms(offset_ms, frozen):
    cell = policy_cell()
    at = seen(cell)
    react(cell, clock(at, offset_ms), at * SECOND)
    react(cell, account(at), at * SECOND)
    (row, *_) = react(cell, proposal(at, 1.1), at * SECOND)
    assert row.freeze_reasons == ([F.CLOCK_OFFSET] if frozen else [])
    assert row.verdict is (V.FROZEN if frozen else V.ACCEPTED)


def offline(n, *, begun=True):
    return ModeChanged(
        **ids("mode", n, begun), ts_event=n * SECOND, mode=Mode.RL_ONLY, begun=begun, reason=""
    )


@pytest.mark.parametrize("tightens", [None, "down"])
def test_s3_8_feature_toggles_are_frozen_while_the_local_reasoner_is_offline(tightens):
    limits = ParameterLimits(initial=1, lower=0, upper=1, max_step=1, tightens=tightens)
    freely = {"max_accept_rate": 1.0, "decision_seconds": 1}
    parameters = {"threshold_bps": LIMITS, "feature.rsi": limits}
    cell = policy_cell(config(parameters=parameters, **freely))
    react(cell, offline(1), SECOND)
    row = judge(cell, 5, 0.0, parameter="feature.rsi")
    assert (row.verdict, row.freeze_reasons) == (V.FROZEN, [F.REASONER_OFFLINE])
    assert judge(cell, 6, 1.1).verdict is V.ACCEPTED
    react(cell, offline(7, begun=False), 7 * SECOND)
    assert judge(cell, 8, 0.0, parameter="feature.rsi").verdict is V.ACCEPTED


def test_i9_what_is_not_known_freezes():
    cell = policy_cell()
    (row,) = react(cell, proposal(EVERY, 1.1), 0)
    assert row.verdict is V.FROZEN
    assert row.freeze_reasons == [F.ACCOUNT_UNKNOWN, F.CLOCK_OFFSET]


def test_i9_an_offset_nobody_measured_freezes():
    cell = policy_cell()
    at = seen(cell)
    react(cell, tick(at), 0)
    react(cell, account(at), 0)
    (row,) = react(cell, proposal(at, 1.1), 0)
    assert row.freeze_reasons == [F.CLOCK_OFFSET]


def test_i9_an_account_older_than_the_cadence_freezes():
    cell = policy_cell()
    at = seen(cell)
    react(cell, clock(at), 0)
    (row,) = react(cell, proposal(at, 1.1), 0)
    assert row.freeze_reasons == [F.ACCOUNT_UNKNOWN]


@pytest.mark.parametrize("condition", [FeedCondition.STALE, FeedCondition.GAP])
def test_bars_missing_or_stale_freeze_until_all_instruments_are_back(condition):
    cell = policy_cell()
    for name in ("SPY", "GOOG"):
        react(cell, feed(condition, name), 0)
    at = seen(cell)
    react(cell, feed(FeedCondition.OK, "SPY"), 0)
    row = judge(cell, at, 1.1)
    assert (row.verdict, row.freeze_reasons) == (V.FROZEN, [F.BARS_STALE])
    react(cell, feed(FeedCondition.OK, "GOOG"), 0)
    assert judge(cell, at + EVERY, 1.1).verdict is V.ACCEPTED


def test_all_freeze_reasons_are_listed_and_a_frozen_proposal_counts_as_seen():
    cell = policy_cell()
    react(cell, feed(FeedCondition.STALE), 0)
    react(cell, clock(EVERY, 9_999), 0)
    react(cell, account(EVERY, -9_999), 0)
    (row,) = react(cell, proposal(EVERY, 1.1), 0)
    assert row.freeze_reasons == [F.BARS_STALE, F.LOSS_30_MIN, F.CLOCK_OFFSET]
    assert row.seen_in_window == 1


def test_a_proposal_waits_for_the_account_of_its_own_cadence():
    cell = policy_cell()
    assert not ready(cell.state, proposal(10, 1.1))
    react(cell, account(9), 0)
    assert not ready(cell.state, proposal(10, 1.1))
    react(cell, account(10), 0)
    assert ready(cell.state, proposal(10, 1.1))
    assert ready(cell.state, account(11))
    assert ready(cell.state, policy())


@pytest.mark.parametrize(
    "section",
    [
        {"parameters": {"a": {"initial": 5, "lower": 0.3, "upper": 3, "max_step": 0.2}}},
        {"parameters": {"a": {"initial": 1, "lower": 0.3, "upper": 3, "max_step": 0}}},
        {"parameters": {"a": {"initial": 1, "lower": 0.3, "upper": 3}}},
        {"parameters": {}, "max_accept_rate": 1.01},
        {"parameters": {}, "max_accept_rate": "nan"},
        {"parameters": {}, "decision_seconds": 0},
        {"parameters": {}, "max_accepted_in_window": 0},
        {"parameters": {}, "loss_freeze_pct": 0},
        {"parameters": {}, "loss_freeze_pct": "nan"},
        {"parameters": {}, "max_clock_offset_ms": -1},
        {"parameters": {}, "max_clock_ofset_ms": 250},
        {},
    ],
)
def test_a_configuration_that_would_judge_nothing_does_not_start(section):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(section, PolicyConfig, strict=False)


def test_equity_of_another_desk_moves_the_loss_limit():
    service = build(desk(equity_usd=Decimal(100_000)), config(), "", MemoryRulesStore(), SEAL)
    cell = cell_of(service)
    begin(cell, 0)
    at = seen(cell)
    assert judge(cell, at, 1.1, pnl="-499.99").verdict is V.ACCEPTED
    assert judge(cell, at + EVERY, 1.2, pnl=-500).verdict is V.FROZEN
