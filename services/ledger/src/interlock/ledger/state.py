"""The desk's book: what it holds, what that is worth, and what was proposed and judged."""

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite

from msgspec import Struct

from interlock.ledger.config import LedgerConfig
from interlock.ledger.days import Days, profit_of
from interlock.ledger.summary import Tally, count
from interlock.model.equity import DAY_STARTS_AT_UTC_HOUR, EquityMarks, trading_day
from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.position import Position, apply_fill
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated, DaySummarised
from interlock.wire.base import Message, Report
from interlock.wire.market import Bar, ClockTicked, FeaturesComputed, ReplayFinished
from interlock.wire.orders import OrderFilled
from interlock.wire.policy import ProposalJudged


class Applied(Struct, frozen=True):
    """What one trade did: the fill that told of it first, and the position around it."""

    message_id: str
    before: Position
    after: Position


@dataclass(slots=True, kw_only=True)
class State:
    """The book of one account.

    `trades` has every trade id ever applied, so that no fill counts twice. `curve` holds
    (desk time in ns, equity) over the loss window, and one sample before it. `equity_marks` are
    those of the trading day, the week and the last five days; `days` are what each came to.
    """

    account: str
    currency: str
    config: LedgerConfig
    start: Decimal
    cash: Decimal
    equity: Decimal
    fees: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict[str, Position])
    trades: dict[str, Applied] = field(default_factory=dict[str, Applied])
    marks: dict[str, float] = field(default_factory=dict[str, float])
    curve: deque[tuple[int, Decimal]] = field(default_factory=deque[tuple[int, Decimal]])
    day_starts_at_utc_hour: int = DAY_STARTS_AT_UTC_HOUR
    equity_marks: EquityMarks = field(default_factory=lambda: EquityMarks(equity=ZERO))
    audit: deque[ProposalJudged] = field(default_factory=deque[ProposalJudged])
    tally: Tally = field(default_factory=Tally)
    days: Days = field(default_factory=lambda: Days(DAY_STARTS_AT_UTC_HOUR))


def opening(
    account: str,
    currency: str,
    start: Decimal,
    config: LedgerConfig,
    day_starts_at_utc_hour: int = DAY_STARTS_AT_UTC_HOUR,
) -> State:
    """Return the book before its first message, with `start` in cash."""
    return State(
        account=account,
        currency=currency,
        config=config,
        start=start,
        cash=start,
        equity=start,
        day_starts_at_utc_hour=day_starts_at_utc_hour,
        audit=deque(maxlen=config.audit_rows_kept),
        days=Days(day_starts_at_utc_hour),
    )


def evolve(state: State, heard: Message | Report) -> State:
    if isinstance(heard, Report):
        return state
    count(state.tally, heard)
    match heard:
        case Bar():
            # A price that is no price would turn the whole account into no number.
            if isfinite(heard.close) and heard.close > 0:
                state.marks[heard.instrument_id] = heard.close
        case ClockTicked():
            _mark(state, heard)
        case OrderFilled():
            _fill(state, heard)
        case AccountUpdated():
            state.days.mark(heard, state.positions)
        case DaySummarised():
            state.days.told = heard.day
        case ReplayFinished():
            state.days.end_all()
        case FeaturesComputed():
            pass
        case _:
            if isinstance(heard, ProposalJudged):
                state.audit.append(heard)
            state.days.note(heard)
    return state


def _fill(state: State, fill: OrderFilled) -> None:
    if fill.trade_id in state.trades or fill.account != state.account:
        return
    name = fill.instrument_id
    before = state.positions.get(name) or Position(instrument_id=name)
    after = apply_fill(before, fill.side, fill.last_qty, fill.last_px, fill.fee)
    state.positions[name] = after
    state.days.fill(fill, before, after, profit_of(state.equity_marks, after))
    state.equity_marks.fill(before, after)
    state.trades[fill.trade_id] = Applied(fill.message_id, before, after)
    state.cash -= fill.last_qty * fill.last_px * fill.side.sign + fill.fee
    state.fees += fill.fee


def mark_of(state: State, position: Position) -> Decimal:
    """Return the last close, or, before any bar, what the position was bought for."""
    close = state.marks.get(position.instrument_id)
    return position.avg_px if close is None else Decimal(repr(close))


def realised_pnl(state: State) -> Decimal:
    """Return what all positions have realised, fees included."""
    return sum((position.realised_pnl for position in state.positions.values()), ZERO)


def _mark(state: State, tick: ClockTicked) -> None:
    worth = [
        position.quantity * mark_of(state, position)
        for position in state.positions.values()
        if position.quantity
    ]
    state.equity = state.cash + sum(worth, ZERO)
    day = trading_day(tick.ts_event, state.day_starts_at_utc_hour)
    if state.equity_marks.mark(day, state.equity):
        state.days.end(day)
    curve = state.curve
    if curve and tick.ts_desk < curve[-1][0]:
        curve.clear()  # desk time went back: another replay has begun
    curve.append((tick.ts_desk, state.equity))
    window_start = tick.ts_desk - state.config.loss_window_seconds * NANOS_PER_SECOND
    while len(curve) > 1 and curve[1][0] <= window_start:
        curve.popleft()
