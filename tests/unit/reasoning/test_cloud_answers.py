"""The truth table of the three answers of the cloud model."""

import json

import pytest
from interlock.reasoning.cloud_answers import REGIME_AUDITOR, REWARD_ENGINEER, SANITY_JUDGE
from interlock.reasoning.reader import read, report
from interlock.reasoning.refusal import ReadRefusal, Unreadable

AUDIT = {
    "regime_label": "high_volatility",
    "blend_weights_delta": {"short": -0.1, "mid": 0.05, "rl": 0.05},
    "bucket_caps_delta": {"penny": -0.01, "fno": 0.0, "core": -0.1},
    "do_not_trade_list": ["TSLA"],
}
REWARD = {
    "reward_coefficients": {"returns": 1.0, "turnover": -0.1, "drawdown": -0.5},
    "turnover_penalties": {"penalty_rate": 0.002},
    "disabled_features": ["rsi"],
}
CHANGES = {"max_position_pct": 1.0, "stop_multipliers": {"atr": 1.5, "trailing": 1.0}}
JUDGE = {"stay_demo": False, "live_changes": CHANGES}


def reading_of(answer, schema):
    return read(answer if isinstance(answer, str) else json.dumps(answer), schema)


@pytest.mark.parametrize(
    ("answer", "schema"),
    [
        (AUDIT, REGIME_AUDITOR),
        (REWARD, REWARD_ENGINEER),
        (JUDGE, SANITY_JUDGE),
        ({"stay_demo": True, "live_changes": None}, SANITY_JUDGE),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "<think>hm</think> Here: ```json\n{}\n```", '{{"answer": {}}}']
)
def test_answers_are_read(answer, schema, around):
    text = around.format(json.dumps(answer))
    assert report(read(text, schema)) == {"ok": True, "value": answer}


def test_label_is_a_name_and_nothing_else():
    read_as = reading_of({**AUDIT, "regime_label": "High Volatility"}, REGIME_AUDITOR)
    assert report(read_as)["value"] == AUDIT
    for label in ("", "risk off; drop table", "高波动", "x" * 41):
        refused = reading_of({**AUDIT, "regime_label": label}, REGIME_AUDITOR)
        assert refused.code is ReadRefusal.UNKNOWN_VALUE


BLEND = AUDIT["blend_weights_delta"]
CAPS = AUDIT["bucket_caps_delta"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"blend_weights_delta": {**BLEND, "short": -5}}, ReadRefusal.OUT_OF_RANGE),
        ({"blend_weights_delta": {**BLEND, "short": "-10%"}}, ReadRefusal.WRONG_TYPE),
        ({"blend_weights_delta": {**BLEND, "short": False}}, ReadRefusal.WRONG_TYPE),
        ({"blend_weights_delta": {"short": 0.1, "mid": 0.1}}, ReadRefusal.MISSING),
        ({"blend_weights_delta": [0.1, 0.1, 0.1]}, ReadRefusal.WRONG_TYPE),
        ({"blend_weights_delta": {**BLEND, "Short": 0.3}}, ReadRefusal.CONFLICT),
        ({"bucket_caps_delta": {**CAPS, "penny": 0.5}}, ReadRefusal.OUT_OF_RANGE),
        ({"bucket_caps_delta": {**CAPS, "fno": -1}}, ReadRefusal.OUT_OF_RANGE),
        ({"do_not_trade_list": "TSLA"}, ReadRefusal.WRONG_TYPE),
        ({"do_not_trade_list": ["none"]}, ReadRefusal.UNKNOWN_SYMBOL),
        ({"do_not_trade_list": ["A"] * 51}, ReadRefusal.TOO_MANY),
        ({"do_not_trade_list": None}, ReadRefusal.MISSING),
        ({"was": {"blend_weights_delta": {**BLEND, "rl": 0.2}}}, ReadRefusal.CONFLICT),
    ],
)
def test_audit_is_refused(change, code):
    reading = reading_of({**AUDIT, **change}, REGIME_AUDITOR)
    assert isinstance(reading, Unreadable)
    assert reading.code is code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({**JUDGE, "stay_demo": 0}, ReadRefusal.WRONG_TYPE),
        ({**JUDGE, "stay_demo": "no"}, ReadRefusal.WRONG_TYPE),
        ({**JUDGE, "live_changes": None}, ReadRefusal.MISSING),
        ({"live_changes": CHANGES}, ReadRefusal.MISSING),
        ({**JUDGE, "live_changes": {"max_position_pct": 1.0}}, ReadRefusal.MISSING),
        ({**JUDGE, "live_changes": {**CHANGES, "max_position_pct": 5}}, ReadRefusal.OUT_OF_RANGE),
        (
            {**JUDGE, "live_changes": {**CHANGES, "max_position_pct": 0.01}},
            ReadRefusal.AMBIGUOUS_UNIT,
        ),
        ('{"stay_demo": true, "stay_demo": false}', ReadRefusal.CONFLICT),
        ('{"stay_demo": true} {"stay_demo": false, "live_changes": null}', ReadRefusal.CONFLICT),
        ('{"stay_demo": tru', ReadRefusal.TRUNCATED),
    ],
)
def test_judgement_is_refused(answer, code):
    reading = reading_of(answer, SANITY_JUDGE)
    assert isinstance(reading, Unreadable)
    assert reading.code is code


def test_instruments_and_features_are_the_callers():
    audit = REGIME_AUDITOR.among(["AAPL"])
    assert reading_of(AUDIT, audit).code is ReadRefusal.UNKNOWN_SYMBOL
    reward = REWARD_ENGINEER.naming("disabled_features", ["macd"])
    assert reading_of(REWARD, reward).code is ReadRefusal.UNKNOWN_VALUE


def test_range_of_the_desk_holds_within_groups():
    narrow = REGIME_AUDITOR.narrowed("blend_weights_delta.short", -0.05, 0.05)
    assert reading_of(AUDIT, narrow) == Unreadable(
        code=ReadRefusal.OUT_OF_RANGE,
        reason="blend_weights_delta.short is -0.1, not within -0.05 to 0.05",
    )
