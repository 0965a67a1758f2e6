"""What a run of daily returns was worth."""

from collections.abc import Sequence
from math import fsum, isfinite, sqrt

_ROUNDING = 1e-12


def sharpe(returns: Sequence[float], sessions_per_year: int) -> float | None:
    """Return the annualised Sharpe ratio of daily returns, none where they do not vary.

    Sharpe (1994), with no risk-free rate: mean over sample standard deviation, times the square
    root of the sessions in a year.
    """
    if len(returns) < 2:  # noqa: PLR2004 - one return has no deviation
        return None
    mean = fsum(returns) / len(returns)
    variance = fsum([(one - mean) ** 2 for one in returns]) / (len(returns) - 1)
    # Equal returns differ from their mean by a rounding: such a deviation is none.
    if not sqrt(variance) > abs(mean) * _ROUNDING:
        return None
    ratio = mean / sqrt(variance) * sqrt(sessions_per_year)
    return ratio if isfinite(ratio) else None
