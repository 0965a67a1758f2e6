"""What the ledger says: each position after a fill, the account once a cadence, each day's end.

Each message goes into the journal before it goes onto the bus: nobody hears a number that the
journal could turn out not to have.
"""

from collections.abc import Sequence
from decimal import Decimal

from interlock.ledger.days import summary_of
from interlock.ledger.ports import WriteDown
from interlock.ledger.state import Applied, State, mark_of, realised_pnl
from interlock.model.position import Position
from interlock.model.values import ZERO
from interlock.wire.accounts import AccountUpdated, PositionChanged, PositionLine
from interlock.wire.base import Effect, Message, Report, caused_id
from interlock.wire.market import ClockTicked, ReplayFinished
from interlock.wire.orders import OrderFilled

_STEP = Decimal("1E-8")


def decide(state: State, heard: Message | Report, _now: int) -> Sequence[Message | Effect]:
    match heard:
        case ClockTicked():
            return (*_written_first(_account(state, heard)), *_day_over(state, heard))
        case ReplayFinished():
            return _day_over(state, heard)
        case OrderFilled():
            applied = state.trades.get(heard.trade_id)
            if applied is None or applied.message_id != heard.message_id:
                return ()
            return _written_first(_position(heard, applied))
        case _:
            return ()


def _day_over(state: State, cause: Message) -> Sequence[Message | Effect]:
    """Tell of the last day that is over, once."""
    ended = state.days.ended
    if ended is None or ended.book.day == state.days.told:
        return ()
    return _written_first(summary_of(ended, cause))


def _written_first(message: Message) -> Sequence[Message | Effect]:
    return (WriteDown(message=message), message)


def settle(value: Decimal) -> Decimal:
    """Return `value` on steps of 1e-8, zero always written alike, so that bytes are stable."""
    return value.quantize(_STEP) or ZERO


def _position(fill: OrderFilled, applied: Applied) -> PositionChanged:
    before, after = applied.before, applied.after
    reduced = before.quantity * fill.side.sign < 0
    return PositionChanged(
        message_id=caused_id(fill, PositionChanged),
        decision_id=fill.decision_id,
        ts_event=fill.ts_event,
        desk=fill.desk,
        account=fill.account,
        instrument_id=fill.instrument_id,
        trade_id=fill.trade_id,
        intent_id=fill.intent_id,
        entry_px=settle(before.avg_px if reduced else fill.avg_px),
        exit_px=settle(fill.avg_px) if reduced else None,
        quantity=settle(after.quantity),
        avg_px=settle(after.avg_px),
        realised_pnl=settle(after.realised_pnl),
    )


def _account(state: State, tick: ClockTicked) -> AccountUpdated:
    held = [position for position in state.positions.values() if position.quantity]
    lines = [_line(state, position) for position in held]
    equity, marks = settle(state.equity), state.equity_marks
    unrealised = sum((p.unrealised_pnl(mark_of(state, p)) for p in held), ZERO)
    return AccountUpdated(
        message_id=caused_id(tick, AccountUpdated, state.account),
        decision_id=tick.decision_id,
        ts_event=tick.ts_event,
        desk=tick.desk,
        account=state.account,
        currency=state.currency,
        equity=equity,
        cash=settle(state.cash),
        realised_pnl=settle(realised_pnl(state)),
        unrealised_pnl=settle(unrealised),
        fees=settle(state.fees),
        day_pnl=settle(marks.day_pnl),
        window_pnl=settle(state.equity - state.curve[0][1]),
        equity_at_day_start=settle(marks.equity_at_day_start),
        positions=lines,
        ts_desk=tick.ts_desk,
        day=marks.day or 0,
        week_pnl=settle(marks.week_pnl),
        equity_at_week_start=settle(marks.equity_at_week_start),
        drawdown_5d_pct=float(marks.drawdown_pct),
        losses_in_row=marks.losses_in_row,
    )


def _line(state: State, position: Position) -> PositionLine:
    mark = mark_of(state, position)
    return PositionLine(
        instrument_id=position.instrument_id,
        quantity=settle(position.quantity),
        avg_px=settle(position.avg_px),
        mark=settle(mark),
        unrealised_pnl=settle(position.unrealised_pnl(mark)),
    )
