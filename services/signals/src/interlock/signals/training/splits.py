"""Walk-forward splits, purged and with an embargo.

A model is tested on moments that all come after those it learned from, and the next model, which
has learned from these too, on the moments after. A label looks ahead, so rows whose label ends
within a test know part of it: they are purged, and so are those whose label ends up to `embargo`
moments before, because features of neighbouring bars overlap. (M. Lopez de Prado, Advances in
Financial Machine Learning, 2018, chapter 7.)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from interlock.signals.training.errors import TrainingError
from interlock.signals.training.table import Flags, Ints

FEWEST_MOMENTS = 20
"""In a test, and many times that in what is learned from."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows to learn from and rows to test on, as masks."""

    learn: Flags
    test: Flags


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """`folds` tests over the last `tested` (a fraction) of all moments; `embargo` in moments."""

    folds: int = 5
    tested: float = 0.6
    embargo: int = 5


def walk_forward(moment: Ints, ends: Ints, walk: Walk) -> Iterator[Fold]:
    """Return the folds in order of time.

    Parameters
    ----------
    moment : ints, shape (rows,)
        The number of each row's moment, from 0.
    ends : ints, shape (rows,)
        The number of the moment at which each row's label is known.
    """
    moments = int(moment.max()) + 1
    first = round(moments * (1.0 - walk.tested))
    borders = np.linspace(first, moments, walk.folds + 1).round().astype(int)
    if min(np.diff(borders)) < FEWEST_MOMENTS or first < 2 * FEWEST_MOMENTS:
        raise TrainingError(
            f"{moments} moments are too few for {walk.folds} walk-forward folds: give longer data"
        )
    for start, end in pairwise(borders):
        yield Fold(
            learn=ends < start - walk.embargo,
            test=(moment >= start) & (moment < end),
        )
