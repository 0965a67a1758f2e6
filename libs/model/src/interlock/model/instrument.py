"""What can be traded, and in which steps."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, InvalidOperation

from msgspec import Struct

from interlock.model.values import InstrumentKind, require_positive


class Instrument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tradable thing. `tick` is the price step, `lot` the quantity step, both in own units.

    `bucket` and `sector` name the groups whose exposure is limited together. `multiplier` is how
    many units of the underlying one unit stands for: 100 for a listed option. `underlying` is the
    instrument that an option's price hangs on. `venue_symbol` is how the venue spells it, where
    that is not the id.
    """

    instrument_id: str
    venue: str
    currency: str = "USD"
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal(1)
    aliases: tuple[str, ...] = ()
    kind: InstrumentKind = InstrumentKind.EQUITY
    bucket: str = ""
    sector: str = ""
    multiplier: Decimal = Decimal(1)
    underlying: str = ""
    venue_symbol: str = ""

    @property
    def symbol(self) -> str:
        """The venue's spelling."""
        return self.venue_symbol or self.instrument_id

    def __post_init__(self) -> None:
        require_positive("tick", self.tick)
        require_positive("lot", self.lot)
        require_positive("multiplier", self.multiplier)

    def price(self, value: float | Decimal) -> Decimal:
        """Return `value` on the nearest tick."""
        steps = (Decimal(str(value)) / self.tick).quantize(Decimal(1), ROUND_HALF_EVEN)
        return steps * self.tick

    def quantity(self, value: float | Decimal) -> Decimal:
        """Return `value` rounded down to whole lots: rounding never enlarges an order."""
        steps = (Decimal(str(value)) / self.lot).quantize(Decimal(1), ROUND_DOWN)
        return steps * self.lot


def on_step(value: Decimal, step: Decimal) -> bool:
    """Return whether `value` is a whole number of steps, so few that they can be counted."""
    try:
        return value % step == 0
    except InvalidOperation:
        return False
