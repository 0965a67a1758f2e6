"""Whole training runs, on a year of bars. They need the extra `train` and are skipped without."""

from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
import pytest
from interlock.signals.config import ContextConfig, ModelsConfig, SignalsConfig
from interlock.signals.model_sets import META_FILE, MODELS, ModelSet
from interlock.signals.training.boosting import TreeTrial, grow, probabilities
from interlock.signals.training.errors import TrainingError
from interlock.signals.training.policy import PolicyTrial
from interlock.signals.training.run import Asked, train
from interlock.signals.training.splits import Walk
from interlock.signals.training.to_onnx import prove, trees_to_onnx
from msgspec import structs

from tests.unit.signals.market import bars_of, desk, heard_by, service_of

pytest.importorskip("lightgbm", reason="the extra `train` is not installed")
pytest.importorskip("onnx", reason="the extra `train` is not installed")
pytestmark = pytest.mark.training

BARS = bars_of("crash-2008", first=1_200)
ASKED = Asked(
    bars=BARS,
    dataset="crash 2008",
    origin="public domain",
    desk=desk("AAPL", "GOOG", "IBM", "MSFT"),
    config=SignalsConfig(context=ContextConfig()),
    until=date(2007, 10, 31),
    walk=Walk(folds=2, tested=0.5),
    tree_trials=(
        TreeTrial(leaves=4, trees=3, rows_in_leaf=20),
        TreeTrial(leaves=8, trees=3, rows_in_leaf=20),
    ),
    policy_trials=(PolicyTrial(hidden=4, rollouts=2), PolicyTrial(hidden=4, rollouts=3)),
)


@pytest.fixture(scope="module")
def trained():
    return train(ASKED)


def test_the_same_data_and_seed_give_the_same_bytes(trained, tmp_path):
    first, second = trained.write(tmp_path / "a"), train(ASKED).write(tmp_path / "b")

    assert sorted(path.name for path in first.iterdir()) == sorted(
        [META_FILE, *(f"{model}.onnx" for model in MODELS)]
    )
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_another_seed_gives_other_models(trained):
    assert train(replace(ASKED, seed=8)).files != trained.files


def test_later_bars_change_nothing(trained):
    cut = [bar for bar in BARS if bar.ts_event < 1_193_875_200_000_000_000]
    other = train(replace(ASKED, bars=[*cut, structs.replace(BARS[-1], close=1.0)]))

    assert len(cut) < len(BARS)
    assert other.files == trained.files
    assert other.model_set == trained.model_set


def test_a_trained_set_serves_and_says_what_it_is(trained, tmp_path):
    folder = trained.write(tmp_path)
    one = msgspec.json.decode((folder / META_FILE).read_bytes(), type=ModelSet)

    assert one == trained.model_set
    assert (one.name, one.trained_to) == ("crash-2008-2007-10-31", date(2007, 10, 31))
    assert one.report["p_short"]["count"] == trained.report.p_short.count > 0
    later = [bar for bar in BARS if bar.ts_event > one.seen_until]
    config = SignalsConfig(models=ModelsConfig(folder=str(tmp_path)))
    said = heard_by(service_of(config), later)
    assert {features.model_set for features in said} == {one.name}
    assert all(features.missing_models == () for features in said)


def test_progress_counts_every_model():
    shown = []
    train(ASKED, shown.append)

    assert shown == list(range(1, ASKED.steps + 1))


def test_written_trees_say_what_lightgbm_says_also_where_inputs_are_missing():
    random = np.random.default_rng(1)
    inputs = random.normal(size=(600, 5)).astype(np.float32)
    came = (inputs[:, 0] * inputs[:, 1] > 0).astype(np.float64)
    booster = grow(inputs, came, TreeTrial(leaves=16, trees=30, rows_in_leaf=5), 1)
    shown = np.where(random.random(inputs.shape) < 0.3, np.nan, inputs).astype(np.float32)
    # Values that stand exactly on a threshold are where a careless conversion goes wrong.
    thresholds = [
        line.split("=")[1].split()
        for line in booster.model_to_string().splitlines()
        if line.startswith("threshold=")
    ]
    on_them = np.array([float(text) for some in thresholds for text in some])
    # LightGBM takes what is nearer to 0 than 1e-35 for 0, whatever its sign.
    on_them = on_them[np.abs(on_them) > 1e-30].astype(np.float32)[: len(shown)]
    shown[: len(on_them), 0] = on_them

    prove(trees_to_onnx(booster, {}), shown, probabilities(booster, shown))


def test_a_written_model_that_says_something_else_is_not_kept():
    inputs = np.random.default_rng(1).normal(size=(400, 3)).astype(np.float32)
    booster = grow(inputs, (inputs[:, 0] > 0).astype(float), ASKED.tree_trials[0], 1)
    with pytest.raises(TrainingError, match="differs from the trained one"):
        prove(trees_to_onnx(booster, {}), inputs, 1.0 - probabilities(booster, inputs))


def test_data_without_a_bar_in_time_are_one_line():
    with pytest.raises(TrainingError, match="no bars up to that day"):
        train(replace(ASKED, until=date(2001, 1, 1)))
