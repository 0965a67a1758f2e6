"""Protective orders: each must be what its entry was signed with, and no approval of its own.

Theory of operation. Exec makes them of the distances that stand in the entry's signature. So the
audit asks of each that it is the entry's in everything that matters, that it only reduces, by no
more than the entry has filled, and that its price is no further away than was signed. That the
entry was sent as it was signed is `orders`' matter. The journal may tell of fills a little late, so
what does not fit yet is asked about again at the end.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from interlock.cli.audit.finding import FindingError
from interlock.model.values import ZERO, OrderType
from interlock.wire.orders import OrderFilled, OrderSubmitted, Protection

_AS_THE_ENTRY = (
    "decision_id",
    "desk",
    "account",
    "venue",
    "mode",
    "strategy",
    "instrument_id",
    "reference_price",
    "policy_version",
    "config_hash",
    "epoch",
)


@dataclass(slots=True)
class _Entry:
    """An order with protection. `averages` are its price after each fill."""

    order: OrderSubmitted
    protection: Protection
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    averages: list[Decimal] = field(default_factory=list[Decimal])


@dataclass(slots=True)
class Protected:
    """Entries by client order id, and the protective orders that nothing explains so far."""

    _entries: dict[str, _Entry] = field(default_factory=dict[str, _Entry])
    _open: list[tuple[int, OrderSubmitted]] = field(
        default_factory=list[tuple[int, OrderSubmitted]]
    )

    def fill(self, fill: OrderFilled) -> None:
        entry = self._entries.get(fill.client_order_id)
        if entry is not None:
            entry.filled += fill.last_qty
            entry.cost += fill.last_qty * fill.last_px
            entry.averages.append(entry.cost / entry.filled)

    def submit(self, seq: int, order: OrderSubmitted) -> None:
        if not order.parent:
            if order.protection is not None and not order.reduce_only:
                self._entries[order.client_order_id] = _Entry(order, order.protection)
        elif self._fault(order):
            self._open.append((seq, order))

    def end(self) -> None:
        """Raise `FindingError` for a protective order that is not as it was signed."""
        for seq, child in self._open:
            fault = self._fault(child)
            if fault and child.parent not in self._entries:
                raise FindingError("journal.unapproved", seq, f"row {seq} {fault}")
            if fault:
                raise FindingError("journal.sent_otherwise", seq, f"row {seq} {fault}")

    def _fault(self, child: OrderSubmitted) -> str:
        """Return what is wrong with it by all that is known, empty where nothing is."""
        entry, name = self._entries.get(child.parent), child.client_order_id
        if entry is None:
            return f"sends order {name} to protect {child.parent}, which no row approves so"
        for field_name in _AS_THE_ENTRY:
            signed, sent = getattr(entry.order, field_name), getattr(child, field_name)
            if signed != sent:
                return f"sends {field_name} {sent} to protect an order with {signed}"
        if child.side is entry.order.side or not child.reduce_only:
            return f"sends order {name}, which does not reduce what it protects"
        if child.quantity > entry.filled:
            return f"sends quantity {child.quantity} to protect {entry.filled}"
        if not _as_signed(entry, child):
            return f"sends a {child.order_type} further away than was approved"
        return ""


def _as_signed(entry: _Entry, child: OrderSubmitted) -> bool:
    """Return whether the price is no further from the fills than was signed.

    A market order is what exec sends where a price that it watches itself is reached.
    """
    signed, sign = entry.protection, entry.order.side.sign
    match child.order_type:
        case OrderType.STOP:
            return _within(signed.stop, child.stop_price, entry.averages, -sign)
        case OrderType.LIMIT:
            return _within(signed.profit, child.limit_price, entry.averages, sign)
        case OrderType.TRAILING_STOP:
            return child.trail_offset is not None and child.trail_offset == signed.trail
        case OrderType.MARKET:
            return True


def _within(
    distance: Decimal | None, price: Decimal | None, averages: list[Decimal], sign: int
) -> bool:
    if distance is None or price is None:
        return False
    return any((price - average) * sign <= distance for average in averages)
