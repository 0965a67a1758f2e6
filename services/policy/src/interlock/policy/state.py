"""What the policy service remembers, and how it changes."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.values import TradingState
from interlock.policy.config import PolicyConfig
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Message, Report
from interlock.wire.market import ClockTicked, FeedCondition, FeedStatusChanged
from interlock.wire.policy import (
    PolicyChanged,
    ProposalJudged,
    ProposalVerdict,
    TradingStateChanged,
)
from interlock.wire.reasoning import ParameterProposal

_NO_DATA = frozenset({FeedCondition.STALE, FeedCondition.GAP})


@dataclass(slots=True)
class PolicyState:
    """Windows hold desk times in nanoseconds, oldest first."""

    desk: str
    config: PolicyConfig
    config_hash: str
    equity: Decimal
    policy: PolicyChanged | None = None
    trading: TradingStateChanged | None = None
    account: AccountUpdated | None = None
    clock_offset_ns: int | None = None
    unheard: set[str] = field(default_factory=set[str])
    seen: dict[str, deque[int]] = field(default_factory=dict[str, deque[int]])
    accepted: dict[str, deque[int]] = field(default_factory=dict[str, deque[int]])
    last_accepted: ProposalJudged | None = None

    @property
    def window_ns(self) -> int:
        return self.config.window_seconds * NANOS_PER_SECOND

    def in_window(self, times: dict[str, deque[int]], parameter: str, now: int) -> int:
        """Return how many of `times` lie in the window that ends at `now`."""
        return sum(1 for time in times.get(parameter, ()) if now - self.window_ns < time <= now)


def evolve(state: PolicyState, heard: Message | Report) -> PolicyState:
    match heard:
        case ParameterProposal():
            _append(state, state.seen, heard.parameter, heard.ts_desk)
        case ProposalJudged() if heard.verdict is ProposalVerdict.ACCEPTED:
            _append(state, state.accepted, heard.parameter, heard.ts_desk)
            state.last_accepted = heard
        case PolicyChanged():
            state.policy = heard
        case TradingStateChanged():
            state.trading = heard
        case AccountUpdated():
            state.account = heard
        case ClockTicked():
            state.clock_offset_ns = heard.clock_offset_ns
        case FeedStatusChanged() if heard.condition in _NO_DATA:
            state.unheard.add(heard.instrument_id)
        case FeedStatusChanged() if heard.condition is FeedCondition.OK:
            state.unheard.discard(heard.instrument_id)
        case _:
            pass
    return state


def _append(state: PolicyState, times: dict[str, deque[int]], parameter: str, now: int) -> None:
    window = times.setdefault(parameter, deque())
    window.append(now)
    while window[0] <= now - state.window_ns:
        window.popleft()


def trading_state(state: PolicyState) -> TradingState:
    return TradingState.HALTED if state.trading is None else state.trading.state
