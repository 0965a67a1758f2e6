"""What signals remember: the indicators of each instrument, and the returns of one moment."""

from dataclasses import dataclass, field
from math import isfinite, sqrt

from interlock.model.ids import UnixNanos
from interlock.signals.config import SignalsConfig
from interlock.signals.indicators import Indicators
from interlock.signals.inputs import switched_off_by
from interlock.signals.model_sets import ModelSet, Serving, serving
from interlock.wire.base import Heard
from interlock.wire.market import Bar, Quote
from interlock.wire.policy import PolicyChanged


@dataclass(slots=True)
class SignalsState:
    """`returns` are those of the bars complete at `moment`, until a later bar is heard.

    Correlations grow by whole moments only: bars of one moment arrive one by one, and a pair is
    not known before both are there. So a feature's correlation is that of the moment before, and
    so is the dispersion of its sector. `first_bar` says which of the model sets may serve: by the
    length of bars, those of `serving`.
    """

    config: SignalsConfig
    desk: str
    traded: frozenset[str]
    instruments: dict[str, Indicators] = field(default_factory=dict[str, Indicators])
    moment: UnixNanos = 0
    returns: dict[str, float] = field(default_factory=dict[str, float])
    sectors: dict[str, str] = field(default_factory=dict[str, str])
    dispersion: dict[str, float] = field(default_factory=dict[str, float])
    sets: tuple[ModelSet, ...] = ()
    switched_off: frozenset[str] = frozenset()
    first_bar: UnixNanos = 0
    serving: dict[int, Serving | None] = field(default_factory=dict[int, Serving | None])


def evolve(state: SignalsState, heard: Heard) -> SignalsState:
    """Take in a bar, a quote, or the rules in force."""
    match heard:
        case Bar():
            _take_bar(state, heard)
        case Quote():
            indicators = state.instruments.get(heard.instrument_id)
            if indicators is not None:
                indicators.quote(heard.ts_event, heard.bid, heard.ask)
        case PolicyChanged():
            state.switched_off = switched_off_by(heard.parameters)
        case _:
            pass
    return state


def _take_bar(state: SignalsState, bar: Bar) -> None:
    indicators = state.instruments.get(bar.instrument_id)
    if indicators is None or indicators.bar_seconds != bar.bar_seconds:
        indicators = Indicators(state.config, bar.bar_seconds)
        state.instruments[bar.instrument_id] = indicators
    if bar.ts_event <= indicators.ts:
        return  # Heard before: a bar counts once.
    if bar.bar_seconds not in state.serving:
        state.first_bar = state.first_bar or bar.ts_event
        state.serving[bar.bar_seconds] = serving(state.sets, state.first_bar, bar.bar_seconds)
    if bar.ts_event > state.moment:
        _end_moment(state)
        state.moment = bar.ts_event
    indicators.update(bar.ts_event, bar.high, bar.low, bar.close, bar.volume)
    indicators.take_spread(bar.bid, bar.ask)
    if indicators.ret_1 is not None and bar.ts_event == state.moment:
        state.returns[bar.instrument_id] = indicators.ret_1


def _end_moment(state: SignalsState) -> None:
    returns, benchmark = state.returns, state.config.benchmark
    others = len(returns) - 1
    if benchmark:
        against = returns.get(benchmark)
        if against is not None:
            for instrument_id, value in returns.items():
                if instrument_id != benchmark:
                    state.instruments[instrument_id].correlation.push(value, against)
    elif others > 0:
        total = sum(returns.values())
        for instrument_id, value in returns.items():
            mean = (total - value) / others
            state.instruments[instrument_id].correlation.push(value, mean)
    if state.sectors:
        state.dispersion = _dispersion(returns, state.sectors)
    returns.clear()


def _dispersion(returns: dict[str, float], sectors: dict[str, str]) -> dict[str, float]:
    """Return the population deviation of one moment's returns within each sector of two or more."""
    by_sector: dict[str, list[float]] = {}
    for instrument_id, value in returns.items():
        sector = sectors.get(instrument_id)
        if sector:
            by_sector.setdefault(sector, []).append(value)
    deviations = {name: _deviation(values) for name, values in by_sector.items() if len(values) > 1}
    return {name: value for name, value in deviations.items() if isfinite(value)}


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((value - mean) * (value - mean) for value in values) / len(values))
