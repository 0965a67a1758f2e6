"""The rules in force, who changed them, and the verdicts on proposals to change them."""

from enum import StrEnum

from msgspec import Struct

from interlock.model.values import TradingState
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
    """A policy version: an epoch of the desk, whole, with its difference to the one before."""

    version: int
    parameters: dict[str, float]
    changes: list[ParameterChange]
    author: str
    reason: str
    proposal_id: str | None
    config_hash: str


class TradingStateChanged(DeskMessage, frozen=True, kw_only=True, tag="policy.trading-state.v1"):
    """What may be traded from now on. `epoch` grows with every change and fences older writers."""

    state: TradingState
    epoch: int
    author: str
    reason: str


class HaltTrading(DeskMessage, frozen=True, kw_only=True, tag="policy.halt.v1"):
    """Stop all risk-increasing orders."""

    by: str
    reason: str


class ResumeTrading(DeskMessage, frozen=True, kw_only=True, tag="policy.resume.v1"):
    """Let orders through again. `by` names a person."""

    by: str
    reason: str
