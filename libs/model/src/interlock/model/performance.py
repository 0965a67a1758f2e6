"""What a run of daily returns was worth."""

from collections.abc import Sequence
from math import isfinite, sqrt
from statistics import fmean, stdev


def sharpe(returns: Sequence[float], sessions_per_year: int) -> float | None:
    """Return the annualised Sharpe ratio of daily returns, none where they do not vary.

    Sharpe (1994), with no risk-free rate: mean over sample standard deviation, times the square
    root of the sessions in a year.
    """
    if len(returns) < 2:  # noqa: PLR2004 - one return has no deviation
        return None
    deviation = stdev(returns)
    if not deviation > 0:
        return None
    ratio = fmean(returns) / deviation * sqrt(sessions_per_year)
    return ratio if isfinite(ratio) else None
