"""Train a set of models: try, choose, measure out of sample, train on everything, write.

Each trial is walked forward. The one with the best out-of-sample figure is chosen, and what the
report says of it is a little too good for that very reason: `overfitting` says how much luck the
choice may have been. What is shipped is the chosen trial, trained on all the data.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np

from interlock.model.desk import DeskConfig
from interlock.model.ids import NANOS_PER_SECOND
from interlock.signals.config import ContextConfig, SignalsConfig
from interlock.signals.inputs import INPUTS
from interlock.signals.model_sets import (
    HORIZONS,
    META_FILE,
    P_MID,
    P_SHORT,
    SIZE_HINT,
    InputMeant,
    ModelSet,
    TrainedOn,
    indicators_of,
)
from interlock.signals.training.boosting import TREE_TRIALS, TreeTrial, grow, probabilities
from interlock.signals.training.errors import TrainingError
from interlock.signals.training.measures import earned, sharpe
from interlock.signals.training.overfitting import overfitting
from interlock.signals.training.policy import (
    POLICY_TRIALS,
    Policy,
    PolicyTrial,
    position_of,
    train_policy,
)
from interlock.signals.training.report import (
    ForecastReport,
    PolicyReport,
    Report,
    blend_report,
    forecast_report,
    held,
    policy_report,
)
from interlock.signals.training.splits import Walk, walk_forward
from interlock.signals.training.table import Floats, Table, bars_sha256, table_of
from interlock.signals.training.to_onnx import policy_to_onnx, prove, trees_to_onnx
from interlock.wire.market import Bar

EXTRA = ("lightgbm", "onnx", "onnxruntime")
_PROVED_ROWS = 2_000
_REPORT_DIGITS = 4
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
type Show = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What to train on and how. `bars` are in order of time, judged as the feed judges them."""

    bars: Sequence[Bar]
    dataset: str
    origin: str
    desk: DeskConfig
    config: SignalsConfig
    until: date | None = None
    seed: int = 7
    walk: Walk = field(default_factory=Walk)
    tree_trials: tuple[TreeTrial, ...] = TREE_TRIALS
    policy_trials: tuple[PolicyTrial, ...] = POLICY_TRIALS

    @property
    def steps(self) -> int:
        """How many models will be trained."""
        trials = len(HORIZONS) * len(self.tree_trials) + len(self.policy_trials)
        return trials * self.walk.folds + len(HORIZONS) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """A set of models, not written yet."""

    model_set: ModelSet
    report: Report
    files: dict[str, bytes]

    def write(self, folder: Path) -> Path:
        """Write the set into a folder of its name below `folder` and return that."""
        place = folder / self.model_set.name
        place.mkdir(parents=True, exist_ok=True)
        for name, body in self.files.items():
            (place / name).write_bytes(body)
        meta = msgspec.json.format(msgspec.json.encode(self.model_set), indent=1)
        (place / META_FILE).write_bytes(meta + b"\n")
        return place


def missing_extra() -> str:
    """Return the first package of the extra ``train`` that is not installed, empty if all are."""
    for name in EXTRA:
        try:
            import_module(name)
        except ImportError:
            return name
    return ""


def day_of(bar: Bar) -> date:
    return datetime.fromtimestamp(bar.ts_event // NANOS_PER_SECOND, UTC).date()


def seen(bars: Sequence[Bar], until: date | None) -> list[Bar]:
    """Return the bars that end on the day `until` or before."""
    return [bar for bar in bars if until is None or day_of(bar) <= until]


def train(asked: Asked, show: Show = lambda _done: None) -> Trained:
    """Return a set of models; `show` is told how many of `asked.steps` models are trained.

    Raises
    ------
    TrainingError
        When the data do not suffice, or a written model differs from the trained one.
    """
    bars = seen(asked.bars, asked.until)
    lengths = {bar.bar_seconds for bar in bars}
    if len(lengths) != 1:
        wrong = "bars of several lengths" if lengths else "no bars up to that day"
        raise TrainingError(f"the data hold {wrong}: give data of one length")
    (bar_seconds,) = lengths
    table = table_of(bars, asked.config, asked.desk)
    run = _Run(asked, table, asked.config.bars_per_year(bar_seconds), show)
    # Days without a bar, such as a New Year's Eve on a Sunday, are behind us too.
    more_came = asked.until is not None and len(bars) < len(asked.bars)
    trained_to = asked.until if asked.until and more_came else day_of(bars[-1])
    name = f"{_NOT_IN_NAMES.sub('-', asked.dataset)}-{trained_to.isoformat()}"
    short, mid, hint = run.forecasts(P_SHORT), run.forecasts(P_MID), run.hints()
    report = Report(
        folds=asked.walk.folds,
        embargo=asked.walk.embargo,
        tested_moments=len(np.unique(table.moment[~np.isnan(hint.said)])),
        p_short=run.told(P_SHORT, short),
        p_mid=run.told(P_MID, mid),
        size_hint=run.told_hints(hint),
        blend=blend_report(
            table, (short.said, mid.said, hint.said), short.plain, run.bars_per_year
        ),
        always_long=run.always_long(hint.said),
    )
    policy = run.policy(asked.policy_trials[hint.chosen])
    metadata = {"set": name, "trained_to": trained_to.isoformat()}
    files = {
        f"{P_SHORT}.onnx": run.trees(P_SHORT, asked.tree_trials[short.chosen], metadata),
        f"{P_MID}.onnx": run.trees(P_MID, asked.tree_trials[mid.chosen], metadata),
        f"{SIZE_HINT}.onnx": run.written(policy, metadata),
    }
    model_set = ModelSet(
        name=name,
        data=TrainedOn(
            dataset=asked.dataset,
            origin=asked.origin,
            instruments=sorted({bar.instrument_id for bar in bars}),
            bars=len(bars),
            sha256=bars_sha256(bars),
        ),
        trained_from=day_of(bars[0]),
        trained_to=trained_to,
        bar_seconds=bar_seconds,
        horizons=HORIZONS,
        inputs=[InputMeant(name=one.name, definition=one.definition) for one in INPUTS],
        indicators=indicators_of(_with_context(asked.config)),
        hint_scale=round(policy.scale, _REPORT_DIGITS),
        seed=asked.seed,
        versions={package: version(package) for package in (*EXTRA, "numpy")},
        files={file: hashlib.sha256(body).hexdigest() for file, body in files.items()},
        report=_rounded(msgspec.to_builtins(report)),
    )
    return Trained(model_set=model_set, report=report, files=files)


@dataclass(frozen=True, slots=True)
class _Walked:
    """What the chosen trial said of the tested rows, NaN elsewhere, and the luck in choosing it."""

    chosen: int
    said: Floats
    plain: Floats
    overfitting: float


@dataclass(slots=True)
class _Run:
    asked: Asked
    table: Table
    bars_per_year: float
    show: Show
    done: int = 0

    def _count(self) -> None:
        self.done += 1
        self.show(self.done)

    def forecasts(self, model: str) -> _Walked:
        """Walk every trial of a probability forward and choose the one of the lowest Brier."""
        table, asked = self.table, self.asked
        came, trials = table.higher[model], asked.tree_trials
        said = np.full((len(trials), len(came)), np.nan)
        plain = np.full(len(came), np.nan)
        for fold in walk_forward(table.moment, table.ends[HORIZONS[model]], asked.walk):
            plain[fold.test] = np.nanmean(came[fold.learn])
            for index, trial in enumerate(trials):
                booster = grow(table.inputs[fold.learn], came[fold.learn], trial, asked.seed)
                said[index, fold.test] = probabilities(booster, table.inputs[fold.test])
                self._count()
        errors = np.nanmean((said - came) ** 2, axis=1)
        luck = self._luck([2.0 * one - 1.0 for one in said])
        chosen = int(np.argmin(errors))
        return _Walked(chosen, said[chosen], plain, luck)

    def hints(self) -> _Walked:
        """Walk every trial of the policy forward and choose the one of the highest Sharpe ratio."""
        table, asked = self.table, self.asked
        said = np.full((len(asked.policy_trials), len(table.moment)), np.nan)
        for fold in walk_forward(table.moment, table.ends[1], asked.walk):
            for index, trial in enumerate(asked.policy_trials):
                policy = train_policy(
                    table.inputs[fold.learn],
                    table.instrument[fold.learn],
                    table.next_return[fold.learn],
                    trial,
                    asked.seed,
                )
                said[index, fold.test] = policy.hints(table.inputs[fold.test])
                self._count()
        positions = [position_of(one) for one in said]
        rows = ~np.isnan(said[0])
        figures = [sharpe(earned(table, rows, one[rows]), self.bars_per_year) for one in positions]
        chosen = int(np.argmax(figures))
        return _Walked(chosen, said[chosen], said[chosen], self._luck(positions))

    def _luck(self, positions: Sequence[Floats]) -> float:
        rows = ~np.isnan(positions[0])
        if len(positions) == 1:
            return 0.0
        return overfitting(
            np.stack([earned(self.table, rows, one[rows]) for one in positions], axis=1)
        )

    def told(self, model: str, walked: _Walked) -> ForecastReport:
        return forecast_report(
            table=self.table,
            came=self.table.higher[model],
            said=walked.said,
            plain=walked.plain,
            bars_per_year=self.bars_per_year,
            chosen=str(self.asked.tree_trials[walked.chosen]),
            trials=len(self.asked.tree_trials),
            overfitting=walked.overfitting,
        )

    def told_hints(self, walked: _Walked) -> PolicyReport:
        return policy_report(
            table=self.table,
            hints=walked.said,
            bars_per_year=self.bars_per_year,
            chosen=str(self.asked.policy_trials[walked.chosen]),
            trials=len(self.asked.policy_trials),
            overfitting=walked.overfitting,
        )

    def always_long(self, tested: Floats) -> Any:
        rows = ~np.isnan(tested)
        return held(self.table, rows, np.ones(int(rows.sum())), self.bars_per_year)

    def trees(self, model: str, trial: TreeTrial, metadata: dict[str, str]) -> bytes:
        inputs = self.table.inputs
        booster = grow(inputs, self.table.higher[model], trial, self.asked.seed)
        body = trees_to_onnx(booster, metadata)
        rows = _with_gaps(inputs[:_PROVED_ROWS])
        prove(body, rows, probabilities(booster, rows))
        self._count()
        return body

    def policy(self, trial: PolicyTrial) -> Policy:
        table = self.table
        policy = train_policy(
            table.inputs, table.instrument, table.next_return, trial, self.asked.seed
        )
        self._count()
        return policy

    def written(self, policy: Policy, metadata: dict[str, str]) -> bytes:
        body = policy_to_onnx(policy, metadata)
        rows = _with_gaps(self.table.inputs[:_PROVED_ROWS])
        prove(body, rows, policy.hints(rows))
        return body


def _with_gaps(inputs: Any) -> Any:
    """Return rows of which each input is missing somewhere."""
    rows = inputs.copy()
    for column in range(rows.shape[1]):
        rows[column :: 2 * rows.shape[1], column] = np.nan
    return rows


def _with_context(config: SignalsConfig) -> SignalsConfig:
    if config.context_in_force is not None:
        return config
    return msgspec.structs.replace(config, context=ContextConfig())


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, _REPORT_DIGITS)
        case dict():
            return {name: _rounded(one) for name, one in cast("dict[str, Any]", value).items()}
        case list():
            return list(map(_rounded, value))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return value
