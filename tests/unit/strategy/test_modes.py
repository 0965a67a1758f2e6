"""What the ensemble does when an input fails: each row, its alert at the begin and at the end."""

from decimal import Decimal

import pytest
from interlock.model.ids import client_order_id
from interlock.model.values import Side, TradingState
from interlock.strategy.adapters.reasoner_watch import ReasonerWatch
from interlock.strategy.ensemble.config import BucketRules
from interlock.strategy.ensemble.modes import FAILURES, heeded_in, may_act, mode_of
from interlock.strategy.ensemble.ports import ReasonerHeard, ReasonerSilent
from interlock.testkit.cells import drive, react
from interlock.testkit.desk_messages import SECOND
from interlock.wire.decisions import Mode, ModeChanged, ScoreAction
from interlock.wire.market import FeedCondition
from interlock.wire.system import AlertRaised

from tests.unit.strategy.ensemble_desk import (
    BUY,
    SELL,
    alerts,
    bar,
    cancels,
    cell,
    features,
    feed,
    holding,
    intents,
    modes,
    opening,
    ready,
    scored,
    status,
    trading,
)

STALL = "data feed interrupted, holding positions"
OFFLINE = "local reasoner offline, RL-only mode"
NO_RL = "RL models unavailable, reduced sizes"
NO_HINT = {"size_hint": None, "missing_models": ("size_hint",)}
WIDE = BucketRules(cap_pct=Decimal(90), name_pct=Decimal(90))
NOTHING = {"p_short": None, "p_mid": None, "size_hint": None}


def hear(made, report, now=0):
    return drive(made.hear(report, now), made.service.perform)


@pytest.mark.parametrize(
    ("present", "stalled", "reasoner_up", "mode"),
    [
        ({"short", "mid", "rl"}, False, True, Mode.FULL),
        ({"short", "mid", "rl"}, False, False, Mode.RL_ONLY),
        ({"rl"}, False, False, Mode.RL_ONLY),
        ({"short", "mid"}, False, False, Mode.NO_MODELS),
        ({"short", "mid"}, False, True, Mode.PREDICTORS_ONLY),
        ({"mid"}, False, True, Mode.PREDICTORS_ONLY),
        ({"short", "rl"}, False, True, Mode.FORECASTS_MISSING),
        ({"rl"}, False, True, Mode.FORECASTS_MISSING),
        (set(), False, True, Mode.NO_MODELS),
        (set(), False, False, Mode.NO_MODELS),
        ({"short", "mid", "rl"}, True, True, Mode.DATA_STALL),
        (set(), True, False, Mode.DATA_STALL),
    ],
)
def test_the_mode_follows_from_what_is_there(present, stalled, reasoner_up, mode):
    assert mode_of(present, stalled=stalled, reasoner_up=reasoner_up) is mode


def test_every_mode_but_the_full_one_is_a_row():
    assert set(FAILURES) == set(Mode) - {Mode.FULL}
    assert [mode for mode in Mode if not may_act(mode)] == [Mode.DATA_STALL, Mode.NO_MODELS]
    assert heeded_in(Mode.NO_MODELS) == set()


# Data stall.


@pytest.mark.parametrize("condition", [FeedCondition.STALE, FeedCondition.GAP])
def test_s3_8_a_data_stall_holds_what_is_held_and_enters_nothing(condition):
    made = ready()
    holding(made)
    assert alerts(react(made, feed(2, condition), 2 * SECOND)) == [STALL]
    for vote in (BUY, SELL):
        said = bar(made, 3 if vote == BUY else 4, vote)
        assert (scored(said).mode, scored(said).action) == (Mode.DATA_STALL, ScoreAction.HOLD)
        assert scored(said).size_fraction == 0.0
        assert scored(said).score == pytest.approx(vote), "what it would have said is shown"
        assert intents(said) == []


def test_s3_8_a_data_stall_cancels_the_open_entry_by_its_id_and_so_keeps_the_stops():
    made = ready()
    holding(made, 1, "GOOG")
    (entry,) = intents(bar(made, 2, BUY))
    (cancel,) = cancels(react(made, feed(3, FeedCondition.STALE), 3 * SECOND))
    assert cancel.client_order_id == client_order_id(entry.intent_id)
    assert (cancel.account, cancel.by, cancel.reason) == (entry.account, "strategy", STALL)
    assert cancels(react(made, feed(3, FeedCondition.STALE, "GOOG"), 3 * SECOND)) == []


def test_a_data_stall_does_not_cancel_a_closing_order():
    made = ready()
    holding(made)
    assert intents(bar(made, 2, SELL))[0].reduce_only
    assert cancels(react(made, feed(3, FeedCondition.STALE), 3 * SECOND)) == []


def test_a_data_stall_is_of_its_instrument_and_told_once_for_the_desk():
    made = ready()
    assert alerts(react(made, feed(1, FeedCondition.STALE, "SPY"), 0)) == [STALL]
    assert react(made, feed(2, FeedCondition.GAP, "SPY"), 0) == []
    assert react(made, feed(2, FeedCondition.STALE, "GOOG"), 0) == []
    assert intents(bar(made, 3, BUY, "PNY")) != []
    assert react(made, feed(4, FeedCondition.OK, "SPY"), 0) == []
    assert intents(bar(made, 5, BUY, "SPY")) != []
    assert intents(bar(made, 5, BUY, "GOOG")) == []
    said = react(made, feed(6, FeedCondition.OK, "GOOG"), 0)
    assert modes(said) == [(Mode.DATA_STALL, False)]
    assert alerts(said) == ["data feed complete again"]


def test_a_row_with_a_fault_is_no_interruption_and_ends_none():
    made = ready()
    assert react(made, feed(1, FeedCondition.JUMP), 0) == []
    react(made, feed(2, FeedCondition.STALE), 0)
    assert react(made, feed(3, FeedCondition.CROSSED), 0) == []
    assert scored(bar(made, 4)).mode is Mode.DATA_STALL


# The local reasoner.


def test_s3_8_without_the_local_reasoner_only_the_size_hint_counts():
    made = ready()
    said = react(made, status(1, up=False), 0)
    assert alerts(said) == [OFFLINE]
    assert modes(said) == [(Mode.RL_ONLY, True)]
    one = scored(bar(made, 2, BUY, p_short=0.1, p_mid=0.1))
    assert (one.mode, one.weights) == (Mode.RL_ONLY, {"rl": 1.0})
    assert one.score == pytest.approx(BUY)
    assert (one.action, one.size_fraction) == (ScoreAction.BUY, 0.015)


def test_the_local_reasoner_comes_back_with_one_alert():
    made = ready()
    react(made, status(1, up=False), 0)
    assert react(made, status(2, up=False), 0) == []
    said = react(made, status(3, up=True), 0)
    assert (modes(said), alerts(said)) == ([(Mode.RL_ONLY, False)], ["local reasoner online again"])
    assert scored(bar(made, 4)).mode is Mode.FULL


def test_without_reasoner_and_size_hint_there_is_no_new_risk():
    made = ready()
    react(made, status(1, up=False), 0)
    said = bar(made, 2, BUY, **NO_HINT)
    assert alerts(said) == ["all models unavailable, no new risk"]
    assert (scored(said).mode, scored(said).score) == (Mode.NO_MODELS, None)
    assert intents(said) == []


def test_s3_8_a_silent_reasoner_is_offline_and_one_that_is_heard_is_not():
    made = ready()
    said = hear(made, ReasonerSilent(seconds=10.2), SECOND)
    assert alerts(said) == [OFFLINE]
    (changed,) = [one for one in said if isinstance(one, ModeChanged)]
    assert (changed.by_silence, changed.reason) == (True, "no heartbeat for 10.2 s")
    assert hear(made, ReasonerSilent(seconds=20.0), 2 * SECOND) == []
    assert modes(hear(made, ReasonerHeard(), 3 * SECOND)) == [(Mode.RL_ONLY, False)]


def test_a_reasoner_that_is_heard_and_says_it_is_down_is_offline():
    made = ready()
    react(made, status(1, up=False), 0)
    assert hear(made, ReasonerHeard(), SECOND) == []
    assert scored(bar(made, 2)).mode is Mode.RL_ONLY


def test_a_replay_has_no_silence_and_starts_online():
    assert scored(bar(ready(), 1)).mode is Mode.FULL


# The models.


def test_s3_8_without_the_size_hint_the_predictors_decide_on_half_the_size():
    made = ready(buckets={"core": WIDE})
    said = bar(made, 1, 0.7, size_hint=None, missing_models=("size_hint",))
    assert alerts(said) == [NO_RL]
    one = scored(said)
    assert one.mode is Mode.PREDICTORS_ONLY
    assert one.weights == {"short": pytest.approx(4 / 7), "mid": pytest.approx(3 / 7)}
    assert one.score == pytest.approx(0.7)
    assert one.size_fraction == pytest.approx(0.9 * 0.4 / 2)
    (intent,) = intents(said)
    assert intent.quantity == 1_800


def test_the_same_score_of_all_voices_has_the_whole_size():
    one = scored(bar(ready(buckets={"core": WIDE}), 1, 0.7, size_hint=0.8472978603872037))
    assert one.mode is Mode.FULL
    assert one.size_fraction == pytest.approx(0.9 * 0.4)


def test_a_size_hint_that_comes_back_ends_the_mode_when_the_last_instrument_has_it():
    made = ready()
    assert alerts(bar(made, 1, 0.5, "SPY", **NO_HINT)) == [NO_RL]
    assert alerts(bar(made, 1, 0.5, "GOOG", **NO_HINT)) == []
    assert alerts(bar(made, 2, 0.5, "SPY")) == []
    assert alerts(bar(made, 2, 0.5, "GOOG")) == ["RL models available again, full sizes"]


@pytest.mark.parametrize(
    "gone", [{"p_short": None}, {"p_mid": None}, {"p_short": None, "p_mid": None}]
)
def test_without_a_forecast_the_rest_decides_on_half_the_size(gone):
    made = ready(buckets={"core": WIDE})
    said = bar(made, 1, BUY, **gone)
    assert alerts(said) == ["forecast models unavailable, reduced sizes"]
    one = scored(said)
    assert one.mode is Mode.FORECASTS_MISSING
    assert one.score == pytest.approx(BUY)
    assert one.size_fraction == pytest.approx(0.9 * 0.8 / 2)


@pytest.mark.parametrize("vote", [BUY, SELL])
def test_s3_8_without_any_model_there_is_no_score_no_new_risk_and_no_exit(vote):
    made = ready()
    holding(made)
    said = bar(made, 2, vote, **NOTHING)
    one = scored(said)
    assert (one.mode, one.base, one.score, one.action) == (
        Mode.NO_MODELS,
        None,
        None,
        ScoreAction.HOLD,
    )
    assert intents(said) == []
    assert made.state.positions["SPY"] == 150


def test_the_kill_rule_closes_in_every_mode():
    made = ready()
    holding(made)
    react(made, feed(2, FeedCondition.STALE), 0)
    react(made, status(2, up=False), 0)
    flat = trading(state=TradingState.HALTED, flatten=True)
    (closing,) = intents(react(made, flat, 0))
    assert (closing.side, closing.quantity, closing.reduce_only) == (Side.SELL, 150, True)


# What is told, and what a restart knows of it.


def test_each_begin_and_end_is_one_alert_of_its_own():
    made = ready()
    said = []
    for n in (1, 3):
        said += react(made, feed(n, FeedCondition.STALE), 0)
        said += react(made, feed(n + 1, FeedCondition.OK), 0)
    raised = [one for one in said if isinstance(one, AlertRaised)]
    assert len(raised) == len({one.dedupe_key for one in raised}) == 4
    assert [one.code for one in raised[:2]] == ["mode.data_stall", "mode.data_stall.over"]
    assert [one.severity for one in raised[:2]] == ["warning", "info"]


def test_several_modes_hold_at_once_and_end_one_by_one():
    made = ready()
    react(made, feed(1, FeedCondition.STALE, "GOOG"), 0)
    react(made, status(2, up=False), 0)
    assert made.state.ensemble.announced == {Mode.DATA_STALL, Mode.RL_ONLY}
    assert modes(react(made, status(3, up=True), 0)) == [(Mode.RL_ONLY, False)]
    assert modes(react(made, feed(4, FeedCondition.OK, "GOOG"), 0)) == [(Mode.DATA_STALL, False)]


@pytest.mark.parametrize("own_first", [True, False])
def test_a_mode_survives_a_restart_and_is_not_told_again(own_first):
    first, heard, own = ready(), [feed(1, FeedCondition.STALE), status(2, up=False)], []
    for message in heard:
        own += react(first, message, 0)
    again = cell()
    past = [(one, True) for one in own], [(one, False) for one in opening() + heard]
    for message, is_own in [*past[0], *past[1]] if own_first else [*past[1], *past[0]]:
        again.recover(message, own=is_own)
    assert again.state.ensemble.announced == {Mode.DATA_STALL, Mode.RL_ONLY}
    said = bar(again, 3)
    assert (scored(said).mode, alerts(said)) == (Mode.DATA_STALL, [])
    assert alerts(react(again, feed(4, FeedCondition.OK), 0)) == ["data feed complete again"]
    assert alerts(react(again, status(5, up=True), 0)) == ["local reasoner online again"]


def test_a_silence_survives_a_restart_until_the_reasoner_is_heard():
    first = ready()
    own = hear(first, ReasonerSilent(seconds=11.0), SECOND)
    again = cell()
    for message in opening():
        again.recover(message, own=False)
    for message in own:
        again.recover(message, own=True)
    said = bar(again, 2)
    assert (scored(said).mode, alerts(said)) == (Mode.RL_ONLY, [])
    assert hear(again, ReasonerSilent(seconds=61.0), 3 * SECOND) == []
    assert alerts(hear(again, ReasonerHeard(), 4 * SECOND)) == ["local reasoner online again"]


def test_what_a_crash_left_unsaid_is_said_afterwards():
    again = cell()
    for message in [*opening(), feed(1, FeedCondition.STALE)]:
        again.recover(message, own=False)
    assert alerts(bar(again, 2)) == [STALL]


def test_the_same_word_twice_is_answered_once():
    made = ready()
    down = status(1, up=False)
    assert len(react(made, down, 0)) == 2
    assert react(made, down, 0) == []
    seen = features(2, BUY)
    assert len(react(made, seen, 2 * SECOND)) == 2
    assert react(made, seen, 2 * SECOND) == []


# The watch over the heartbeat.


def test_the_watch_reports_each_change_between_heard_and_silent_once():
    told = []
    watch = ReasonerWatch(10.0, 60.0, told.append)
    for _ in range(59):
        watch.pass_by(1.0)
    assert told == []
    watch.hear()
    watch.pass_by(0.5)
    assert told == [ReasonerHeard()]
    for _ in range(9):
        watch.pass_by(1.0)
    assert told == [ReasonerHeard()]
    watch.pass_by(1.0)
    watch.pass_by(1.0)
    assert told == [ReasonerHeard(), ReasonerSilent(seconds=10.5)]
    watch.hear()
    watch.pass_by(0.1)
    assert told[2:] == [ReasonerHeard()]


def test_a_reasoner_that_never_starts_is_silent_after_the_time_for_starting():
    told = []
    watch = ReasonerWatch(10.0, 60.0, told.append)
    for _ in range(61):
        watch.pass_by(1.0)
    assert told == [ReasonerSilent(seconds=61.0)]


def test_time_in_which_the_watch_slept_itself_is_nobodys_silence():
    told = []
    watch = ReasonerWatch(10.0, 60.0, told.append)
    watch.hear()
    watch.pass_by(3_600.0)
    assert told == [ReasonerHeard()]
