"""The score of the meta-ensemble: three voices weighed, penalties taken off. Numbers to numbers.

``base = w_short * p_short + w_mid * p_mid + w_rl * sigmoid(size_hint)``;
``score = clamp(base + penalties, 0, 1)``; from `buy_at` on it says buy, down to `sell_at` sell.

With all three voices the weights are used as they stand, also where they do not add up to one: a
policy that lowers them all becomes more careful. A voice that is missing is never a zero, which
would be the loudest "sell" there is: the voices that speak share its weight in proportion.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from math import exp, isfinite
from operator import gt, lt

from msgspec import Struct

from interlock.strategy.ensemble.config import EnsembleConfig, PenaltyRule
from interlock.wire.decisions import ScoreAction

SHORT, MID, RL = "short", "mid", "rl"
VOICES = (SHORT, MID, RL)
PREDICTORS = frozenset({SHORT, MID})
_DIGITS = 12
"""A sum that is 0.67 on paper is 0.67 here, too."""
_MIDDLE = 0.5


class Inputs(Struct, frozen=True, kw_only=True):
    """What is known of an instrument. None is not known, and so is no number.

    `p_short` and `p_mid` are 0 to 1, `size_hint` any number, `volatility_z` a z-score, `sentiment`
    and `correlation` -1 to 1, `liquidity` 1 where it is as usual.
    """

    p_short: float | None = None
    p_mid: float | None = None
    size_hint: float | None = None
    volatility_z: float | None = None
    sentiment: float | None = None
    liquidity: float | None = None
    correlation: float | None = None

    @property
    def voices(self) -> dict[str, float]:
        """The votes that can be counted, each 0 to 1."""
        hint = self.size_hint
        votes = {
            SHORT: _probability(self.p_short),
            MID: _probability(self.p_mid),
            RL: None if hint is None or not isfinite(hint) else sigmoid(hint),
        }
        return {name: vote for name, vote in votes.items() if vote is not None}


def _probability(value: float | None) -> float | None:
    return value if value is not None and 0.0 <= value <= 1.0 else None


def sigmoid(x: float) -> float:
    """Return ``1 / (1 + exp(-x))`` for any finite `x`."""
    if x >= 0:
        return 1.0 / (1.0 + exp(-x))
    grown = exp(x)
    return grown / (1.0 + grown)


class Penalty(Struct, frozen=True):
    """One line of the table: which value, on which side of its limit, costs points."""

    name: str
    value_of: Callable[[Inputs], float | None]
    is_past: Callable[[float, float], bool]
    rule_of: Callable[[EnsembleConfig], PenaltyRule]


PENALTIES: tuple[Penalty, ...] = (
    Penalty("volatility_spike", lambda i: i.volatility_z, gt, lambda c: c.volatility_spike),
    Penalty("negative_news", lambda i: i.sentiment, lt, lambda c: c.negative_news),
    Penalty("low_liquidity", lambda i: i.liquidity, lt, lambda c: c.low_liquidity),
    Penalty("correlation_breakdown", lambda i: i.correlation, lt,
            lambda c: c.correlation_breakdown),
)  # fmt: skip


class Score(Struct, frozen=True, kw_only=True):
    """A score and what it was made of; `base` and `score` are none where no voice counts."""

    weights: dict[str, float]
    votes: dict[str, float]
    penalties: dict[str, float]
    base: float | None
    score: float | None
    action: ScoreAction


def score_of(
    inputs: Inputs, weights: Mapping[str, float], heeded: AbstractSet[str], config: EnsembleConfig
) -> Score:
    """Return the score of the voices in `heeded`, which have all to be there."""
    votes = {name: vote for name, vote in inputs.voices.items() if name in heeded}
    shares = shared(weights, votes.keys())
    penalties = penalties_of(inputs, config)
    if not votes or not shares:
        return Score(
            weights={},
            votes=votes,
            penalties=penalties,
            base=None,
            score=None,
            action=ScoreAction.HOLD,
        )
    base = round(sum(shares[name] * vote for name, vote in votes.items()), _DIGITS)
    score = round(min(max(base + sum(penalties.values()), 0.0), 1.0), _DIGITS)
    return Score(
        weights=shares,
        votes=votes,
        penalties=penalties,
        base=base,
        score=score,
        action=action_of(score, config),
    )


def shared(weights: Mapping[str, float], speaking: AbstractSet[str]) -> dict[str, float]:
    """Return the weights of those who speak, raised to what all of them together have.

    Nothing where those who speak have no weight at all.
    """
    if len(speaking) == len(weights):
        whole = sum(weights.values())
        return dict(weights) if whole > 0.0 else {}
    spoken = sum(weights[name] for name in speaking)
    if not spoken > 0.0:
        return {}
    whole = sum(weights.values())
    # Its part first: a quotient of a whole and next to nothing would be infinite.
    return {name: weights[name] / spoken * whole for name in weights if name in speaking}


def penalties_of(inputs: Inputs, config: EnsembleConfig) -> dict[str, float]:
    """Return the points that are taken off, below zero, by name. What is not known costs none."""
    found: dict[str, float] = {}
    for one in PENALTIES:
        value, rule = one.value_of(inputs), one.rule_of(config)
        if value is not None and one.is_past(value, rule.limit):
            found[one.name] = -rule.points
    return found


def action_of(score: float, config: EnsembleConfig) -> ScoreAction:
    if score >= config.buy_at:
        return ScoreAction.BUY
    return ScoreAction.SELL if score <= config.sell_at else ScoreAction.HOLD


def decidedness(score: float) -> float:
    """Return how far a score is from undecided: 0 in the middle, 1 at either end."""
    return round(2.0 * abs(score - _MIDDLE), _DIGITS)
