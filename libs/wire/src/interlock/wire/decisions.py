"""How the meta-ensemble came to its view of an instrument."""

from enum import StrEnum

from interlock.wire.base import DeskMessage


class ScoreAction(StrEnum):
    BUY = "buy"
    SELL = "sell"
    HOLD = "hold"


class ScoreComputed(DeskMessage, frozen=True, kw_only=True, tag="strategy.score.v1"):
    """The score of one instrument after one bar, from 0 to 1, and all it was made of."""

    instrument_id: str
    p_short: float | None
    p_mid: float | None
    size_hint: float | None
    weights: dict[str, float]
    penalties: dict[str, float]
    base: float
    score: float
    action: ScoreAction
    size_fraction: float
    mode: str
    features_id: str
