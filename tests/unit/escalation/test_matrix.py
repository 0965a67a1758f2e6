"""Each row of the matrix: where it fires, where it does not, and when it has cleared."""

import msgspec
import pytest
from interlock.escalation.config import EscalationConfig, Level, Levels
from interlock.escalation.matrix import MATRIX, cleared, evaluate
from interlock.wire.reasoning import CallKind, Trigger
from msgspec.structs import replace

from tests.unit.escalation.escalation_cells import config, numbers

T, C = Trigger, CallKind
CALLS = {
    T.RISK: C.REWARD_ENGINEER,
    T.REGIME: C.REGIME_AUDITOR,
    T.MODEL_DECAY: C.REWARD_ENGINEER,
    T.EVENT_HEAT: C.REGIME_AUDITOR,
    T.KILL_SWITCH: C.SANITY_JUDGE,
}


def firing(configured=None, **known):
    return [one.trigger for one in evaluate(numbers(**known), configured or config()) if one.fires]


def over(**known):
    return cleared(numbers(**known), config())


def test_s3_1_every_trigger_asks_for_its_call():
    assert {row.trigger: row.call for row in MATRIX} == CALLS


def test_nothing_known_fires_nothing_and_clears_nothing_but_todays_kill_rule():
    assert firing() == []
    assert over() == [T.KILL_SWITCH]


@pytest.mark.parametrize(("drawdown", "fires"), [(8.0, False), (8.000001, True), (-9.0, False)])
def test_s3_1_risk_fires_beyond_eight_per_cent_of_five_days(drawdown, fires):
    assert firing(max_drawdown_5d=drawdown) == ([T.RISK] if fires else [])


@pytest.mark.parametrize(("pnl", "fires"), [(-2.5, False), (-2.500001, True), (3.0, False)])
def test_s3_1_risk_fires_beyond_a_daily_loss_of_two_and_a_half_per_cent(pnl, fires):
    assert (T.RISK in firing(daily_pnl=pnl)) is fires


@pytest.mark.parametrize(
    ("z", "correlation", "fires"),
    [
        (2.01, 0.39, True),
        (-2.01, 0.39, True),
        (2.0, 0.39, False),
        (2.01, 0.4, False),
        (5.0, 0.9, False),
        (0.0, 0.0, False),
        (9.0, -1.0, True),
        (None, 0.1, False),
        (3.0, None, False),
    ],
)
def test_s3_1_regime_needs_wild_volatility_and_broken_correlation(z, correlation, fires):
    known = {"volatility_zscore": z, "correlation_breakdown": correlation}
    assert firing(**known) == ([T.REGIME] if fires else [])


@pytest.mark.parametrize(
    ("accuracy", "fires"), [(46.1, False), (46.0, True), (45.9, True), (60, False)]
)
def test_s3_1_model_decay_fires_seven_points_below_the_baseline(accuracy, fires):
    assert firing(ensemble_accuracy=accuracy) == ([T.MODEL_DECAY] if fires else [])


def test_seven_points_are_seven_points_also_where_binary_has_less():
    assert firing(config(baseline_accuracy_pct=55.1), ensemble_accuracy=48.1) == [T.MODEL_DECAY]


@pytest.mark.parametrize(("sharpe", "fires"), [(0.6, False), (0.599, True), (-1.0, True)])
def test_s3_1_model_decay_fires_at_a_sharpe_ratio_below_six_tenths(sharpe, fires):
    assert firing(sharpe_ratio=sharpe) == ([T.MODEL_DECAY] if fires else [])


@pytest.mark.parametrize(("ratio", "fires"), [(1.6, False), (1.61, True), (0.4, False)])
def test_s3_1_event_heat_fires_at_a_put_call_ratio_above_one_point_six(ratio, fires):
    assert firing(put_call_ratio=ratio) == ([T.EVENT_HEAT] if fires else [])


@pytest.mark.parametrize(("pnl", "fires"), [(-2.5, False), (-2.500001, True), (-40.0, True)])
def test_s3_1_kill_switch_fires_below_two_and_a_half_per_cent_of_the_day(pnl, fires):
    assert (T.KILL_SWITCH in firing(daily_pnl=pnl)) is fires


def test_s3_1_kill_switch_fires_where_the_kill_rule_has():
    assert firing(daily_pnl=-2.5, kill_day=True) == [T.KILL_SWITCH]


def test_s3_1_what_stands_does_not_fire_again():
    at = numbers(daily_pnl=-3.0, max_drawdown_5d=9.0, standing=[T.RISK, T.KILL_SWITCH])
    rows = {one.trigger: one for one in evaluate(at, config())}
    assert rows[T.RISK].holds
    assert not any(one.fires for one in rows.values())


@pytest.mark.parametrize(
    ("known", "trigger", "clear"),
    [
        ({"max_drawdown_5d": 7.0, "daily_pnl": 0.0}, T.RISK, False),
        ({"max_drawdown_5d": 6.0, "daily_pnl": 0.0}, T.RISK, True),
        ({"max_drawdown_5d": 1.0, "daily_pnl": -2.0}, T.RISK, False),
        ({"max_drawdown_5d": 1.0, "daily_pnl": -1.5}, T.RISK, True),
        ({"volatility_zscore": 1.8, "correlation_breakdown": 0.45}, T.REGIME, False),
        ({"volatility_zscore": -1.5, "correlation_breakdown": 0.1}, T.REGIME, True),
        ({"volatility_zscore": 9.0, "correlation_breakdown": 0.5}, T.REGIME, True),
        ({"ensemble_accuracy": 48.0}, T.MODEL_DECAY, False),
        ({"ensemble_accuracy": 49.0}, T.MODEL_DECAY, True),
        ({"ensemble_accuracy": 49.0, "sharpe_ratio": 0.7}, T.MODEL_DECAY, False),
        ({"ensemble_accuracy": 49.0, "sharpe_ratio": 0.8}, T.MODEL_DECAY, True),
        ({"put_call_ratio": 1.5}, T.EVENT_HEAT, False),
        ({"put_call_ratio": 1.4}, T.EVENT_HEAT, True),
        ({}, T.EVENT_HEAT, False),
    ],
)
def test_s3_1_a_trigger_clears_where_the_trouble_is_over(known, trigger, clear):
    assert (trigger in over(**known)) is clear


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.trigger)
def test_nothing_that_holds_is_clear(row):
    beyond = {
        "daily_pnl": -9.0,
        "max_drawdown_5d": 20.0,
        "volatility_zscore": 5.0,
        "correlation_breakdown": 0.0,
        "ensemble_accuracy": 1.0,
        "sharpe_ratio": -3.0,
        "put_call_ratio": 3.0,
        "kill_day": True,
    }
    (found,) = [one for one in evaluate(numbers(**beyond), config()) if one.trigger is row.trigger]
    assert (found.fires, found.clear) == (True, False)


def test_levels_are_the_desk_files():
    levels = Levels(put_call_ratio=Level(fires=1.2, clears=1.0))
    assert firing(config(levels=levels), put_call_ratio=1.3) == [T.EVENT_HEAT]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_clears_nothing(number):
    at = numbers(put_call_ratio=number)
    (row,) = [one for one in evaluate(at, config()) if one.trigger is T.EVENT_HEAT]
    assert not row.clear or number == float("-inf")
    assert row.fires is (number == float("inf"))


# The calls of a day.


def granted(configured=None, **known):
    rows = evaluate(numbers(**known), configured or config())
    return {one.trigger: one.granted for one in rows if one.fires}


EVERYTHING = {
    "daily_pnl": -3.0,
    "volatility_zscore": 3.0,
    "correlation_breakdown": 0.1,
    "sharpe_ratio": 0.1,
    "put_call_ratio": 2.0,
}


def test_the_kill_switch_is_granted_first_and_two_others():
    assert granted(**EVERYTHING) == {
        T.KILL_SWITCH: True,
        T.RISK: True,
        T.REGIME: True,
        T.MODEL_DECAY: False,
        T.EVENT_HEAT: False,
    }


@pytest.mark.parametrize(
    ("calls", "judged", "known", "grants"),
    [
        (0, False, {"put_call_ratio": 2.0}, True),
        (1, False, {"put_call_ratio": 2.0}, True),
        (2, False, {"put_call_ratio": 2.0}, False),
        (2, True, {"put_call_ratio": 2.0}, True),
        (3, True, {"put_call_ratio": 2.0}, False),
        (2, False, {"kill_day": True}, True),
        (3, False, {"kill_day": True}, False),
    ],
)
def test_the_last_call_is_the_kill_switchs(calls, judged, known, grants):
    (answer,) = granted(calls_today=calls, judge_asked_today=judged, **known).values()
    assert answer is grants


def test_a_refusal_says_why():
    def reason(**known):
        (row,) = [one for one in evaluate(numbers(**known), config()) if one.fires]
        return row.reason

    assert "the last one is kept for the kill switch" in reason(put_call_ratio=2.0, calls_today=2)
    assert reason(kill_day=True, calls_today=3) == "all 3 calls of this trading day are made"
    assert reason(put_call_ratio=2.0) == "call 1 of 3 of this trading day"


def test_with_one_call_a_day_only_the_kill_switch_asks():
    assert granted(config(max_calls_per_day=1), daily_pnl=-3.0) == {
        T.KILL_SWITCH: True,
        T.RISK: False,
    }


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ({"levels": {"put_call_ratio": {"fires": 1.0, "clears": 1.2}}}, "above where it fires"),
        ({"levels": {"sharpe_ratio": {"fires": 1.0, "clears": 0.2}}}, "below where it fires"),
        ({"levels": {"vix": {"fires": 1.0, "clears": 0.2}}}, "unknown field"),
        ({"max_calls_per_day": 0}, "at least 1"),
        ({"cloud": {"provider": "none"}, "local": {"provider": "none"}}, "nobody could answer"),
        ({"cloud": {"provider": "openai"}}, "needs a model"),
        ({"cloud": {"budget_calls_per_day": 9}}, "max_calls_per_day"),
        ({"accuracy_least": 900}, "must fit"),
        ({"put_call_max_age_days": float("nan")}, "finite"),
    ],
)
def test_configuration_is_judged(section, problem):
    with pytest.raises(msgspec.ValidationError, match=problem):
        msgspec.convert(section, EscalationConfig, strict=False)


def test_a_snapshot_can_be_told_what_was_asked_already():
    at = numbers(calls_today=3, kill_day=True)
    assert not evaluate(replace(at, standing=[T.KILL_SWITCH]), config())[0].fires
