"""Section ``[strategy]`` of a desk file."""

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from interlock.model.values import require_positive
from interlock.strategy.ensemble.config import EnsembleConfig, SipConfig


class EngineKind(StrEnum):
    """``threshold`` follows moves of the price, ``ensemble`` a score fused from three models."""

    THRESHOLD = "threshold"
    ENSEMBLE = "ensemble"


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
    """

    kind: EngineKind = EngineKind.THRESHOLD
    name: str = ""
    parameter: str = "threshold_bps"
    position_notional: Decimal = Decimal(5_000)
    allow_short: bool = False
    max_features_age_seconds: int = 30
    ensemble: EnsembleConfig | None = None
    sip: SipConfig | None = None

    @property
    def label(self) -> str:
        return self.name or self.kind

    def __post_init__(self) -> None:
        require_positive("position_notional", self.position_notional)
        if self.max_features_age_seconds < 1:
            raise ValueError(
                f"max_features_age_seconds must be at least 1, not {self.max_features_age_seconds}"
            )
        if (self.kind is EngineKind.ENSEMBLE) is not (self.ensemble is not None):
            raise ValueError('[strategy.ensemble] and kind = "ensemble" go together')
        if self.sip is not None and self.ensemble is None:
            raise ValueError('[strategy.sip] needs kind = "ensemble"')
