import pytest
from interlock.reasoning.breaker import (
    TRANSITIONS,
    Breaker,
    BreakerLimits,
    Event,
    Position,
    admitted,
    failed,
    succeeded,
)
from interlock.wire.reasoning import ReasonerFailure

LIMITS = BreakerLimits(failures=3, cool_down_ns=100)
NETWORK = ReasonerFailure.NETWORK


def tripped():
    breaker = Breaker()
    for at in (1, 2, 3):
        breaker = failed(breaker, LIMITS, at, NETWORK)
    return breaker


def test_opens_at_the_full_number_and_keeps_the_cause():
    two = failed(failed(Breaker(), LIMITS, 1, NETWORK), LIMITS, 2, NETWORK)
    assert two.position is Position.CLOSED
    assert admitted(two, LIMITS, 2) is two
    assert tripped().position is Position.OPEN
    assert tripped().cause is NETWORK
    assert admitted(tripped(), LIMITS, 102) is None


def test_a_success_in_between_starts_the_count_again():
    breaker = succeeded(failed(failed(Breaker(), LIMITS, 1, NETWORK), LIMITS, 2, NETWORK))
    assert failed(breaker, LIMITS, 3, NETWORK).position is Position.CLOSED


def test_one_probe_after_the_cool_down_decides():
    probe = admitted(tripped(), LIMITS, 103)
    assert probe is not None
    assert probe.position is Position.HALF_OPEN
    assert admitted(probe, LIMITS, 103) is None
    assert succeeded(probe) == Breaker(opened_at=3, cause=NETWORK)
    again = failed(probe, LIMITS, 110, NETWORK)
    assert again.position is Position.OPEN
    assert admitted(again, LIMITS, 209) is None
    assert admitted(again, LIMITS, 210) is not None


def test_a_move_that_is_not_in_the_table_is_an_error():
    with pytest.raises(KeyError):
        succeeded(tripped())
    assert (Position.OPEN, Event.SUCCEEDED) not in TRANSITIONS
