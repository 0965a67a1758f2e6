"""The rules in force, who changed them, and the verdicts on proposals to change them."""

from enum import StrEnum

from msgspec import Struct, field

from interlock.model.trading import Standing
from interlock.model.values import Stage, TradingState
from interlock.wire.base import DeskMessage


class Phase(StrEnum):
    """``shadow``: proposals are judged and recorded, none is applied."""

    SHADOW = "shadow"
    LIVE = "live"


class ProposalVerdict(StrEnum):
    ACCEPTED = "accepted"
    SHADOW = "shadow"
    UNCHANGED = "unchanged"
    UNKNOWN_PARAMETER = "unknown_parameter"
    OUT_OF_BOUNDS = "out_of_bounds"
    STEP_TOO_LARGE = "step_too_large"
    TOO_SOON = "too_soon"
    ACCEPT_RATE = "accept_rate"
    TOO_MANY_ACCEPTED = "too_many_accepted"
    FROZEN = "frozen"


class FreezeReason(StrEnum):
    BARS_STALE = "bars_stale"
    LOSS_30_MIN = "loss_30_min"
    CLOCK_OFFSET = "clock_offset"
    ACCOUNT_UNKNOWN = "account_unknown"
    REVERTED = "reverted"
    REASONER_OFFLINE = "reasoner_offline"


class ProposalJudged(DeskMessage, frozen=True, kw_only=True, tag="policy.proposal-judged.v1"):
    """The audit row of one proposal. `applied` is the value in force afterwards.

    Counts are those of the trailing window after this proposal, itself included.
    """

    proposal_id: str
    provider: str
    parameter: str
    old: float
    proposed: float
    applied: float
    delta: float
    verdict: ProposalVerdict
    phase: Phase
    seen_in_window: int
    accepted_in_window: int
    window_ns: int
    freeze_reasons: list[FreezeReason]
    policy_version: int
    ts_desk: int


class ParameterChange(Struct, frozen=True, kw_only=True):
    """One line of a diff. `old` is none where the parameter is new."""

    name: str
    old: float | None
    new: float


class PolicyChanged(DeskMessage, frozen=True, kw_only=True, tag="policy.changed.v1"):
    """A policy version: an epoch of the desk, whole, with its difference to the one before.

    `do_not_trade` names instruments or sectors; `do_not_trade_by_model` are those of them that only
    a model asked for, and that its next answer replaces. `signature` is the policy service's
    Ed25519 over `interlock.wire.signing.policy_bytes`, in base64.
    """

    version: int
    parameters: dict[str, float]
    changes: list[ParameterChange]
    author: str
    reason: str
    proposal_id: str | None
    config_hash: str
    do_not_trade: list[str] = field(default_factory=list[str])
    do_not_trade_by_model: list[str] = field(default_factory=list[str])
    key_id: str = ""
    signature: str = ""


class TradingStateChanged(DeskMessage, frozen=True, kw_only=True, tag="policy.trading-state.v1"):
    """What may be traded from now on, whole. `epoch` grows with every change, fences older writers.

    Parameters
    ----------
    stage, cap_scales, allow_short, allow_options
        How far the desk is let out, and what that leaves of the configured permissions: caps of a
        bucket are multiplied by its scale, 1 where it has none.
    demo_only
        Whether no order may reach a live account: a kill day's next session, or quarantine.
    quarantined_until
        The first trading day (days since 1970) after the quarantine, 0 where there is none.
    kill_days
        The trading days in the trailing window on which the kill rule fired.
    disabled
        Strategies that may not enter until a named person enables them again.
    cancel_orders, flatten
        Whether the change asks for every open order to be cancelled, every position to be closed.
    standing, since_day, since_ts_desk
        Why the state is what it is, and the trading day and the desk time (ns) it came about on.
        Without a standing, the state stands for itself.
    stage_since
        The trading day on which the desk came to its stage.
    forced_demo
        Whether a person keeps the desk off live accounts.
    paper_after
        The kill day after which one session is on paper; none where that is over or overridden.
    quarantined_since, quarantined_at
        The kill day that began the quarantine, and the moment on the data's clock in UNIX ns.
    """

    state: TradingState
    epoch: int
    author: str
    reason: str
    stage: Stage = Stage.DEMO
    cap_scales: dict[str, float] = field(default_factory=dict[str, float])
    allow_short: bool = True
    allow_options: bool = True
    demo_only: bool = False
    quarantined_until: int = 0
    kill_days: list[int] = field(default_factory=list[int])
    disabled: list[str] = field(default_factory=list[str])
    cancel_orders: bool = False
    flatten: bool = False
    standing: Standing | None = None
    since_day: int | None = None
    since_ts_desk: int = 0
    stage_since: int | None = None
    forced_demo: bool = False
    paper_after: int | None = None
    quarantined_since: int | None = None
    quarantined_at: int = 0
    key_id: str = ""
    signature: str = ""


class HaltTrading(DeskMessage, frozen=True, kw_only=True, tag="policy.halt.v1"):
    """Stop all risk-increasing orders."""

    by: str
    reason: str


_NO_PERSON = frozenset({"", "policy", "configuration"})


def names_person(by: str) -> bool:
    """Return whether `by` is somebody, and not the author of what policy says by itself."""
    return by.strip().lower() not in _NO_PERSON


class ResumeTrading(DeskMessage, frozen=True, kw_only=True, tag="policy.resume.v1"):
    """Let orders through again. `by` names a person."""

    by: str
    reason: str


class EnableStrategy(DeskMessage, frozen=True, kw_only=True, tag="policy.enable-strategy.v1"):
    """A named person lets a strategy enter again after it was disabled for repeating itself."""

    by: str
    strategy: str
    reason: str


class ClearQuarantine(DeskMessage, frozen=True, kw_only=True, tag="policy.clear-quarantine.v1"):
    """A named person ends a quarantine; it also takes a judge that said ``stay_demo = false``."""

    by: str
    reason: str


class SetStage(DeskMessage, frozen=True, kw_only=True, tag="policy.set-stage.v1"):
    """A named person moves the desk to another stage. Going back is always allowed."""

    by: str
    stage: Stage
    reason: str


class ForceDemo(DeskMessage, frozen=True, kw_only=True, tag="policy.force-demo.v1"):
    """A named person keeps every order off live accounts until the desk is resumed."""

    by: str
    reason: str


class RollBackPolicy(DeskMessage, frozen=True, kw_only=True, tag="policy.roll-back.v1"):
    """A named person puts an older version in force again, as a new version."""

    by: str
    version: int
    reason: str


class CommandRefused(DeskMessage, frozen=True, kw_only=True, tag="policy.command-refused.v1"):
    """The policy service will not do what a person asked. `code` is public, `reason` is wording."""

    command: str
    command_id: str
    by: str
    code: str
    reason: str


class PromotionCriterion(Struct, frozen=True, kw_only=True):
    """One thing that the next stage needs, with what was seen of it."""

    name: str
    observed: str
    needed: str
    holds: bool


class PromotionAssessed(DeskMessage, frozen=True, kw_only=True, tag="policy.promotion.v1"):
    """What the desk has shown at its stage, as a trading day begins. `next_stage` may be none."""

    stage: Stage
    next_stage: Stage | None
    day: int
    criteria: list[PromotionCriterion]
