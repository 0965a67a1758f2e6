"""What the desk has said last, as far as the page shows it. A fold over what the console hears."""

from collections import deque
from dataclasses import dataclass, field

from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Message
from interlock.wire.decisions import Mode, ModeChanged, ScoreComputed
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed, FeedStatusChanged
from interlock.wire.orders import GateConfigured, ReconciliationCompleted, VenueLinkChanged
from interlock.wire.policy import PolicyChanged, PromotionAssessed, TradingStateChanged
from interlock.wire.reasoning import (
    EscalationTriggered,
    ReasonerPaused,
    ReasonerStatusChanged,
    RegimeAudited,
    SanityJudged,
    SentimentJudged,
)
from interlock.wire.system import DeadLettered, Heartbeat, SwitchChanged

BARS_KEPT = 2_000
INSTRUMENTS_KEPT = 1_000
DEAD_LETTERS_KEPT = 50

STARTS_FROM: tuple[type[Message], ...] = (
    TradingStateChanged,
    PolicyChanged,
    SwitchChanged,
    FeedStatusChanged,
    VenueLinkChanged,
    ReconciliationCompleted,
    AccountUpdated,
    GateConfigured,
    ReasonerPaused,
    ReasonerStatusChanged,
    EscalationTriggered,
    RegimeAudited,
    SanityJudged,
    SentimentJudged,
    PromotionAssessed,
    ScoreComputed,
    FeaturesComputed,
    ClockTicked,
)
"""Of these the last stored one is read back when the console starts."""


@dataclass(slots=True)
class Beat:
    """The last heartbeat of a service, and when it was heard on the machine's clock (ns)."""

    said: Heartbeat
    heard_at: int


@dataclass(slots=True)
class Live:
    """The last word on each thing; none or empty where nothing was said yet.

    `moment` is the desk's time: the latest one heard in a cadence.
    """

    trading: TradingStateChanged | None = None
    policy: PolicyChanged | None = None
    account: AccountUpdated | None = None
    switch: SwitchChanged | None = None
    reasoner: ReasonerPaused | None = None
    gate: GateConfigured | None = None
    local_model: ReasonerStatusChanged | None = None
    escalation: EscalationTriggered | None = None
    regime: RegimeAudited | None = None
    judged: SanityJudged | None = None
    promotion: PromotionAssessed | None = None
    modes: dict[Mode, ModeChanged] = field(default_factory=dict[Mode, ModeChanged])
    scores: dict[str, ScoreComputed] = field(default_factory=dict[str, ScoreComputed])
    sentiment: dict[str, SentimentJudged] = field(default_factory=dict[str, SentimentJudged])
    moment: int = 0
    feed: dict[str, FeedStatusChanged] = field(default_factory=dict[str, FeedStatusChanged])
    links: dict[str, VenueLinkChanged] = field(default_factory=dict[str, VenueLinkChanged])
    books: dict[str, ReconciliationCompleted] = field(
        default_factory=dict[str, ReconciliationCompleted]
    )
    features: dict[str, FeaturesComputed] = field(default_factory=dict[str, FeaturesComputed])
    bars: dict[str, deque[Bar]] = field(default_factory=dict[str, deque[Bar]])
    beats: dict[str, Beat] = field(default_factory=dict[str, Beat])
    dead: deque[DeadLettered] = field(
        default_factory=lambda: deque[DeadLettered](maxlen=DEAD_LETTERS_KEPT)
    )


def evolve(state: Live, heard: Message, now_ns: int) -> Live:
    """Take a message in. What is kept by name is bounded: a desk's instruments are few."""
    match heard:
        case ClockTicked() | FeaturesComputed() | Bar() | FeedStatusChanged():
            _market(state, heard)
        case Heartbeat():
            _keep(state.beats, heard.service, Beat(heard, now_ns))
        case DeadLettered():
            state.dead.append(heard)
        case ScoreComputed() | SentimentJudged() | ModeChanged():
            _judgement(state, heard)
        case (
            ReasonerPaused()
            | ReasonerStatusChanged()
            | EscalationTriggered()
            | RegimeAudited()
            | SanityJudged()
        ):
            _models(state, heard)
        case _:
            _desk(state, heard)
    return state


def _judgement(state: Live, heard: ScoreComputed | SentimentJudged | ModeChanged) -> None:
    match heard:
        case ScoreComputed():
            _keep(state.scores, heard.instrument_id, heard)
        case SentimentJudged():
            _keep(state.sentiment, heard.instrument_id, heard)
        case ModeChanged():
            # Read back in any order: of each mode the youngest word stands.
            last = state.modes.get(heard.mode)
            if last is None or heard.ts_event >= last.ts_event:
                state.modes[heard.mode] = heard


def _models(
    state: Live,
    heard: (
        ReasonerPaused | ReasonerStatusChanged | EscalationTriggered | RegimeAudited | SanityJudged
    ),
) -> None:
    match heard:
        case ReasonerPaused():
            state.reasoner = heard
        case ReasonerStatusChanged():
            state.local_model = heard
        case EscalationTriggered():
            state.escalation = heard
        case RegimeAudited():
            state.regime = heard
        case SanityJudged():
            state.judged = heard


def _market(state: Live, heard: ClockTicked | FeaturesComputed | Bar | FeedStatusChanged) -> None:
    match heard:
        case ClockTicked():
            state.moment = max(state.moment, heard.ts_event)
        case FeaturesComputed():
            _keep(state.features, heard.instrument_id, heard)
        case Bar():
            add_bar(state, heard)
        case FeedStatusChanged():
            _keep(state.feed, heard.instrument_id, heard)


def _desk(state: Live, heard: Message) -> None:
    match heard:
        case AccountUpdated():
            state.account = heard
        case TradingStateChanged():
            # A desk's standings are numbered: one that was read back late changes nothing.
            if state.trading is None or heard.epoch >= state.trading.epoch:
                state.trading = heard
        case PolicyChanged():
            if state.policy is None or heard.version >= state.policy.version:
                state.policy = heard
        case SwitchChanged():
            state.switch = heard
        case GateConfigured():
            state.gate = heard
        case PromotionAssessed():
            state.promotion = heard
        case VenueLinkChanged():
            _keep(state.links, heard.account, heard)
        case ReconciliationCompleted():
            _keep(state.books, heard.account, heard)
        case _:
            pass


def add_bar(state: Live, bar: Bar) -> None:
    """Put a bar behind those of its instrument; an older one is one that is there already."""
    bars = state.bars.get(bar.instrument_id)
    if bars is None:
        bars = deque[Bar](maxlen=BARS_KEPT)
        _keep(state.bars, bar.instrument_id, bars)
    if not bars or bar.ts_event > bars[-1].ts_event:
        bars.append(bar)


def _keep[V](kept: dict[str, V], name: str, value: V) -> None:
    if name in kept or len(kept) < INSTRUMENTS_KEPT:
        kept[name] = value
