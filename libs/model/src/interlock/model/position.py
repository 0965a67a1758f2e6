"""A position and the arithmetic of fills: average cost, realised and unrealised profit."""

from decimal import Decimal

from msgspec import Struct

from interlock.model.values import ZERO, Side


class Position(Struct, frozen=True, kw_only=True):
    """Signed quantity (long above zero) at an average entry price, in the quote currency."""

    instrument_id: str
    quantity: Decimal = ZERO
    avg_px: Decimal = ZERO
    realised_pnl: Decimal = ZERO

    def unrealised_pnl(self, mark: Decimal) -> Decimal:
        return (mark - self.avg_px) * self.quantity


def apply_fill(
    position: Position, side: Side, quantity: Decimal, price: Decimal, fee: Decimal
) -> Position:
    """Return the position after one fill; the fee is realised at once.

    Adding to a side moves the average price; reducing realises against it; crossing zero
    realises the whole old side and opens the rest at the fill price.
    """
    signed = quantity * side.sign
    before, after = position.quantity, position.quantity + signed
    realised = position.realised_pnl - fee
    if before * signed >= 0:
        avg_px = (position.avg_px * abs(before) + price * quantity) / abs(after)
    else:
        closed = min(abs(before), quantity)
        direction = 1 if before > 0 else -1
        realised += (price - position.avg_px) * closed * direction
        avg_px = position.avg_px if abs(before) > quantity else (price if after else ZERO)
    return Position(
        instrument_id=position.instrument_id,
        quantity=after,
        avg_px=avg_px,
        realised_pnl=realised,
    )
