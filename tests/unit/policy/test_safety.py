"""What halts a desk by itself, and what ends it: trips, the switch, kill days, quarantine."""

from decimal import Decimal

import msgspec
import pytest
from interlock.model.trading import Standing
from interlock.model.values import TradingState
from interlock.policy.config import KillRule, PolicyConfig
from interlock.testkit.cells import begin, react
from interlock.testkit.decisions import reconciled
from interlock.wire.policy import (
    ClearQuarantine,
    EnableStrategy,
    ForceDemo,
    HaltTrading,
    ResumeTrading,
    TradingStateChanged,
)
from interlock.wire.system import TripLevel

from tests.unit.policy.policy_cells import (
    alerts,
    command,
    config,
    fresh_cell,
    of,
    on_day,
    policy_cell,
    refusal_of,
    sane,
    say,
    switched,
    trading_after,
    tripped,
)

S, ACTIVE, HALTED = Standing, TradingState.ACTIVE, TradingState.HALTED
LOSS = "-750"  # 2.5 % of 30,000


def quiet(cell, *days):
    """Let days pass without a loss; return the last trading state that was said."""
    said = [one for day in days for one in of(TradingStateChanged, say(cell, on_day(day)))]
    return said[-1] if said else None


def killed(cell, *days):
    """Let each day lose as much as the rule allows at most; return what the last one said."""
    said = []
    for day in days:
        quiet(cell, day)
        said = say(cell, on_day(day, LOSS, second=7_200))
    return said


# Starting.


def test_a_desk_starts_halted_and_is_active_once_its_book_equals_the_venues():
    cell = fresh_cell()
    begin(cell, 0)
    first = cell.state.trading
    assert (first.state, first.standing, first.epoch) == (HALTED, S.STARTING, 1)
    active = trading_after(cell, reconciled())
    assert (active.state, active.standing, active.epoch) == (ACTIVE, S.ACTIVE, 2)


def test_a_break_lets_nobody_start_and_no_person_resume():
    cell = fresh_cell()
    begin(cell, 0)
    assert say(cell, reconciled(["SPY: 10 here, 0 there"])) == []
    assert refusal_of(cell, command(ResumeTrading)) == "state.not_reconciled"


def test_i13_only_a_break_of_the_account_keeps_a_desk_from_starting():
    cell = fresh_cell()
    begin(cell, 0)
    named = msgspec.structs.replace(reconciled(["SPY: 10 here, 0 there"]), instruments=["SPY"])
    of_account = msgspec.structs.replace(
        named, account_breaks=["cash"], message_id="of the account"
    )
    assert say(cell, of_account) == []
    change = trading_after(cell, named)
    assert change.state is ACTIVE
    assert "breaks in SPY" in change.reason


def cash_break(**more):
    text = "cash USD: ours 100, theirs 600"
    fields = {"account_breaks": [text], "cash_breaks": {"USD": Decimal(500)}} | more
    return msgspec.structs.replace(reconciled([text]), **fields)


def test_a_person_may_resume_where_nothing_but_cash_differs_which_exec_then_takes_over():
    cell = policy_cell()
    say(cell, cash_break())
    assert trading_after(cell, command(ResumeTrading)).state is ACTIVE
    say(cell, cash_break(account_breaks=["cash USD: ours 100, theirs 600", "order x"]))
    assert refusal_of(cell, command(ResumeTrading, "bob")) == "state.not_reconciled"


def test_a_desk_that_starts_with_a_break_of_cash_starts_once_it_is_taken_over():
    cell = fresh_cell()
    begin(cell, 0)
    assert say(cell, cash_break()) == []
    (refused,) = say(cell, command(ResumeTrading))
    assert "once exec has taken over the venue's cash" in refused.reason
    taken = msgspec.structs.replace(reconciled(), cash={"USD": Decimal(600)}, message_id="taken")
    assert trading_after(cell, taken).state is ACTIVE


def test_another_accounts_reconciliation_starts_nothing():
    cell = fresh_cell(account="other")
    begin(cell, 0)
    assert say(cell, reconciled()) == []
    assert cell.state.trading.state is HALTED


def test_a_desk_that_was_reconciled_before_policy_died_starts_at_the_restart():
    first = fresh_cell()
    said = begin(first, 0)
    again = fresh_cell()
    for message in said:
        again.recover(message, own=True)
    again.recover(reconciled(), own=False)
    (active,) = begin(again, 0)
    assert (active.state, active.epoch) == (ACTIVE, 2)


# Trips and the switch.


@pytest.mark.parametrize(
    "message",
    [command(HaltTrading), tripped(TripLevel.HALT), switched("file"), switched("silence")],
)
def test_i7_a_halt_ends_with_a_named_persons_resume_only(message):
    cell = policy_cell()
    halted = trading_after(cell, message)
    assert (halted.state, halted.standing) == (HALTED, S.HALTED)
    assert (halted.cancel_orders, halted.flatten) == (True, False)
    assert quiet(cell, *range(1, 30)) is None
    assert say(cell, reconciled()) == []
    assert say(cell, switched(pressed=False)) == []
    assert refusal_of(cell, command(ResumeTrading, " ")) == "command.unnamed"
    assert cell.state.trading.state is HALTED
    assert trading_after(cell, command(ResumeTrading)).state is ACTIVE


def test_a_trip_is_told_with_its_numbers_and_after_the_halt_itself():
    said = say(policy_cell(), tripped())
    assert [type(one).__name__ for one in said] == ["TradingStateChanged", "AlertRaised"]
    trading, alert = said
    assert trading.author == "gate"
    assert trading.reason == "loss.day: -2.6 %, the limit is -2.5 %"
    assert (alert.code, alert.severity) == ("tripped.halt", "critical")
    assert trading.reason in alert.text


def test_i7_what_exec_pressed_because_policy_said_so_does_not_halt_a_second_time():
    cell = policy_cell()
    killed(cell, 5)
    assert say(cell, switched("rule")) == []
    assert cell.state.trading.standing is S.HALTED_FOR_DAY
    assert trading_after(cell, switched("file")).standing is S.HALTED


def test_i7_a_switch_that_is_pressed_while_policy_thinks_it_active_halts_whatever_the_way():
    for way in ("file", "silence", "command", "rule", "something new"):
        assert trading_after(policy_cell(), switched(way)).state is HALTED


def test_a_desk_that_is_reduced_waits_for_the_next_day_and_for_its_cool_down():
    cell = policy_cell(config(cool_down_seconds=7_200))
    quiet(cell, 5)
    reduced = trading_after(cell, tripped(TripLevel.REDUCE))
    assert (reduced.state, reduced.standing) == (TradingState.REDUCE_ONLY, S.REDUCED)
    assert not reduced.cancel_orders
    assert say(cell, on_day(5, second=80_000)) == []
    late = policy_cell(config(cool_down_seconds=7_200))
    say(late, on_day(5, second=86_000))
    trading_after(late, tripped(TripLevel.REDUCE))
    assert say(late, on_day(6, second=6_000)) == []
    assert trading_after(late, on_day(6, second=6_801)).state is ACTIVE
    assert trading_after(cell, on_day(6)).state is ACTIVE


def test_a_second_trip_begins_the_cool_down_anew():
    cell = policy_cell(config(cool_down_seconds=7_200))
    say(cell, on_day(5, second=80_000))
    trading_after(cell, tripped(TripLevel.REDUCE))
    say(cell, on_day(5, second=86_000))
    assert trading_after(cell, tripped(TripLevel.REDUCE, 2)).since_ts_desk > 0
    assert say(cell, on_day(6, second=6_000)) == []
    assert trading_after(cell, on_day(6, second=6_800)).state is ACTIVE


def test_a_trip_before_the_first_account_does_not_end_with_the_day_that_may_be_its_own():
    cell = policy_cell()
    trading_after(cell, tripped(TripLevel.REDUCE))
    assert quiet(cell, 5) is None
    assert quiet(cell, 6).state is ACTIVE


def test_i8_a_disabled_strategy_is_enabled_by_a_named_person_only():
    cell = policy_cell()
    disabled = trading_after(cell, tripped(TripLevel.DISABLE, about="threshold"))
    assert (disabled.state, disabled.disabled) == (ACTIVE, ["threshold"])
    assert say(cell, tripped(TripLevel.DISABLE, 2, about="threshold")) == []
    killed(cell, 5, 7)
    quiet(cell, *range(8, 40))
    trading_after(cell, command(ResumeTrading))
    assert cell.state.trading.disabled == ["threshold"]
    assert refusal_of(cell, command(EnableStrategy, "")) == "command.unnamed"
    assert refusal_of(cell, command(EnableStrategy, strategy="other")) == "strategy.not_disabled"
    assert trading_after(cell, command(EnableStrategy)).disabled == []


@pytest.mark.parametrize("about", ["", "  "])
def test_i9_a_strategy_without_a_name_could_be_any_so_all_are_halted(about):
    halted = trading_after(policy_cell(), tripped(TripLevel.DISABLE, about=about))
    assert (halted.state, halted.disabled) == (HALTED, [])


# The kill rule.


@pytest.mark.parametrize(
    ("pnl", "fires"), [("-749.99", False), ("-750.00", True), ("-750.01", True), ("750", False)]
)
def test_the_kill_rule_fires_from_the_first_cent(pnl, fires):
    cell = policy_cell()
    quiet(cell, 5)
    said = say(cell, on_day(5, pnl))
    if not fires:
        assert said == []
        return
    (halted,) = of(TradingStateChanged, said)
    assert (halted.state, halted.standing) == (HALTED, S.HALTED_FOR_DAY)
    assert (halted.cancel_orders, halted.flatten, halted.kill_days) == (True, True, [5])
    assert (halted.author, halted.demo_only) == ("policy", True)
    assert alerts(said) == ["kill.day"]
    assert f"{pnl} USD (-2.50 %)" in halted.reason


def test_the_first_word_of_a_day_can_end_it():
    cell = policy_cell()
    halted = trading_after(cell, on_day(5, "-9000"))
    assert (halted.standing, halted.kill_days) == (S.HALTED_FOR_DAY, [5])
    again = trading_after(cell, on_day(6, "-9000"))
    assert (again.standing, again.kill_days) == (S.HALTED_FOR_DAY, [5, 6])


def test_i5_a_kill_day_is_counted_once():
    cell = policy_cell()
    killed(cell, 5)
    for second in (8_000, 9_000, 10_000):
        assert say(cell, on_day(5, "-20000", second=second)) == []
    assert cell.state.trading.kill_days == [5]


def test_a_kill_day_ends_with_the_next_one_which_is_on_paper():
    cell = policy_cell()
    trading_after(cell, command(ForceDemo))
    trading_after(cell, command(ResumeTrading))
    killed(cell, 5)
    following = quiet(cell, 6)
    assert (following.standing, following.paper_after, following.demo_only) == (S.ACTIVE, 5, True)
    assert not following.flatten
    over = quiet(cell, 7)
    assert (over.standing, over.paper_after) == (S.ACTIVE, None)


def test_a_person_cannot_trade_on_after_a_kill_rule_but_may_override_the_day_on_paper():
    cell = policy_cell()
    killed(cell, 5)
    assert refusal_of(cell, command(ResumeTrading)) == "state.kill_day"
    trading_after(cell, command(HaltTrading))
    back = trading_after(cell, command(ResumeTrading, n=2))
    assert (back.standing, back.state, back.paper_after) == (S.HALTED_FOR_DAY, HALTED, 5)
    quiet(cell, 6)
    assert trading_after(cell, command(ResumeTrading, n=3)).paper_after is None


def test_i7_a_kill_day_does_not_take_a_halt_out_of_a_persons_hands():
    cell = policy_cell()
    quiet(cell, 5)
    trading_after(cell, command(HaltTrading))
    halted = trading_after(cell, on_day(5, LOSS))
    assert (halted.standing, halted.flatten, halted.kill_days) == (S.HALTED, True, [5])
    assert quiet(cell, 6, 7).standing is S.HALTED
    assert cell.state.trading.flatten, "what is still held is still to be closed"


@pytest.mark.parametrize("day", [4, -1, 0])
def test_a_day_that_goes_back_is_not_counted_and_begins_nothing(day):
    cell = policy_cell()
    killed(cell, 5)
    assert say(cell, on_day(day, second=0)) == []
    assert cell.state.trading.standing is S.HALTED_FOR_DAY
    assert cell.state.days == [5]


def test_i9_a_loss_on_a_day_that_went_back_is_halted_for_a_person_to_look_at():
    cell = policy_cell()
    quiet(cell, 5)
    halted = trading_after(cell, on_day(4, LOSS))
    assert (halted.standing, halted.kill_days, halted.flatten) == (S.HALTED, [], False)


@pytest.mark.parametrize(
    "broken",
    [
        {"day_pnl": Decimal("NaN")},
        {"day_pnl": Decimal("-Infinity")},
        {"day_pnl": Decimal("sNaN")},
        {"equity_at_day_start": Decimal("NaN")},
        {"equity_at_day_start": Decimal("Infinity")},
        {"equity_at_day_start": Decimal(0)},
        {"equity_at_day_start": Decimal(-1)},
        {"equity": Decimal("NaN")},
    ],
)
def test_i9_an_account_without_numbers_halts_and_sells_nothing(broken):
    cell = policy_cell()
    said = say(cell, on_day(5, **broken))
    (halted,) = of(TradingStateChanged, said)
    assert (halted.standing, halted.cancel_orders, halted.flatten) == (S.HALTED, True, False)
    assert halted.kill_days == []
    assert alerts(said) == ["account.unknown"]
    assert say(cell, on_day(5, second=5_000, **broken)) == []


def test_another_accounts_loss_is_not_ours():
    assert say(policy_cell(), on_day(5, "-9000", account="other")) == []


# Quarantine.


def test_s3_8_the_third_kill_day_in_ten_sessions_begins_a_quarantine():
    cell = policy_cell()
    said = killed(cell, 5, 8, 14)
    (halted,) = of(TradingStateChanged, said)
    assert (halted.kill_days, halted.quarantined_since) == ([5, 8, 14], 14)
    assert (halted.quarantined_until, halted.demo_only) == (22, True)
    assert alerts(said) == ["kill.day", "quarantine.begun"]
    assert "3 kill days in 10 sessions, on paper for 7 trading days" in halted.reason


def test_a_kill_day_of_the_tenth_session_before_counts_and_one_of_the_eleventh_does_not():
    cell = policy_cell()
    killed(cell, 1, 2)
    quiet(cell, *range(3, 10))
    assert trading_after(cell, on_day(10, LOSS)).quarantined_since == 10
    cell = policy_cell()
    killed(cell, 1, 2)
    quiet(cell, *range(3, 11))
    late = trading_after(cell, on_day(11, LOSS))
    assert (late.kill_days, late.quarantined_since) == ([2, 11], None)


def test_days_without_a_session_make_no_window_pass():
    """Weekends and holidays are not counted: three kill days a month apart may be neighbours."""
    cell = policy_cell()
    killed(cell, 10, 40)
    assert of(TradingStateChanged, killed(cell, 70))[0].quarantined_since == 70


def test_i8_a_quarantine_lasts_seven_trading_days():
    cell = policy_cell()
    killed(cell, 5, 6, 7)
    for day in (8, 9, 12, 13, 14, 15, 16):
        quiet(cell, day)
        assert (cell.state.trading.demo_only, cell.state.trading.state) == (True, ACTIVE), day
        assert cell.state.trading.quarantined_since == 7
    over = quiet(cell, 19)
    assert (over.quarantined_since, over.quarantined_until, over.quarantined_at) == (None, 0, 0)
    assert over.reason == "the quarantine of 7 trading days is over"


def test_i8_a_resume_does_not_end_a_quarantine():
    cell = policy_cell()
    killed(cell, 5, 6, 7)
    quiet(cell, 8)
    resumed = trading_after(cell, command(ResumeTrading))
    assert (resumed.quarantined_since, resumed.demo_only) == (7, True)


def test_i8_a_quarantine_ends_early_with_a_judge_and_a_named_person():
    cell = policy_cell()
    early = sane(7 * 86_400)
    say(cell, early)
    killed(cell, 5, 6, 7)
    quiet(cell, 8)
    assert refusal_of(cell, command(ClearQuarantine, "")) == "command.unnamed"
    assert refusal_of(cell, command(ClearQuarantine, n=1)) == "quarantine.not_judged"
    say(cell, sane(0, ts_event=cell.state.trading.quarantined_at))
    assert refusal_of(cell, command(ClearQuarantine, n=2)) == "quarantine.not_judged"
    say(cell, sane(9 * 86_400, stay_demo=True))
    assert refusal_of(cell, command(ClearQuarantine, n=3)) == "quarantine.stay_demo"
    say(cell, sane(9 * 86_400 + 1))
    cleared = trading_after(cell, command(ClearQuarantine, n=4))
    assert (cleared.quarantined_since, cleared.author) == (None, "ann")
    assert refusal_of(cell, command(ClearQuarantine, n=5)) == "quarantine.none"


def test_i8_a_judge_alone_ends_nothing():
    cell = policy_cell()
    killed(cell, 5, 6, 7)
    assert say(cell, sane(9 * 86_400)) == []
    assert cell.state.trading.quarantined_since == 7


def test_a_kill_day_within_a_quarantine_begins_it_anew_and_the_judge_must_look_again():
    cell = policy_cell()
    killed(cell, 5, 6, 7)
    quiet(cell, 8)
    say(cell, sane(8 * 86_400 + 4_000))
    killed(cell, 9)
    assert cell.state.trading.quarantined_since == 9
    assert refusal_of(cell, command(ClearQuarantine)) == "quarantine.not_judged"


# A restart.


def test_i7_i8_a_restart_changes_nothing_of_a_standing():
    cell = policy_cell()
    killed(cell, 5, 6, 7)
    trading_after(cell, tripped(TripLevel.DISABLE, about="threshold"))
    trading_after(cell, command(HaltTrading))
    again = fresh_cell()
    again.recover(cell.state.policy, own=True)
    again.recover(cell.state.trading, own=True)
    assert begin(again, 9) == []
    assert again.state.trading == cell.state.trading


def test_i7_a_halt_delivered_again_after_the_resume_does_not_halt_again():
    first = policy_cell()
    halt = command(HaltTrading)
    said = [first.state.trading, *say(first, halt), *say(first, command(ResumeTrading))]
    again = fresh_cell()
    for message in [first.state.policy, *said]:
        again.recover(message, own=True)
    assert react(again, halt, 0) == []
    assert again.state.trading.state is ACTIVE


def test_i14_an_older_epoch_changes_nothing():
    cell = policy_cell()
    older = cell.state.trading
    halted = trading_after(cell, command(HaltTrading))
    cell.recover(older, own=True)
    assert cell.state.trading == halted


@pytest.mark.parametrize(
    "section",
    [
        {"daily_loss_pct": 0},
        {"daily_loss_pct": -2.5},
        {"daily_loss_pct": 100.1},
        {"daily_loss_pct": float("nan")},
        {"kill_days": 0},
        {"kill_days": 11},
        {"quarantine_days": 0},
        {"window_days": 2},
    ],
)
def test_a_kill_rule_that_never_fires_does_not_start(section):
    sound = {"daily_loss_pct": 2.5, "kill_days": 3, "window_days": 10, "quarantine_days": 7}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(sound | section, KillRule)


def test_i9_a_desk_that_configures_no_kill_rule_has_the_sources():
    assert PolicyConfig(parameters={}).kill == KillRule(
        daily_loss_pct=2.5, kill_days=3, window_days=10, quarantine_days=7
    )
