"""Section ``[strategy]`` of a desk file."""

from decimal import Decimal

from msgspec import Struct

from interlock.model.values import require_positive


class StrategyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The threshold engine.

    `position_notional` is the size of a full position, in USD. Features that are older than
    `max_features_age_seconds`, such as those of bars that were missed and asked for, decide
    nothing.
    """

    name: str = "threshold"
    parameter: str = "threshold_bps"
    position_notional: Decimal = Decimal(5_000)
    allow_short: bool = False
    max_features_age_seconds: int = 30

    def __post_init__(self) -> None:
        require_positive("position_notional", self.position_notional)
        if self.max_features_age_seconds < 1:
            raise ValueError(
                f"max_features_age_seconds must be at least 1, not {self.max_features_age_seconds}"
            )
