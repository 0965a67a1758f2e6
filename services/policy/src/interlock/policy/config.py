"""Section ``[policy]`` of a desk file."""

from typing import Literal

from msgspec import Struct, field

from interlock.model.values import Stage
from interlock.wire.policy import Phase

EVERY_BUCKET = "*"
_PERCENT = 100


class ParameterLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hard limits of one parameter, in its own unit. `max_step` bounds one accepted change.

    `tightens` says which way less risk lies. A step that way need not wait: neither a freeze nor
    the share and the number of accepted changes hold it back. `max_accept_rate` and
    `max_accepted_in_window` take the place of the desk's for this parameter: what a model is asked
    for a few times a day is not paced like what it proposes every few seconds.
    """

    initial: float
    lower: float
    upper: float
    max_step: float
    tightens: Literal["down", "up"] | None = None
    max_accept_rate: float | None = None
    max_accepted_in_window: int | None = None

    def __post_init__(self) -> None:
        if self.max_accept_rate is not None and not 0 <= self.max_accept_rate <= 1:
            raise ValueError(f"max_accept_rate is a fraction, not {self.max_accept_rate}")
        if self.max_accepted_in_window is not None and self.max_accepted_in_window < 1:
            raise ValueError("max_accepted_in_window must be at least 1")
        if not self.lower <= self.initial <= self.upper:
            raise ValueError(
                f"initial {self.initial} is outside lower {self.lower} to upper {self.upper}"
            )
        if not self.max_step > 0:
            raise ValueError(f"max_step must be above zero, not {self.max_step}")


class KillRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a loss ends the day, and when such days put the desk on paper.

    `daily_loss_pct` is of the equity at the day's first mark. Days are trading days: `kill_days` of
    them within `window_days` begin a quarantine of `quarantine_days`.
    """

    daily_loss_pct: float
    kill_days: int
    window_days: int
    quarantine_days: int

    def __post_init__(self) -> None:
        if not 0 < self.daily_loss_pct <= _PERCENT:
            raise ValueError(f"daily_loss_pct is above 0 up to 100, not {self.daily_loss_pct}")
        if min(self.kill_days, self.quarantine_days) < 1 or self.window_days < self.kill_days:
            raise ValueError(
                "kill_days and quarantine_days must be at least 1, window_days at least kill_days"
            )


SOURCE_KILL_RULE = KillRule(daily_loss_pct=2.5, kill_days=3, window_days=10, quarantine_days=7)
"""What holds for a desk that says nothing of its own: no desk is without the rule."""


class StageRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stage leaves of the configured permissions.

    `cap_scales` multiplies a bucket's caps; ``*`` stands for every bucket that is not named.
    """

    cap_scales: dict[str, float] = {}
    allow_short: bool = True
    allow_options: bool = True

    def __post_init__(self) -> None:
        for bucket, scale in self.cap_scales.items():
            if not 0 <= scale <= 1:
                raise ValueError(f"cap_scales.{bucket} is from 0 to 1, not {scale}")


SOURCE_STAGES: dict[Stage, StageRules] = {
    Stage.DEMO: StageRules(),
    Stage.DEMO_TESTING: StageRules(),
    Stage.STRESS: StageRules(),
    Stage.LIVE_MICRO: StageRules(
        cap_scales={EVERY_BUCKET: 0.25}, allow_short=False, allow_options=False
    ),
    Stage.LIVE_LIMITED: StageRules(cap_scales={"penny": 0.5, "fno": 0.5}),
    Stage.FULL: StageRules(),
}
ON_PAPER = frozenset({Stage.DEMO, Stage.DEMO_TESTING, Stage.STRESS})
"""Stages from which no order reaches a live account, whatever the desk file says."""


class PromotionRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a desk must have shown at its stage before it may go on to the next.

    `sessions` in a row with every gate held; over these the annualised Sharpe ratio, the largest
    drawdown in percent, and the escalations a day.
    """

    sessions: int = 10
    sharpe_above: float = 0.8
    drawdown_below_pct: float = 8.0
    escalations_below_per_day: float = 1.0
    sessions_per_year: int = 252

    def __post_init__(self) -> None:
        if min(self.sessions, self.sessions_per_year) < 1:
            raise ValueError("sessions and sessions_per_year must be at least 1")
        if not self.drawdown_below_pct > 0 or not self.escalations_below_per_day > 0:
            raise ValueError("a criterion that nothing can hold is none")


class PolicyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How proposals are judged and what halts the desk.

    Seconds are desk time; percentages are of the desk's equity. `loss_freeze_pct` freezes at a loss
    this large over the ledger's loss window. `cool_down_seconds` is the least that passes after a
    trip, besides the next trading day, before risk may grow again. A limit that trips within
    `revert_window_seconds` after an accepted change takes the change back.
    """

    parameters: dict[str, ParameterLimits]
    phase: Phase = Phase.LIVE
    decision_seconds: int = 5
    window_seconds: int = 900
    max_accept_rate: float = 0.30
    max_accepted_in_window: int = 2
    loss_freeze_pct: float = 0.5
    max_clock_offset_ms: int = 250
    cool_down_seconds: int = 900
    revert_window_seconds: int = 900
    kill: KillRule = SOURCE_KILL_RULE
    stages: dict[Stage, StageRules] = field(default_factory=dict[Stage, StageRules])
    promotion: PromotionRule = field(default_factory=PromotionRule)

    def __post_init__(self) -> None:
        if not 0 <= self.max_accept_rate <= 1:
            raise ValueError(f"max_accept_rate is a fraction, not {self.max_accept_rate}")
        if min(self.decision_seconds, self.window_seconds, self.max_accepted_in_window) < 1:
            raise ValueError(
                "decision_seconds, window_seconds and max_accepted_in_window must be at least 1"
            )
        if min(self.cool_down_seconds, self.revert_window_seconds) < 0:
            raise ValueError("cool_down_seconds and revert_window_seconds must not be negative")
        if not self.loss_freeze_pct > 0 or self.max_clock_offset_ms < 0:
            raise ValueError("loss_freeze_pct must be above zero, max_clock_offset_ms not below")

    def stage_rules(self, stage: Stage) -> StageRules:
        return self.stages.get(stage) or SOURCE_STAGES[stage]
