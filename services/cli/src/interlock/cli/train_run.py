"""Recorded data to a set of models: `interlock train`."""

import os
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING

from msgspec.structs import replace

from interlock.cli.errors import CliError
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.runtime.config import DeskFile
from interlock.signals.config import SignalsConfig
from interlock.venues.replay import open_replay
from interlock.venues.replay_rows import ReplayError
from interlock.wire.market import Bar

if TYPE_CHECKING:
    from interlock.signals.training.run import Asked, Trained

PACKAGES = ("numpy", "lightgbm", "onnx", "onnxruntime")


def require_extra() -> None:
    """Raise `CliError` unless the packages that training needs are installed."""
    # How many threads add up a sum decides its last digits. Read when NumPy is first imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CliError(
            f"training needs {', '.join(missing)}: install the extra with "
            "`.tools/bin/uv sync --all-packages --extra train` "
            "or `pip install 'interlock-cli[train]'`"
        )


def asked_of(file: DeskFile, source: str, until: date | None) -> "Asked":
    """Return what to train on: all instruments of the data, judged as the desk's feed judges them.

    Instruments the desk does not have are learned from too; they belong to no sector.
    """
    from interlock.signals.training.run import Asked

    try:
        data = open_replay(source)
    except ReplayError as error:
        raise CliError(str(error)) from error
    desk = _with_all(file.desk, data.instruments)
    waves = open_waves(file.section("feed", FeedConfig), desk, data)
    return Asked(
        bars=[message for message in waves if isinstance(message, Bar)],
        dataset=data.dataset,
        origin=data.origin,
        desk=desk,
        config=file.section("signals", SignalsConfig),
        until=until,
    )


def train_set(asked: "Asked", show: Callable[[int], None]) -> "Trained":
    """Train; raise `CliError` where the data do not suffice."""
    from interlock.signals.training.errors import TrainingError
    from interlock.signals.training.run import train

    try:
        return train(asked, show)
    except TrainingError as error:
        raise CliError(str(error)) from error


def _with_all(desk: DeskConfig, symbols: tuple[str, ...]) -> DeskConfig:
    strangers = tuple(
        Instrument(instrument_id=symbol, venue=desk.venue)
        for symbol in symbols
        if desk.instrument(symbol) is None
    )
    return replace(desk, instruments=(*desk.instruments, *strangers))
