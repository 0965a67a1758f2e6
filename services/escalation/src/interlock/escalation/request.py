"""The questions, word for word: which fields each call is given, in which order."""

from typing import Any

import msgspec

from interlock.escalation.snapshot import BUCKETS, DECOMPOSED, Snapshot
from interlock.wire.reasoning import CallKind, Trigger

type Request = dict[str, Any]


def request_of(call: CallKind, trigger: Trigger, at: Snapshot) -> Request:
    """Return the JSON object that is sent for `call`, because of `trigger`."""
    match call:
        case CallKind.REGIME_AUDITOR:
            return _regime_auditor(trigger, at)
        case CallKind.REWARD_ENGINEER:
            return _reward_engineer(trigger, at)
        case CallKind.SANITY_JUDGE:
            return _sanity_judge(at)
        case CallKind.POST_MORTEM:
            raise ValueError("a post-mortem is no call of the matrix")


def request_text(request: Request) -> str:
    return msgspec.json.encode(request).decode()


def _regime_auditor(trigger: Trigger, at: Snapshot) -> Request:
    request: Request = {
        "timestamp": at.timestamp,
        "portfolio_state": {
            "net_liquidity": at.net_liquidity,
            "daily_pnl": at.daily_pnl,
            "volatility_zscore": at.volatility_zscore,
            "correlation_breakdown": at.correlation_breakdown,
        },
        "sector_dispersion": dict(sorted(at.sector_dispersion.items())),
        "bucket_usage": {name: at.bucket_usage.get(name, 0.0) for name in BUCKETS},
    }
    if trigger is Trigger.EVENT_HEAT:
        request["put_call_ratio"] = at.put_call_ratio
        request["news_sentiment"] = at.news_sentiment
        request["macro_events"] = at.macro_events
    return request


def _reward_engineer(trigger: Trigger, at: Snapshot) -> Request:
    request: Request = {
        "timestamp": at.timestamp,
        "pnl_decomposition": {name: at.pnl_decomposition.get(name, 0.0) for name in DECOMPOSED},
        "turnover_stats": msgspec.to_builtins(at.turnover_stats),
        "feature_performance": dict(sorted(at.feature_performance.items())),
    }
    if trigger is Trigger.MODEL_DECAY:
        request["ensemble_accuracy"] = at.ensemble_accuracy
        request["sharpe_ratio"] = at.sharpe_ratio
    else:
        request["max_drawdown_5d"] = at.max_drawdown_5d
        request["daily_pnl"] = at.daily_pnl
    return request


def _sanity_judge(at: Snapshot) -> Request:
    return {
        "timestamp": at.timestamp,
        "kill_switch_reason": at.kill_switch_reason or _reason(at),
        "recent_trades": [msgspec.to_builtins(trade) for trade in at.recent_trades],
        "portfolio_state": {"net_liquidity": at.net_liquidity, "daily_pnl": at.daily_pnl},
    }


def _reason(at: Snapshot) -> str:
    known = "not known" if at.daily_pnl is None else f"{at.daily_pnl:.2f} %"
    return f"daily P&L {known}"
