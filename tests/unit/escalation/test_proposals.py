"""From answers to wishes: closed names, finite numbers, and policy's limits behind them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.escalation.core import decide
from interlock.escalation.ports import AskModel, ModelAnswered
from interlock.escalation.proposals import changes_of, names_to_leave
from interlock.policy.config import ParameterLimits
from interlock.reasoning.cloud_answers import (
    BlendWeightsDelta,
    BucketCapsDelta,
    LiveChanges,
    RegimeAuditorAnswer,
    RewardCoefficients,
    RewardEngineerAnswer,
    SanityJudgeAnswer,
    StopMultipliers,
    TurnoverPenalties,
)
from interlock.testkit.decisions import account as desk_account
from interlock.testkit.desk_messages import tick
from interlock.wire.reasoning import DoNotTradeProposed, ParameterProposal
from msgspec.structs import replace

from tests.unit.escalation.escalation_cells import PARAMETERS, account, cell, evolve_all, market
from tests.unit.policy import policy_cells

DESKS = ["IBM", "MSFT", "SPY-C", "TINY.V", "index", "mining", "technology"]


def auditor(short=0.0, mid=0.0, rl=0.0, penny=0.0, fno=0.0, core=0.0, leave=()):
    return RegimeAuditorAnswer(
        regime_label="odd",
        blend_weights_delta=BlendWeightsDelta(short=short, mid=mid, rl=rl),
        bucket_caps_delta=BucketCapsDelta(penny=penny, fno=fno, core=core),
        do_not_trade_list=tuple(leave),
    )


def engineer(returns=1.0, turnover=0.1, drawdown=0.5, rate=0.001, disabled=()):
    return RewardEngineerAnswer(
        reward_coefficients=RewardCoefficients(
            returns=returns, turnover=turnover, drawdown=drawdown
        ),
        turnover_penalties=TurnoverPenalties(penalty_rate=rate),
        disabled_features=tuple(disabled),
    )


def judge(position=1.5, atr=1.8, trailing=1.2, *, stay_demo=False):
    return SanityJudgeAnswer(
        stay_demo=stay_demo,
        live_changes=LiveChanges(
            max_position_pct=position,
            stop_multipliers=StopMultipliers(atr=atr, trailing=trailing),
        ),
    )


def wanted(answer):
    return {one.parameter: one.proposed for one in changes_of(answer, PARAMETERS)}


@pytest.mark.parametrize(
    ("answer", "changes"),
    [
        (auditor(), {}),
        (auditor(short=-0.05, rl=0.05), {"weight.short": 0.35, "weight.rl": 0.35}),
        (auditor(penny=-0.005), {"bucket_cap_pct.penny": 1.5}),
        (auditor(core=-0.9), {"bucket_cap_pct.core": 0.0}),
        (engineer(), {}),
        (engineer(drawdown=0.7), {"reward.drawdown": 0.7}),
        (engineer(rate=0.002), {"turnover.penalty_rate": 0.002}),
        (engineer(disabled=["rsi"]), {"feature.rsi": 0.0}),
        (engineer(disabled=["rsi", "the moon", "feature.macd"]), {"feature.rsi": 0.0}),
        (judge(), {}),
        (judge(position=1.0, atr=1.5), {"max_position_pct": 1.0, "stop_atr": 1.5}),
        (SanityJudgeAnswer(stay_demo=True), {}),
    ],
)  # fmt: skip
def test_an_answer_becomes_the_changes_it_asks_for(answer, changes):
    assert wanted(answer) == changes


def test_a_feature_that_is_off_already_is_no_change():
    off = {**PARAMETERS, "feature.rsi": 0.0}
    assert changes_of(engineer(disabled=["rsi"]), off) == []


@pytest.mark.parametrize(
    ("given_names", "left"),
    [
        (["IBM"], ["IBM"]),
        (["ibm", "tiny.v", "TECHNOLOGY"], ["IBM", "TINY.V", "technology"]),
        (["TSLA", "everything", "*", ""], []),
        (["IBM"] * 50, ["IBM"]),
    ],
)
def test_only_the_desks_own_names_are_left_alone(given_names, left):
    assert names_to_leave(auditor(leave=given_names), DESKS) == left


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_no_change(number):
    assert wanted(auditor(short=number, penny=number)) == {}
    assert wanted(engineer(returns=number, rate=number)) == {}
    assert wanted(judge(position=number, atr=number, trailing=number)) == {}


def answered(effect, answer):
    return ModelAnswered(
        asked=effect,
        answer=answer,
        text="{}",
        provider="openai",
        model="gpt-5-2026-01-01",
        requested_model="gpt-5",
        tokens_in=1,
        tokens_out=1,
        cost_usd=Decimal("0.25"),
        latency_ns=1,
    )


LIMITS = {
    name: ParameterLimits(
        initial=value,
        lower=value * 0.8,
        upper=value * 1.2,
        max_step=max(value * 0.1, 0.0001),
        max_accept_rate=1.0,
        max_accepted_in_window=3,
    )
    for name, value in PARAMETERS.items()
    if not name.startswith("feature.")
}


def question_and_room():
    room = cell()
    evolve_all(room, *market(3.0, 0.1))
    at = account(1)
    _, effect = decide(evolve_all(room, at), at, at.ts_event)
    assert isinstance(effect, AskModel)
    return effect, room


any_number = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(
    answers=st.lists(
        st.one_of(
            st.builds(auditor, any_number, any_number, any_number, any_number, any_number,
                      any_number, st.lists(st.text(max_size=8), max_size=5)),
            st.builds(engineer, any_number, any_number, any_number, any_number,
                      st.lists(st.text(max_size=8), max_size=5)),
            st.builds(judge, any_number, any_number, any_number),
        ),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_no_answer_however_odd_moves_a_parameter_beyond_its_limits(answers):
    """The reader refuses most of these; here nothing but policy stands behind them."""
    effect, room = question_and_room()
    rules = policy_cells.policy_cell(policy_cells.config(parameters=LIMITS))
    before = dict(rules.state.policy.parameters)
    policy_cells.say(rules, replace(tick(10), clock_offset_ns=0))
    policy_cells.say(rules, desk_account(10))
    for answer in answers:
        for message in decide(room.state, answered(effect, answer), 0):
            if isinstance(message, ParameterProposal | DoNotTradeProposed):
                asked = replace(message, ts_desk=desk_account(10).ts_desk, desk="params")
                policy_cells.say(rules, asked)
    after = rules.state.policy
    assert after.parameters.keys() == before.keys()
    for name, value in after.parameters.items():
        assert LIMITS[name].lower <= value <= LIMITS[name].upper
        assert abs(value - before[name]) <= LIMITS[name].max_step + 1e-9
    assert set(after.do_not_trade) <= {"SPY", "GOOG", "index", "media"}
