"""A policy that sizes a position, trained by proximal policy optimisation.

PPO with a clipped objective and generalised advantages (J. Schulman et al., "Proximal Policy
Optimization Algorithms", arXiv:1707.06347, 2017, algorithm 1), in NumPy: the networks are so small
that a framework, whose Linux wheels bring gigabytes of CUDA, would only make them slower to get.

What the policy sees is the models' inputs, standardised, with 0 for what is missing. What it does
is one number per bar, its size hint; the position is ``2 sigmoid(hint) - 1``. Its reward is what
the next bar earns on that, less the cost of turnover, less a part of each deepening of the
episode's drawdown, all in deviations of a bar's return. It does not see its position, because the
service that serves it has none.

What a network says has no unit: a policy that found little to earn says little, however sure it is
of the few bars on which it says most. So its own history gives it one: hints are multiplied by the
number that makes the 95th percentile of their size, over the rows learned from, 4.
"""

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from interlock.signals.training.measures import COST
from interlock.signals.training.table import Floats, Ints

CLIPPED_AT = 5.0
"""Deviations from the mean beyond which an input says no more."""
_EPISODE_BARS = 250
_DISCOUNT, _TRACE = 0.9, 0.95
_CLIP, _ENTROPY = 0.2, 1e-3
_EPOCHS, _BATCH, _STEP = 4, 1024, 1e-3
_DRAWDOWN_PART = 0.1
_LEAST_LOG_DEVIATION = -2.0
_NO_SPREAD = 1e-12
FULL_HINT, FULL_AT_PERCENTILE = 4.0, 95.0
"""A full hint is a position of 96 %; so large is one of twenty of the rows learned from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyTrial:
    hidden: int
    rollouts: int

    def __str__(self) -> str:
        return f"{self.hidden} hidden units, {self.rollouts} rollouts"


POLICY_TRIALS = tuple(
    PolicyTrial(hidden=hidden, rollouts=rollouts)
    for hidden, rollouts in product((8, 16), (60, 200))
)


@dataclass(slots=True)
class Network:
    """One hidden layer of tanh, one output.

    Shapes of the weights: (inputs, hidden), (hidden,), (hidden,), (1,).
    """

    weights: list[Floats]

    @classmethod
    def drawn(cls, inputs: int, hidden: int, random: np.random.Generator) -> "Network":
        return cls(
            [
                random.normal(0.0, 1.0 / np.sqrt(inputs), (inputs, hidden)),
                np.zeros(hidden),
                random.normal(0.0, 0.01, hidden),
                np.zeros(1),
            ]
        )

    def hidden(self, rows: Floats) -> Floats:
        layer: Floats = np.tanh(rows @ self.weights[0] + self.weights[1])
        return layer

    def value(self, rows: Floats) -> Floats:
        out: Floats = self.hidden(rows) @ self.weights[2] + self.weights[3][0]
        return out

    def gradients(self, rows: Floats, layer: Floats, error: Floats) -> list[Floats]:
        """Return the gradients of a loss whose derivative by each row's output is `error`."""
        back = np.outer(error, self.weights[2]) * (1.0 - layer**2)
        return [rows.T @ back, back.sum(axis=0), layer.T @ error, np.array([error.sum()])]


@dataclass(slots=True)
class _Adam:
    """D. P. Kingma and J. Ba, arXiv:1412.6980, 2014, with its usual constants."""

    step: float
    mean: list[Floats] = field(default_factory=list[Floats])
    square: list[Floats] = field(default_factory=list[Floats])
    count: int = 0

    def move(self, weights: list[Floats], gradients: list[Floats]) -> None:
        if not self.mean:
            self.mean = [np.zeros_like(one) for one in weights]
            self.square = [np.zeros_like(one) for one in weights]
        self.count += 1
        for index, gradient in enumerate(gradients):
            self.mean[index] = 0.9 * self.mean[index] + 0.1 * gradient
            self.square[index] = 0.999 * self.square[index] + 0.001 * gradient**2
            mean = self.mean[index] / (1.0 - 0.9**self.count)
            square = self.square[index] / (1.0 - 0.999**self.count)
            weights[index] -= self.step * mean / (np.sqrt(square) + 1e-8)


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A trained policy: how inputs are standardised, the network, and what scales its output."""

    mean: Floats
    deviation: Floats
    network: Network
    scale: float = 1.0

    def hints(self, inputs: NDArray[np.float32]) -> Floats:
        said = self.network.value(standardised(inputs, self.mean, self.deviation))
        scaled: Floats = self.scale * said
        return scaled


def position_of(hints: Floats) -> Floats:
    """Return ``2 sigmoid(hint) - 1``."""
    position: Floats = np.tanh(hints / 2.0)
    return position


def standardised(inputs: NDArray[np.float32], mean: Floats, deviation: Floats) -> Floats:
    scaled = (inputs.astype(np.float64) - mean) / deviation
    known: Floats = np.clip(np.where(np.isnan(scaled), 0.0, scaled), -CLIPPED_AT, CLIPPED_AT)
    return known


@dataclass(frozen=True, slots=True)
class _Episodes:
    """Rows in order of instrument and time; `starts` says where an episode begins."""

    rows: Floats
    returns: Floats
    cost: float
    starts: list[int]

    @property
    def spans(self) -> list[slice]:
        ends = [*self.starts[1:], len(self.rows)]
        return [slice(start, end) for start, end in zip(self.starts, ends, strict=True)]


def train_policy(
    inputs: NDArray[np.float32],
    instrument: Ints,
    next_return: Floats,
    trial: PolicyTrial,
    seed: int,
) -> Policy:
    """Return a policy trained on rows in order of time, those that have a next return."""
    known = ~np.isnan(next_return)
    inputs, instrument, next_return = inputs[known], instrument[known], next_return[known]
    # A mean of nothing, where an input is never known, is 0.
    counts = np.maximum((~np.isnan(inputs)).sum(axis=0), 1)
    mean = np.nansum(inputs.astype(np.float64), axis=0) / counts
    spread = np.sqrt(np.nansum((inputs.astype(np.float64) - mean) ** 2, axis=0) / counts)
    deviation = np.where(spread > _NO_SPREAD, spread, 1.0)
    order = np.argsort(instrument, kind="stable")
    scale = float(next_return.std()) or 1.0
    episodes = _Episodes(
        rows=standardised(inputs[order], mean, deviation),
        returns=next_return[order] / scale,
        cost=COST / scale,
        starts=_starts(instrument[order]),
    )
    network = _improved(episodes, trial, np.random.default_rng(seed))
    full = float(np.percentile(np.abs(network.value(episodes.rows)), FULL_AT_PERCENTILE))
    scaled_by = FULL_HINT / full if full > _NO_SPREAD else 1.0
    return Policy(mean=mean, deviation=deviation, network=network, scale=scaled_by)


def _starts(instrument: Ints) -> list[int]:
    starts: list[int] = []
    for index, one in enumerate(instrument):
        other = not starts or one != instrument[index - 1]
        if other or index - starts[-1] == _EPISODE_BARS:
            starts.append(index)
    return starts


def _improved(episodes: _Episodes, trial: PolicyTrial, random: np.random.Generator) -> Network:
    """Run and improve a policy `trial.rollouts` times."""
    rows = episodes.rows
    actor = Network.drawn(rows.shape[1], trial.hidden, random)
    critic = Network.drawn(rows.shape[1], trial.hidden, random)
    log_deviation = [np.zeros(1)]
    acting, judging, spreading = _Adam(_STEP), _Adam(_STEP), _Adam(_STEP)
    for _ in range(trial.rollouts):
        deviation = float(np.exp(log_deviation[0][0]))
        action = actor.value(rows) + deviation * random.normal(size=len(rows))
        before = _log_probability(action, actor.value(rows), deviation)
        value = critic.value(rows)
        advantage = _advantages(_rewards(episodes, action), value, episodes.spans)
        target = advantage + value
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        for _ in range(_EPOCHS):
            shuffled = random.permutation(len(rows))
            for start in range(0, len(rows), _BATCH):
                some = shuffled[start : start + _BATCH]
                batch, layer = rows[some], actor.hidden(rows[some])
                middle = layer @ actor.weights[2] + actor.weights[3][0]
                deviation = float(np.exp(log_deviation[0][0]))
                ratio = np.exp(_log_probability(action[some], middle, deviation) - before[some])
                pushed = _unclipped(ratio, advantage[some]) * ratio * advantage[some] / len(some)
                off = (action[some] - middle) / deviation
                acting.move(actor.weights, actor.gradients(batch, layer, -pushed * off / deviation))
                wider = -float((pushed * (off**2 - 1.0)).sum()) - _ENTROPY
                spreading.move(log_deviation, [np.array([wider])])
                np.maximum(log_deviation[0], _LEAST_LOG_DEVIATION, out=log_deviation[0])
                layer = critic.hidden(batch)
                error = layer @ critic.weights[2] + critic.weights[3][0] - target[some]
                judging.move(critic.weights, critic.gradients(batch, layer, error / len(some)))
    return actor


def _log_probability(action: Floats, middle: Floats, deviation: float) -> Floats:
    logarithm: Floats = -0.5 * ((action - middle) / deviation) ** 2 - np.log(deviation)
    return logarithm


def _unclipped(ratio: Floats, advantage: Floats) -> Floats:
    """Return 1 where the clipped objective still has a slope, else 0."""
    slope = np.where(advantage >= 0.0, ratio < 1.0 + _CLIP, ratio > 1.0 - _CLIP)
    return slope.astype(np.float64)


def _rewards(episodes: _Episodes, action: Floats) -> Floats:
    position = position_of(action)
    rewards = np.empty(len(action))
    for span in episodes.spans:
        held = position[span]
        turned = np.abs(np.diff(held, prepend=0.0))
        net = held * episodes.returns[span] - episodes.cost * turned
        equity = np.cumsum(net)
        peak = np.maximum.accumulate(np.maximum(equity, 0.0))
        deeper = np.maximum(np.diff(peak - equity, prepend=0.0), 0.0)
        rewards[span] = net - _DRAWDOWN_PART * deeper
    return rewards


def _advantages(rewards: Floats, value: Floats, spans: list[slice]) -> Floats:
    advantages = np.empty(len(rewards))
    for span in spans:
        ahead, after = 0.0, 0.0
        for index in range(span.stop - 1, span.start - 1, -1):
            surprise = rewards[index] + _DISCOUNT * after - value[index]
            ahead = surprise + _DISCOUNT * _TRACE * ahead
            advantages[index] = ahead
            after = value[index]
    return advantages
