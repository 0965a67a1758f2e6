"""What a run came to: counts folded message by message, shown when it closes."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import Struct, convert

from interlock.ledger.story import Story, Telling, story_of, tell
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated
from interlock.wire.approvals import ApprovalDecided, ApprovalLapsed, ApprovalRequested
from interlock.wire.base import Message, tag_of
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed
from interlock.wire.orders import OrderDenied, OrderFilled, OrderIntent, SubmitOrder
from interlock.wire.policy import ProposalJudged, ProposalVerdict
from interlock.wire.reasoning import ParameterProposal, PostMortemWritten, ReasonerFailed


class PostMortem(Struct, frozen=True, kw_only=True):
    """What was written about a trading day, counted from 1970."""

    day: int
    root_cause: str
    recommendations: list[str]
    source: str
    provider: str
    model: str


class Summary(Struct, frozen=True, kw_only=True):
    """The closing summary. Money in the account's currency, `max_drawdown` a fraction of the peak.

    `sample_decision` is a decision worth a look: one that went from bar to fill where there is
    one, else the furthest that any came; empty where there was none. `post_mortem` is that of the
    last day, none where nobody writes any; `story` of a desk that escalates or fails in modes.
    `approval_requests` are the entries that people were asked for, `approval_requests_by_end` how
    policy ended them, `approvals_lapsed` those that were approved and not sent after all.
    """

    bars: int
    ticks: int
    proposals_seen: int
    proposals_applied: int
    proposals_by_verdict: dict[str, int]
    reasoner_failures: dict[str, int]
    intents: int
    approvals: int
    denials: int
    denials_by_code: dict[str, int]
    fills: int
    fees: Decimal
    equity_at_start: Decimal
    equity: Decimal
    pnl: Decimal
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    max_drawdown: float
    messages: dict[str, int]
    sample_decision: str
    post_mortem: PostMortem | None = None
    story: Story | None = None
    approval_requests: int = 0
    approval_requests_by_end: dict[str, int] = {}
    approvals_lapsed: int = 0


@dataclass(slots=True, kw_only=True)
class Tally:
    """The running counts. `peak` is the highest equity so far."""

    messages: Counter[str] = field(default_factory=Counter[str])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[str] = field(default_factory=Counter[str])
    denial_codes: Counter[str] = field(default_factory=Counter[str])
    request_ends: Counter[str] = field(default_factory=Counter[str])
    peak: Decimal = ZERO
    max_drawdown: float = 0.0
    account: AccountUpdated | None = None
    last_fill: str = ""
    last_intent: str = ""
    last_judged: str = ""
    post_mortem: PostMortemWritten | None = None
    telling: Telling = field(default_factory=Telling)


_ONLY_COUNTED = frozenset({Bar, FeaturesComputed, ClockTicked})
"""Nearly all messages; of these nothing but the number is told."""


def count(tally: Tally, message: Message) -> None:
    """Take `message` into `tally`."""
    kind = type(message)
    tally.messages[tag_of(kind)] += 1
    if kind in _ONLY_COUNTED:
        return
    tell(tally.telling, message)
    match message:
        case ProposalJudged():
            tally.verdicts[message.verdict] += 1
            tally.last_judged = message.decision_id
        case ReasonerFailed():
            tally.failures[message.reason] += 1
        case PostMortemWritten():
            tally.post_mortem = message
        case ApprovalDecided():
            tally.request_ends[message.code] += 1
        case OrderIntent():
            tally.last_intent = message.decision_id
        case OrderDenied():
            tally.denial_codes.update(failure.code for failure in message.failures)
        case OrderFilled():
            tally.last_fill = message.decision_id
        case AccountUpdated():
            tally.account = message
            tally.peak = max(tally.peak, message.equity)
            tally.max_drawdown = max(tally.max_drawdown, drawdown(tally.peak, message.equity))
        case _:
            pass


def drawdown(peak: Decimal, equity: Decimal) -> float:
    """Return the fall from `peak` as a fraction of it."""
    return float((peak - equity) / peak) if peak > ZERO else 0.0


def summarise(tally: Tally, equity_at_start: Decimal) -> Summary:
    """Return the summary of everything counted so far."""
    seen, account = tally.messages, tally.account
    equity = equity_at_start if account is None else account.equity
    return Summary(
        bars=seen[tag_of(Bar)],
        ticks=seen[tag_of(ClockTicked)],
        proposals_seen=seen[tag_of(ParameterProposal)],
        proposals_applied=tally.verdicts[ProposalVerdict.ACCEPTED],
        proposals_by_verdict=_by_name(tally.verdicts),
        reasoner_failures=_by_name(tally.failures),
        intents=seen[tag_of(OrderIntent)],
        approvals=seen[tag_of(SubmitOrder)],
        denials=seen[tag_of(OrderDenied)],
        denials_by_code=_by_name(tally.denial_codes),
        fills=seen[tag_of(OrderFilled)],
        fees=ZERO if account is None else account.fees,
        equity_at_start=equity_at_start,
        equity=equity,
        pnl=equity - equity_at_start,
        realised_pnl=ZERO if account is None else account.realised_pnl,
        unrealised_pnl=ZERO if account is None else account.unrealised_pnl,
        max_drawdown=tally.max_drawdown,
        messages=_by_name(seen),
        sample_decision=tally.last_fill or tally.last_intent or tally.last_judged,
        post_mortem=_told(tally.post_mortem),
        story=story_of(tally.telling),
        approval_requests=seen[tag_of(ApprovalRequested)],
        approval_requests_by_end=_by_name(tally.request_ends),
        approvals_lapsed=seen[tag_of(ApprovalLapsed)],
    )


def _told(written: PostMortemWritten | None) -> PostMortem | None:
    return None if written is None else convert(written, PostMortem, from_attributes=True)


def _by_name(counts: Counter[str]) -> dict[str, int]:
    return {str(name): counts[name] for name in sorted(counts)}
