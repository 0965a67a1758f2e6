"""How often scores and features had the next close on the right side.

Theory of operation. A score belongs to the features it was computed from, and those to a close;
the next close of the same instrument judges both. Scores and closes come on different streams, so
each waits for the other: whichever comes last completes the pair, and a pair counts once.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from interlock.wire.decisions import ScoreComputed
from interlock.wire.market import FeaturesComputed

_SCORES_KEPT = 4_096
_CLOSES_KEPT = 3
_NEUTRAL = 0.5
_RSI_MIDDLE = 50.0
_PERCENT = 100.0


def _ema_gap(one: FeaturesComputed) -> float | None:
    if one.ema_fast is None or one.ema_slow is None:
        return None
    return one.ema_fast - one.ema_slow


POINTING: dict[str, Callable[[FeaturesComputed], float | None]] = {
    "ret_1": lambda one: one.ret_1,
    "momentum": lambda one: one.momentum_bps,
    "ema_gap": _ema_gap,
    "rsi": lambda one: None if one.rsi is None else one.rsi - _RSI_MIDDLE,
    "macd": lambda one: one.macd,
    "macd_hist": lambda one: one.macd_hist,
}
"""Features that point up or down, under the names by which policy switches them off."""


@dataclass(slots=True)
class _Close:
    features: FeaturesComputed
    score_counted: bool = False


@dataclass(slots=True)
class Forecasts:
    """The last `window` judgements of scores, and of each feature that points somewhere."""

    window: int
    hits: deque[bool] = field(init=False)
    feature_hits: dict[str, deque[bool]] = field(default_factory=dict[str, deque[bool]])
    _closes: dict[str, deque[_Close]] = field(default_factory=dict[str, deque[_Close]])
    _scores: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        self.hits = deque(maxlen=self.window)

    def close(self, features: FeaturesComputed) -> None:
        """Take the features of one bar; they judge those of the bar before."""
        closes = self._closes.setdefault(features.instrument_id, deque(maxlen=_CLOSES_KEPT))
        if any(one.features.message_id == features.message_id for one in closes):
            return
        if closes:
            self._judge_features(closes[-1].features, features.close)
        closes.append(_Close(features))
        self._judge_scores(closes)

    def score(self, score: ScoreComputed) -> None:
        """Take the score of one bar; where there was nothing to make it of, there is none."""
        if score.score is None:
            return
        self._scores[score.features_id] = score.score
        if len(self._scores) > _SCORES_KEPT:
            del self._scores[next(iter(self._scores))]
        self._judge_scores(self._closes.get(score.instrument_id, deque()))

    def accuracy_pct(self, least: int) -> float | None:
        """Return the share of scores that were right, none where fewer than `least` were judged."""
        if len(self.hits) < least:
            return None
        return _PERCENT * sum(self.hits) / len(self.hits)

    def performance(self) -> dict[str, float]:
        """Return, for each feature, the percentage of bars whose next close it pointed to."""
        return {
            name: round(_PERCENT * sum(hits) / len(hits), 2)
            for name, hits in sorted(self.feature_hits.items())
            if hits
        }

    def _judge_features(self, before: FeaturesComputed, close: float) -> None:
        if close == before.close:
            return
        for name, pointing in POINTING.items():
            direction = pointing(before)
            if direction:
                hits = self.feature_hits.setdefault(name, deque(maxlen=self.window))
                hits.append((direction > 0) == (close > before.close))

    def _judge_scores(self, closes: deque[_Close]) -> None:
        for before, after in pairwise(closes):
            if before.score_counted or before.features.message_id not in self._scores:
                continue
            score = self._scores.pop(before.features.message_id)
            before.score_counted = True
            if score != _NEUTRAL and after.features.close != before.features.close:
                rose = after.features.close > before.features.close
                self.hits.append((score > _NEUTRAL) == rose)
