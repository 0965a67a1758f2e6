"""How good a forecast was, told so that a poor one looks poor."""

from itertools import pairwise

import numpy as np
from msgspec import Struct

from interlock.signals.training.table import Flags, Floats, Ints, Table

COST = 1e-4
"""Per unit of turnover: 1 bps, the half spread of a liquid name."""
EVEN = 0.5
_BINS = 10


class CalibrationBin(Struct, frozen=True, kw_only=True):
    """Forecasts between two probabilities: how many, their mean, and how often it came true."""

    lower: float
    upper: float
    count: int
    forecast: float
    came_true: float


class Forecasts(Struct, frozen=True, kw_only=True):
    """One probability, out of sample. The `plain_` numbers are those of always saying the share.

    `sharpe` is that of holding ``2 p - 1`` of each instrument for one bar, net of costs.
    """

    count: int
    accuracy: float
    plain_accuracy: float
    brier: float
    plain_brier: float
    sharpe: float
    calibration: list[CalibrationBin]


def accuracy(said: Floats, came: Floats) -> float:
    """Return the share of forecasts on the right side of one half."""
    right: Flags = np.equal(said > EVEN, came > EVEN)
    return float(right.mean())


def brier(said: Floats, came: Floats) -> float:
    """Return the mean squared error of probabilities; 0.25 is that of always saying one half."""
    return float(np.mean((said - came) ** 2))


def calibration(said: Floats, came: Floats) -> list[CalibrationBin]:
    """Return the table of a reliability curve; bins without a forecast are left out."""
    table: list[CalibrationBin] = []
    borders = np.linspace(0.0, 1.0, _BINS + 1)
    which = np.clip(np.digitize(said, borders) - 1, 0, _BINS - 1)
    for number, (lower, upper) in enumerate(pairwise(borders)):
        held = which == number
        if held.any():
            table.append(
                CalibrationBin(
                    lower=round(float(lower), 2),
                    upper=round(float(upper), 2),
                    count=int(held.sum()),
                    forecast=float(said[held].mean()),
                    came_true=float(came[held].mean()),
                )
            )
    return table


def earned(table: Table, rows: Flags, position: Floats) -> Floats:
    """Return what holding `position` earned at each moment, net, as a mean over instruments.

    Parameters
    ----------
    rows : flags, shape (rows of the table,)
        Which rows were held, those of some whole moments.
    position : floats, shape (rows held,)
        -1 to 1, the share of an instrument's part of the equity. A position is entered from none.
    """
    cost = np.zeros(len(position))
    instrument: Ints = table.instrument[rows]
    for one in np.unique(instrument):
        mine = instrument == one
        cost[mine] = np.abs(np.diff(position[mine], prepend=0.0)) * COST
    returns = table.next_return[rows]
    net = np.where(np.isnan(returns), 0.0, position * returns) - cost
    moment = table.moment[rows] - table.moment[rows].min()
    return np.bincount(moment, weights=net) / np.maximum(np.bincount(moment), 1)


def sharpe(returns: Floats, bars_of_a_year: float) -> float:
    """Return the Sharpe ratio a year, without a risk-free rate; 0 where nothing moved."""
    deviation = float(returns.std())
    if not deviation > 0.0:
        return 0.0
    return float(returns.mean()) / deviation * float(np.sqrt(bars_of_a_year))


def drawdown(returns: Floats) -> float:
    """Return the deepest fall from a peak, as a positive fraction of it."""
    equity = np.cumprod(1.0 + returns)
    peak = np.maximum.accumulate(np.concatenate(([1.0], equity)))[1:]
    return float(np.max(1.0 - equity / peak, initial=0.0))
