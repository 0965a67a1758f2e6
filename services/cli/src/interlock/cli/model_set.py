"""What a set of trained models says of itself, in its ``meta.json``."""

from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.ledger.ensemble_scorecard import ModelsKnown

META_FILE = "meta.json"
_FIRST_DAY = date(1970, 1, 1)


class _Report(Struct):
    overfitting: float | None = None


class _Meta(Struct):
    """The fields that are read; others are the signals' own."""

    name: str
    trained_to: date
    report: dict[str, msgspec.Raw] = {}


def known_models(place: str) -> ModelsKnown | str:
    """Return what the set at `place` says, or why nothing is known.

    `place` is the file, its folder, or the name of a set that is shipped with the signals.
    """
    if not place:
        return "no set of models is named: set model_set in section [ledger.scorecard]"
    found = _meta_file(place)
    if found is None:
        return f"there is no set of models {place}"
    try:
        meta = msgspec.json.decode(found.read_bytes(), type=_Meta)
        reports = {
            name: msgspec.json.decode(raw, type=_Report)
            for name, raw in meta.report.items()
            if bytes(raw).lstrip().startswith(b"{")
        }
    except (OSError, msgspec.MsgspecError) as error:
        return f"the set of models {place} cannot be read: {error}"
    overfitting = {
        name: one.overfitting for name, one in reports.items() if one.overfitting is not None
    }
    last_day = (meta.trained_to - _FIRST_DAY).days
    return ModelsKnown(name=meta.name, last_day=last_day, overfitting=overfitting)


def _meta_file(place: str) -> Path | Traversable | None:
    path = Path(place)
    shipped = files("interlock.signals") / "sets" / place / META_FILE
    candidates: list[Path | Traversable] = [path / META_FILE, path]
    if path.name == place:
        candidates.append(shipped)
    return next((one for one in candidates if one.is_file()), None)
