"""What a desk has shown at its stage, session by session, and whether that is enough to go on."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import fmean

from msgspec import Struct

from interlock.model.performance import sharpe
from interlock.model.values import ZERO
from interlock.policy.config import PromotionRule
from interlock.wire.accounts import AccountUpdated

SESSIONS_KEPT = 260
_PERCENT = 100


@dataclass(slots=True, kw_only=True)
class Session:
    """One trading day. `fall` is its largest drawdown as a fraction; `held` whether no gate broke.

    Equity that is no number breaks a session: nothing can be shown with it.
    """

    day: int
    opened: Decimal
    closed: Decimal
    high: Decimal
    low: Decimal
    fall: float = 0.0
    held: bool = True
    escalations: int = 0

    def mark(self, equity: Decimal) -> None:
        if not equity.is_finite() or equity <= ZERO:
            self.held = False
            return
        self.closed = equity
        self.high, self.low = max(self.high, equity), min(self.low, equity)
        self.fall = max(self.fall, float(1 - equity / self.high))

    @property
    def result(self) -> float:
        return float(self.closed) / float(self.opened) - 1


@dataclass(slots=True)
class Evidence:
    """The last sessions, oldest first; the last of them is not over."""

    sessions: deque[Session] = field(default_factory=lambda: deque[Session](maxlen=SESSIONS_KEPT))

    def mark(self, account: AccountUpdated) -> None:
        """Take the account of a cadence; a day that goes back is no new session."""
        if not self.sessions or account.day > self.sessions[-1].day:
            start = account.equity_at_day_start
            usable = start.is_finite() and start > ZERO
            start = start if usable else Decimal(1)
            self.sessions.append(
                Session(
                    day=account.day, opened=start, closed=start, high=start, low=start, held=usable
                )
            )
        if account.day == self.sessions[-1].day:
            self.sessions[-1].mark(account.equity)

    def broke(self) -> None:
        """Note that a gate did not hold in the session that runs."""
        if self.sessions:
            self.sessions[-1].held = False

    def killed(self, days: Iterable[int]) -> None:
        for session in self.sessions:
            if session.day in days:
                session.held = False

    def escalated(self) -> None:
        if self.sessions:
            self.sessions[-1].escalations += 1


class Criterion(Struct, frozen=True, kw_only=True):
    """One thing that a promotion needs, with what was seen of it."""

    name: str
    observed: str
    needed: str
    holds: bool


def criteria(
    evidence: Evidence, rule: PromotionRule, stage_since: int | None
) -> Sequence[Criterion]:
    """Return every criterion of a promotion, held against the last sessions in a row that held.

    Only whole sessions count, and only those after the day on which the desk came to its stage:
    what was shown on paper says nothing about the stage after the next.
    """
    run = _held_in_a_row(evidence, stage_since)
    enough = len(run) >= rule.sessions
    ratio = sharpe([one.result for one in run], rule.sessions_per_year)
    fall_pct = _PERCENT * drawdown(run)
    a_day = fmean(one.escalations for one in run) if run else 0.0
    return (
        Criterion(
            name="sessions",
            observed=f"{len(run)} in a row with every gate held and no kill",
            needed=f"{rule.sessions}",
            holds=enough,
        ),
        Criterion(
            name="sharpe",
            observed="not known" if ratio is None else f"{ratio:.2f}",
            needed=f"above {rule.sharpe_above:g}",
            holds=enough and ratio is not None and ratio > rule.sharpe_above,
        ),
        Criterion(
            name="drawdown",
            observed=f"{fall_pct:.2f} %",
            needed=f"below {rule.drawdown_below_pct:g} %",
            holds=enough and fall_pct < rule.drawdown_below_pct,
        ),
        Criterion(
            name="escalations",
            observed=f"{a_day:.2f} a day",
            needed=f"below {rule.escalations_below_per_day:g} a day",
            holds=enough and a_day < rule.escalations_below_per_day,
        ),
    )


def _held_in_a_row(evidence: Evidence, stage_since: int | None) -> list[Session]:
    whole = list(evidence.sessions)[:-1]
    run: list[Session] = []
    for one in reversed(whole):
        if not one.held or (stage_since is not None and one.day <= stage_since):
            break
        run.append(one)
    return run[::-1]


def drawdown(sessions: Sequence[Session]) -> float:
    """Return the largest fall from a high before it, as a fraction of that high.

    Only a low that can be deeper than the deepest is divided: this is asked for each day anew.
    """
    worst, peak, floor = 0.0, ZERO, ZERO
    for one in sessions:
        if one.low <= floor:
            worst = max(worst, float(1 - one.low / peak))
        if one.fall > worst or one.high > peak:
            worst, peak = max(worst, one.fall), max(peak, one.high)
            floor = peak * (1 - Decimal(worst))
    return worst
