"""How long the questions get: what a desk of twenty names and a full day put into them."""

import pytest
from interlock.escalation.config import EscalationConfig
from interlock.escalation.forecasts import POINTING
from interlock.escalation.inputs import Setting
from interlock.escalation.question import SCHEMA_OF, question_of
from interlock.escalation.snapshot import Snapshot, Trade, Turnover
from interlock.escalation.state import HEADLINE_CHARS
from interlock.reasoning.prompt_files import load_prompt
from interlock.wire.reasoning import CallKind, Trigger

MOST_TOKENS = 2_500
NAMES = [f"SYM{n:02}" for n in range(20)]
SECTORS = [f"a-sector-with-a-name-{n:02}" for n in range(11)]
DEFAULTS = EscalationConfig()
SETTING = Setting(
    desk="hybrid",
    account="paper-hybrid",
    buckets=dict.fromkeys(NAMES, "core"),
    sectors={name: SECTORS[n % len(SECTORS)] for n, name in enumerate(NAMES)},
    day_starts_at_utc_hour=4,
)
FULL = Snapshot(
    timestamp="2008-10-10T20:00:00Z",
    net_liquidity=-1234567.891234,
    daily_pnl=-12.345678,
    max_drawdown_5d=12.345678,
    volatility_zscore=-12.345678,
    correlation_breakdown=-0.123456,
    ensemble_accuracy=45.123456,
    sharpe_ratio=-12.345678,
    put_call_ratio=12.345678,
    news_sentiment=-0.123456,
    macro_events=["x" * HEADLINE_CHARS] * DEFAULTS.macro_events,
    kill_switch_reason="kill rule: -8761.92492400 USD (-3.60 %) on 243391.10 since day 13571",
    sector_dispersion=dict.fromkeys(SECTORS, 12.345678),
    bucket_usage=dict.fromkeys(("penny", "fno", "core"), 12.3456),
    pnl_decomposition=dict.fromkeys(("core", "penny", "fno", "sip"), -123456.7891),
    turnover_stats=Turnover(
        daily_turnover=123.4567, weekly_turnover=1234.5678, monthly_turnover=12345.6789
    ),
    feature_performance=dict.fromkeys(POINTING, 45.67),
    recent_trades=[Trade(symbol="SYM00", action="sell", size=12345.678, pnl=-123456.7891)]
    * DEFAULTS.recent_trades,
)
PARAMETERS = {f"feature.{name}": 1.0 for name in POINTING}
CALLS = [
    (CallKind.REGIME_AUDITOR, Trigger.EVENT_HEAT),
    (CallKind.REWARD_ENGINEER, Trigger.RISK),
    (CallKind.SANITY_JUDGE, Trigger.KILL_SWITCH),
]


@pytest.mark.parametrize(("call", "trigger"), CALLS)
def test_a_question_about_twenty_symbols_is_below_2500_tokens(call, trigger):
    """At two bytes a token, the worst case: real tokenizers take three to four."""
    question = question_of(
        SETTING, DEFAULTS.cloud, load_prompt(f"{SCHEMA_OF[call]}.v1"), PARAMETERS,
        call=call, trigger=trigger, at=FULL,
    )  # fmt: skip
    assert all(name in question.system for name in NAMES) or call is not CallKind.REGIME_AUDITOR
    assert len((question.system + question.prompt).encode()) / 2 < MOST_TOKENS
