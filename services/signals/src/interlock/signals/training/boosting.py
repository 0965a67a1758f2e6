"""Gradient-boosted trees: the probability that a close is higher some bars later."""

from dataclasses import dataclass
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlock.signals.training.table import Floats

_GAPS = 0.1
"""This part of all values is hidden while learning, so that a model can do without any input."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeTrial:
    """One way to grow trees. Small on purpose: markets give little to learn and much to repeat."""

    leaves: int
    trees: int
    rows_in_leaf: int

    def __str__(self) -> str:
        return f"{self.trees} trees of {self.leaves} leaves, {self.rows_in_leaf} rows in each"


TREE_TRIALS = tuple(
    TreeTrial(leaves=leaves, trees=trees, rows_in_leaf=rows)
    for leaves, trees, rows in product((4, 8, 16), (20, 60), (50, 200))
)


def grow(
    inputs: NDArray[np.float32], higher: Floats, trial: TreeTrial, seed: int
) -> Any:  # a lightgbm.Booster
    """Return trees grown on rows whose label is known; the same rows and seed give the same."""
    lightgbm = import_module("lightgbm")
    known = ~np.isnan(higher)
    shown = inputs[known].astype(np.float64)
    hidden = np.random.default_rng(seed).random(shown.shape) < _GAPS
    shown[hidden] = np.nan
    data = lightgbm.Dataset(shown, label=higher[known], params={"verbosity": -1})
    settings = {
        "objective": "binary",
        "learning_rate": 0.05,
        "num_leaves": trial.leaves,
        "min_data_in_leaf": trial.rows_in_leaf,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": seed,
        "verbosity": -1,
    }
    return lightgbm.train(settings, data, num_boost_round=trial.trees)


def probabilities(booster: Any, inputs: NDArray[np.float32]) -> Floats:
    said: Floats = booster.predict(inputs.astype(np.float64), num_threads=1)
    return said
