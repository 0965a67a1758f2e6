"""The rules' answers to an escalation: formulas over the facts, the same for ever.

They read the facts of the question: the numbers of the request by name, ``parameter.NAME`` in
force, ``dispersion.SECTOR`` and ``performance.FEATURE``. A fact that is missing counts as calm.
Each step is small: what a formula moves, policy would let a model move.
"""

from collections.abc import Mapping
from typing import Any

_TURBULENT_Z, _CRISIS_Z = 2.0, 3.0
_FEARFUL_PUT_CALL = 1.6
_SCATTERED_PCT = 3.0
_USELESS_PCT = 45.0
_SEVERE_LOSS_PCT = 5.0
_BLEND_STEP = 0.05
_PERCENT = 100.0
# What the answer may be; below the smaller one it could be a share as well.
_SMALLEST_POSITION_PCT, _LARGEST_POSITION_PCT = 0.05, 1.5

type Facts = Mapping[str, float]


def regime_auditor(facts: Facts) -> dict[str, Any]:
    """Turn towards the slower predictor, and hold less, the wilder the market is."""
    z = abs(facts.get("volatility_zscore", 0.0))
    fearful = facts.get("put_call_ratio", 0.0) > _FEARFUL_PUT_CALL
    label, weight = "calm", 0.0
    if z > _CRISIS_Z:
        label, weight = "crisis", 1.0
    elif z > _TURBULENT_Z:
        label, weight = "turbulent", 0.5
    elif fearful:
        label, weight = "event_risk", 0.5
    step = round(_BLEND_STEP * weight, 4)
    scattered = [
        name.removeprefix("dispersion.")
        for name, percent in sorted(facts.items())
        if name.startswith("dispersion.") and percent > _SCATTERED_PCT
    ]
    return {
        "regime_label": label,
        "blend_weights_delta": {"short": 0.0 - step, "mid": step, "rl": 0.0},
        "bucket_caps_delta": {
            "penny": 0.0 - 0.002 * weight,
            "fno": 0.0 - 0.005 * weight,
            "core": 0.0 - 0.05 * weight,
        },
        "do_not_trade_list": scattered,
    }


def reward_engineer(facts: Facts) -> dict[str, Any]:
    """Weigh drawdown and turnover more, and switch off the one feature that misleads most."""
    lost = max(facts.get("max_drawdown_5d", 0.0), -facts.get("daily_pnl", 0.0))
    aversion = facts.get("parameter.reward.drawdown", 0.5)
    churn = facts.get("parameter.reward.turnover", 0.1)
    rate = facts.get("parameter.turnover.penalty_rate", 0.001)
    busy = facts.get("daily_turnover", 0.0) > _PERCENT
    useless = sorted(
        (percent, name.removeprefix("performance."))
        for name, percent in facts.items()
        if name.startswith("performance.") and percent < _USELESS_PCT
    )
    return {
        "reward_coefficients": {
            "returns": facts.get("parameter.reward.returns", 1.0),
            "turnover": round(churn + (0.05 if busy else 0.0), 4),
            "drawdown": round(aversion + (0.1 if lost > 0 else 0.0), 4),
        },
        "turnover_penalties": {"penalty_rate": round(rate * (1.2 if busy else 1.0), 6)},
        "disabled_features": [name for _, name in useless[:1]],
    }


def sanity_judge(facts: Facts) -> dict[str, Any]:
    """Keep the desk on paper after a severe loss; otherwise let it go on, smaller and tighter."""
    severe = facts.get("daily_pnl", 0.0) <= -_SEVERE_LOSS_PCT
    position = facts.get("parameter.max_position_pct", 1.5)
    stop, trail = facts.get("parameter.stop_atr", 1.8), facts.get("parameter.trail_atr", 1.2)
    return {
        "stay_demo": severe,
        "live_changes": {
            "max_position_pct": _position(position * 0.9),
            "stop_multipliers": {"atr": round(stop * 0.95, 4), "trailing": round(trail * 0.95, 4)},
        },
    }


def _position(percent: float) -> float:
    return round(max(_SMALLEST_POSITION_PCT, min(_LARGEST_POSITION_PCT, percent)), 4)


FORMULAS = {
    "regime-auditor": regime_auditor,
    "reward-engineer": reward_engineer,
    "sanity-judge": sanity_judge,
}
"""By the name of the answer's schema."""
