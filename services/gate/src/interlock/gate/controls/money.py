"""What may be lost, what may be spent, and what an intent must promise."""

from decimal import Decimal
from math import isfinite

from interlock.gate.case import NOT_CONFIGURED, UNKNOWN, Case, fail
from interlock.gate.controls.control import DESK, FIA, SEC, Control, Level
from interlock.model.equity import loss_pct
from interlock.model.values import ZERO, Side
from interlock.wire.orders import ControlFailure


def account(case: Case) -> ControlFailure | None:
    book = case.book
    if book.unknown:
        return fail("loss.account", book.unknown, "a known account")
    if book.exposures.unmarked:
        names = ", ".join(book.exposures.unmarked)
        return fail("loss.account", f"no price of {names}", "a known account")
    if book.marks.day is None:
        return fail("loss.account", "no trading day yet", "a known account")
    return None


def day(case: Case) -> ControlFailure | None:
    limit, floor = case.config.max_daily_loss_pct, case.state.caps.day_floor
    return _above("loss.day", case, limit, floor, case.book.marks.equity_at_day_start)


def week(case: Case) -> ControlFailure | None:
    limit, floor = case.config.max_weekly_loss_pct, case.state.caps.week_floor
    return _above("loss.week", case, limit, floor, case.book.marks.equity_at_week_start)


def drawdown(case: Case) -> ControlFailure | None:
    limit, floor = case.config.max_drawdown_5d_pct, case.state.caps.drawdown_floor
    return _above("loss.drawdown", case, limit, floor, case.book.marks.high)


def _above(
    code: str, case: Case, limit: Decimal | None, floor: Decimal | None, before: Decimal
) -> ControlFailure | None:
    if limit is None:
        return fail(code, UNKNOWN, NOT_CONFIGURED)
    if floor is None or case.book.equity >= floor:
        return None
    return fail(code, f"{loss_pct(case.book.equity, before):.4f} %", f"{limit} %")


def in_row(case: Case) -> ControlFailure | None:
    limit = case.config.max_consecutive_losses
    if limit is None:
        return fail("loss.in_row", UNKNOWN, NOT_CONFIGURED)
    made = case.book.marks.losses_in_row
    return None if made < limit else fail("loss.in_row", made, f"fewer than {limit}")


def buying_power(case: Case) -> ControlFailure | None:
    limit = case.config.min_cash
    if limit is None or case.config.fee_bps is None:
        return fail("cash.power", UNKNOWN, NOT_CONFIGURED)
    if case.quantity is None or case.cost is None:
        return None
    left = case.book.buying_power - _claim(case, case.cost)
    return None if left >= limit else fail("cash.power", left, f"at least {limit}")


def _claim(case: Case, cost: Decimal) -> Decimal:
    """Return what the order may take of the cash: its cost, or what it leaves short; and fees."""
    fee = cost * (case.book.with_fee - 1)
    if case.intent.side is Side.BUY:
        return cost + fee
    assert case.quantity is not None
    owed = case.line.selling - case.line.held
    short = max(owed + case.quantity, ZERO) - max(owed, ZERO)
    return cost * short / case.quantity + fee if short else fee


def day_notional(case: Case) -> ControlFailure | None:
    limit = case.config.max_day_notional
    if limit is None:
        return fail("cash.day", UNKNOWN, NOT_CONFIGURED)
    if case.cost is None:
        return None
    total = case.book.day_notional + case.cost
    return None if total <= limit else fail("cash.day", total, limit)


def p_win(case: Case) -> ControlFailure | None:
    edge, claimed = case.config.edge, case.intent.p_win
    if edge is None:
        return _unasked("edge.p_win", claimed)
    if claimed is not None and edge.min_p_win <= claimed <= 1:
        return None
    return fail("edge.p_win", _or_none(claimed), f"{edge.min_p_win} to 1")


def reward_risk(case: Case) -> ControlFailure | None:
    edge, claimed = case.config.edge, case.intent.reward_risk
    if edge is None:
        return _unasked("edge.reward_risk", claimed)
    if claimed is not None and isfinite(claimed) and claimed >= edge.min_reward_risk:
        return None
    return fail("edge.reward_risk", _or_none(claimed), f"at least {edge.min_reward_risk}")


def expected_value(case: Case) -> ControlFailure | None:
    edge, claimed = case.config.edge, case.intent.expected_value_pct
    if edge is None:
        return _unasked("edge.expected_value", claimed)
    least = edge.min_expected_value_pct
    if claimed is not None and isfinite(claimed) and claimed >= least:
        return None
    return fail("edge.expected_value", _or_none(claimed), f"at least {least} %")


def _unasked(code: str, claimed: float | None) -> ControlFailure | None:
    """A claim that the desk has no limit for is held against no limit: it denies."""
    return None if claimed is None else fail(code, claimed, NOT_CONFIGURED)


def _or_none(claimed: float | None) -> object:
    return "none" if claimed is None else claimed


CONTROLS = (
    Control("loss.account", "cash, positions and their prices are known", "state", SEC, account),
    Control("loss.day", "loss since the day's first mark", "percent", DESK, day, Level.REDUCE),
    Control("loss.week", "loss since the week's first mark", "percent", DESK, week, Level.REDUCE),
    Control(
        "loss.drawdown",
        "fall from the highest mark of five trading days",
        "percent",
        DESK,
        drawdown,
        Level.REDUCE,
    ),
    Control(
        "loss.in_row",
        "closed trades of the day that lost, in a row",
        "count",
        FIA,
        in_row,
        Level.REDUCE,
    ),
    Control(
        "cash.power",
        "cash left when all open orders fill at their worst price",
        "currency",
        SEC,
        buying_power,
    ),
    Control("cash.day", "money in all approvals of the day", "currency", SEC, day_notional),
    Control("edge.p_win", "the claimed probability to win", "0 to 1", DESK, p_win),
    Control("edge.reward_risk", "the claimed reward for the risk", "ratio", DESK, reward_risk),
    Control("edge.expected_value", "the claimed expected value", "percent", DESK, expected_value),
)
