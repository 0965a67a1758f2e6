"""What a trading day came to, folded message by message.

Theory of operation. A message counts on the trading day of its own moment, so that a fill on the
first bar of a day is not yesterday's. A day is over when the first cadence of another passes, or
the replay ends. What an instrument brought is the change of all it has made so far, realised and at
its mark, since the day before ended.
"""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.model.equity import EquityMarks, loss_pct, trading_day
from interlock.model.position import Position
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated, DayLine, DaySummarised
from interlock.wire.base import Message, caused_id
from interlock.wire.orders import OrderDenied, OrderFilled, OrderIntent, SubmitOrder
from interlock.wire.policy import ProposalJudged, ProposalVerdict, TradingStateChanged
from interlock.wire.reasoning import EscalationTriggered, ReasonerFailed, Trigger
from interlock.wire.system import SafetyTripped, SwitchChanged

DAYS_OPEN = 4
_STEP = Decimal("1E-8")


@dataclass(slots=True)
class DayBook:
    """One day so far. `high` is its highest mark, `fall` the largest below it in percent.

    `realised` is what each position had realised at the last mark.
    """

    day: int
    account: AccountUpdated | None = None
    realised: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    fees_before: Decimal = ZERO
    high: Decimal = ZERO
    fall: Decimal = ZERO
    killed: bool = False
    counts: Counter[str] = field(default_factory=Counter[str])
    fills: Counter[str] = field(default_factory=Counter[str])
    winners: Counter[str] = field(default_factory=Counter[str])
    losers: Counter[str] = field(default_factory=Counter[str])
    denials: Counter[str] = field(default_factory=Counter[str])
    trips: Counter[str] = field(default_factory=Counter[str])
    failures: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class EndedDay:
    """A day that is over, with what each instrument brought on it."""

    book: DayBook
    lines: list[DayLine]


@dataclass(slots=True)
class Days:
    """The days that are not over, and the last that is.

    `told` is the day that was summarised last. `made` is what each instrument had made, and `fees`
    what had been paid, when the last day ended.
    """

    starts_at_utc_hour: int
    open: dict[int, DayBook] = field(default_factory=dict[int, DayBook])
    ended: EndedDay | None = None
    told: int | None = None
    made: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    fees: Decimal = ZERO

    def of(self, message: Message) -> DayBook:
        return self._book(trading_day(message.ts_event, self.starts_at_utc_hour))

    def note(self, message: Message) -> None:
        """Count what others have said."""
        match message:
            case OrderIntent():
                self.of(message).counts["intents"] += 1
            case SubmitOrder():
                self.of(message).counts["approvals"] += 1
            case OrderDenied():
                book = self.of(message)
                book.denials.update(failure.code for failure in message.failures)
            case ProposalJudged(verdict=ProposalVerdict.ACCEPTED):
                self.of(message).counts["proposals_applied"] += 1
            case ReasonerFailed():
                self.of(message).failures[message.reason] += 1
            case EscalationTriggered(granted=True) if message.trigger is not Trigger.POST_MORTEM:
                self.of(message).counts["escalations"] += 1
            case SafetyTripped():
                self.of(message).trips[message.code] += 1
            case SwitchChanged(pressed=True):
                self.of(message).trips[f"switch.{message.way}"] += 1
            case TradingStateChanged():
                for day in message.kill_days:
                    if day in self.open:
                        self.open[day].killed = True
            case _:
                pass

    def fill(self, fill: OrderFilled, before: Position, after: Position, profit: Decimal) -> None:
        """Count a fill; `profit` is that of the trade it closes, if it closes one."""
        book, name = self.of(fill), fill.instrument_id
        book.fills[name] += 1
        closes = before.quantity != ZERO and before.quantity * after.quantity <= ZERO
        if closes and profit > ZERO:
            book.winners[name] += 1
        elif closes and profit < ZERO:
            book.losers[name] += 1

    def mark(self, account: AccountUpdated, positions: dict[str, Position]) -> None:
        """Take the account of a cadence, and what each position has realised by then."""
        book = self._book(account.day)
        if book.account is None:
            book.high = account.equity_at_day_start
        book.account = account
        book.realised = {name: one.realised_pnl for name, one in positions.items()}
        book.counts["cadences"] += 1
        book.high = max(book.high, account.equity)
        book.fall = max(book.fall, loss_pct(account.equity, book.high))

    def end(self, before_day: int) -> None:
        """Close what was before a day; of several days the last that had an account is told."""
        over = [self.open.pop(day) for day in sorted(self.open) if day < before_day]
        marked = [book for book in over if book.account is not None]
        if marked:
            self.ended = self._ended(marked[-1])

    def end_all(self) -> None:
        """Close the day that runs: no more will come."""
        self.end(max(self.open, default=0) + 1)

    def _book(self, day: int) -> DayBook:
        book = self.open.get(day)
        if book is None:
            book = self.open[day] = DayBook(day)
            if len(self.open) > DAYS_OPEN:
                del self.open[min(self.open)]
        return book

    def _ended(self, book: DayBook) -> EndedDay:
        account = book.account
        assert account is not None
        at_mark = {one.instrument_id: one for one in account.positions}
        lines: list[DayLine] = []
        made: dict[str, Decimal] = {}
        for name in sorted({*book.realised, *at_mark}):
            position = at_mark.get(name)
            worth = ZERO if position is None else position.quantity * position.mark
            open_pnl = ZERO if position is None else position.unrealised_pnl
            made[name] = book.realised.get(name, ZERO) + open_pnl
            line = DayLine(
                instrument_id=name,
                pnl=_settled(made[name] - self.made.get(name, ZERO)),
                worth=_settled(worth),
                fills=book.fills[name],
                winners=book.winners[name],
                losers=book.losers[name],
            )
            if line.pnl or line.worth or line.fills:
                lines.append(line)
        book.fees_before = self.fees
        self.made, self.fees = made, account.fees
        return EndedDay(book, lines)


def profit_of(marks: EquityMarks, after: Position) -> Decimal:
    """Return what a position has realised since its last trade was closed."""
    return after.realised_pnl - marks.realised_before.get(after.instrument_id, ZERO)


def summary_of(ended: EndedDay, cause: Message) -> DaySummarised:
    """Return the day in figures, said because of `cause`."""
    book, account = ended.book, ended.book.account
    assert account is not None
    return DaySummarised(
        message_id=caused_id(cause, DaySummarised, book.day),
        decision_id=cause.decision_id,
        ts_event=account.ts_event,
        desk=account.desk,
        account=account.account,
        currency=account.currency,
        day=book.day,
        equity_at_day_start=account.equity_at_day_start,
        equity=account.equity,
        day_pnl=account.day_pnl,
        fees=_settled(account.fees - book.fees_before),
        drawdown_5d_pct=account.drawdown_5d_pct,
        max_drawdown_pct=float(round(book.fall, 6)),
        cadences=book.counts["cadences"],
        intents=book.counts["intents"],
        approvals=book.counts["approvals"],
        fills=book.fills.total(),
        killed=book.killed,
        escalations=book.counts["escalations"],
        proposals_applied=book.counts["proposals_applied"],
        instruments=ended.lines,
        denials_by_code=_by_name(book.denials),
        trips_by_code=_by_name(book.trips),
        failures=_by_name(book.failures),
    )


def _by_name(counts: Counter[str]) -> dict[str, int]:
    return {str(name): counts[name] for name in sorted(counts)}


def _settled(value: Decimal) -> Decimal:
    return value.quantize(_STEP) or ZERO
