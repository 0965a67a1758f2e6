"""The probability of backtest overfitting.

Combinatorially symmetric cross-validation: D. H. Bailey, J. M. Borwein, M. Lopez de Prado and
Q. J. Zhu, "The Probability of Backtest Overfitting", Journal of Computational Finance 20 (4),
2017, section 2. Time is cut into an even number of blocks. For each choice of half of them, the
trial that is best there is ranked among all trials on the other half; the probability is how often
it ends in the lower half.
"""

from itertools import combinations

import numpy as np

from interlock.signals.training.table import Floats

BLOCKS = 12
_LOWER_HALF = 0.5


def overfitting(returns: Floats, blocks: int = BLOCKS) -> float:
    """Return the probability that choosing the best of some trials was choosing luck.

    Parameters
    ----------
    returns : floats, shape (moments, trials)
        What each trial earned at each moment.
    blocks : int
        Even. Moments that do not fill a block at the end are left out.
    """
    moments, trials = returns.shape
    if trials == 1 or moments < 2 * blocks:
        raise ValueError(f"{trials} trials of {moments} moments cannot be compared")
    length = moments // blocks
    cut = returns[: length * blocks].reshape(blocks, length, trials)
    sums, squares = cut.sum(axis=1), (cut**2).sum(axis=1)
    worse = 0
    choices = list(combinations(range(blocks), blocks // 2))
    for chosen in choices:
        here = np.isin(np.arange(blocks), chosen)
        best = int(np.argmax(_ratio(sums[here], squares[here], length)))
        there = _ratio(sums[~here], squares[~here], length)
        # Ranks from 1; equal ones share the mean of theirs.
        rank = float((there < there[best]).sum() + ((there == there[best]).sum() + 1) / 2)
        worse += rank / (trials + 1) <= _LOWER_HALF
    return worse / len(choices)


def _ratio(sums: Floats, squares: Floats, length: int) -> Floats:
    count = len(sums) * length
    mean = sums.sum(axis=0) / count
    variance = squares.sum(axis=0) / count - mean**2
    return mean / np.sqrt(np.maximum(variance, 1e-18))
