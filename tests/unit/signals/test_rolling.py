import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.signals.rolling import RollingCorrelation, RollingMoments

SIZE = 5
UNDERFLOW = 1e-150
"""Squares of less are zero."""
moderate = st.floats(-1e6, 1e6, allow_subnormal=False)


def moments_of(values, size=SIZE):
    rolling = RollingMoments(size)
    for value in values:
        rolling.push(value)
    return rolling


@given(st.lists(moderate, min_size=1, max_size=40))
def test_moments_are_those_of_the_last_values(values):
    rolling = moments_of(values)
    last = values[-SIZE:]
    scale = max(abs(value) for value in last)

    assert rolling.full == (len(values) >= SIZE)
    assert rolling.mean() == pytest.approx(statistics.fmean(last), rel=1e-9, abs=1e-9 * scale)
    assert rolling.deviation() == pytest.approx(
        statistics.pstdev(last), rel=1e-6, abs=1e-7 * scale + UNDERFLOW
    )


@given(st.lists(moderate, max_size=20), moderate)
def test_a_constant_has_no_deviation_whatever_came_before(before, constant):
    # Twice the window: the sums have been made anew at least once since.
    assert moments_of([*before, *[constant] * (2 * SIZE)]).deviation() == 0.0


@pytest.mark.parametrize("calm", range(3))
@pytest.mark.parametrize("length", range(SIZE, 4 * SIZE))
def test_an_outlier_leaves_nothing_behind(calm, length):
    quiet = [math.sin(index) * 1e-4 for index in range(30)]
    values = [*quiet[:calm], 1e9, *quiet[:length]]
    pairs = list(zip(values, [*quiet[:calm], -1e9, *quiet[5 : 5 + length]], strict=True))
    exact = np.corrcoef(np.array(pairs[-SIZE:]).T)[0, 1]

    assert moments_of(values).deviation() == pytest.approx(np.std(values[-SIZE:]), rel=1e-9)
    assert correlation_of(pairs) == pytest.approx(exact, rel=1e-9)


def test_many_values_do_not_drift():
    values = np.random.default_rng(1).normal(1e-4, 1e-3, 300_000).tolist()

    assert moments_of(values, 20).deviation() == pytest.approx(np.std(values[-20:]), rel=1e-11)


def correlation_of(pairs, size=SIZE):
    rolling = RollingCorrelation(size)
    for x, y in pairs:
        rolling.push(x, y)
    return rolling.value()


@given(st.lists(st.tuples(moderate, moderate), max_size=40))
def test_a_correlation_is_absent_or_between_minus_one_and_one(pairs):
    value = correlation_of(pairs)

    assert value is None or -1.0 <= value <= 1.0
    assert value is None or len(pairs) >= SIZE


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=SIZE, max_size=40))
def test_a_correlation_is_that_of_the_last_pairs(pairs):
    last = np.array(pairs[-SIZE:])
    spread = last.std(axis=0)
    if spread.min() < 1e-3:
        return

    expected = np.corrcoef(last.T)[0, 1]
    assert correlation_of(pairs) == pytest.approx(expected, abs=1e-9)


def test_a_side_that_does_not_move_has_no_correlation():
    moving = [(float(index), float(index * index)) for index in range(7)]

    assert correlation_of([*moving, *[(0.1, float(index)) for index in range(2 * SIZE)]]) is None


@pytest.mark.parametrize("huge", [1e300, math.inf])
def test_what_overflows_is_absent_until_it_has_left(huge):
    pairs = [(huge, -huge), *[(float(index), 1.0 / (index + 1)) for index in range(3 * SIZE)]]

    assert correlation_of(pairs[:SIZE]) is None
    assert correlation_of(pairs) == pytest.approx(correlation_of(pairs[SIZE:]))
