"""Section ``[gate]`` of a desk file. A limit that is not set denies every order."""

from decimal import Decimal

from msgspec import Struct

from interlock.model.values import require_positive


class InstrumentLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one instrument; notionals in the account's currency."""

    max_order_quantity: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None:
                require_positive(name, value)


class GateConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits and ages. Seconds are the data's time; `collar_bps` is in 1/10,000 of the price.

    `default_limits` hold for the desk's own instruments; `limits` replaces them for one of them.
    """

    default_limits: InstrumentLimits = InstrumentLimits()
    limits: dict[str, InstrumentLimits] = {}
    max_gross_notional: Decimal | None = None
    collar_bps: Decimal | None = None
    max_reference_age_seconds: int | None = None
    max_intent_age_seconds: int | None = None
    approval_seconds: int = 2
    allow_short: bool = False

    def __post_init__(self) -> None:
        for name in ("max_gross_notional", "collar_bps"):
            value = getattr(self, name)
            if value is not None:
                require_positive(name, value)
        if self.approval_seconds < 1:
            raise ValueError(f"approval_seconds must be at least 1, not {self.approval_seconds}")

    def limits_of(self, instrument_id: str) -> InstrumentLimits:
        return self.limits.get(instrument_id, self.default_limits)
