"""Section ``[ledger]`` of a desk file."""

from msgspec import Struct

_HOURS_PER_DAY = 24


class LedgerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the ledger measures.

    `loss_window_seconds` is desk time. `day_starts_at_utc_hour` parts two trading days: 4 lies
    between New York's last and first trades all year, 0 is right for an exchange that never
    closes. `audit_rows_kept` bounds the proposals held in memory; the tables keep them all.
    """

    loss_window_seconds: int = 1_800
    day_starts_at_utc_hour: int = 4
    audit_rows_kept: int = 20_000
    journal_rows_per_head: int = 1_000

    def __post_init__(self) -> None:
        if not 0 <= self.day_starts_at_utc_hour < _HOURS_PER_DAY:
            raise ValueError(
                f"day_starts_at_utc_hour must be 0 to 23, not {self.day_starts_at_utc_hour}"
            )
        for name in ("loss_window_seconds", "audit_rows_kept", "journal_rows_per_head"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
