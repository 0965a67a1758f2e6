import pytest
from interlock.ledger.scorecard import Bounds, Scorecard, ScorecardRules, scorecard
from interlock.testkit.desk_messages import SECOND, judged
from interlock.wire.policy import FreezeReason, ProposalVerdict

RULES = ScorecardRules(bounds={"threshold_bps": Bounds(low=0.3, high=3.0, step=0.2)})
ACCEPTED = ProposalVerdict.ACCEPTED
MINUTE = 60


def gates(card: Scorecard) -> dict[str, tuple[bool, float]]:
    return {gate.name: (gate.ok, gate.value) for gate in card.gates}


def quiet(minutes: range) -> list:
    return [judged(m * MINUTE) for m in minutes]


def test_a_calm_period_passes_with_its_values():
    rows = quiet(range(10))
    rows[5] = judged(5 * MINUTE + 1, ACCEPTED)
    card = scorecard(rows, RULES)
    assert gates(card) == {
        "proposals_seen_15m": (True, 10),
        "applied_15m": (True, 1),
        "accept_rate_15m": (True, pytest.approx(1 / 6)),
        "bounds": (True, 0),
        "freeze": (True, 0),
    }
    assert (card.ok, card.proposals, card.applied) == (True, 10, 1)


def test_no_proposal_at_all_fails_where_something_must_be_known():
    card = scorecard([], RULES)
    assert not card.ok
    assert {name for name, (ok, _) in gates(card).items() if not ok} == {
        "proposals_seen_15m",
        "freeze",
    }


def test_seen_is_what_the_last_window_held():
    rows = [*quiet(range(10)), judged(60 * MINUTE)]
    assert gates(scorecard(rows, RULES))["proposals_seen_15m"] == (False, 1)


def test_the_window_is_open_at_its_begin_and_closed_at_its_end():
    rows = [judged(0, ACCEPTED), judged(1, ACCEPTED), *quiet(range(1, 15))]
    inside = scorecard([*rows, judged(15 * MINUTE - 1, ACCEPTED)], RULES)
    edge = scorecard([*rows, judged(15 * MINUTE, ACCEPTED)], RULES)
    assert gates(inside)["applied_15m"] == (False, 3)
    assert gates(edge)["applied_15m"] == (True, 2)


def test_the_worst_window_counts_even_where_the_last_is_fine():
    rows = [*quiet(range(5)), *(judged(5 * MINUTE + n, ACCEPTED) for n in range(4))]
    rows += quiet(range(30, 60))
    card = scorecard(rows, RULES)
    assert gates(card)["applied_15m"] == (False, 4)
    assert gates(card)["accept_rate_15m"] == (False, pytest.approx(4 / 9))
    assert not card.ok


def test_rows_before_the_period_count_in_its_windows_only():
    rows = [judged(n, ACCEPTED) for n in range(3)] + quiet(range(1, 40))
    since = scorecard(rows, RULES, since_ns=20 * MINUTE * SECOND)
    near = scorecard(rows, RULES, since_ns=5 * MINUTE * SECOND)
    assert gates(since)["applied_15m"] == (True, 0)
    assert gates(near)["applied_15m"] == (False, 3)
    assert (near.proposals, near.applied) == (35, 0)


@pytest.mark.parametrize(
    ("old", "applied", "ok"),
    [
        (1.0, 1.2, True),
        (0.5, 0.3, True),
        (2.8, 3.0, True),
        (1.0, 1.21, False),
        (2.9, 3.05, False),
        (0.4, 0.25, False),
    ],
)
def test_bounds_are_held_against_what_was_applied(old, applied, ok):
    row = judged(1, ACCEPTED, old=old, proposed=applied, applied=applied)
    assert gates(scorecard([row], RULES))["bounds"] == (ok, 0 if ok else 1)


def test_a_wild_proposal_that_was_refused_breaks_no_bounds():
    row = judged(1, ProposalVerdict.OUT_OF_BOUNDS, proposed=99.0, delta=98.0)
    unknown = judged(2, ProposalVerdict.UNKNOWN_PARAMETER, parameter="leverage", applied=7.0)
    assert gates(scorecard([row, unknown], RULES))["bounds"] == (True, 0)


def test_a_parameter_without_bounds_fails():
    row = judged(1, ACCEPTED, parameter="leverage")
    assert gates(scorecard([row], RULES))["bounds"] == (False, 1)


def test_freeze_is_the_state_at_the_end():
    frozen = {"freeze_reasons": [FreezeReason.BARS_STALE], "verdict": ProposalVerdict.FROZEN}
    thawed = [judged(1, **frozen), *quiet(range(1, 9))]
    assert gates(scorecard(thawed, RULES))["freeze"] == (True, 0)
    card = scorecard([*thawed, judged(9 * MINUTE, **frozen)], RULES)
    assert gates(card)["freeze"] == (False, 1)
    assert card.gates[-1].detail == "bars_stale"
