"""Bars to rows that models learn from: what was known after a bar, and what came then.

The inputs are made by the service itself, bar by bar, so a model is served what it has learned
from, and no row knows anything that came after its bar. Labels do, so whoever splits rows must
keep those apart whose labels reach over the border; see `splits`.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from interlock.model.desk import DeskConfig
from interlock.signals.adapters.serving import Models
from interlock.signals.app import build
from interlock.signals.config import ContextConfig, SignalsConfig
from interlock.signals.inputs import inputs_of
from interlock.signals.model_sets import HORIZONS
from interlock.signals.training.errors import TrainingError
from interlock.wire.market import Bar, FeaturesComputed

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]
type _Bars = dict[str, list[FeaturesComputed]]
type _Rows = list[tuple[str, int]]
"""The instrument of a row, and which of its bars it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One row a bar of one instrument, in order of time.

    Attributes
    ----------
    moment : ints, shape (rows,)
        Counts the distinct times from 0.
    inputs : floats, shape (rows, inputs)
        NaN for what is not known.
    ends : dict of ints
        By the number of bars a label looks ahead: the moment at which it is known, one past the
        last where the data end before.
    next_return : floats
        The return of the instrument's next bar.
    higher : dict of floats
        By model: 1 where the close is higher after its horizon, else 0. NaN where the data end
        before, in `next_return` too.
    """

    moment: Ints
    instrument: Ints
    inputs: NDArray[np.float32]
    ends: dict[int, Ints]
    next_return: Floats
    higher: dict[str, Floats]


def table_of(bars: Iterable[Bar], config: SignalsConfig, desk: DeskConfig) -> Table:
    """Return the rows of `bars`; those before the volatility is warm are left out."""
    config = replace(config, models=None, context=config.context_in_force or ContextConfig())
    service = build(config, desk, Models())
    state = service.state
    said: list[FeaturesComputed] = []
    for bar in bars:
        state = service.evolve(state, bar)
        for message in service.decide(state, bar, 0):
            assert isinstance(message, FeaturesComputed)
            said.append(message)
    return _table(said)


def _table(said: Sequence[FeaturesComputed]) -> Table:
    names = sorted({features.instrument_id for features in said})
    bars = {name: [f for f in said if f.instrument_id == name] for name in names}
    place = dict.fromkeys(names, 0)
    instrument, stamps, inputs = list[int](), list[int](), list[list[float]]()
    rows: _Rows = []
    for features in said:
        name = features.instrument_id
        if features.volatility is not None:
            instrument.append(names.index(name))
            stamps.append(features.ts_event)
            inputs.append(inputs_of(features))
            rows.append((name, place[name]))
        place[name] += 1
    if not inputs:
        raise TrainingError("no bar is left once the indicators are warm: give longer data")
    moments, moment = np.unique(np.array(stamps), return_inverse=True)
    return Table(
        moment=moment.astype(np.int64),
        instrument=np.array(instrument),
        inputs=np.array(inputs, dtype=np.float32),
        ends={
            ahead: np.searchsorted(moments, _stamps(rows, bars, ahead))
            for ahead in {1, *HORIZONS.values()}
        },
        next_return=_returns(rows, bars, 1),
        higher={model: _higher(_returns(rows, bars, ahead)) for model, ahead in HORIZONS.items()},
    )


def _returns(rows: _Rows, bars: _Bars, ahead: int) -> Floats:
    return np.array(
        [
            bars[name][at + ahead].close / bars[name][at].close - 1.0
            if at + ahead < len(bars[name])
            else np.nan
            for name, at in rows
        ]
    )


def _stamps(rows: _Rows, bars: _Bars, ahead: int) -> Ints:
    never = np.iinfo(np.int64).max
    return np.array(
        [
            bars[name][at + ahead].ts_event if at + ahead < len(bars[name]) else never
            for name, at in rows
        ]
    )


def _higher(returns: Floats) -> Floats:
    return np.where(np.isnan(returns), np.nan, (returns > 0.0).astype(np.float64))


def bars_sha256(bars: Iterable[Bar]) -> str:
    """Return a hash over what a model can see of `bars`: time, name, prices and volume."""
    digest = hashlib.sha256()
    for bar in bars:
        prices = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        text = "|".join(
            [str(bar.ts_event), bar.instrument_id, *(float.hex(price) for price in prices)]
        )
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()
