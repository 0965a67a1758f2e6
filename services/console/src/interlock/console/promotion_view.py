"""How far the desk is let out, what keeps it on paper, and the way on."""

from collections.abc import Mapping
from typing import Any

from interlock.console.desk_views import day_text
from interlock.console.state import Live
from interlock.console.views.judgement import CriterionView, PromotionView
from interlock.model.values import Stage
from interlock.wire.policy import TradingStateChanged


def promotion_view(live: Live, kill_rule: Mapping[str, Any], kill_days: list[str]) -> PromotionView:
    """Return the stage and its criteria; `kill_rule` is section ``[policy.kill]`` as written."""
    trading, shown, judged = live.trading, live.promotion, live.judged
    return PromotionView(
        stage=Stage.DEMO if trading is None else trading.stage,
        stage_since=_day(None if trading is None else trading.stage_since),
        stages=list(Stage),
        next_stage=None if shown is None else shown.next_stage,
        assessed_on=None if shown is None else day_text(shown.day),
        criteria=[
            CriterionView(name=one.name, observed=one.observed, needed=one.needed, holds=one.holds)
            for one in (() if shown is None else shown.criteria)
        ],
        demo_only=trading is not None and trading.demo_only,
        forced_demo=trading is not None and trading.forced_demo,
        paper_after=_day(None if trading is None else trading.paper_after),
        kill_days=kill_days,
        kill_days_limit=_whole(kill_rule.get("kill_days")),
        kill_window_days=_whole(kill_rule.get("window_days")),
        quarantined_since=_day(None if trading is None else trading.quarantined_since),
        quarantined_until=_day(
            (trading.quarantined_until or None) if trading is not None else None
        ),
        judged_stay_demo=None if judged is None else judged.stay_demo,
        judged_at=None if judged is None else str(judged.ts_event),
        path=[] if trading is None else _path(live, trading),
    )


def _day(day: int | None) -> str | None:
    return None if day is None else day_text(day)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _path(live: Live, trading: TradingStateChanged) -> list[str]:
    """Say what keeps the desk off live accounts, in the order in which it ends."""
    said: list[str] = []
    if trading.paper_after is not None:
        said.append(
            f"killed on {day_text(trading.paper_after)}: the next session is on paper, "
            "unless a person resumes"
        )
    if trading.quarantined_until:
        judged = live.judged
        fresh = judged is not None and judged.ts_event > trading.quarantined_at
        word = "no judge has looked since it began"
        if judged is not None and fresh:
            word = "the judge says stay on paper" if judged.stay_demo else "the judge says go on"
        said.append(
            f"in quarantine until {day_text(trading.quarantined_until)}; a person may end it "
            f"early where the judge agrees: {word}"
        )
    if trading.forced_demo:
        said.append("a person forced demo: it ends when a person resumes")
    if trading.demo_only and trading.stage in {Stage.DEMO, Stage.DEMO_TESTING, Stage.STRESS}:
        said.append(f"stage {trading.stage} is on paper: it ends with a promotion")
    return said
