"""What signals ask of their shell, and what they are told."""

from typing import ClassVar

from interlock.wire.base import Effect, Report
from interlock.wire.market import FeaturesComputed


class Forecast(Effect, frozen=True, kw_only=True):
    """Put one row of inputs to the models of a set."""

    harmless: ClassVar[bool] = True

    features: FeaturesComputed
    model_set: str
    inputs: list[float]


class Forecasted(Report, frozen=True, kw_only=True):
    """The models' answers; none where a model is missing, damaged, or gave no number."""

    features: FeaturesComputed
    model_set: str
    p_short: float | None
    p_mid: float | None
    size_hint: float | None
