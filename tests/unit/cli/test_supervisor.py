"""How long the supervisor waits before it starts a child again."""

from itertools import accumulate

from interlock.cli.supervisor import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    WELL_AFTER_SECONDS,
    next_pause,
)


def test_each_pause_is_twice_the_last_up_to_the_longest():
    pauses = list(accumulate(range(8), lambda p, _: next_pause(p, 0.0), initial=0.1))
    assert pauses[:6] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
    assert pauses[6:] == [LONGEST_PAUSE_SECONDS] * 3


def test_a_child_that_was_well_begins_anew():
    assert next_pause(LONGEST_PAUSE_SECONDS, WELL_AFTER_SECONDS) == FIRST_PAUSE_SECONDS
