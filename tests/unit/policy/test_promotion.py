"""What a promotion needs, criterion by criterion, at the edge of each."""

from decimal import Decimal
from math import sqrt

import pytest
from interlock.model.performance import sharpe
from interlock.policy.config import PromotionRule
from interlock.policy.promotion import Evidence, criteria, drawdown

from tests.unit.policy.policy_cells import (
    escalated,
    on_day,
    policy_cell,
    sane,
    say,
    switched,
    tripped,
)

RULE = PromotionRule()
GOOD = [100, 50, 120, 80, 60, 90, 110, 70, 40, 130]


def sessions(profits, first_day=1):
    """Return the evidence of whole sessions with these profits, and of one that has begun."""
    evidence = Evidence()
    for day, pnl in enumerate([*profits, 0], first_day):
        evidence.mark(on_day(day))
        evidence.mark(on_day(day, pnl))
    return evidence


def failing(evidence, rule=RULE, stage_since=None):
    return [one.name for one in criteria(evidence, rule, stage_since) if not one.holds]


def test_ten_good_sessions_are_enough_and_nine_are_not():
    assert failing(sessions(GOOD)) == []
    assert "sessions" in failing(sessions(GOOD[1:]))
    assert "sessions" in failing(Evidence())


def test_the_session_that_runs_does_not_count():
    evidence = sessions(GOOD[1:])
    evidence.mark(on_day(10, 100, second=9_000))
    assert "sessions" in failing(evidence)


def test_sessions_before_the_stage_do_not_count_nor_does_its_own_first_day():
    evidence = sessions(GOOD, first_day=50)
    assert failing(evidence, stage_since=49) == []
    assert "sessions" in failing(evidence, stage_since=50)


def test_a_session_in_which_a_gate_broke_begins_the_row_anew():
    evidence = sessions([])
    for day in range(1, 21):
        evidence.mark(on_day(day, GOOD[day % 10]))
        if day == 10:
            evidence.broke()
    evidence.mark(on_day(21))
    assert failing(evidence) == []
    evidence.sessions[10].held = False
    (row, *_) = criteria(evidence, RULE, None)
    assert (row.holds, row.observed.split()[0]) == (False, "9")


def test_a_kill_day_breaks_its_session_however_late_it_is_told():
    evidence = sessions(GOOD)
    evidence.killed([5])
    assert "sessions" in failing(evidence)


@pytest.mark.parametrize("message", [tripped(), switched("file"), on_day(3, "-750")])
def test_trips_the_switch_and_the_kill_rule_break_the_session_that_runs(message):
    cell = policy_cell()
    say(cell, on_day(3, 0, second=1))
    say(cell, message)
    assert [one.held for one in cell.state.evidence.sessions] == [False]


def test_a_sharpe_ratio_is_mean_over_deviation_times_the_root_of_the_year():
    assert sharpe([0.01, -0.01, 0.02], 252) == pytest.approx(
        (0.02 / 3) / 0.015275252316519467 * sqrt(252)
    )
    assert sharpe([0.01], 252) is None
    assert sharpe([0.01, 0.01], 252) is None
    assert sharpe([], 252) is None


def test_profits_that_do_not_vary_show_no_ratio_and_promote_nobody():
    assert failing(sessions([100] * 10)) == ["sharpe"]
    assert failing(sessions([0] * 10)) == ["sharpe"]


def test_losses_promote_nobody():
    assert failing(sessions([-one for one in GOOD])) == ["sharpe"]


def test_a_drawdown_counts_within_a_session_and_over_the_night():
    evidence = Evidence()
    for day, marks in enumerate([(30_000, 33_000, 31_000), (31_000, 29_700, 32_000)], 1):
        for equity in marks:
            evidence.mark(on_day(day, equity=Decimal(equity), equity_at_day_start=Decimal(30_000)))
    assert drawdown(list(evidence.sessions)) == pytest.approx(0.1)
    first = list(evidence.sessions)[:1]
    assert drawdown(first) == pytest.approx(2_000 / 33_000)


@pytest.mark.parametrize(("low", "names"), [(27_601, []), (27_600, ["drawdown"])])
def test_eight_per_cent_down_is_too_much(low, names):
    evidence = sessions(GOOD)
    session = evidence.sessions[4]
    session.high, session.low, session.fall = Decimal(30_000), Decimal(low), 0.0
    session.fall = float(1 - Decimal(low) / 30_000)
    for one in list(evidence.sessions):
        one.high = Decimal(30_000)
    assert failing(evidence) == names


def test_one_escalation_a_day_is_too_many():
    cell = policy_cell()
    for day, pnl in enumerate(GOOD, 1):
        say(cell, on_day(day, pnl))
        if day > 1:
            say(cell, escalated(day))
            say(cell, escalated(day, granted=False))
            say(cell, sane(day * 100_000))
    say(cell, on_day(11))
    evidence = cell.state.evidence
    assert failing(evidence) == []
    evidence.sessions[0].escalations = 1
    assert failing(evidence) == ["escalations"]


def test_every_criterion_says_what_was_seen_and_what_is_needed():
    shown = {one.name: (one.observed, one.needed) for one in criteria(Evidence(), RULE, None)}
    assert shown["sharpe"] == ("not known", "above 0.8")
    assert shown["drawdown"] == ("0.00 %", "below 8 %")
    assert shown["sessions"][1] == "10"
