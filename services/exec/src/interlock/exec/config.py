"""Section ``[exec]`` of a desk file."""

from decimal import Decimal

from msgspec import Struct

from interlock.exec.cash import USUAL, Tolerance
from interlock.model.values import require_not_negative
from interlock.venues.paper import PaperConfig


class ExecConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The venue's settings, and when a silent gate counts as dead.

    `paper` is used where the desk's venue is ``paper``. A gate that has not been heard for
    `gate_silence_seconds` presses the kill switch; until its first word it has
    `gate_start_seconds`. Its clock may be `max_clock_offset_ms` ahead of ours: an approval from
    further in the future is refused. The venue's cash may differ from ours by `cash_tolerance`,
    in each currency, and by `cash_tolerance_bps` 1/10,000 of what was traded since it last agreed.
    """

    paper: PaperConfig = PaperConfig()
    gate_silence_seconds: float = 10.0
    gate_start_seconds: float = 60.0
    max_clock_offset_ms: int = 250
    cash_tolerance: Decimal = USUAL.amount
    cash_tolerance_bps: Decimal = USUAL.bps

    @property
    def tolerance(self) -> Tolerance:
        """How far the venue's cash may be from ours."""
        return Tolerance(amount=self.cash_tolerance, bps=self.cash_tolerance_bps)

    def __post_init__(self) -> None:
        if self.max_clock_offset_ms < 0:
            raise ValueError(
                f"max_clock_offset_ms must not be below zero, not {self.max_clock_offset_ms}"
            )
        require_not_negative("cash_tolerance", self.cash_tolerance)
        require_not_negative("cash_tolerance_bps", self.cash_tolerance_bps)
        for name in ("gate_silence_seconds", "gate_start_seconds"):
            value = getattr(self, name)
            if not value >= 1:
                raise ValueError(
                    f"{name} must be at least 1, not {value}: the gate speaks once a second"
                )


USUAL_CONFIG = ExecConfig()
