"""The questions, held against examples written by hand, field by field and in order."""

import json

import pytest
from interlock.escalation.request import request_of, request_text
from interlock.escalation.snapshot import Snapshot, Trade, Turnover
from interlock.wire.reasoning import CallKind, Trigger
from msgspec.structs import replace

AT = Snapshot(
    timestamp="2008-10-10T20:00:00Z",
    net_liquidity=91_250.5,
    daily_pnl=-2.75,
    max_drawdown_5d=8.75,
    volatility_zscore=3.25,
    correlation_breakdown=0.35,
    ensemble_accuracy=45.5,
    sharpe_ratio=0.42,
    put_call_ratio=1.72,
    news_sentiment=-0.6,
    macro_events=["reuters: Central banks cut rates together"],
    kill_switch_reason="kill rule: -2.75 % since the start of the day",
    sector_dispersion={"technology": 2.1, "energy": 3.4},
    bucket_usage={"core": 62.5, "penny": 0.8, "elsewhere": 9.0},
    pnl_decomposition={"core": -2510.25, "penny": 12.5},
    turnover_stats=Turnover(daily_turnover=35.0, weekly_turnover=80.0, monthly_turnover=210.5),
    feature_performance={"rsi": 48.5, "macd": 53.0},
    recent_trades=[Trade(symbol="IBM", action="sell", size=40.0, pnl=-310.25)],
)

REGIME = """
{
  "timestamp": "2008-10-10T20:00:00Z",
  "portfolio_state": {
    "net_liquidity": 91250.5,
    "daily_pnl": -2.75,
    "volatility_zscore": 3.25,
    "correlation_breakdown": 0.35
  },
  "sector_dispersion": {"energy": 3.4, "technology": 2.1},
  "bucket_usage": {"penny": 0.8, "fno": 0.0, "core": 62.5}
}
"""
EVENT_HEAT = """
{
  "timestamp": "2008-10-10T20:00:00Z",
  "portfolio_state": {
    "net_liquidity": 91250.5,
    "daily_pnl": -2.75,
    "volatility_zscore": 3.25,
    "correlation_breakdown": 0.35
  },
  "sector_dispersion": {"energy": 3.4, "technology": 2.1},
  "bucket_usage": {"penny": 0.8, "fno": 0.0, "core": 62.5},
  "put_call_ratio": 1.72,
  "news_sentiment": -0.6,
  "macro_events": ["reuters: Central banks cut rates together"]
}
"""
RISK = """
{
  "timestamp": "2008-10-10T20:00:00Z",
  "pnl_decomposition": {"core": -2510.25, "penny": 12.5, "fno": 0.0, "sip": 0.0},
  "turnover_stats": {"daily_turnover": 35.0, "weekly_turnover": 80.0, "monthly_turnover": 210.5},
  "feature_performance": {"macd": 53.0, "rsi": 48.5},
  "max_drawdown_5d": 8.75,
  "daily_pnl": -2.75
}
"""
MODEL_DECAY = """
{
  "timestamp": "2008-10-10T20:00:00Z",
  "pnl_decomposition": {"core": -2510.25, "penny": 12.5, "fno": 0.0, "sip": 0.0},
  "turnover_stats": {"daily_turnover": 35.0, "weekly_turnover": 80.0, "monthly_turnover": 210.5},
  "feature_performance": {"macd": 53.0, "rsi": 48.5},
  "ensemble_accuracy": 45.5,
  "sharpe_ratio": 0.42
}
"""
KILL_SWITCH = """
{
  "timestamp": "2008-10-10T20:00:00Z",
  "kill_switch_reason": "kill rule: -2.75 % since the start of the day",
  "recent_trades": [{"symbol": "IBM", "action": "sell", "size": 40.0, "pnl": -310.25}],
  "portfolio_state": {"net_liquidity": 91250.5, "daily_pnl": -2.75}
}
"""
CASES = {
    Trigger.REGIME: (CallKind.REGIME_AUDITOR, REGIME),
    Trigger.EVENT_HEAT: (CallKind.REGIME_AUDITOR, EVENT_HEAT),
    Trigger.RISK: (CallKind.REWARD_ENGINEER, RISK),
    Trigger.MODEL_DECAY: (CallKind.REWARD_ENGINEER, MODEL_DECAY),
    Trigger.KILL_SWITCH: (CallKind.SANITY_JUDGE, KILL_SWITCH),
}


@pytest.mark.parametrize("trigger", CASES, ids=str)
def test_the_request_is_the_one_written_by_hand(trigger):
    call, written = CASES[trigger]
    text = request_text(request_of(call, trigger, AT))
    # As text, so that the order of the fields counts too.
    assert text == json.dumps(json.loads(written), separators=(",", ":"))


def test_what_is_not_known_is_null():
    request = request_of(CallKind.REGIME_AUDITOR, Trigger.EVENT_HEAT, Snapshot())
    assert request["portfolio_state"] == {
        "net_liquidity": None,
        "daily_pnl": None,
        "volatility_zscore": None,
        "correlation_breakdown": None,
    }
    assert request["put_call_ratio"] is None
    assert request["bucket_usage"] == {"penny": 0.0, "fno": 0.0, "core": 0.0}
    assert request["macro_events"] == []


def test_without_policys_word_the_numbers_are_the_reason():
    at = replace(AT, kill_switch_reason="")
    request = request_of(CallKind.SANITY_JUDGE, Trigger.KILL_SWITCH, at)
    assert request["kill_switch_reason"] == "daily P&L -2.75 %"


def test_a_post_mortem_is_no_call_of_the_matrix():
    with pytest.raises(ValueError, match="post-mortem"):
        request_of(CallKind.POST_MORTEM, Trigger.POST_MORTEM, AT)
