"""The story of a desk that escalates: what was asked, what was killed, and how it came back.

Folded from the messages of a run in the journal's order, so a backtest in memory and a desk that
has ended tell the same. A message belongs to the trading day of its own moment.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from msgspec import Struct

from interlock.model.equity import DAY_STARTS_AT_UTC_HOUR, trading_day
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated
from interlock.wire.base import Message
from interlock.wire.decisions import ModeChanged
from interlock.wire.policy import TradingStateChanged
from interlock.wire.reasoning import (
    EscalationTriggered,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
)

_PERCENT = 100


class Fired(Struct, frozen=True, kw_only=True):
    """A trigger that fired on a trading day, with the numbers it saw and where they fire."""

    day: int
    trigger: str
    call: str
    granted: bool
    reason: str
    observed: dict[str, float]
    limits: dict[str, float]
    calls_today: int


class KillDay(Struct, frozen=True, kw_only=True):
    """A day that the kill rule ended. `loss_pct` is of the equity at the day's first mark."""

    day: int
    loss_pct: float
    reason: str


class Spell(Struct, frozen=True, kw_only=True):
    """Trading days from one to another; `until` is none where it was not over at the end.

    `sessions` are the days in it on which an account was heard; `ended_by` says who ended it.
    """

    kind: str
    since: int
    until: int | None
    sessions: int
    ended_by: str


class Story(Struct, frozen=True, kw_only=True):
    """`granted` and `refused` count escalations by trigger, `calls` the granted ones by call.

    `model_calls` are answers of models by what was asked, `cost_usd` what all of them and those
    that gave nothing cost, and `most_cost_a_day_usd` the dearest of the trading days.
    `judged` lists what the sanity judge said: its day, and whether the desk should stay on paper.
    """

    granted: dict[str, int]
    refused: dict[str, int]
    calls: dict[str, int]
    most_calls_a_day: int
    model_calls: dict[str, int]
    model_failures: int
    cost_usd: Decimal
    most_cost_a_day_usd: Decimal
    kill_days: list[KillDay]
    spells: list[Spell]
    judged: dict[int, bool]
    modes: dict[str, int]
    fired: list[Fired]


@dataclass(slots=True)
class _Open:
    since: int
    days: set[int] = field(default_factory=set[int])


@dataclass(slots=True, kw_only=True)
class Telling:
    """The story so far."""

    starts_at_utc_hour: int = DAY_STARTS_AT_UTC_HOUR
    fired: list[Fired] = field(default_factory=list[Fired])
    answers: Counter[str] = field(default_factory=Counter[str])
    failures: int = 0
    costs: dict[int, Decimal] = field(default_factory=dict[int, Decimal])
    account: AccountUpdated | None = None
    killed: dict[int, KillDay] = field(default_factory=dict[int, KillDay])
    spells: list[Spell] = field(default_factory=list[Spell])
    open: dict[str, _Open] = field(default_factory=dict[str, _Open])
    judged: dict[int, bool] = field(default_factory=dict[int, bool])
    modes: Counter[str] = field(default_factory=Counter[str])
    ensemble: bool = False


TOLD = (
    AccountUpdated,
    EscalationTriggered,
    ModeChanged,
    PostMortemWritten,
    ReasonerFailed,
    RegimeAudited,
    RewardsEngineered,
    SanityJudged,
    SentimentJudged,
    TradingStateChanged,
)
"""Everything else says nothing here."""
_ANSWERS = {
    RegimeAudited: "regime_auditor",
    RewardsEngineered: "reward_engineer",
    SanityJudged: "sanity_judge",
    PostMortemWritten: "post_mortem",
    SentimentJudged: "sentiment",
}


def tell(telling: Telling, message: Message) -> None:
    """Take `message` into `telling`."""
    match message:
        case AccountUpdated():
            telling.account = message
            for spell in telling.open.values():
                spell.days.add(message.day)
        case EscalationTriggered():
            telling.fired.append(_fired(message))
        case ModeChanged(begun=True):
            telling.modes[message.mode] += 1
        case ReasonerFailed():
            telling.failures += 1
            _spend(telling, message, message.spent_usd)
        case TradingStateChanged():
            _stand(telling, message)
        case (
            RegimeAudited()
            | RewardsEngineered()
            | SanityJudged()
            | PostMortemWritten()
            | SentimentJudged()
        ):
            telling.answers[_ANSWERS[type(message)]] += 1
            _spend(telling, message, message.cost_usd)
            if isinstance(message, SanityJudged):
                telling.judged[_day(telling, message)] = message.stay_demo
        case _:
            pass


def story_of(telling: Telling) -> Story | None:
    """Return the story, none where a desk has nothing of it to tell."""
    if not (telling.fired or telling.killed or telling.modes):
        return None
    granted = [one for one in telling.fired if one.granted]
    still = [
        Spell(kind=kind, since=one.since, until=None, sessions=len(one.days), ended_by="")
        for kind, one in telling.open.items()
    ]
    return Story(
        granted=_counted(one.trigger for one in granted),
        refused=_counted(one.trigger for one in telling.fired if not one.granted),
        calls=_counted(one.call for one in granted),
        most_calls_a_day=max((one.calls_today for one in granted), default=0),
        model_calls=dict(sorted(telling.answers.items())),
        model_failures=telling.failures,
        cost_usd=sum(telling.costs.values(), ZERO),
        most_cost_a_day_usd=max(telling.costs.values(), default=ZERO),
        kill_days=[telling.killed[day] for day in sorted(telling.killed)],
        spells=sorted([*telling.spells, *still], key=lambda one: (one.since, one.kind)),
        judged=telling.judged,
        modes=dict(sorted(telling.modes.items())),
        fired=telling.fired,
    )


def _spend(telling: Telling, message: Message, usd: Decimal) -> None:
    day = _day(telling, message)
    telling.costs[day] = telling.costs.get(day, ZERO) + usd


def _fired(message: EscalationTriggered) -> Fired:
    return Fired(
        day=message.day,
        trigger=message.trigger,
        call=message.call,
        granted=message.granted,
        reason=message.reason,
        observed=message.observed,
        limits=message.limits,
        calls_today=message.calls_today,
    )


def _stand(telling: Telling, message: TradingStateChanged) -> None:
    for day in message.kill_days:
        if day not in telling.killed:
            telling.killed[day] = KillDay(
                day=day, loss_pct=_loss_pct(telling.account, day), reason=message.reason
            )
    since = {"paper": message.paper_after, "quarantine": message.quarantined_since}
    for kind, first in since.items():
        if first is not None and kind not in telling.open:
            telling.open[kind] = _Open(since=first)
        elif first is None and (over := telling.open.pop(kind, None)) is not None:
            telling.spells.append(
                Spell(
                    kind=kind,
                    since=over.since,
                    until=_day(telling, message),
                    sessions=len(over.days),
                    ended_by=f"{message.author}: {message.reason}",
                )
            )


def _loss_pct(account: AccountUpdated | None, day: int) -> float:
    if account is None or account.day != day or not account.equity_at_day_start > ZERO:
        return 0.0
    return float(-account.day_pnl / account.equity_at_day_start * _PERCENT)


def _day(telling: Telling, message: Message) -> int:
    return trading_day(message.ts_event, telling.starts_at_utc_hour)


def _counted(names: Iterable[str]) -> dict[str, int]:
    return {str(name): count for name, count in sorted(Counter(names).items())}
