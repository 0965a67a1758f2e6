"""Section ``[strategy]`` of a desk file."""

from decimal import Decimal
from enum import StrEnum
from math import isfinite

from msgspec import Struct

from interlock.model.values import ZERO, require_not_negative, require_positive
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

    Positions worth more than `max_exposure_pct` of the equity are trimmed, in orders of at most
    `slice_notional` an instrument, one each `slice_seconds`; none is worth less than
    `min_slice_notional`, which the venue may ask for. Without `max_exposure_pct` none is trimmed.

    With `approval` an entry waits for `approvers` people, `approval_seconds` of the desk's clock at
    most, and lapses where the price moves by more than `approval_max_move_bps` meanwhile.
    """

    name: str = "threshold"
    parameter: str = "threshold_bps"
    position_notional: Decimal = Decimal(5_000)
    allow_short: bool = False
    max_features_age_seconds: int = 30
    max_exposure_pct: Decimal | None = None
    slice_notional: Decimal = Decimal(1_000)
    slice_seconds: int = 30
    min_slice_notional: Decimal = ZERO
    approval: Approval = Approval.NONE
    approval_seconds: int = 300
    approvers: int = 1
    approval_max_move_bps: float = 50.0

    def __post_init__(self) -> None:
        require_positive("position_notional", self.position_notional)
        require_positive("slice_notional", self.slice_notional)
        require_not_negative("min_slice_notional", self.min_slice_notional)
        if self.max_exposure_pct is not None:
            require_positive("max_exposure_pct", self.max_exposure_pct)
        if self.min_slice_notional > self.slice_notional:
            raise ValueError("min_slice_notional must not be above slice_notional")
        if self.slice_seconds < 1:
            raise ValueError(f"slice_seconds must be at least 1, not {self.slice_seconds}")
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
