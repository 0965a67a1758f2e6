"""What the meta-ensemble remembers besides positions, and how it changes.

What is wrong, what policy allows and what models said is folded from what others said; what was
asked for and announced, from what we said. Neither needs the other to be in order: after a restart
the two are read back by the time of storing.
"""

from dataclasses import dataclass, field
from math import isfinite

from interlock.model.ids import NANOS_PER_SECOND
from interlock.strategy.ensemble.config import EnsembleConfig
from interlock.strategy.ensemble.modes import FAILURES, mode_of
from interlock.strategy.ensemble.ports import ReasonerHeard, ReasonerSilent
from interlock.strategy.ensemble.score import MID, RL, SHORT, VOICES, Inputs
from interlock.strategy.ensemble.sip import Savings
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Heard
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.market import FeaturesComputed, FeedCondition, FeedStatusChanged
from interlock.wire.orders import OrderFilled, OrderIntent
from interlock.wire.parameters import (
    BUCKET_CAP_PREFIX,
    MAX_POSITION,
    STOP_ATR,
    TRAIL_ATR,
    WEIGHT_PREFIX,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.reasoning import ReasonerStatusChanged, SentimentJudged

_NO_DATA = frozenset({FeedCondition.STALE, FeedCondition.GAP})


@dataclass(slots=True, kw_only=True)
class EnsembleState:
    """What one desk's ensemble knows.

    Parameters
    ----------
    account_name, currency
        The account whose news count, and what it is counted in.
    parameters, do_not_trade
        Policy's, as it last said; a value that cannot be used leaves the last good one standing.
    stalled
        Instruments whose data is interrupted, until the feed says that all is well again.
    reasoner_up, reasoner_silent
        What the local reasoner says of itself, and whether it has been silent for too long.
    present
        Per instrument, the voices that its last features had.
    deltas
        Per option, its last delta.
    announced
        The failure modes that people were told have begun, and not yet that they have ended.
    asked
        Per instrument, the last intent that was to enter.
    """

    config: EnsembleConfig
    account_name: str
    currency: str
    savings: Savings
    parameters: dict[str, float] = field(default_factory=dict[str, float])
    do_not_trade: frozenset[str] = frozenset()
    trading: TradingStateChanged | None = None
    account: AccountUpdated | None = None
    stalled: set[str] = field(default_factory=set[str])
    reasoner_up: bool = True
    reasoner_silent: bool = False
    sentiments: dict[str, SentimentJudged] = field(default_factory=dict[str, SentimentJudged])
    present: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    deltas: dict[str, float] = field(default_factory=dict[str, float])
    announced: set[Mode] = field(default_factory=set[Mode])
    asked: dict[str, OrderIntent] = field(default_factory=dict[str, OrderIntent])

    @property
    def reasoner_online(self) -> bool:
        return self.reasoner_up and not self.reasoner_silent

    @property
    def weights(self) -> dict[str, float]:
        """The weights in force, by voice."""
        own = self.config.weights
        configured = {SHORT: own.short, MID: own.mid, RL: own.rl}
        return {
            name: self.parameters.get(WEIGHT_PREFIX + name, configured[name]) for name in VOICES
        }

    def mode(self, instrument_id: str) -> Mode:
        return mode_of(
            self.present.get(instrument_id, frozenset()),
            stalled=instrument_id in self.stalled,
            reasoner_up=self.reasoner_online,
        )

    def failing(self) -> list[Mode]:
        """Return the failure modes that hold now, in the order in which they are announced."""
        found = {self.mode(name) for name in self.present}
        if self.stalled:
            found.add(Mode.DATA_STALL)
        if not self.reasoner_online:
            found.add(Mode.RL_ONLY)
        return [mode for mode in FAILURES if mode in found]

    def inputs(self, features: FeaturesComputed) -> Inputs:
        """Return what is known of an instrument after a bar; old news is not."""
        return Inputs(
            p_short=features.p_short,
            p_mid=features.p_mid,
            size_hint=features.size_hint,
            volatility_z=features.volatility_z,
            sentiment=self._sentiment(features),
            liquidity=features.liquidity,
            correlation=features.correlation,
        )

    def _sentiment(self, features: FeaturesComputed) -> float | None:
        judged = self.sentiments.get(features.instrument_id)
        if judged is None:
            return None
        age_ns = features.ts_event - judged.ts_event
        fresh = age_ns <= self.config.max_sentiment_age_seconds * NANOS_PER_SECOND
        return judged.sentiment if fresh else None


def take(state: EnsembleState, heard: Heard) -> None:
    """Take in what was heard or said."""
    match heard:
        case FeaturesComputed():
            state.present[heard.instrument_id] = frozenset(voices_of(heard))
            if heard.delta is not None:
                state.deltas[heard.instrument_id] = heard.delta
            state.savings.price(heard)
        case AccountUpdated() if heard.account == state.account_name:
            state.account = heard
            state.savings.mark(heard)
        case OrderIntent() if not heard.reduce_only:
            state.asked[heard.instrument_id] = heard
            state.savings.intend(heard)
        case OrderFilled():
            state.savings.fill(heard)
        case PolicyChanged():
            _take_rules(state, heard)
        case TradingStateChanged() if state.trading is None or heard.epoch > state.trading.epoch:
            state.trading = heard
        case SentimentJudged():
            state.sentiments[heard.instrument_id] = heard
        case _:
            _take_failure(state, heard)


def voices_of(features: FeaturesComputed) -> frozenset[str]:
    """Return which of the three forecasts the features have."""
    said = Inputs(
        p_short=features.p_short, p_mid=features.p_mid, size_hint=features.size_hint
    ).voices
    return frozenset(said)


def _take_failure(state: EnsembleState, heard: Heard) -> None:
    """Take in what goes wrong, and comes right again."""
    match heard:
        case FeedStatusChanged() if heard.condition in _NO_DATA:
            state.stalled.add(heard.instrument_id)
        case FeedStatusChanged() if heard.condition is FeedCondition.OK:
            state.stalled.discard(heard.instrument_id)
        case ReasonerStatusChanged():
            state.reasoner_up = heard.up
        case ReasonerSilent():
            state.reasoner_silent = True
        case ReasonerHeard():
            state.reasoner_silent = False
        case ModeChanged():
            _take_announced(state, heard)
        case _:
            pass


def _take_announced(state: EnsembleState, change: ModeChanged) -> None:
    if change.begun:
        state.announced.add(change.mode)
    else:
        state.announced.discard(change.mode)
    if change.mode is Mode.RL_ONLY:
        # Nobody says it again after a restart: silence is only known from what was announced.
        state.reasoner_silent = change.begun and change.by_silence


def _take_rules(state: EnsembleState, policy: PolicyChanged) -> None:
    before = state.parameters
    state.do_not_trade = frozenset(policy.do_not_trade)
    state.parameters = {}
    for name, value in policy.parameters.items():
        if _is_usable(name, value):
            state.parameters[name] = value
        elif name in before:
            state.parameters[name] = before[name]


def _is_usable(name: str, value: float) -> bool:
    if not isfinite(value):
        return False
    if name in (STOP_ATR, TRAIL_ATR):
        return value > 0.0
    if name == MAX_POSITION or name.startswith((WEIGHT_PREFIX, BUCKET_CAP_PREFIX)):
        return value >= 0.0
    return True
