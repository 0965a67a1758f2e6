"""What the policy service remembers, and how it changes.

The standing of the desk is all in the last `TradingStateChanged`; what is kept besides is folded
from what others said, in a way that does not hang on the order between their messages and ours:
after a restart the two are read back by the time of storing, and that is not the order in which
they were heard and said.
"""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.model.ids import NANOS_PER_SECOND
from interlock.policy.config import PolicyConfig
from interlock.policy.promotion import Evidence
from interlock.policy.requests import Requests
from interlock.wire.accounts import AccountUpdated
from interlock.wire.approvals import ApprovalCounted, ApprovalDecided, ApprovalRequested
from interlock.wire.base import Message, Report
from interlock.wire.decisions import Mode, ModeChanged
from interlock.wire.market import ClockTicked, FeedCondition, FeedStatusChanged
from interlock.wire.orders import ReconciliationCompleted
from interlock.wire.policy import (
    CommandRefused,
    PolicyChanged,
    PromotionAssessed,
    ProposalJudged,
    ProposalVerdict,
    TradingStateChanged,
)
from interlock.wire.reasoning import (
    EscalationTriggered,
    ParameterProposal,
    SanityJudged,
    Trigger,
)
from interlock.wire.system import SafetyTripped, SwitchChanged

_NO_DATA = frozenset({FeedCondition.STALE, FeedCondition.GAP})
VERSIONS_KEPT = 10_000
ANSWERS_KEPT = 4_096
DAYS_KEPT = 400


@dataclass(slots=True)
class PolicyState:
    """Windows hold desk times in nanoseconds, oldest first.

    `days` are the trading days heard of, ascending. `answered` holds the ids of what was said to
    somebody's word, so that a second delivery is not answered a second time. `accepted_at` is the
    desk time at which a version was accepted, by version. `awaits_person`: nothing but the venue's
    cash keeps the desk from being reconciled, which exec takes over on a person's resume. `rows`
    are the ids of verdicts given, and `names` what of the desk's may stand on a list of what not to
    trade.
    """

    desk: str
    config: PolicyConfig
    config_hash: str
    equity: Decimal
    account_name: str
    key_id: str
    buckets: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    policy: PolicyChanged | None = None
    trading: TradingStateChanged | None = None
    account: AccountUpdated | None = None
    clock_offset_ns: int | None = None
    reconciled: bool = False
    reasoner_offline: bool = False
    awaits_person: bool = False
    judged: SanityJudged | None = None
    days: list[int] = field(default_factory=list[int])
    unheard: set[str] = field(default_factory=set[str])
    seen: dict[str, deque[int]] = field(default_factory=dict[str, deque[int]])
    accepted: dict[str, deque[int]] = field(default_factory=dict[str, deque[int]])
    last_accepted: ProposalJudged | None = None
    versions: dict[int, PolicyChanged] = field(default_factory=dict[int, PolicyChanged])
    accepted_at: dict[int, int] = field(default_factory=dict[int, int])
    answered: dict[str, None] = field(default_factory=dict[str, None])
    rows: dict[str, None] = field(default_factory=dict[str, None])
    evidence: Evidence = field(default_factory=Evidence)
    assessed_on: int | None = None
    requests: Requests = field(default_factory=Requests)

    @property
    def window_ns(self) -> int:
        return self.config.window_seconds * NANOS_PER_SECOND

    @property
    def today(self) -> int | None:
        return self.days[-1] if self.days else None

    @property
    def ts_desk(self) -> int:
        """Desk time, as the last account has it."""
        return 0 if self.account is None else self.account.ts_desk

    def in_window(self, times: dict[str, deque[int]], parameter: str, now: int) -> int:
        """Return how many of `times` lie in the window that ends at `now`."""
        return sum(1 for time in times.get(parameter, ()) if now - self.window_ns < time <= now)

    def days_after(self, day: int | None) -> int:
        """Return how many trading days have begun after `day`.

        Where that was before the first day heard of, the first one may be the very day it was.
        """
        if day is None:
            return max(0, len(self.days) - 1)
        return len(self.days) - bisect_left(self.days, day + 1)


def evolve(state: PolicyState, heard: Message | Report) -> PolicyState:
    match heard:
        case AccountUpdated() if heard.account == state.account_name:
            _mark(state, heard)
        case ClockTicked():
            state.clock_offset_ns = heard.clock_offset_ns
        case ParameterProposal():
            _append(state, state.seen, heard.parameter, heard.ts_desk)
        case ProposalJudged():
            _keep(state.rows, heard.message_id, None, ANSWERS_KEPT)
            if heard.verdict is ProposalVerdict.ACCEPTED:
                _append(state, state.accepted, heard.parameter, heard.ts_desk)
                state.last_accepted = heard
                _keep(state.accepted_at, heard.policy_version, heard.ts_desk, VERSIONS_KEPT)
        case PolicyChanged() if state.policy is None or heard.version > state.policy.version:
            state.policy = heard
            _keep(state.versions, heard.version, heard, VERSIONS_KEPT)
            _keep(state.answered, heard.message_id, None, ANSWERS_KEPT)
        case TradingStateChanged() if state.trading is None or heard.epoch > state.trading.epoch:
            if state.trading is not None and state.trading.stage is not heard.stage:
                state.assessed_on = None
            state.trading = heard
            state.evidence.killed(heard.kill_days)
            _keep(state.answered, heard.message_id, None, ANSWERS_KEPT)
        case CommandRefused():
            _keep(state.answered, heard.message_id, None, ANSWERS_KEPT)
        case ApprovalRequested() | ApprovalCounted() | ApprovalDecided():
            state.requests.take(heard)
            if isinstance(heard, ApprovalCounted):
                _keep(state.answered, heard.message_id, None, ANSWERS_KEPT)
        case _:
            _watch(state, heard)
    return state


def _watch(state: PolicyState, heard: Message | Report) -> None:
    """Take in what is said about the desk's safety, and what it has shown."""
    match heard:
        case FeedStatusChanged() if heard.condition in _NO_DATA:
            state.unheard.add(heard.instrument_id)
        case FeedStatusChanged() if heard.condition is FeedCondition.OK:
            state.unheard.discard(heard.instrument_id)
        case PromotionAssessed():
            state.assessed_on = heard.day
        case ReconciliationCompleted() if heard.account == state.account_name:
            state.reconciled = not heard.blocks_account
            state.awaits_person = heard.awaits_person
            if heard.breaks:
                state.evidence.broke()
        case SafetyTripped():
            state.evidence.broke()
        case SwitchChanged() if heard.pressed:
            state.evidence.broke()
        case ModeChanged(mode=Mode.RL_ONLY):
            state.reasoner_offline = heard.begun
        case SanityJudged():
            state.judged = heard
        case EscalationTriggered() if heard.granted and heard.trigger is not Trigger.POST_MORTEM:
            state.evidence.escalated()
        case _:
            pass


def _mark(state: PolicyState, account: AccountUpdated) -> None:
    state.account = account
    state.evidence.mark(account)
    if not state.days or account.day > state.days[-1]:
        state.days.append(account.day)
        del state.days[:-DAYS_KEPT]


def _append(state: PolicyState, times: dict[str, deque[int]], parameter: str, now: int) -> None:
    window = times.setdefault(parameter, deque())
    window.append(now)
    while window[0] <= now - state.window_ns:
        window.popleft()


def _keep[K, V](kept: dict[K, V], key: K, value: V, limit: int) -> None:
    """Note `value`, and forget the oldest where there are too many."""
    kept[key] = value
    if len(kept) > limit:
        del kept[next(iter(kept))]
