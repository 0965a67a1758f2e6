"""Which trained models there are, what they have seen, and which of them may serve.

Law: no forecast from a model that has seen the day it forecasts. A set of models says up to which
day its data went. The set that serves is the latest that ends before the first bar the service has
ever heard; it never changes while a desk lives, so all of a desk's forecasts are of one model.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct, field

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos
from interlock.signals.config import SignalsConfig
from interlock.signals.inputs import INPUTS

META_FILE = "meta.json"
P_SHORT, P_MID, SIZE_HINT = "p_short", "p_mid", "size_hint"
MODELS = (P_SHORT, P_MID, SIZE_HINT)
HORIZONS = {P_SHORT: 1, P_MID: 5}
"""In bars. The policy decides anew at each bar and so has none."""

_MEANT_FOR = (
    "ema_fast",
    "ema_slow",
    "rsi_period",
    "macd_fast",
    "macd_slow",
    "macd_signal",
    "atr_period",
    "momentum_bars",
    "volatility_window",
    "volatility_z_window",
    "correlation_window",
    "sessions_per_year",
    "session_seconds",
)


class TrainedOn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bars a set has seen. `sha256` is over them, as `training.bars_sha256` counts."""

    dataset: str
    origin: str
    instruments: list[str]
    bars: int
    sha256: str


class InputMeant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    definition: str


class ModelSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``meta.json`` of a folder of models.

    Parameters
    ----------
    trained_from, trained_to : str
        First and last day seen, ISO dates; labels look no further either.
    indicators : dict
        The settings of section ``[signals]`` that the inputs were made with.
    hint_scale : float
        What the policy's own output is multiplied by, within its file, to be the size hint.
    files : dict
        SHA-256 of each file.
    """

    name: str
    data: TrainedOn
    trained_from: date
    trained_to: date
    bar_seconds: int
    horizons: dict[str, int]
    inputs: list[InputMeant]
    indicators: dict[str, float]
    hint_scale: float
    seed: int
    versions: dict[str, str]
    files: dict[str, str]
    report: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def seen_until(self) -> UnixNanos:
        """The end of the last day seen, UTC: no bar at or before it is forecast."""
        after = datetime.combine(self.trained_to, datetime.min.time(), UTC) + timedelta(days=1)
        return int(after.timestamp()) * NANOS_PER_SECOND


def indicators_of(config: SignalsConfig) -> dict[str, float]:
    """Return the settings that give the models' inputs their meaning."""
    settings = {name: float(getattr(config, name)) for name in _MEANT_FOR}
    context = config.context_in_force
    if context is not None:
        settings["turnover_window"] = float(context.turnover_window)
    return settings


def unfit(one: ModelSet, config: SignalsConfig) -> str:
    """Return why a set cannot serve a service configured so, empty where it can."""
    if [(i.name, i.definition) for i in one.inputs] != [(i.name, i.definition) for i in INPUTS]:
        return "it was trained on other inputs than this build makes"
    wanted = indicators_of(config)
    other = sorted(
        name
        for name in wanted.keys() | one.indicators.keys()
        if wanted.get(name) != one.indicators.get(name)
    )
    if other:
        return f"it was trained with another {other[0]}: {one.indicators.get(other[0])}"
    return ""


@dataclass(frozen=True, slots=True)
class Serving:
    """The set in service, and the end of the last day it saw."""

    name: str
    seen_until: UnixNanos


def serving(sets: Iterable[ModelSet], first_bar: UnixNanos, bar_seconds: int) -> Serving | None:
    """Return the set that serves bars of this length from `first_bar` on, none where none may."""
    fit = [one for one in sets if one.bar_seconds == bar_seconds and one.seen_until < first_bar]
    latest = max(fit, key=lambda one: (one.trained_to, one.name), default=None)
    return None if latest is None else Serving(latest.name, latest.seen_until)
