"""Section ``[policy]`` of a desk file."""

from msgspec import Struct

from interlock.wire.policy import Phase


class ParameterLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hard limits of one parameter, in its own unit. `max_step` bounds one accepted change."""

    initial: float
    lower: float
    upper: float
    max_step: float

    def __post_init__(self) -> None:
        if not self.lower <= self.initial <= self.upper:
            raise ValueError(f"initial {self.initial} is outside {self.lower} to {self.upper}")
        if not self.max_step > 0:
            raise ValueError(f"max_step must be above zero, not {self.max_step}")


class PolicyConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How proposals are judged. Seconds are desk time; percentages are of the desk's equity.

    `loss_freeze_pct` freezes at a loss this large over the ledger's loss window.
    """

    parameters: dict[str, ParameterLimits]
    phase: Phase = Phase.LIVE
    decision_seconds: int = 5
    window_seconds: int = 900
    max_accept_rate: float = 0.30
    max_accepted_in_window: int = 2
    loss_freeze_pct: float = 0.5
    max_clock_offset_ms: int = 250

    def __post_init__(self) -> None:
        if not 0 <= self.max_accept_rate <= 1:
            raise ValueError(f"max_accept_rate is a fraction, not {self.max_accept_rate}")
        if min(self.decision_seconds, self.window_seconds, self.max_accepted_in_window) < 1:
            raise ValueError("seconds and counts must be at least 1")
        if not self.loss_freeze_pct > 0 or self.max_clock_offset_ms < 0:
            raise ValueError("loss_freeze_pct must be above zero, max_clock_offset_ms not below")
