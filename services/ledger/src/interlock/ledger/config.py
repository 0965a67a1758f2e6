"""Section ``[ledger]`` of a desk file."""

from msgspec import Struct


class LedgerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the ledger measures.

    `loss_window_seconds` is desk time. `audit_rows_kept` bounds the proposals held in memory; the
    tables keep them all.
    """

    loss_window_seconds: int = 1_800
    audit_rows_kept: int = 20_000
    journal_rows_per_head: int = 1_000

    def __post_init__(self) -> None:
        for name in ("loss_window_seconds", "audit_rows_kept", "journal_rows_per_head"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
