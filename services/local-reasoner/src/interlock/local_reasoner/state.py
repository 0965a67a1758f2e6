"""What the local reasoner remembers.

Theory of operation. What must outlive the process is in messages: the market's latest features,
the value in force, the day nobody has written about yet, whether the model was said to be up. News
and what is under way are not: a question that was cut off is asked anew at its next occasion, and
news that nobody had asked about is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from interlock.local_reasoner.config import LocalReasonerConfig
from interlock.local_reasoner.ports import (
    AskSentiment,
    ModelAnswered,
    ModelFailed,
    QuestionKind,
    QuestionSent,
)
from interlock.model.ids import NANOS_PER_SECOND
from interlock.reasoning.prompt import Prompt
from interlock.wire.accounts import DaySummarised
from interlock.wire.base import Heard
from interlock.wire.market import ClockTicked, FeaturesComputed, NewsArrived
from interlock.wire.policy import PolicyChanged
from interlock.wire.reasoning import (
    ParameterProposal,
    PauseReasoner,
    PostMortemSource,
    PostMortemWritten,
    ReasonerFailed,
    ReasonerFailure,
    ReasonerStatusChanged,
    ResumeReasoner,
    SentimentJudged,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompts:
    """The prompt of each kind of question."""

    parameter: Prompt
    sentiment: Prompt
    post_mortem: Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class Reasoner:
    """Who is asked and how; it does not change while the service runs."""

    desk: str
    config: LocalReasonerConfig
    prompts: Prompts
    model: str
    instruments: frozenset[str] = frozenset()


type News = dict[str, list[NewsArrived]]


@dataclass(slots=True)
class ReasonerState:
    """`current` is the parameter's value in force, none until policy has said one.

    News, newest last, is in `arrived` until a cadence passes and then in `ready`, by instrument.
    `day` is the last day that is over and not written about. `busy` are the kinds of question that
    are under way; `failures` those in a row. `paused`: a person wants nobody asked.
    """

    reasoner: Reasoner
    current: float | None = None
    paused: bool = False
    features: dict[str, FeaturesComputed] = field(default_factory=dict[str, FeaturesComputed])
    tick: ClockTicked | None = None
    arrived: News = field(default_factory=dict[str, list[NewsArrived]])
    ready: News = field(default_factory=dict[str, list[NewsArrived]])
    day: DaySummarised | None = None
    busy: set[QuestionKind] = field(default_factory=set[QuestionKind])
    failures: int = 0
    up: bool = True


def evolve(state: ReasonerState, heard: Heard) -> ReasonerState:
    match heard:
        case FeaturesComputed():
            state.features[heard.instrument_id] = heard
        case PolicyChanged():
            state.current = heard.parameters.get(state.reasoner.config.parameter)
        case NewsArrived():
            _news(state, heard)
        case ClockTicked():
            _tick(state, heard)
        case DaySummarised() if state.reasoner.config.post_mortem is not None:
            state.day = heard
        case QuestionSent():
            state.busy.add(heard.asked.kind)
            if isinstance(heard.asked, AskSentiment):
                state.ready.pop(heard.asked.instrument_id, None)
        case ModelAnswered() | ModelFailed():
            state.busy.discard(heard.asked.kind)
        case PauseReasoner():
            state.paused = True
        case ResumeReasoner():
            state.paused = False
        case _:
            _own(state, heard)
    return state


def counts_as_offline(reason: ReasonerFailure) -> bool:
    return reason is not ReasonerFailure.BUDGET


def _own(state: ReasonerState, heard: Heard) -> None:
    """Take in what this service has said itself."""
    match heard:
        case ReasonerFailed() if _is_ours(state, heard.provider):
            state.failures += counts_as_offline(heard.reason)
        case ParameterProposal() | SentimentJudged() if _is_ours(state, heard.provider):
            state.failures = 0
        case PostMortemWritten() if heard.source is not PostMortemSource.CLOUD:
            if _is_ours(state, heard.provider):
                state.failures = 0
            if state.day is not None and state.day.day == heard.day:
                state.day = None
        case ReasonerStatusChanged():
            state.up = heard.up
        case _:
            pass


def _is_ours(state: ReasonerState, provider: str) -> bool:
    """Return whether our model is meant: others speak on the same subjects."""
    return provider == state.reasoner.config.provider.value


def _news(state: ReasonerState, item: NewsArrived) -> None:
    config = state.reasoner.config.sentiment
    if config is None:
        return
    for name in state.reasoner.instruments.intersection(item.instrument_ids):
        kept = state.arrived.setdefault(name, [])
        kept.append(item)
        del kept[: -config.items_per_instrument]


def _tick(state: ReasonerState, tick: ClockTicked) -> None:
    """Make what has come since the last cadence ready to be asked about."""
    state.tick = tick
    config = state.reasoner.config.sentiment
    if config is None:
        return
    oldest = tick.ts_event - config.max_age_seconds * NANOS_PER_SECOND
    for name in sorted({*state.ready, *state.arrived}):
        both = [*state.ready.get(name, ()), *state.arrived.get(name, ())]
        fresh = _newest(both, config.items_per_instrument, oldest)
        if fresh:
            state.ready[name] = fresh
        else:
            state.ready.pop(name, None)
    state.arrived.clear()


def _newest(items: Sequence[NewsArrived], most: int, oldest: int) -> list[NewsArrived]:
    """Return the last of `items`, each once; what there is no room for is passed over."""
    known = {item.news_id: item for item in items if item.ts_event >= oldest}
    return sorted(known.values(), key=lambda item: (item.ts_event, item.news_id))[-most:]
