"""What the escalation room remembers, folded from what it heard and said.

Which triggers stand is worked out from two moments, the last firing and the last clearing, each the
latest of its kind. So it does not matter in which order our own words and those of others are read
back after a restart.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.escalation.book import Book
from interlock.escalation.config import EscalationConfig
from interlock.escalation.forecasts import Forecasts
from interlock.escalation.inputs import Setting, snapshot_of
from interlock.escalation.matrix import MATRIX, cleared
from interlock.escalation.snapshot import Snapshot
from interlock.model.equity import trading_day
from interlock.model.plain_text import plain_text
from interlock.reasoning.endpoint import ProviderKind
from interlock.reasoning.prompt import Prompt
from interlock.wire.accounts import AccountUpdated, PositionChanged
from interlock.wire.base import Heard, Message, caused_id
from interlock.wire.decisions import ScoreComputed
from interlock.wire.market import (
    FeaturesComputed,
    FeedCondition,
    FeedStatusChanged,
    NewsArrived,
    PutCallRatioObserved,
)
from interlock.wire.policy import PolicyChanged, TradingStateChanged
from interlock.wire.reasoning import (
    AnswerSource,
    CallKind,
    EscalationTriggered,
    PauseReasoner,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    ResumeReasoner,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
    Trigger,
)

_NO_DATA = frozenset({FeedCondition.STALE, FeedCondition.GAP})
_TRIGGERS = frozenset(row.trigger for row in MATRIX)
_ONCE_A_DAY = frozenset(row.trigger for row in MATRIX if row.once_a_day)
UNNAMED = "somebody who gave no name"
_DAYS_KEPT = 400
HEADLINE_CHARS = 160


@dataclass(slots=True)
class EscalationState:
    """`fired` and `cleared_at` are by trigger, `granted` are the ids of granted calls by day.

    `open` holds what was granted and has no outcome yet, by the id of the escalation. `paused_by`
    is the person who wants no model asked, empty where nobody does.
    """

    setting: Setting
    config: EscalationConfig
    prompts: Mapping[CallKind, Prompt]
    account: AccountUpdated | None = None
    trading: TradingStateChanged | None = None
    features: dict[str, FeaturesComputed] = field(default_factory=dict[str, FeaturesComputed])
    sentiment: dict[str, SentimentJudged] = field(default_factory=dict[str, SentimentJudged])
    put_call: PutCallRatioObserved | None = None
    unheard: set[str] = field(default_factory=set[str])
    headlines: deque[str] = field(default_factory=deque[str])
    parameters: dict[str, float] = field(default_factory=dict[str, float])
    day_starts: dict[int, Decimal] = field(default_factory=dict[int, Decimal])
    fired: dict[Trigger, EscalationTriggered] = field(
        default_factory=dict[Trigger, EscalationTriggered]
    )
    cleared_at: dict[Trigger, int] = field(default_factory=dict[Trigger, int])
    granted: dict[int, dict[str, CallKind]] = field(default_factory=dict[int, dict[str, CallKind]])
    open: dict[str, EscalationTriggered] = field(default_factory=dict[str, EscalationTriggered])
    ended: dict[str, None] = field(default_factory=dict[str, None])
    paused_by: str = ""
    forecasts: Forecasts = field(init=False)
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.forecasts = Forecasts(self.config.accuracy_window)
        self.book = Book(buckets=self.setting.buckets, most_trades=self.config.recent_trades)

    def last_source(self, call: CallKind) -> AnswerSource:
        """Return who is asked last: after it, there is nobody in its place.

        Of a day that is over the local reasoner writes by itself.
        """
        alone = call is CallKind.POST_MORTEM or self.config.local.provider is ProviderKind.NONE
        return AnswerSource.CLOUD if alone else AnswerSource.LOCAL

    def standing(self, day: int) -> list[Trigger]:
        """Return the triggers that have fired and not cleared.

        What is counted by the day starts anew with the next one.
        """
        return [
            trigger
            for trigger, last in sorted(self.fired.items())
            if trigger in _TRIGGERS
            and (
                last.day == day
                if trigger in _ONCE_A_DAY
                else last.ts_desk > self.cleared_at.get(trigger, -1)
            )
        ]

    def snapshot(self, account: AccountUpdated) -> Snapshot:
        """Return what the matrix and the questions are told at `account`."""
        calls = self.granted.get(account.day, {})
        return snapshot_of(
            self,
            account,
            calls_today=len(calls),
            judge_asked_today=CallKind.SANITY_JUDGE in calls.values(),
            standing=self.standing(account.day),
        )


def evolve(state: EscalationState, heard: Heard) -> EscalationState:
    match heard:
        case FeaturesComputed():
            state.features[heard.instrument_id] = heard
            state.forecasts.close(heard)
        case ScoreComputed():
            state.forecasts.score(heard)
        case AccountUpdated() if heard.account == state.setting.account:
            _mark(state, heard)
        case PositionChanged() if heard.account == state.setting.account:
            day = trading_day(heard.ts_event, state.setting.day_starts_at_utc_hour)
            state.book.fill(heard, day)
        case TradingStateChanged() if state.trading is None or heard.epoch > state.trading.epoch:
            state.trading = heard
        case PolicyChanged():
            state.parameters = heard.parameters
        case FeedStatusChanged() if heard.condition in _NO_DATA:
            state.unheard.add(heard.instrument_id)
        case FeedStatusChanged() if heard.condition is FeedCondition.OK:
            state.unheard.discard(heard.instrument_id)
        case EscalationTriggered():
            _fired(state, heard)
        case PauseReasoner():
            state.paused_by = heard.by.strip() or UNNAMED
        case ResumeReasoner():
            state.paused_by = ""
        case _:
            _told(state, heard)
    return state


def _told(state: EscalationState, heard: Heard) -> None:
    """Take in what others judged, and what became of our own questions."""
    match heard:
        case PutCallRatioObserved():
            state.put_call = heard
        case SentimentJudged():
            state.sentiment[heard.instrument_id] = heard
        case NewsArrived() if not heard.instrument_ids:
            label = f"{heard.source}: {heard.headline}"
            state.headlines.append(plain_text(label, HEADLINE_CHARS).replace("\n", " "))
            while len(state.headlines) > state.config.macro_events:
                state.headlines.popleft()
        case (
            RegimeAudited()
            | RewardsEngineered()
            | SanityJudged()
            | PostMortemWritten()
            | ReasonerFailed()
        ):
            _ended(state, heard)
        case _:
            pass


def _mark(state: EscalationState, account: AccountUpdated) -> None:
    state.account = account
    state.book.mark(account)
    if account.equity_at_day_start.is_finite() and account.equity_at_day_start > 0:
        state.day_starts[account.day] = account.equity_at_day_start
        _keep_newest(state.day_starts)
    for trigger in cleared(state.snapshot(account), state.config):
        state.cleared_at[trigger] = max(state.cleared_at.get(trigger, -1), account.ts_desk)


def _fired(state: EscalationState, said: EscalationTriggered) -> None:
    last = state.fired.get(said.trigger)
    if last is None or said.ts_desk >= last.ts_desk:
        state.fired[said.trigger] = said
    if not said.granted:
        return
    state.granted.setdefault(said.day, {})[said.message_id] = said.call
    _keep_newest(state.granted)
    if said.message_id not in state.ended:
        state.open[said.message_id] = said


def _ended(state: EscalationState, outcome: Message) -> None:
    """Note that an escalation has its outcome: an answer, or the last model's failure."""
    for identity, asked in state.open.items():
        failed = isinstance(outcome, ReasonerFailed)
        key = state.last_source(asked.call) if failed else ""
        if caused_id(asked, type(outcome), key) == outcome.message_id:
            del state.open[identity]
            state.ended[identity] = None
            return


def _keep_newest[V](kept: dict[int, V]) -> None:
    while len(kept) > _DAYS_KEPT:
        del kept[min(kept)]
