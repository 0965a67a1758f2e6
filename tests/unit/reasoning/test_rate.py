"""So many calls in any minute, and no more."""

from hypothesis import given
from hypothesis import strategies as st
from interlock.reasoning.rate import Rate

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def test_the_minute_slides():
    rate = Rate(2)
    admitted = [rate.admit(at * SECOND) for at in (0, 30, 59, 60, 61, 89, 90, 91)]
    assert admitted == [True, True, False, True, False, False, True, False]


@given(st.integers(1, 5), st.lists(st.integers(0, 30), max_size=60))
def test_no_minute_has_more_than_it_may(most, steps):
    rate, now, calls = Rate(most), 0, []
    for step in steps:
        now += step * SECOND
        if rate.admit(now):
            calls.append(now)
    for at in calls:
        assert sum(1 for one in calls if at - MINUTE < one <= at) <= most
