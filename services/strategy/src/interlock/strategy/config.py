"""Section ``[strategy]`` of a desk file."""

from decimal import Decimal
from enum import StrEnum
from math import isfinite

from msgspec import Struct

from interlock.model.values import require_positive
from interlock.wire.approvals import MOST_APPROVERS


class Approval(StrEnum):
    """What waits for people: nothing, or each entry."""

    NONE = "none"
    ENTRIES = "entries"


class StrategyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The threshold engine.

    `position_notional` is the size of a full position, in USD. Features that are older than
    `max_features_age_seconds`, such as those of bars that were missed and asked for, decide
    nothing.

    With `approval` an entry waits for `approvers` people, `approval_seconds` of the desk's clock at
    most, and lapses where the price moves by more than `approval_max_move_bps` meanwhile.
    """

    name: str = "threshold"
    parameter: str = "threshold_bps"
    position_notional: Decimal = Decimal(5_000)
    allow_short: bool = False
    max_features_age_seconds: int = 30
    approval: Approval = Approval.NONE
    approval_seconds: int = 300
    approvers: int = 1
    approval_max_move_bps: float = 50.0

    def __post_init__(self) -> None:
        require_positive("position_notional", self.position_notional)
        if self.max_features_age_seconds < 1:
            raise ValueError(
                f"max_features_age_seconds must be at least 1, not {self.max_features_age_seconds}"
            )
        if self.approval_seconds < 1 or not 1 <= self.approvers <= MOST_APPROVERS:
            raise ValueError(
                f"approval_seconds must be at least 1, approvers from 1 to {MOST_APPROVERS}"
            )
        if not isfinite(self.approval_max_move_bps) or self.approval_max_move_bps < 0:
            raise ValueError(
                f"approval_max_move_bps must not be negative, not {self.approval_max_move_bps}"
            )
