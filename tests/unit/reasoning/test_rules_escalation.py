"""The rules answer each call in its schema, the same for ever, in small steps."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.reasoning.ports import Question
from interlock.reasoning.reader import read
from interlock.reasoning.rules import Rules
from interlock.reasoning.rules_escalation import FORMULAS
from interlock.reasoning.schemas import SCHEMAS
from interlock.testkit.cells import finish

NAMES = (
    "daily_pnl", "max_drawdown_5d", "volatility_zscore", "correlation_breakdown", "put_call_ratio",
    "daily_turnover", "parameter.reward.drawdown", "parameter.max_position_pct",
    "parameter.stop_atr", "dispersion.energy", "performance.rsi", "performance.macd",
)  # fmt: skip
facts = st.dictionaries(st.sampled_from(NAMES), st.floats(0.01, 8.0), max_size=len(NAMES))


def answer(name, known):
    question = Question(
        system="", prompt="", schema=SCHEMAS[name], max_tokens=1, timeout_seconds=1.0, facts=known
    )
    return finish(Rules().ask(question)).text


@pytest.mark.parametrize("name", FORMULAS)
@given(known=facts)
def test_an_answer_is_read_by_its_own_schema_and_never_changes(name, known):
    text = answer(name, known)
    assert isinstance(read(text, SCHEMAS[name]), SCHEMAS[name].kind)
    assert text == answer(name, dict(reversed(known.items())))


@pytest.mark.parametrize("name", FORMULAS)
def test_knowing_nothing_is_no_reason_to_fail(name):
    assert isinstance(read(answer(name, {}), SCHEMAS[name]), SCHEMAS[name].kind)


@pytest.mark.parametrize(
    ("z", "ratio", "label", "step"),
    [
        (0.5, 1.0, "calm", 0.0),
        (-2.5, 1.0, "turbulent", 0.025),
        (3.5, 1.0, "crisis", 0.05),
        (0.0, 1.7, "event_risk", 0.025),
    ],
)
def test_the_auditor_turns_to_the_slower_predictor_the_wilder_it_is(z, ratio, label, step):
    said = FORMULAS["regime-auditor"]({"volatility_zscore": z, "put_call_ratio": ratio})
    assert said["regime_label"] == label
    assert said["blend_weights_delta"] == {"short": -step, "mid": step, "rl": 0.0}
    assert math.copysign(1, said["bucket_caps_delta"]["core"]) == (1 if label == "calm" else -1)


def test_the_auditor_leaves_scattered_sectors_alone():
    said = FORMULAS["regime-auditor"]({"dispersion.energy": 3.1, "dispersion.index": 2.9})
    assert said["do_not_trade_list"] == ["energy"]


def test_the_engineer_switches_off_the_most_misleading_feature_only():
    known = {"performance.rsi": 44.0, "performance.macd": 40.0, "performance.ret_1": 60.0}
    assert FORMULAS["reward-engineer"](known)["disabled_features"] == ["macd"]


@pytest.mark.parametrize(("pnl", "stay"), [(-2.6, False), (-4.99, False), (-5.0, True)])
def test_the_judge_keeps_a_desk_on_paper_after_a_severe_loss(pnl, stay):
    assert FORMULAS["sanity-judge"]({"daily_pnl": pnl})["stay_demo"] is stay
