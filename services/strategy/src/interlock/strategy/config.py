"""Section ``[strategy]`` of a desk file."""

from decimal import Decimal
from enum import StrEnum
from math import isfinite

from msgspec import Struct

from interlock.model.values import ZERO, require_not_negative, require_positive
from interlock.strategy.ensemble.config import EnsembleConfig, SipConfig
from interlock.wire.approvals import MOST_APPROVERS


class EngineKind(StrEnum):
    """``threshold`` follows moves of the price, ``ensemble`` a score fused from three models."""

    THRESHOLD = "threshold"
    ENSEMBLE = "ensemble"


class Approval(StrEnum):
    """What waits for people: nothing, or each entry."""

    NONE = "none"
    ENTRIES = "entries"


class StrategyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which engine trades, and how.

    Parameters
    ----------
    kind, name
        The engine, and what its intents are signed with: its kind, where no name is given.
    parameter, position_notional, allow_short
        Of the threshold engine: its threshold's name among policy's parameters, and the size of a
        full position in USD.
    max_features_age_seconds
        Features that are older, such as those of bars that were missed and asked for, decide
        nothing.
    ensemble, sip
        The meta-ensemble, and what it saves of each day's profit.
    max_exposure_pct
        Of the equity. Positions worth more are trimmed; without it none is.
    slice_notional, slice_seconds, min_slice_notional
        What an order of a trim is worth at most, one an instrument each `slice_seconds`, and what
        it is worth at least, as the venue may ask for.
    approval, approvers, approval_seconds, approval_max_move_bps
        What waits for people: how many must approve, for how much of the desk's clock at most, and
        how far the price may move meanwhile.
    """

    kind: EngineKind = EngineKind.THRESHOLD
    name: str = ""
    parameter: str = "threshold_bps"
    position_notional: Decimal = Decimal(5_000)
    allow_short: bool = False
    max_features_age_seconds: int = 30
    max_exposure_pct: Decimal | None = None
    slice_notional: Decimal = Decimal(1_000)
    slice_seconds: int = 30
    min_slice_notional: Decimal = ZERO
    ensemble: EnsembleConfig | None = None
    sip: SipConfig | None = None
    approval: Approval = Approval.NONE
    approval_seconds: int = 300
    approvers: int = 1
    approval_max_move_bps: float = 50.0

    @property
    def label(self) -> str:
        return self.name or self.kind

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
        if (self.kind is EngineKind.ENSEMBLE) is not (self.ensemble is not None):
            raise ValueError('[strategy.ensemble] and kind = "ensemble" go together')
        if self.sip is not None and self.ensemble is None:
            raise ValueError('[strategy.sip] needs kind = "ensemble"')
        if self.approval_seconds < 1 or not 1 <= self.approvers <= MOST_APPROVERS:
            raise ValueError(
                f"approval_seconds must be at least 1, approvers from 1 to {MOST_APPROVERS}"
            )
        if not isfinite(self.approval_max_move_bps) or self.approval_max_move_bps < 0:
            raise ValueError(
                f"approval_max_move_bps must not be negative, not {self.approval_max_move_bps}"
            )
