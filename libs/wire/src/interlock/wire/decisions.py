"""What the meta-ensemble makes of a bar, and the modes it works in when something is missing."""

from enum import StrEnum

from interlock.model.values import require_finite_float
from interlock.wire.base import DeskMessage


class ScoreAction(StrEnum):
    BUY = "buy"
    SELL = "sell"
    HOLD = "hold"


class Mode(StrEnum):
    """Which inputs a score rests on; all but the first are failure modes."""

    FULL = "full"
    DATA_STALL = "data_stall"
    RL_ONLY = "rl_only"
    PREDICTORS_ONLY = "predictors_only"
    FORECASTS_MISSING = "forecasts_missing"
    NO_MODELS = "no_models"


class ScoreComputed(DeskMessage, frozen=True, kw_only=True, tag="strategy.score.v1"):
    """The meta-ensemble's view of one instrument after one bar, with all it was made of.

    Parameters
    ----------
    p_short, p_mid, size_hint
        As signals said them: two probabilities, and any number. None where it was not said.
    weights, penalties
        Those that went into the score, by name. What was left out has no line.
    base, score
        The weighted sum, and the same with the penalties within 0 to 1; none where there is
        nothing to make it of.
    size_fraction
        What a position of this score may come to, as a fraction of the equity at the day's first
        mark, after the caps; 0 where nothing is to be entered.
    features_id
        The message id of the features.
    """

    instrument_id: str
    p_short: float | None
    p_mid: float | None
    size_hint: float | None
    weights: dict[str, float]
    penalties: dict[str, float]
    base: float | None
    score: float | None
    action: ScoreAction
    size_fraction: float
    mode: Mode
    features_id: str
    policy_version: int = 0

    def __post_init__(self) -> None:
        require_finite_float("size_fraction", self.size_fraction)
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score is from 0 to 1, not {self.score}")


class ModeChanged(DeskMessage, frozen=True, kw_only=True, tag="strategy.mode-changed.v1"):
    """A failure mode of the desk begins, or ends. Several may hold at once.

    `by_silence` says that nobody reported it: a service has not been heard of for too long.
    """

    mode: Mode
    begun: bool
    reason: str
    by_silence: bool = False
