"""The table of a desk's standings: what is listed happens, what is not raises or is nothing."""

import itertools

import pytest
from interlock.model.trading import (
    LETS_THROUGH,
    NOTHING_TO_DO,
    TRANSITIONS,
    IllegalTriggerError,
    Standing,
    Trigger,
    next_standing,
)
from interlock.model.values import TradingState

S, T = Standing, Trigger
PAIRS = list(itertools.product(Standing, Trigger))
LISTED = TRANSITIONS.keys() | NOTHING_TO_DO
BY_A_PERSON = {T.PERSON_RESUMES, T.PERSON_RESUMES_TODAY}


@pytest.mark.parametrize(("standing", "trigger"), [pair for pair in PAIRS if pair in TRANSITIONS])
def test_a_listed_transition_happens(standing, trigger):
    assert next_standing(standing, trigger) is TRANSITIONS[standing, trigger]


@pytest.mark.parametrize(("standing", "trigger"), sorted(NOTHING_TO_DO))
def test_a_listed_nothing_changes_nothing(standing, trigger):
    assert next_standing(standing, trigger) is None


@pytest.mark.parametrize(("standing", "trigger"), [pair for pair in PAIRS if pair not in LISTED])
def test_an_unlisted_pair_raises_and_names_both(standing, trigger):
    with pytest.raises(IllegalTriggerError, match=f"{standing} cannot take {trigger}"):
        next_standing(standing, trigger)


def test_only_a_resume_can_be_refused():
    """What stops a desk has an answer everywhere; only a person can be told no."""
    refused = {pair for pair in PAIRS if pair not in LISTED}
    assert {trigger for _, trigger in refused} <= BY_A_PERSON
    assert (S.STARTING, T.PERSON_RESUMES) in refused
    assert (S.HALTED_FOR_DAY, T.PERSON_RESUMES_TODAY) in refused


def test_the_two_tables_do_not_overlap():
    assert TRANSITIONS.keys().isdisjoint(NOTHING_TO_DO)


def test_i7_a_halt_is_left_by_a_persons_resume_only():
    left = {
        trigger
        for (before, trigger), after in TRANSITIONS.items()
        if before is S.HALTED and after is not S.HALTED
    }
    assert left == BY_A_PERSON


def test_i7_every_halt_halts_from_everywhere():
    for trigger in (T.PERSON_HALTS, T.SWITCH_PRESSED, T.TRIP_HALT):
        for standing in Standing:
            assert (next_standing(standing, trigger) or standing) is S.HALTED


def test_only_reconciliation_a_person_or_a_new_day_make_a_desk_active():
    into = {trigger for (_, trigger), after in TRANSITIONS.items() if after is S.ACTIVE}
    assert into == {T.RECONCILED, T.PERSON_RESUMES, T.NEXT_DAY}
    assert {b for (b, t), a in TRANSITIONS.items() if a is S.ACTIVE and t is T.RECONCILED} == {
        S.STARTING
    }


def test_a_day_on_which_the_kill_rule_fired_never_becomes_active_by_a_person():
    for standing in Standing:
        assert TRANSITIONS.get((standing, T.PERSON_RESUMES_TODAY)) in (None, S.HALTED_FOR_DAY)


def test_no_trigger_but_those_three_lets_more_through():
    rank = {TradingState.HALTED: 0, TradingState.REDUCE_ONLY: 1, TradingState.ACTIVE: 2}
    looser = {
        trigger
        for (before, trigger), after in TRANSITIONS.items()
        if rank[LETS_THROUGH[after]] > rank[LETS_THROUGH[before]]
    }
    assert looser == {T.RECONCILED, T.PERSON_RESUMES, T.NEXT_DAY}


def test_every_standing_can_be_reached_and_says_what_it_lets_through():
    assert set(TRANSITIONS.values()) | {S.STARTING} == set(Standing)
    assert LETS_THROUGH.keys() == set(Standing)
    assert [s for s in Standing if LETS_THROUGH[s] is TradingState.ACTIVE] == [S.ACTIVE]
