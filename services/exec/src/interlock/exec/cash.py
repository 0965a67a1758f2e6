"""Cash as exec counts it, by currency.

Theory of operation. What was in the account before is the venue's to say: its figure is taken over
when the books are first compared, and from there each fill moves it by its value and by the fee
that was taken out of the same currency. A coin that is bought is a position, not cash. Each time
the venue's figure agrees with ours it is taken over again, so that what the tolerance lets pass
does not add up; how much it lets pass grows with what has been traded since.

The default tolerance is a cent, which a venue's rounding may take of what did not trade, and one
basis point of the value traded: US brokers take regulatory fees at the end of the day instead of
with the fill (in 2024 0.278 bp of sales to the SEC and 0.000166 USD a share to FINRA), and a price
that only an order's average tells is a quotient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from interlock.model.instrument import Instrument
from interlock.model.values import ZERO
from interlock.wire.orders import OrderFilled

_BPS = Decimal(10_000)


@dataclass(slots=True)
class Cash:
    """What is held of one currency; `traded` is the value traded since the venue agreed."""

    amount: Decimal
    traded: Decimal = ZERO


class Tolerance(Struct, frozen=True, kw_only=True):
    """How far the venue's cash may be from ours: in the currency, and in 1/10,000 of the value."""

    amount: Decimal
    bps: Decimal

    def of(self, traded: Decimal) -> Decimal:
        return self.amount + self.bps / _BPS * traded


USUAL = Tolerance(amount=Decimal("0.01"), bps=Decimal(1))


def pay(cash: Mapping[str, Cash], fill: OrderFilled, instrument: Instrument | None) -> None:
    """Take in a fill; nothing is kept of a currency that the venue has not named."""
    own = None if instrument is None else cash.get(instrument.currency)
    if instrument is None or own is None:
        return
    value = fill.last_qty * fill.last_px * instrument.multiplier
    own.amount -= value * fill.side.sign + fill.fee - fill.fee_elsewhere
    own.traded += value
