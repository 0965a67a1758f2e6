"""What a drill counts as held, and what it may be asked for."""

import pytest
from interlock.cli.kill_drill import SCENARIOS, Round, Without, chosen, figures, percentile
from interlock.model.trading import Way


def a_round(**changes):
    fields = {
        "way": Way.FILE, "without": Without.NOTHING, "orders": 10, "seen_ms": 5.0,
        "submit_ms": 4.0, "cancelled_ms": 20.0, "cancelled": 12, "alert_ms": 30.0, "late": False,
    }  # fmt: skip
    return Round(**(fields | changes))


def test_rounds_that_hold_are_met():
    (found,) = figures([a_round(), a_round(submit_ms=250.0, cancelled_ms=2_000.0)])
    assert (found.rounds, found.cancelled, found.met) == (2, 24, True)
    assert (found.submit_p50_ms, found.submit_p99_ms) == (4.0, 250.0)
    assert (found.cancelled_p99_ms, found.alert_max_ms) == (2_000.0, 30.0)


@pytest.mark.parametrize(
    "miss",
    [
        {"submit_ms": 250.1},
        {"cancelled_ms": 2_000.1},
        {"alert_ms": 5_000.1},
        {"cancelled": 9},
        {"late": True},
    ],
    ids=lambda miss: next(iter(miss)),
)
def test_one_miss_in_one_round_is_a_miss(miss):
    (found,) = figures([a_round(), a_round(**miss)])
    assert not found.met


def test_each_scenario_has_its_own_line():
    found = list(figures([a_round(), a_round(way=Way.RULE, late=True), a_round()]))
    assert [(one.way, one.rounds, one.met) for one in found] == [
        (Way.FILE, 2, True),
        (Way.RULE, 1, False),
    ]


def test_where_the_bus_was_away_nobody_waits_for_an_alert():
    (found,) = figures([a_round(alert_ms=None)])
    assert (found.alert_max_ms, found.met) == (None, True)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_one_of_the_values(share, value):
    assert percentile([float(n) for n in range(100, 0, -1)], share) == value
    assert percentile([7.0], share) == 7.0


def test_a_drill_may_be_narrowed():
    assert chosen([], []) == list(SCENARIOS)
    assert {one.way for one in chosen(["file"], [])} == {Way.FILE}
    assert [one.without for one in chosen(["file"], ["nats"])] == [Without.NATS]
    assert chosen(["rule"], ["nats"]) == []
