"""The paper venue: fills orders against bars and quotes, the same way every time.

Theory of operation. An order rests until the market moves after it has come, `latency_ms` after it
was sent: it never trades on the bar it was decided on, even where that comes again. At most
`participation` of a bar's volume is filled, and of a quote its size, in whole lots; orders take
their share by price, then time. `paper_prices` says at which price.

Protective orders rest here, too. They only reduce: never more than is held, nor together more than
one of them stands for. With the fill of one whole its siblings end, and with the position all that
would have reduced it.

Ids derive from causes, and a market event that is seen twice trades once: in this process by its
id, after a restart by the trade ids that it left behind.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from msgspec import Struct
from msgspec import field as default

from interlock.model.ids import UnixNanos, derive_id
from interlock.model.instrument import Instrument, on_step
from interlock.model.order import CLOSED, WorkingOrder
from interlock.model.values import (
    ZERO,
    InstrumentKind,
    OrderType,
    Side,
    TimeInForce,
    require_not_negative,
)
from interlock.venues.paper_book import (
    Deal,
    PaperOrder,
    in_turn,
    protective,
    remembered,
    submitted,
)
from interlock.venues.paper_hours import Hours, hours_of, utc_day_ends
from interlock.venues.paper_prices import (
    Course,
    begins,
    course,
    deal,
    only_the_end,
    trailed,
    would_cross,
)
from interlock.venues.port import (
    ProtectiveOrder,
    Tell,
    VenueAccepted,
    VenueBook,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueMoved,
    VenueNeverSeen,
    VenueRejected,
    VenueReport,
)
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder

_BPS = Decimal(10_000)
_CENT_OF_A_CENT = Decimal("0.0001")
_NANOS_PER_MS = 1_000_000
_EVENT_DIGITS = 16
ENDED_ORDERS_KEPT = 1_000
"""How many orders that have ended can still be looked up with all that happened to them."""
NOTHING_LEFT = "nothing left to reduce"


class PaperConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Costs of trading, in 1/10,000 of the price; `participation` is a fraction of volume.

    `maker_fee_bps` is for limit orders that were there first, `fee_bps` for all others and, where
    that is not set, for all. `min_fee` is the least that an order's first fill costs, `latency_ms`
    the way to the venue. An order for less than `min_notional` is rejected, unless it only
    reduces. `hours` names the exchange that a kind of instrument trades on, such as ``XNYS``.
    """

    spread_bps: Decimal = Decimal(2)
    slippage_bps: Decimal = Decimal(1)
    fee_bps: Decimal = Decimal("0.5")
    maker_fee_bps: Decimal | None = None
    min_fee: Decimal = ZERO
    participation: Decimal = Decimal("0.05")
    latency_ms: int = 0
    min_notional: Decimal = ZERO
    hours: dict[InstrumentKind, str] = default(default_factory=dict[InstrumentKind, str])

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                require_not_negative(name, value)
        if self.latency_ms < 0:
            raise ValueError(f"latency_ms must not be negative, not {self.latency_ms}")
        for exchange in self.hours.values():
            hours_of(exchange)


@dataclass(slots=True)
class PaperVenue:
    """A venue in this process. `instruments` is keyed by instrument id.

    `_orders` holds the open orders of each instrument, `_said` what was reported of each order.
    """

    config: PaperConfig
    instruments: dict[str, Instrument]
    _orders: dict[str, dict[str, PaperOrder]] = field(
        default_factory=dict[str, dict[str, PaperOrder]]
    )
    _where: dict[str, str] = field(default_factory=dict[str, str])
    _positions: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    _placed: set[str] = field(default_factory=set[str])
    _said: dict[str, list[VenueReport]] = field(default_factory=dict[str, list[VenueReport]])
    _ended: deque[str] = field(default_factory=deque[str])
    _seen: dict[tuple[str, type], tuple[UnixNanos, set[str]]] = field(
        default_factory=dict[tuple[str, type], tuple[UnixNanos, set[str]]]
    )
    _traded_before: frozenset[str] = frozenset()
    _opened: bool = False
    _cost: Decimal = ZERO
    _latency: int = 0

    def __post_init__(self) -> None:
        self._cost = (self.config.spread_bps / 2 + self.config.slippage_bps) / _BPS
        self._latency = self.config.latency_ms * _NANOS_PER_MS

    @property
    def keeps(self) -> frozenset[OrderType]:
        return frozenset({OrderType.STOP, OrderType.TRAILING_STOP, OrderType.LIMIT})

    @property
    def cancels_per_second(self) -> float | None:
        return None

    @property
    def cancels_all(self) -> bool:
        """Nobody waits for this venue: orders are ended one by one."""
        return False

    def cancel_all(self) -> Sequence[VenueReport]:
        return ()

    def open(
        self, orders: Sequence[WorkingOrder], positions: dict[str, Decimal], trade_ids: set[str]
    ) -> VenueBook:
        """Take over what exec remembers: a simulated venue lives and dies with its process.

        Asked again by the same process, it shows its own book and what exec has not heard of.
        """
        if not self._opened:
            self._opened = True
            self._positions = dict(positions)
            self._traded_before = frozenset(one[:_EVENT_DIGITS] for one in trade_ids)
            for order in orders:
                if order.status not in CLOSED:
                    self._rest(remembered(order, len(self._placed)))
        leaves = {
            name: order.leaves for book in self._orders.values() for name, order in book.items()
        }
        news = [
            report
            for order in orders
            for report in self._said.get(order.client_order_id, ())
            if _is_news(report, trade_ids)
        ]
        return VenueBook(leaves=leaves, positions=dict(self._positions), news=news)

    def place(self, order: SubmitOrder, now: int) -> Sequence[VenueReport]:
        del now
        if order.client_order_id in self._placed:
            return self.look_up(order.client_order_id)
        price = order.reference_price if order.limit_price is None else order.limit_price
        placed = submitted(order, len(self._placed))
        why = self._misfit(placed) or self._pointless(placed) or self._too_small(placed, price)
        return self._take(placed, why)

    def protect(self, order: ProtectiveOrder, now: int) -> Sequence[VenueReport]:
        del now
        if order.client_order_id in self._placed:
            return self.look_up(order.client_order_id)
        placed = protective(order, len(self._placed))
        return self._take(placed, self._misfit(placed) or self._pointless(placed))

    def cancel(self, client_order_id: str) -> Sequence[VenueReport]:
        """End an order that rests here. One that has ended already has said so before."""
        order = self._find(client_order_id)
        if order is not None:
            return [self._end(order, _canceled(order, "cancelled"))]
        if client_order_id in self._placed:
            return ()
        self._placed.add(client_order_id)
        canceled = VenueCanceled(
            client_order_id=client_order_id, reason="it never came to the venue"
        )
        self._close(client_order_id, canceled)
        return [canceled]

    def look_up(self, client_order_id: str) -> Sequence[VenueReport]:
        if client_order_id not in self._placed:
            return [VenueNeverSeen(client_order_id=client_order_id)]
        return list(self._said.get(client_order_id, ()))

    def advance(self, event: Bar | Quote) -> Sequence[VenueReport]:
        orders = self._orders.get(event.instrument_id)
        if not orders or self._heard(event):
            return []
        reports = self._expire(orders, event)
        if self._is_open(event):
            self._trade(orders, event, reports)
        return reports

    async def run(self, report: Tell) -> None:
        """There is no stream: what happens here is said at once."""
        del report

    async def close(self) -> None: ...

    def _take(self, order: PaperOrder, why: str | None) -> Sequence[VenueReport]:
        if why is None:
            return [self._rest(order)]
        self._placed.add(order.client_order_id)
        rejected = VenueRejected(client_order_id=order.client_order_id, reason=why)
        self._close(order.client_order_id, rejected)
        return [rejected]

    def _rest(self, order: PaperOrder) -> VenueReport:
        name = order.client_order_id
        accepted = VenueAccepted(client_order_id=name, venue_order_id=order.venue_order_id)
        self._placed.add(name)
        self._said[name] = [accepted]
        self._where[name] = order.instrument_id
        self._orders.setdefault(order.instrument_id, {})[name] = order
        return accepted

    def _find(self, client_order_id: str) -> PaperOrder | None:
        instrument_id = self._where.get(client_order_id)
        return None if instrument_id is None else self._orders[instrument_id][client_order_id]

    def _end[R: VenueReport](self, order: PaperOrder, report: R) -> R:
        """Take an order out of the book; `report` is the last that is said of it."""
        name = order.client_order_id
        del self._orders[self._where.pop(name)][name]
        self._close(name, report)
        return report

    def _close(self, client_order_id: str, report: VenueReport) -> None:
        self._said.setdefault(client_order_id, []).append(report)
        self._ended.append(client_order_id)
        if len(self._ended) > ENDED_ORDERS_KEPT:
            del self._said[self._ended.popleft()]

    def _misfit(self, order: PaperOrder) -> str | None:
        """Return why the venue would not take an order of this form."""
        instrument = self.instruments.get(order.instrument_id)
        if instrument is None:
            return f"unknown symbol {order.instrument_id}"
        if order.quantity <= ZERO or not on_step(order.quantity, instrument.lot):
            return f"quantity {order.quantity} is not in lots of {instrument.lot}"
        for price in (order.limit_price, order.stop_price):
            if price is not None and (price <= ZERO or not on_step(price, instrument.tick)):
                return f"price {price} is not in ticks of {instrument.tick}"
        if order.trail_offset is not None and order.trail_offset <= ZERO:
            return f"trail offset {order.trail_offset} is not above zero"
        if order.post_only and order.limit_price is None:
            return "a market order cannot be post-only"
        return None

    def _pointless(self, order: PaperOrder) -> str | None:
        return NOTHING_LEFT if order.reduce_only and self._held_against(order) == ZERO else None

    def _too_small(self, order: PaperOrder, price: Decimal) -> str | None:
        notional = order.quantity * price * self.instruments[order.instrument_id].multiplier
        if order.reduce_only or notional >= self.config.min_notional:
            return None
        return f"notional {notional} is below {self.config.min_notional}"

    def _heard(self, event: Bar | Quote) -> bool:
        """Return whether the venue has lived through this event, or a later one, before."""
        key = (event.instrument_id, type(event))
        last = self._seen.get(key)
        if last is None or event.ts_event > last[0]:
            self._seen[key] = (event.ts_event, {event.message_id})
        elif event.ts_event < last[0] or event.message_id in last[1]:
            return True
        else:
            last[1].add(event.message_id)
        return bool(self._traded_before) and _event_id(event) in self._traded_before

    def _hours(self, instrument_id: str) -> Hours | None:
        exchange = self.config.hours.get(self.instruments[instrument_id].kind)
        return None if exchange is None else hours_of(exchange)

    def _is_open(self, event: Bar | Quote) -> bool:
        hours = self._hours(event.instrument_id) if self.config.hours else None
        # A bar is complete at the first moment that is not of it any more.
        moment = event.ts_event - 1 if isinstance(event, Bar) else event.ts_event
        return hours is None or hours.open_at(moment)

    def _expire(self, orders: dict[str, PaperOrder], event: Bar | Quote) -> list[VenueReport]:
        return [
            self._end(order, VenueExpired(client_order_id=order.client_order_id))
            for order in [one for one in orders.values() if one.time_in_force is TimeInForce.DAY]
            if self._day_ends(order) < event.ts_event
        ]

    def _day_ends(self, order: PaperOrder) -> UnixNanos:
        hours = self._hours(order.instrument_id)
        return utc_day_ends(order.ts_event) if hours is None else hours.day_ends(order.ts_event)

    def _trade(
        self, orders: dict[str, PaperOrder], event: Bar | Quote, reports: list[VenueReport]
    ) -> None:
        """Fill what the event reaches, in turn, and let the rest follow it."""
        instrument = self.instruments[event.instrument_id]
        arrived, whole = event.ts_event - self._latency, begins(event) - self._latency
        there = [one for one in orders.values() if one.ts_event < arrived]
        deals: list[tuple[PaperOrder, Deal]] = []
        for order in there:
            seen = course(event, order.side, self._cost)
            if order.ts_event > whole:
                seen = only_the_end(seen)
            if order.post_only and not order.live:
                if would_cross(order, seen, instrument):
                    reason = f"post-only: it would cross, the market is at {seen.first}"
                    rejected = VenueRejected(client_order_id=order.client_order_id, reason=reason)
                    reports.append(self._end(order, rejected))
                    continue
                order.live = True
                reports.append(_moved(order))
            reached = deal(order, seen, instrument)
            if reached is not None:
                deals.append((order, reached))
            elif order.waits and order.trail_offset is not None:
                self._follow(order, seen, instrument, reports)
        available = self._available(event)
        for order, reached in in_turn(deals):
            if order.client_order_id in orders:
                self._strike(order, reached, event, available, reports)
        reports.extend(
            self._end(order, _canceled(order, "immediate or cancel"))
            for order in there
            if order.time_in_force is TimeInForce.IOC and order.client_order_id in orders
        )

    def _follow(
        self,
        order: PaperOrder,
        seen: Course,
        instrument: Instrument,
        reports: list[VenueReport],
    ) -> None:
        stop = trailed(order, seen, instrument)
        if stop != order.stop_price:
            order.stop_price = stop
            reports.append(_moved(order))

    def _available(self, event: Bar | Quote) -> dict[Side, Decimal]:
        """Return what a buyer and a seller can get; on a bar it is one and the same volume."""
        if isinstance(event, Quote):
            return {
                Side.BUY: Decimal(repr(event.ask_size)),
                Side.SELL: Decimal(repr(event.bid_size)),
            }
        volume = Decimal(repr(event.volume)) * self.config.participation
        return dict.fromkeys(Side, volume)

    def _strike(
        self,
        order: PaperOrder,
        reached: Deal,
        event: Bar | Quote,
        available: dict[Side, Decimal],
        reports: list[VenueReport],
    ) -> None:
        """Fill what an order can have of the event, and end what that leaves without a purpose."""
        room = self._room(order)
        if room <= ZERO:
            reports.append(self._end(order, _canceled(order, NOTHING_LEFT)))
            return
        triggered = order.waits
        order.live = order.live or triggered
        lots = min(room, max(available[order.side], ZERO))
        quantity = self.instruments[order.instrument_id].quantity(lots)
        if quantity > ZERO:
            for side in (order.side,) if isinstance(event, Quote) else Side:
                available[side] -= quantity
            held = self._positions.get(order.instrument_id, ZERO)
            reports.append(self._fill(order, reached, event, quantity))
            reports.extend(self._end_what_is_done(order, held))
        if triggered and order.client_order_id in self._where:
            reports.append(_moved(order))

    def _room(self, order: PaperOrder) -> Decimal:
        """Return how much an order may trade: one that only reduces, at most what is held.

        Children of one parent stand for the same quantity: what a sibling that came with it or
        later has traded is not there any more. What an older one had traded before, the child's
        own quantity leaves out already.
        """
        if not order.reduce_only:
            return order.leaves
        spent = sum(
            (other.filled for other in self._siblings(order) if other.ts_event >= order.ts_event),
            ZERO,
        )
        return min(order.leaves - spent, self._held_against(order))

    def _siblings(self, order: PaperOrder) -> list[PaperOrder]:
        if not order.parent:
            return []
        orders = self._orders.get(order.instrument_id, {}).values()
        return [one for one in orders if one.parent == order.parent and one is not order]

    def _held_against(self, order: PaperOrder) -> Decimal:
        """Return how much of the position is on the other side of an order."""
        held = self._positions.get(order.instrument_id, ZERO)
        return max(-held * order.side.sign, ZERO)

    def _fill(
        self, order: PaperOrder, reached: Deal, event: Bar | Quote, quantity: Decimal
    ) -> VenueFilled:
        fill = VenueFilled(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            trade_id=_event_id(event) + order.venue_order_id[_EVENT_DIGITS:],
            quantity=quantity,
            price=reached.price,
            fee=self._fee(order, reached, quantity),
        )
        order.filled += quantity
        held = self._positions.get(order.instrument_id, ZERO)
        self._positions[order.instrument_id] = held + quantity * order.side.sign
        if order.leaves == ZERO:
            return self._end(order, fill)
        self._said[order.client_order_id].append(fill)
        return fill

    def _fee(self, order: PaperOrder, reached: Deal, quantity: Decimal) -> Decimal:
        maker = self.config.maker_fee_bps if reached.maker else None
        bps = self.config.fee_bps if maker is None else maker
        notional = quantity * reached.price * self.instruments[order.instrument_id].multiplier
        fee = (notional * bps / _BPS).quantize(_CENT_OF_A_CENT, ROUND_HALF_EVEN)
        return fee if order.filled > ZERO else max(fee, self.config.min_fee)

    def _end_what_is_done(self, order: PaperOrder, before: Decimal) -> list[VenueReport]:
        """End what a fill leaves without a purpose; `before` was the position until then."""
        ended: list[VenueReport] = []
        if order.leaves == ZERO:
            reason = f"one cancels other: {order.client_order_id} is filled"
            ended += [self._end(one, _canceled(one, reason)) for one in self._siblings(order)]
        if self._positions[order.instrument_id] * before > ZERO:
            return ended
        ended += [
            self._end(one, _canceled(one, NOTHING_LEFT))
            for one in list(self._orders[order.instrument_id].values())
            if one.reduce_only and self._held_against(one) == ZERO
        ]
        return ended


def _canceled(order: PaperOrder, reason: str) -> VenueCanceled:
    return VenueCanceled(client_order_id=order.client_order_id, reason=reason)


def _moved(order: PaperOrder) -> VenueMoved:
    return VenueMoved(
        client_order_id=order.client_order_id, stop_price=order.stop_price, live=order.live
    )


def _event_id(event: Bar | Quote) -> str:
    """Return what begins the id of every trade on this event."""
    return derive_id("event", event.message_id)[:_EVENT_DIGITS]


def _is_news(report: VenueReport, trade_ids: set[str]) -> bool:
    if isinstance(report, VenueFilled):
        return report.trade_id not in trade_ids
    return not isinstance(report, VenueAccepted)
