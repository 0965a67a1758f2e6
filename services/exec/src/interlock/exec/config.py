"""Section ``[exec]`` of a desk file."""

from msgspec import Struct

from interlock.venues.paper import PaperConfig


class ExecConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The venue's settings, and when a silent gate counts as dead.

    `paper` is used where the desk's venue is ``paper``. A gate that has not been heard for
    `gate_silence_seconds` presses the kill switch; until its first word it has
    `gate_start_seconds`.
    """

    paper: PaperConfig = PaperConfig()
    gate_silence_seconds: float = 10.0
    gate_start_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in ("gate_silence_seconds", "gate_start_seconds"):
            value = getattr(self, name)
            if not value >= 1:
                raise ValueError(
                    f"{name} must be at least 1, not {value}: the gate speaks once a second"
                )
