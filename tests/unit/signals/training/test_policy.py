import numpy as np
import pytest
from interlock.signals.training.policy import (
    Network,
    PolicyTrial,
    position_of,
    standardised,
    train_policy,
)

TRIAL = PolicyTrial(hidden=8, rollouts=30)


def market(seed, rows=1_000, skill=0.0):
    """Two inputs: one says the sign of the next return, as far as `skill` goes; one is noise."""
    random = np.random.default_rng(seed)
    next_return = random.normal(0.0, 0.01, rows)
    told = skill * next_return / 0.01 + (1.0 - skill) * random.normal(size=rows)
    inputs = np.stack([told, random.normal(size=rows)], axis=1).astype(np.float32)
    return inputs, np.zeros(rows, dtype=np.int64), next_return


def test_it_learns_what_there_is_to_learn():
    policy = train_policy(*market(1, skill=0.8), PolicyTrial(hidden=8, rollouts=150), seed=3)
    inputs, _, next_return = market(2, skill=0.8)
    position = position_of(policy.hints(inputs))

    assert np.mean((position > 0) == (next_return > 0)) > 0.9
    assert np.mean(position * next_return) > 0.3 * np.mean(np.abs(next_return))


def test_the_same_seed_gives_the_same_policy_and_another_one_another():
    made = [train_policy(*market(1), TRIAL, seed=seed).network.weights for seed in (3, 3, 4)]

    assert all(np.array_equal(a, b) for a, b in zip(made[0], made[1], strict=True))
    assert not np.array_equal(made[0][0], made[2][0])


def test_rows_without_a_next_return_are_not_learned_from():
    inputs, instrument, next_return = market(1)
    next_return[-1] = np.nan
    whole = train_policy(inputs[:-1], instrument[:-1], next_return[:-1], TRIAL, seed=3)
    cut = train_policy(inputs, instrument, next_return, TRIAL, seed=3)

    assert np.array_equal(whole.network.weights[0], cut.network.weights[0])


def test_gaps_are_the_mean_and_far_values_are_cut():
    rows = np.array([[np.nan, 4.0], [100.0, -100.0]], dtype=np.float32)

    assert standardised(rows, np.array([1.0, 2.0]), np.array([2.0, 2.0])) == pytest.approx(
        np.array([[0.0, 1.0], [5.0, -5.0]])
    )


def test_an_input_that_is_never_known_does_no_harm():
    inputs, instrument, next_return = market(1)
    inputs[:, 1] = np.nan
    policy = train_policy(inputs, instrument, next_return, TRIAL, seed=3)

    assert np.isfinite(policy.hints(inputs)).all()


def test_the_gradients_are_those_of_the_network():
    random = np.random.default_rng(5)
    network = Network.drawn(3, 4, random)
    rows, error = random.normal(size=(6, 3)), random.normal(size=6)
    gradients = network.gradients(rows, network.hidden(rows), error)
    for weights, gradient in zip(network.weights, gradients, strict=True):
        for place in np.ndindex(weights.shape):
            weights[place] += 1e-6
            above = float(network.value(rows) @ error)
            weights[place] -= 2e-6
            below = float(network.value(rows) @ error)
            weights[place] += 1e-6
            assert gradient[place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_one_in_twenty_of_the_rows_learned_from_gets_a_full_hint():
    inputs, instrument, next_return = market(1, skill=0.3)
    policy = train_policy(inputs, instrument, next_return, TRIAL, seed=3)

    assert np.percentile(np.abs(policy.hints(inputs)), 95.0) == pytest.approx(4.0)
    assert policy.scale > 1.0
