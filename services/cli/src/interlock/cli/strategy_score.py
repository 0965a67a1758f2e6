"""The meta-ensemble on paper: the running engine's score for a written-down bar. Pure.

Each bar is put to an engine of its own that knows nothing else, so the lines of a file do not
depend on each other.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import inf
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.model.values import TradingState
from interlock.strategy.app import build
from interlock.strategy.config import StrategyConfig
from interlock.strategy.core import decide
from interlock.strategy.ensemble.permission import limits_for
from interlock.strategy.ensemble.state import EnsembleState
from interlock.strategy.state import StrategyState, evolve
from interlock.wire.base import Message, root_ids
from interlock.wire.decisions import Mode, ScoreAction, ScoreComputed
from interlock.wire.market import FeaturesComputed, FeedCondition, FeedStatusChanged
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.reasoning import ReasonerStatusChanged, SentimentJudged

OTHER_NAMES = {
    "ppo_size_hint": "size_hint",
    "volatility_zscore": "volatility_z",
    "news_sentiment": "sentiment",
    "symbol": "instrument_id",
}
"""What the same thing is called elsewhere."""
_PAPER = "score on paper"
_Object = dict[str, Any]


class Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bar. What is not given is not known; `bucket_used` is a fraction of the equity.

    Without an `instrument_id` it is one of the first bucket of the section, or of `bucket`.
    """

    instrument_id: str = ""
    bucket: str = ""
    p_short: float | None = None
    p_mid: float | None = None
    size_hint: float | None = None
    volatility_z: float | None = None
    sentiment: float | None = None
    liquidity: float | None = None
    correlation: float | None = None
    data_stalled: bool = False
    reasoner_up: bool = True
    bucket_used: float = 0.0
    parameters: dict[str, float] = field(default_factory=dict[str, float])
    cap_scales: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        for name, (low, high) in _POSSIBLE.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} is {_told(low, high)}, not {value:g}")
        for bucket, scale in self.cap_scales.items():
            if not 0 <= scale <= 1:
                raise ValueError(f"cap_scales.{bucket} is from 0 to 1, not {scale:g}")


_POSSIBLE = {
    "sentiment": (-1.0, 1.0),
    "liquidity": (0.0, inf),
    "correlation": (-1.0, 1.0),
    "bucket_used": (0.0, inf),
}


def _told(low: float, high: float) -> str:
    return f"at least {low:g}" if high == inf else f"from {low:g} to {high:g}"


class Scored(Struct, frozen=True, kw_only=True):
    """One line of the answer. `size` is a fraction of the equity; `components` add up to `base`."""

    line: int
    instrument_id: str
    bucket: str
    mode: Mode
    weights: dict[str, float]
    components: dict[str, float]
    base: float | None
    penalties: dict[str, float]
    score: float | None
    action: ScoreAction
    size: float


def read(text: bytes) -> list[Written]:
    """Read one object, a list of them, or one a line.

    Raises
    ------
    ValueError
        With the line, where one cannot be read; and where there is none.
    """
    bars = _read(text)
    if not bars:
        raise ValueError("there is no bar in it")
    return bars


def _read(text: bytes) -> list[Written]:
    try:
        whole = msgspec.json.decode(text, type=_Object | list[_Object])
    except msgspec.ValidationError as error:
        raise ValueError(f"an object or a list of them is wanted: {error}") from error
    except msgspec.DecodeError:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        return [_written(n, _decoded(n, line)) for n, line in lines]
    return [_written(n, one) for n, one in enumerate(_listed(whole), 1)]


def _listed(whole: _Object | list[_Object]) -> list[_Object]:
    return whole if isinstance(whole, list) else [whole]


def _decoded(number: int, line: bytes) -> _Object:
    try:
        return msgspec.json.decode(line, type=_Object)
    except msgspec.DecodeError as error:
        raise ValueError(f"line {number}: {error}") from error


def _written(number: int, value: _Object) -> Written:
    named = {OTHER_NAMES.get(name, name): one for name, one in value.items()}
    try:
        return msgspec.convert(named, Written)
    except msgspec.ValidationError as error:
        raise ValueError(f"line {number}: {error}") from error


def scores(desk: DeskConfig, config: StrategyConfig, bars: list[Written]) -> Iterator[Scored]:
    """Yield the score of each bar, on a desk that may trade and holds nothing."""
    for number, bar in enumerate(bars, 1):
        yield _score(desk, config, bar, number)


def _score(desk: DeskConfig, config: StrategyConfig, bar: Written, number: int) -> Scored:
    instrument = _instrument(desk, config, bar)
    own = replace(desk, instruments=(instrument,))
    state = build(own, replace(config, sip=None)).state
    for message in _heard(own, bar):
        state = evolve(state, message)
    try:
        features = _features(own, bar)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    state = evolve(state, features)
    (computed,) = [one for one in decide(state, features, 0) if isinstance(one, ScoreComputed)]
    ensemble = _ensemble(state)
    votes = ensemble.inputs(features).voices
    return Scored(
        line=number,
        instrument_id=instrument.instrument_id,
        bucket=instrument.bucket,
        mode=computed.mode,
        weights=computed.weights,
        components={name: weight * votes[name] for name, weight in computed.weights.items()},
        base=computed.base,
        penalties=computed.penalties,
        score=computed.score,
        action=computed.action,
        size=min(computed.size_fraction, _room(ensemble, instrument, bar)),
    )


def _ensemble(state: StrategyState) -> EnsembleState:
    assert state.ensemble is not None, "the section has one"
    return state.ensemble


def _instrument(desk: DeskConfig, config: StrategyConfig, bar: Written) -> Instrument:
    """Return the desk's own instrument, or one that stands for its bucket."""
    known = desk.instrument(bar.instrument_id)
    if known is not None:
        return replace(known, bucket=bar.bucket or known.bucket)
    assert config.ensemble is not None
    bucket = bar.bucket or next(iter(config.ensemble.buckets), "")
    return Instrument(instrument_id=bar.instrument_id or bucket, venue=desk.venue, bucket=bucket)


def _room(ensemble: EnsembleState, instrument: Instrument, bar: Written) -> float:
    limits = limits_for(ensemble, instrument)
    left = Decimal(0) if limits is None else limits.bucket - Decimal(repr(bar.bucket_used))
    return float(max(left, Decimal(0)))


def _ids(desk: DeskConfig, kind: type[Message]) -> dict[str, Any]:
    message_id, decision_id = root_ids(kind, desk.name, _PAPER)
    return {
        "message_id": message_id,
        "decision_id": decision_id,
        "desk": desk.name,
        "ts_event": 0,
    }


def _features(desk: DeskConfig, bar: Written) -> FeaturesComputed:
    return FeaturesComputed(
        **_ids(desk, FeaturesComputed),
        instrument_id=desk.instruments[0].instrument_id,
        bar_seconds=1,
        close=1.0,
        p_short=bar.p_short,
        p_mid=bar.p_mid,
        size_hint=bar.size_hint,
        volatility_z=bar.volatility_z,
        liquidity=bar.liquidity,
        correlation=bar.correlation,
    )


def _heard(desk: DeskConfig, bar: Written) -> Iterator[Message]:
    """Yield what the engine has heard before the bar."""
    name = desk.instruments[0].instrument_id
    yield PolicyChanged(
        **_ids(desk, PolicyChanged),
        version=1,
        parameters=bar.parameters,
        changes=[],
        author=_PAPER,
        reason="",
        proposal_id=None,
        config_hash="",
    )
    yield TradingStateChanged(
        **_ids(desk, TradingStateChanged),
        state=TradingState.ACTIVE,
        epoch=1,
        author=_PAPER,
        reason="",
        cap_scales=bar.cap_scales,
    )
    yield ReasonerStatusChanged(
        **_ids(desk, ReasonerStatusChanged), up=bar.reasoner_up, reason=_PAPER
    )
    if bar.sentiment is not None:
        yield SentimentJudged(
            **_ids(desk, SentimentJudged),
            instrument_id=name,
            sentiment=bar.sentiment,
            confidence=100,
            news_ids=[],
            provider=_PAPER,
            model="",
            prompt_hash="",
            answer="",
            tokens_in=0,
            tokens_out=0,
            cost_usd=Decimal(0),
            latency_ns=0,
            ts_desk=0,
        )
    if bar.data_stalled:
        yield FeedStatusChanged(
            **_ids(desk, FeedStatusChanged),
            instrument_id=name,
            condition=FeedCondition.STALE,
            detail=_PAPER,
            dropped=False,
        )
