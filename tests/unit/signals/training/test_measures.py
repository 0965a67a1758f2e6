import numpy as np
import pytest
from interlock.signals.training.measures import (
    COST,
    accuracy,
    brier,
    calibration,
    drawdown,
    earned,
    sharpe,
)
from interlock.signals.training.table import Table

SAID = np.array([0.62, 0.66, 0.41, 0.08, 0.5])
CAME = np.array([1.0, 0.0, 1.0, 0.0, 1.0])


def table(moment, instrument, next_return):
    return Table(
        moment=np.array(moment),
        instrument=np.array(instrument),
        inputs=np.zeros((len(moment), 1), dtype=np.float32),
        ends={},
        next_return=np.array(next_return),
        higher={},
    )


def test_accuracy_counts_the_right_side_of_one_half():
    assert accuracy(SAID, CAME) == pytest.approx(2 / 5)


def test_brier_is_the_mean_squared_error():
    assert brier(SAID, CAME) == pytest.approx((0.38**2 + 0.66**2 + 0.59**2 + 0.08**2 + 0.5**2) / 5)
    assert brier(np.full(5, 0.5), CAME) == 0.25


def test_the_calibration_table_holds_each_forecast_once():
    bins = calibration(SAID, CAME)

    assert [(one.lower, one.count, one.came_true) for one in bins] == [
        (0.0, 1, 0.0),
        (0.4, 1, 1.0),
        (0.5, 1, 1.0),
        (0.6, 2, 0.5),
    ]
    assert bins[-1].forecast == pytest.approx(0.64)
    assert sum(one.count for one in calibration(np.array([0.0, 1.0]), CAME[:2])) == 2


def test_what_was_earned_is_net_of_turnover_and_a_mean_over_instruments():
    held = table([0, 0, 1, 1, 2], [0, 1, 0, 1, 0], [0.01, -0.02, 0.03, 0.01, np.nan])
    rows = np.ones(5, dtype=bool)
    position = np.array([1.0, -1.0, 1.0, 0.5, -1.0])

    assert earned(held, rows, position) == pytest.approx(
        [
            (0.01 - COST + 0.02 - COST) / 2,
            (0.03 + 0.005 - 1.5 * COST) / 2,
            -2 * COST,
        ]
    )


def test_sharpe_is_a_years():
    returns = np.array([0.01, -0.005, 0.02, 0.0])

    assert sharpe(returns, 252) == pytest.approx(returns.mean() / returns.std() * 252**0.5)
    assert sharpe(np.zeros(4), 252) == 0.0


def test_drawdown_is_the_deepest_fall_from_a_peak():
    assert drawdown(np.array([-0.1, 0.5, -0.2, -0.25, 1.0])) == pytest.approx(0.4)
    assert drawdown(np.array([0.1, 0.1])) == 0.0
    assert drawdown(np.array([-0.1])) == pytest.approx(0.1)
