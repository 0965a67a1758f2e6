"""The meta-ensemble's arithmetic: each number of it, on both sides of its limit."""

from math import exp, inf, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.strategy.ensemble.score import (
    MID,
    PENALTIES,
    RL,
    SHORT,
    VOICES,
    Inputs,
    decidedness,
    score_of,
    shared,
    sigmoid,
)
from interlock.wire.decisions import ScoreAction
from msgspec.structs import replace

from tests.unit.strategy.ensemble_desk import ensemble_config

CONFIG = ensemble_config()
WEIGHTS = {SHORT: 0.4, MID: 0.3, RL: 0.3}
ALL = frozenset(VOICES)


def score(weights=WEIGHTS, heeded=ALL, **inputs):
    fields = {"p_short": 0.5, "p_mid": 0.5, "size_hint": 0.0} | inputs
    return score_of(Inputs(**fields), weights, heeded, CONFIG)


def logit(p):
    return log(p / (1 - p))


def test_s3_3_the_base_is_the_weighted_sum_of_the_three_voices():
    made = score(p_short=0.8, p_mid=0.6, size_hint=1.0)
    assert made.base == pytest.approx(0.4 * 0.8 + 0.3 * 0.6 + 0.3 / (1 + exp(-1.0)), abs=1e-12)
    assert made.weights == WEIGHTS
    assert made.penalties == {}
    assert made.score == made.base


@pytest.mark.parametrize(
    ("voice", "weight"), [("p_short", 0.4), ("p_mid", 0.3), ("size_hint", 0.3)]
)
def test_s3_3_each_voice_has_its_weight(voice, weight):
    loud = score(**{voice: 40.0 if voice == "size_hint" else 1.0})
    assert loud.base - score().base == pytest.approx(weight * 0.5)


@pytest.mark.parametrize(("hint", "vote"), [(0.0, 0.5), (800.0, 1.0), (-800.0, 0.0)])
def test_s3_3_the_size_hint_goes_through_a_sigmoid_that_nothing_overflows(hint, vote):
    assert sigmoid(hint) == pytest.approx(vote)


PENALTY_ROWS = [
    ("volatility_spike", "volatility_z", 2.0, 2.0001, -0.15),
    ("negative_news", "sentiment", -0.3, -0.3001, -0.10),
    ("low_liquidity", "liquidity", 0.5, 0.4999, -0.05),
    ("correlation_breakdown", "correlation", 0.4, 0.3999, -0.08),
]


@pytest.mark.parametrize(("name", "value", "at_limit", "past", "points"), PENALTY_ROWS)
def test_s3_3_a_penalty_is_taken_past_its_limit_and_not_at_it(name, value, at_limit, past, points):
    assert score(**{value: at_limit}).penalties == {}
    made = score(**{value: past})
    assert made.penalties == {name: points}
    assert made.score == pytest.approx(made.base + points)


def test_the_rows_above_are_the_table():
    assert [row[0] for row in PENALTY_ROWS] == [one.name for one in PENALTIES]


def test_s3_3_penalties_add_up_and_the_score_stays_above_zero():
    everything = {value: past for _, value, _, past, _ in PENALTY_ROWS}
    made = score(p_short=0.1, p_mid=0.1, size_hint=-9.0, **everything)
    assert sum(made.penalties.values()) == pytest.approx(-0.38)
    assert made.base < 0.38
    assert made.score == 0.0


def test_s3_3_the_score_stays_below_one_whatever_the_weights_add_up_to():
    heavy = dict.fromkeys(VOICES, 0.9)
    made = score(heavy, p_short=0.9, p_mid=0.9, size_hint=3.0)
    assert made.base > 1.0
    assert made.score == 1.0


def test_with_all_voices_the_weights_are_used_as_they_stand():
    light = {SHORT: 0.2, MID: 0.1, RL: 0.1}
    assert score(light, p_short=1.0, p_mid=1.0, size_hint=50.0).base == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("vote", "action"),
    [
        (0.67, ScoreAction.BUY),
        (0.6699, ScoreAction.HOLD),
        (0.5, ScoreAction.HOLD),
        (0.3301, ScoreAction.HOLD),
        (0.33, ScoreAction.SELL),
    ],
)
def test_s3_3_the_action_turns_exactly_at_its_limits(vote, action):
    made = score(p_short=vote, p_mid=vote, size_hint=logit(vote))
    assert made.score == pytest.approx(vote, abs=1e-12)
    assert made.action is action


def test_a_penalty_can_take_a_buy_away():
    vote = {"p_short": 0.7, "p_mid": 0.7, "size_hint": logit(0.7)}
    assert score(**vote).action is ScoreAction.BUY
    assert score(**vote, liquidity=0.4).action is ScoreAction.HOLD


@pytest.mark.parametrize(
    ("heeded", "base"),
    [
        ({RL}, 0.9),
        ({SHORT, MID}, (0.4 * 0.8 + 0.3 * 0.6) / 0.7),
        ({SHORT, RL}, (0.4 * 0.8 + 0.3 * 0.9) / 0.7),
        ({MID}, 0.6),
    ],
)
def test_voices_that_speak_share_the_weight_of_those_that_do_not(heeded, base):
    made = score(heeded=heeded, p_short=0.8, p_mid=0.6, size_hint=logit(0.9))
    assert made.base == pytest.approx(base)
    assert set(made.weights) == heeded
    assert sum(made.weights.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("absent", [None, nan, inf])
def test_a_voice_that_is_no_number_is_missing_and_not_zero(absent):
    made = score(heeded=ALL, p_short=0.9, p_mid=0.9, size_hint=absent)
    assert made.base == pytest.approx(0.9)
    assert set(made.votes) == {SHORT, MID}


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_what_is_no_probability_is_no_voice(value):
    assert set(score(p_short=value).votes) == {MID, RL}


def test_nobody_speaks_and_nothing_is_said():
    made = score(p_short=None, p_mid=None, size_hint=None)
    assert (made.base, made.score, made.action) == (None, None, ScoreAction.HOLD)


@pytest.mark.parametrize("speaking", [ALL, {RL}])
def test_voices_without_any_weight_say_nothing(speaking):
    weights = {SHORT: 0.4, MID: 0.3, RL: 0.0} if speaking == {RL} else dict.fromkeys(VOICES, 0.0)
    assert shared(weights, speaking) == {}
    assert score(weights, heeded=speaking).score is None


def test_what_is_not_known_costs_nothing():
    made = score(volatility_z=None, sentiment=None, liquidity=None, correlation=None)
    assert made.penalties == {}


probabilities = st.none() | st.floats(0, 1)
numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True)
weight = st.floats(0, 1)
any_weights = st.fixed_dictionaries(dict.fromkeys(VOICES, weight))
any_inputs = st.builds(
    Inputs,
    p_short=probabilities,
    p_mid=probabilities,
    size_hint=numbers,
    volatility_z=numbers,
    sentiment=numbers,
    liquidity=numbers,
    correlation=numbers,
)
heeds = st.sets(st.sampled_from(VOICES))


@given(any_inputs, any_weights, heeds)
def test_a_score_is_none_or_from_zero_to_one_and_says_what_it_is_made_of(inputs, weights, heeded):
    made = score_of(inputs, weights, heeded, CONFIG)
    if made.score is None:
        assert made.action is ScoreAction.HOLD
        return
    assert 0.0 <= made.score <= 1.0
    assert 0.0 <= decidedness(made.score) <= 1.0
    assert made.base == pytest.approx(
        sum(made.weights[name] * vote for name, vote in made.votes.items()), abs=1e-9
    )
    assert score_of(inputs, weights, heeded, CONFIG) == made


@given(any_inputs, any_weights, heeds, st.sampled_from(["p_short", "p_mid", "size_hint"]),
       st.floats(0, 1))  # fmt: skip
def test_a_louder_voice_never_lowers_the_score(inputs, weights, heeded, name, more):
    if getattr(inputs, name) is None:
        return
    louder = replace(inputs, **{name: min(getattr(inputs, name) + more, 1.0)})
    if getattr(louder, name) < getattr(inputs, name):
        return
    before = score_of(inputs, weights, heeded, CONFIG)
    after = score_of(louder, weights, heeded, CONFIG)
    if before.score is not None and after.score is not None:
        assert after.score >= before.score
