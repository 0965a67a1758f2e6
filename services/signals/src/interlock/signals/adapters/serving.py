"""The trained models, read from their folders and asked through ONNX Runtime.

A file is used only if it is the one its ``meta.json`` names by hash, and if the metadata inside it
names the same set and the same last day. What cannot be used is logged once, here, with the
reason; from then on its forecast is absent, which `missing_models` of each message says.
"""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from interlock.signals.config import ModelsConfig, SignalsConfig
from interlock.signals.model_sets import (
    META_FILE,
    MODELS,
    P_MID,
    P_SHORT,
    SIZE_HINT,
    ModelSet,
    unfit,
)
from interlock.signals.ports import Forecast, Forecasted

SHIPPED = Path(__file__).parents[1] / "sets"
INPUT_NAME = "inputs"
_MOST_BYTES = 4_000_000
_FATAL_ONLY = 4
_log = logging.getLogger(__name__)


class UnusableModelError(ValueError):
    """A model or a set that cannot be used. The text says why."""


@dataclass(slots=True)
class Models:
    """The sets that may be served, and a session of each model that could be loaded."""

    sets: tuple[ModelSet, ...] = ()
    sessions: dict[tuple[str, str], Any] = field(default_factory=dict[tuple[str, str], Any])

    def perform(self, effect: Forecast) -> Sequence[Forecasted]:
        import numpy as np

        row = np.array([effect.inputs], dtype=np.float32)
        return (
            Forecasted(
                features=effect.features,
                model_set=effect.model_set,
                p_short=self._ask(effect.model_set, P_SHORT, row),
                p_mid=self._ask(effect.model_set, P_MID, row),
                size_hint=self._ask(effect.model_set, SIZE_HINT, row),
            ),
        )

    def _ask(self, model_set: str, model: str, row: Any) -> float | None:
        session = self.sessions.get((model_set, model))
        if session is None:
            return None
        try:
            return float(session.run(None, {INPUT_NAME: row})[0].item())
        except Exception:  # noqa: BLE001 - the runtime's own exceptions have no common base
            _log.exception("model %s of set %s is not asked any more", model, model_set)
            del self.sessions[model_set, model]
            return None


def load_models(config: SignalsConfig) -> Models:
    """Read every set that section ``[signals.models]`` names; what is unusable is logged."""
    assert config.models is not None
    models = Models()
    for folder in folders_of(config.models):
        try:
            one = read_set(folder, config)
        except UnusableModelError as error:
            _log.error("the models in %s are not used: %s", folder, error)
            continue
        models.sets += (one,)
        for model in MODELS:
            try:
                models.sessions[one.name, model] = open_model(folder, one, model)
            except UnusableModelError as error:
                _log.error("model %s of %s is not used: %s", model, folder, error)
    if not models.sets:
        _log.error("there are no models to serve: no forecasts")
    return models


def folders_of(config: ModelsConfig) -> Iterator[Path]:
    """Return the folders of sets, in the order of their names."""
    folder = SHIPPED if config.shipped else Path(config.folder)
    if (folder / META_FILE).exists():
        yield folder
        return
    yield from sorted(path.parent for path in folder.glob(f"*/{META_FILE}"))


def read_set(folder: Path, config: SignalsConfig) -> ModelSet:
    """Return what ``meta.json`` says; raise `UnusableModelError` where it cannot serve here."""
    body = _bytes_of(folder / META_FILE)
    try:
        one = msgspec.json.decode(body, type=ModelSet)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnusableModelError(f"{META_FILE} cannot be read: {error}") from error
    if reason := unfit(one, config):
        raise UnusableModelError(reason)
    return one


def open_model(folder: Path, one: ModelSet, model: str) -> Any:
    """Return a session of one model, or raise `UnusableModelError`."""
    name = f"{model}.onnx"
    body = _bytes_of(folder / name)
    if hashlib.sha256(body).hexdigest() != one.files.get(name):
        raise UnusableModelError(f"{name} is not the file that {META_FILE} names by its hash")
    # Read when its threads are made, so before the first import.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        runtime: Any = import_module("onnxruntime")
    except ImportError as error:
        raise UnusableModelError(f"onnxruntime is not installed ({error})") from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    try:
        session = runtime.InferenceSession(body, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UnusableModelError(f"{name} is no model: {error}") from error
    said = session.get_modelmeta().custom_metadata_map
    if (said.get("set"), said.get("trained_to")) != (one.name, one.trained_to.isoformat()):
        raise UnusableModelError(f"{name} says another set or last day than {META_FILE}")
    return session


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnusableModelError(f"{path.name} has more than {_MOST_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UnusableModelError(f"{path.name} cannot be read: {error.strerror}") from error
