"""The paper venue: fills orders against replayed bars and quotes, the same way every time.

Theory of operation. An order rests until the market moves after it: it never trades on the bar it
was decided on, even where that comes again. On a bar a market order fills at the open, worsened
by half the spread and by slippage; a limit order fills when the bar reaches its price, at the open
where that is better. At most `participation` of the bar's volume is filled, in whole lots; the rest
waits for the next bar. On a quote orders fill at the touch, up to its size. Prices are rounded to
the tick against the order, so that rounding hides no cost. Trade ids derive from order and market
event, so a market event that is seen twice trades once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from interlock.model.ids import derive_id
from interlock.model.instrument import Instrument
from interlock.model.order import WorkingOrder
from interlock.model.values import ZERO, OrderType, Side, TimeInForce, require_not_negative
from interlock.venues.port import (
    ProtectiveOrder,
    Tell,
    VenueAccepted,
    VenueBook,
    VenueCanceled,
    VenueFilled,
    VenueNeverSeen,
    VenueReport,
)
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder

_BPS = Decimal(10_000)
_CENT_OF_A_CENT = Decimal("0.0001")


class PaperConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Costs of trading, in 1/10,000 of the price; `participation` is a fraction of volume."""

    spread_bps: Decimal = Decimal(2)
    slippage_bps: Decimal = Decimal(1)
    fee_bps: Decimal = Decimal("0.5")
    participation: Decimal = Decimal("0.05")

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            require_not_negative(name, getattr(self, name))


@dataclass(slots=True)
class _Resting:
    """An order in the paper venue's book."""

    client_order_id: str
    instrument_id: str
    side: Side
    leaves: Decimal
    limit_price: Decimal | None
    time_in_force: TimeInForce
    ts_placed: int

    @property
    def venue_order_id(self) -> str:
        return derive_id("paper", self.client_order_id)


@dataclass(slots=True)
class PaperVenue:
    """A venue in this process. `instruments` is keyed by instrument id."""

    config: PaperConfig
    instruments: dict[str, Instrument]
    _book: dict[str, _Resting] = field(default_factory=dict[str, _Resting])
    _positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    _trades: set[str] = field(default_factory=set[str])
    _placed: set[str] = field(default_factory=set[str])

    def open(
        self, orders: Sequence[WorkingOrder], positions: dict[str, Decimal], trade_ids: set[str]
    ) -> VenueBook:
        """Take over what exec remembers: a simulated venue lives and dies with its process."""
        self._positions = dict(positions)
        self._trades = set(trade_ids)
        for order in orders:
            self._placed.add(order.client_order_id)
            self._book[order.client_order_id] = _Resting(
                client_order_id=order.client_order_id,
                instrument_id=order.instrument_id,
                side=order.side,
                leaves=order.leaves,
                limit_price=order.limit_price,
                time_in_force=order.time_in_force,
                ts_placed=order.ts_event,
            )
        leaves = {name: order.leaves for name, order in self._book.items()}
        return VenueBook(leaves=leaves, positions=dict(self._positions))

    def place(self, order: SubmitOrder, now: int) -> Sequence[VenueReport]:
        del now
        resting = _Resting(
            client_order_id=order.client_order_id,
            instrument_id=order.instrument_id,
            side=order.side,
            leaves=order.quantity,
            limit_price=order.limit_price,
            time_in_force=order.time_in_force,
            ts_placed=order.ts_event,
        )
        if order.client_order_id not in self._placed:
            self._placed.add(order.client_order_id)
            self._book[order.client_order_id] = resting
        return [
            VenueAccepted(
                client_order_id=order.client_order_id, venue_order_id=resting.venue_order_id
            )
        ]

    @property
    def keeps(self) -> frozenset[OrderType]:
        return frozenset()

    def protect(self, order: ProtectiveOrder, now: int) -> Sequence[VenueReport]:
        raise NotImplementedError(f"paper keeps no {order.order_type} order yet ({now})")

    def look_up(self, client_order_id: str) -> Sequence[VenueReport]:
        resting = self._book.get(client_order_id)
        if resting is not None:
            name = resting.venue_order_id
            return [VenueAccepted(client_order_id=client_order_id, venue_order_id=name)]
        return (
            ()
            if client_order_id in self._placed
            else [VenueNeverSeen(client_order_id=client_order_id)]
        )

    async def run(self, report: Tell) -> None:
        """There is no stream: what happens here is said at once."""
        del report

    async def close(self) -> None: ...

    def cancel(self, client_order_id: str) -> Sequence[VenueReport]:
        """End an order that rests here. One that has ended already has said so before."""
        if client_order_id in self._placed and client_order_id not in self._book:
            return ()
        rested = self._book.pop(client_order_id, None)
        self._placed.add(client_order_id)
        reason = "cancelled" if rested is not None else "it never came to the venue"
        return [VenueCanceled(client_order_id=client_order_id, reason=reason)]

    def advance(self, event: Bar | Quote) -> Sequence[VenueReport]:
        reports: list[VenueReport] = []
        available = self._available(event)
        for order in list(self._book.values()):
            if order.instrument_id != event.instrument_id or event.ts_event <= order.ts_placed:
                continue
            fill = self._fill(order, event, available[order.side])
            if fill is not None:
                for side in (order.side,) if isinstance(event, Quote) else Side:
                    available[side] -= fill.quantity
                reports.append(fill)
            if order.leaves > ZERO and order.time_in_force is TimeInForce.IOC:
                del self._book[order.client_order_id]
                reports.append(
                    VenueCanceled(
                        client_order_id=order.client_order_id, reason="immediate or cancel"
                    )
                )
        return reports

    def _available(self, event: Bar | Quote) -> dict[Side, Decimal]:
        """Return what a buyer and a seller can get; on a bar it is one and the same volume."""
        if isinstance(event, Quote):
            return {
                Side.BUY: Decimal(repr(event.ask_size)),
                Side.SELL: Decimal(repr(event.bid_size)),
            }
        volume = Decimal(repr(event.volume)) * self.config.participation
        return dict.fromkeys(Side, volume)

    def _fill(self, order: _Resting, event: Bar | Quote, available: Decimal) -> VenueFilled | None:
        instrument = self.instruments[order.instrument_id]
        price = self._price(order, event, instrument)
        quantity = instrument.quantity(min(order.leaves, max(available, ZERO)))
        trade_id = derive_id("trade", order.client_order_id, event.message_id)
        if price is None or quantity <= ZERO or trade_id in self._trades:
            return None
        self._trades.add(trade_id)
        order.leaves -= quantity
        if order.leaves == ZERO:
            del self._book[order.client_order_id]
        held = self._positions.get(order.instrument_id, ZERO)
        self._positions[order.instrument_id] = held + quantity * order.side.sign
        fee = (quantity * price * self.config.fee_bps / _BPS).quantize(
            _CENT_OF_A_CENT, ROUND_HALF_EVEN
        )
        return VenueFilled(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            trade_id=trade_id,
            quantity=quantity,
            price=price,
            fee=fee,
        )

    def _price(self, order: _Resting, event: Bar | Quote, instrument: Instrument) -> Decimal | None:
        """Return the price this order trades at on this event, none where it does not."""
        buying = order.side is Side.BUY
        if isinstance(event, Quote):
            touch = _on_tick(Decimal(repr(event.ask if buying else event.bid)), order, instrument)
            return touch if _reaches(order, touch) else None
        opened = Decimal(repr(event.open))
        limit = order.limit_price
        if limit is None:
            half = self.config.spread_bps / 2 + self.config.slippage_bps
            return _on_tick(opened * (1 + order.side.sign * half / _BPS), order, instrument)
        extreme = Decimal(repr(event.low if buying else event.high))
        if not _reaches(order, extreme):
            return None
        opened = _on_tick(opened, order, instrument)
        return min(limit, opened) if buying else max(limit, opened)


def _on_tick(price: Decimal, order: _Resting, instrument: Instrument) -> Decimal:
    """Return `price` on the next tick against the order, at least one tick."""
    rounding = ROUND_CEILING if order.side is Side.BUY else ROUND_FLOOR
    steps = (price / instrument.tick).quantize(Decimal(1), rounding)
    return max(steps, Decimal(1)) * instrument.tick


def _reaches(order: _Resting, price: Decimal) -> bool:
    if order.limit_price is None:
        return True
    if order.side is Side.BUY:
        return price <= order.limit_price
    return price >= order.limit_price
