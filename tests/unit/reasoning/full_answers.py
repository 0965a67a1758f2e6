"""One good answer to each question, with everything in it."""

FULL = {
    "param-proposal": {"threshold_bps": 1.2, "confidence": 70, "rationale": "calm"},
    "decision": {
        "symbol": "AAPL",
        "action": "enter",
        "direction": "long",
        "conviction": 72,
        "p_win": 0.55,
        "reward_risk": 2.1,
        "expected_value_pct": 1.2,
        "entry": 100.0,
        "stop": 95.0,
        "target": 110.5,
        "position_size_bps": 50,
        "horizon": "1w",
        "thesis": "earnings beat",
        "catalysts": ["earnings"],
        "risks": ["rates"],
        "missing_condition": None,
    },
    "allocation": {
        "decisions": [
            {
                "symbol": symbol,
                "action": "buy",
                "target_weight_pct": 5,
                "confidence": 70,
                "stop_loss_pct": 4,
                "take_profit_pct": 8,
                "rationale": "momentum",
            }
            for symbol in ("BTC-USD", "ETH-USD")
        ]
    },
    "regime-auditor": {
        "regime_label": "high_volatility",
        "blend_weights_delta": {"short": -0.1, "mid": 0.05, "rl": 0.05},
        "bucket_caps_delta": {"penny": -0.01, "fno": 0.0, "core": -0.1},
        "do_not_trade_list": ["TSLA"],
    },
    "reward-engineer": {
        "reward_coefficients": {"returns": 1.0, "turnover": -0.1, "drawdown": -0.5},
        "turnover_penalties": {"penalty_rate": 0.002},
        "disabled_features": ["rsi"],
    },
    "sanity-judge": {
        "stay_demo": False,
        "live_changes": {
            "max_position_pct": 1.0,
            "stop_multipliers": {"atr": 1.5, "trailing": 1.0},
        },
    },
    "sentiment": {
        "symbol": "AAPL",
        "sentiment": -0.4,
        "label": "negative",
        "confidence": 80,
        "rationale": "lawsuit",
    },
    "post-mortem": {
        "root_cause": "IBM fell by 3 % on the open.",
        "recommendations": ["Look at the stop of IBM.", "Hold less before earnings."],
    },
}
