from itertools import combinations

import numpy as np
import pytest
from interlock.signals.training.overfitting import overfitting


def by_hand(returns, blocks):
    """The same from its definition, each choice by itself."""
    parts = np.split(returns, blocks)
    below = []
    for chosen in combinations(range(blocks), blocks // 2):
        here = np.concatenate([parts[i] for i in chosen])
        there = np.concatenate([parts[i] for i in range(blocks) if i not in chosen])
        best = np.argmax(here.mean(axis=0) / here.std(axis=0))
        ratios = there.mean(axis=0) / there.std(axis=0)
        relative = (np.sum(ratios < ratios[best]) + 1) / (returns.shape[1] + 1)
        below.append(np.log(relative / (1 - relative)) <= 0.0)
    return np.mean(below)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_share_of_choices_whose_best_ends_in_the_lower_half(seed):
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (96, 7))

    assert overfitting(returns, 8) == pytest.approx(by_hand(returns, 8))


def test_a_trial_that_is_truly_better_is_no_luck():
    returns = np.random.default_rng(1).normal(0.0, 0.01, (600, 8))
    returns[:, 3] += 0.01

    assert overfitting(returns) == 0.0


def test_trials_whose_gains_are_paid_back_later_are_luck():
    # Each trial earns in one half of the time what it loses in the other.
    random = np.random.default_rng(2)
    gains = np.linspace(-0.01, 0.01, 8)
    returns = np.concatenate([np.tile(gains, (300, 1)), np.tile(-gains, (300, 1))])
    returns += random.normal(0.0, 1e-3, returns.shape)

    assert overfitting(returns, 2) == 1.0


def test_one_trial_is_no_choice():
    with pytest.raises(ValueError, match="cannot be compared"):
        overfitting(np.zeros((600, 1)))
