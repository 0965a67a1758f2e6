"""What a trading day came to: told once, when it is over, whatever a restart does in between."""

from decimal import Decimal

import pytest
from interlock.ledger.config import LedgerConfig
from interlock.ledger.core import decide
from interlock.ledger.state import evolve, opening
from interlock.model.values import Side, Stage, TradingState
from interlock.testkit.desk_messages import (
    ACCOUNT,
    DAY,
    DESK,
    SECOND,
    START,
    bar,
    denied,
    fill,
    ids,
    intent,
    judged,
    tick,
)
from interlock.wire.accounts import AccountUpdated, DaySummarised
from interlock.wire.base import Message
from interlock.wire.market import ReplayCounts, ReplayFinished
from interlock.wire.policy import ProposalVerdict, TradingStateChanged
from interlock.wire.reasoning import (
    CallKind,
    EscalationTriggered,
    ReasonerFailed,
    ReasonerFailure,
    Trigger,
)
from interlock.wire.system import SafetyTripped, TripLevel

HOUR = 3_600 * SECOND
FREE = {"fee": Decimal(0)}


def fresh():
    return opening(ACCOUNT, "USD", START, LedgerConfig(), day_starts_at_utc_hour=0)


def hear(state, *messages):
    said = []
    for message in messages:
        evolve(state, message)
        for answer in decide(state, message, 0):
            if isinstance(answer, Message):
                evolve(state, answer)
                said.append(answer)
    return said


def summaries(said):
    return [one for one in said if isinstance(one, DaySummarised)]


def at(day, hours=0):
    return day * DAY + hours * HOUR


def cadence(n, day, hours=0, price=100.0, name="SPY"):
    """Return a bar and a tick at a moment."""
    return bar(n, price, name), tick(n, ts_event=at(day, hours))


def finished(day):
    return ReplayFinished(
        **ids("finished", day),
        ts_event=at(day),
        dataset="d",
        bars=ReplayCounts(read=1, published=1, dropped=0),
        ticks=1,
    )


def test_s3_10_a_day_is_told_when_the_next_begins_and_only_once():
    state = fresh()
    said = hear(state, *cadence(1, 5, 1), *cadence(2, 5, 2))
    assert summaries(said) == []
    (day,) = summaries(hear(state, *cadence(3, 6, 1)))
    assert (day.day, day.cadences, day.desk) == (5, 2, DESK)
    assert day.ts_event == at(5, 2)
    assert summaries(hear(state, *cadence(4, 6, 2))) == []
    assert [one.day for one in summaries(hear(state, *cadence(5, 9, 1)))] == [6]


def test_a_replays_end_tells_the_day_that_runs():
    state = fresh()
    hear(state, *cadence(1, 5, 1))
    assert [one.day for one in summaries(hear(state, finished(5)))] == [5]
    assert summaries(hear(state, finished(5))) == []
    assert summaries(hear(state, *cadence(2, 6))) == []
    assert [one.day for one in summaries(hear(state, *cadence(3, 7)))] == [6]


def test_what_each_instrument_brought_adds_up_to_the_day():
    state = fresh()
    hear(state, fill(1, Side.BUY, 10, 100, ts_event=at(5, 1)))
    hear(state, fill(2, Side.SELL, 5, 200, instrument_id="IBM", ts_event=at(5, 1), **FREE))
    hear(state, *cadence(1, 5, 1), *cadence(2, 5, 2, 110.0), *cadence(3, 5, 3, 190.0, "IBM"))
    (first,) = summaries(hear(state, *cadence(4, 6, 1, 120.0)))
    lines = {one.instrument_id: one for one in first.instruments}
    assert (lines["SPY"].pnl, lines["SPY"].worth) == (Decimal("99.5"), 1_100)
    assert (lines["IBM"].pnl, lines["IBM"].worth) == (50, -950)
    assert sum(one.pnl for one in first.instruments) == first.day_pnl + Decimal("-0.5")
    assert first.fees == Decimal("0.5")
    hear(state, fill(3, Side.SELL, 10, 90, ts_event=at(6, 2), **FREE), *cadence(5, 6, 3))
    (second,) = summaries(hear(state, *cadence(6, 7, 1)))
    lines = {one.instrument_id: one for one in second.instruments}
    assert (lines["SPY"].pnl, lines["SPY"].worth, lines["SPY"].losers) == (-200, 0, 1)
    assert second.day_pnl == sum(one.pnl for one in second.instruments) == -200
    assert second.fees == 0


def test_a_fill_on_the_first_bar_of_a_day_is_not_yesterdays():
    """A daily bar is lived through before its cadence passes."""
    state = fresh()
    hear(state, *cadence(1, 5, 16))
    hear(state, fill(1, Side.BUY, 10, 100, ts_event=at(6, 16), **FREE))
    (first,) = summaries(hear(state, *cadence(2, 6, 16, 90.0)))
    assert (first.fills, first.instruments) == (0, [])
    (second,) = summaries(hear(state, *cadence(3, 7, 16)))
    assert (second.fills, second.day_pnl) == (1, -100)


def test_closed_trades_are_winners_losers_or_neither():
    state = fresh()
    trades = [
        (Side.BUY, 10, 100), (Side.SELL, 5, 120), (Side.SELL, 5, 120),
        (Side.SELL, 10, 100), (Side.BUY, 20, 110),
        (Side.SELL, 10, 110),
    ]  # fmt: skip
    for n, (side, quantity, price) in enumerate(trades):
        hear(state, fill(n, side, quantity, price, ts_event=at(5, 1), **FREE))
    hear(state, *cadence(1, 5, 2))
    (day,) = summaries(hear(state, *cadence(2, 6)))
    (line,) = day.instruments
    assert (line.fills, line.winners, line.losers) == (6, 1, 1)


def test_everything_that_stood_in_the_way_is_counted():
    state = fresh()
    seconds = 5 * DAY // SECOND
    failed = ReasonerFailed(
        **ids("failed"), ts_event=at(5), reason=ReasonerFailure.TIMEOUT, detail="", provider="o",
        model="m", spent_usd=Decimal(0), latency_ns=1,
    )  # fmt: skip
    tripped = SafetyTripped(
        **ids("trip"), ts_event=at(5), service="gate", code="loss.day", level=TripLevel.HALT,
        observed="", limit="",
    )  # fmt: skip
    hear(state, intent(seconds), intent(seconds + 1), denied(seconds), denied(seconds + 1))
    hear(state, judged(seconds, ProposalVerdict.ACCEPTED), judged(seconds + 1), failed, tripped)
    hear(state, *cadence(1, 5, 1))
    (day,) = summaries(hear(state, *cadence(2, 6)))
    assert (day.intents, day.approvals, day.proposals_applied) == (2, 0, 1)
    assert day.denials_by_code == {"price.stale": 2, "size.notional": 2}
    assert (day.trips_by_code, day.failures) == ({"loss.day": 1}, {"timeout": 1})


def escalation(n, *, granted):
    return EscalationTriggered(
        **ids("escalation", n), ts_event=at(5, 1), trigger=Trigger.RISK,
        call=CallKind.REWARD_ENGINEER, observed={}, limits={}, granted=granted, reason="",
        calls_today=n, ts_desk=0,
    )  # fmt: skip


def test_s3_11_only_calls_that_were_granted_are_counted():
    state = fresh()
    hear(state, *cadence(1, 5, 1), *(escalation(n, granted=n < 3) for n in range(5)))
    (day,) = summaries(hear(state, *cadence(2, 6)))
    assert day.escalations == 3


def standing(n, kill_days):
    return TradingStateChanged(
        **ids("standing", n), ts_event=at(5), state=TradingState.HALTED, epoch=n, author="policy",
        reason="", stage=Stage.DEMO, kill_days=kill_days,
    )  # fmt: skip


@pytest.mark.parametrize(("kill_days", "killed"), [([5], True), ([4], False), ([], False)])
def test_a_day_on_which_the_kill_rule_fired_says_so(kill_days, killed):
    state = fresh()
    hear(state, *cadence(1, 5, 1), standing(1, kill_days))
    (day,) = summaries(hear(state, *cadence(2, 6)))
    assert day.killed is killed


def test_the_fall_within_a_day_counts_from_where_it_began():
    state = fresh()
    hear(state, fill(1, Side.BUY, 100, 100, ts_event=at(5, 1), **FREE), *cadence(1, 5, 1))
    marks = [90.0, 105.0, 99.0, 100.0]
    hear(state, *[one for n, price in enumerate(marks, 2) for one in cadence(n, 6, n, price)])
    (day,) = summaries(hear(state, *cadence(9, 7)))
    assert day.max_drawdown_pct == pytest.approx(100 / 30)
    assert day.equity_at_day_start == START


def test_a_restart_between_the_days_end_and_its_summary_tells_it_all_the_same():
    """Our own account was stored, the summary was not, and the cadence comes again."""
    heard = [fill(1, Side.BUY, 100, 100, ts_event=at(5, 1), **FREE), *cadence(1, 5, 1)]
    heard += [*cadence(2, 5, 2, 101.0), bar(3, 102.0)]
    last = tick(3, ts_event=at(6, 1))
    whole = fresh()
    before = hear(whole, *heard)
    said = hear(whole, last)
    (told,) = summaries(said)
    again = fresh()
    for message in [*heard, *before, *(one for one in said if isinstance(one, AccountUpdated))]:
        evolve(again, message)
    assert summaries(hear(again, last)) == [told]
    for message in (last, told):
        evolve(again, message)
    assert summaries(hear(again, tick(4, ts_event=at(6, 2)))) == []


def test_a_ledger_that_folds_its_past_stands_where_it_stood():
    state = fresh()
    messages = []
    for day in range(5, 9):
        messages += [fill(day, Side.BUY, 1, 100, ts_event=at(day, 1)), *cadence(day, day, 1)]
    everything = []
    for message in messages:
        everything += [message, *hear(state, message)]
    again = fresh()
    for message in everything:
        evolve(again, message)
    assert (again.days.told, again.days.made, again.days.open) == (
        state.days.told, state.days.made, state.days.open,
    )  # fmt: skip
