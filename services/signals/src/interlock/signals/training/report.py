"""What a training run found out of sample, whatever it was."""

import numpy as np
from msgspec import Struct

from interlock.signals.model_sets import P_SHORT
from interlock.signals.training.measures import (
    EVEN,
    CalibrationBin,
    accuracy,
    brier,
    calibration,
    drawdown,
    earned,
    sharpe,
)
from interlock.signals.training.policy import position_of
from interlock.signals.training.table import Flags, Floats, Table

BLEND = (0.4, 0.3, 0.3)
"""The weights of the meta-ensemble as the desk starts with them: p_short, p_mid, size hint."""


class Held(Struct, frozen=True, kw_only=True):
    """What a way of holding earned, net of costs. `sharpe` is a year's, `drawdown` a fraction."""

    sharpe: float
    drawdown: float


class ForecastReport(Struct, frozen=True, kw_only=True):
    """One probability out of sample.

    The `plain_` numbers are those of always saying the share of higher closes that was learned
    from. `held` is what ``2 p - 1`` of each instrument earned, bar by bar. `overfitting` is the
    probability that `chosen`, the best of the trials, was best by luck.
    """

    chosen: str
    trials: int
    count: int
    accuracy: float
    plain_accuracy: float
    brier: float
    plain_brier: float
    held: Held
    overfitting: float
    calibration: list[CalibrationBin]


class PolicyReport(Struct, frozen=True, kw_only=True):
    """The size hint out of sample; `right` is how often its sign was that of the next return."""

    chosen: str
    trials: int
    count: int
    right: float
    long: float
    held: Held
    overfitting: float


class BlendReport(Struct, frozen=True, kw_only=True):
    """The three together at the weights 0.4, 0.3 and 0.3, against the next bar."""

    count: int
    accuracy: float
    plain_accuracy: float
    brier: float
    held: Held


class Report(Struct, frozen=True, kw_only=True):
    """`always_long` is what holding everything earned over the tested moments."""

    folds: int
    embargo: int
    tested_moments: int
    p_short: ForecastReport
    p_mid: ForecastReport
    size_hint: PolicyReport
    blend: BlendReport
    always_long: Held


def held(table: Table, rows: Flags, position: Floats, bars_per_year: float) -> Held:
    returns = earned(table, rows, position)
    return Held(sharpe=sharpe(returns, bars_per_year), drawdown=drawdown(returns))


def forecast_report(
    *,
    table: Table,
    came: Floats,
    said: Floats,
    plain: Floats,
    bars_per_year: float,
    chosen: str,
    trials: int,
    overfitting: float,
) -> ForecastReport:
    """Report on probabilities, NaN where a row was not tested; `plain` is the learned share."""
    rows = ~np.isnan(said)
    known = rows & ~np.isnan(came)
    return ForecastReport(
        chosen=chosen,
        trials=trials,
        count=int(known.sum()),
        accuracy=accuracy(said[known], came[known]),
        plain_accuracy=accuracy(plain[known], came[known]),
        brier=brier(said[known], came[known]),
        plain_brier=brier(plain[known], came[known]),
        held=held(table, rows, 2.0 * said[rows] - 1.0, bars_per_year),
        overfitting=overfitting,
        calibration=calibration(said[known], came[known]),
    )


def policy_report(
    *,
    table: Table,
    hints: Floats,
    bars_per_year: float,
    chosen: str,
    trials: int,
    overfitting: float,
) -> PolicyReport:
    rows = ~np.isnan(hints)
    came = table.higher[P_SHORT]
    known = rows & ~np.isnan(came)
    return PolicyReport(
        chosen=chosen,
        trials=trials,
        count=int(known.sum()),
        right=accuracy(position_of(hints[known]) + EVEN, came[known]),
        long=float(np.mean(hints[rows] > 0.0)),
        held=held(table, rows, position_of(hints[rows]), bars_per_year),
        overfitting=overfitting,
    )


def blend_report(
    table: Table, said: tuple[Floats, Floats, Floats], plain: Floats, bars_per_year: float
) -> BlendReport:
    """Report on the blend of p_short, p_mid and the size hint."""
    p_short, p_mid, hints = said
    score = BLEND[0] * p_short + BLEND[1] * p_mid + BLEND[2] / (1.0 + np.exp(-hints))
    came = table.higher[P_SHORT]
    rows = ~np.isnan(score)
    known = rows & ~np.isnan(came)
    return BlendReport(
        count=int(known.sum()),
        accuracy=accuracy(score[known], came[known]),
        plain_accuracy=accuracy(plain[known], came[known]),
        brier=brier(score[known], came[known]),
        held=held(table, rows, 2.0 * score[rows] - 1.0, bars_per_year),
    )
