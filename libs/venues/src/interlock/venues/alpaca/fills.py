"""Which fills of Alpaca's orders have been told, so that none is told twice and none is left out.

Theory of operation. The stream names an execution by its `execution_id`, the account's history by
another id, and the order itself has only a running total. What all three have is the *cumulative
quantity*: an execution takes an order from one filled quantity to a higher one. So a fill here is
the interval (from, to] of its order's filled quantity, and its trade id names that interval:

    <client order id>:<from>-<to>

The rule: the told intervals of one order never overlap. News of an interval that touches a told
one is not news. The totals the venue states lie between executions, so intervals of different
sources either are the same, or lie apart, or one holds the other; whichever is told first stands.
A told interval is told again under the same id wherever an order is looked up, and exec takes it
in once. After a restart the told intervals are read back from exec's own trade ids.
"""

from collections.abc import Iterable
from decimal import Decimal

from interlock.model.values import ZERO
from interlock.venues.alpaca.orders import OrderData, plain
from interlock.venues.port import VenueFilled

type Interval = tuple[Decimal, Decimal]

_NEAREST = Decimal("0.000000001")
_MAX_ORDERS = 20_000
"""Orders remembered at once. Of a forgotten one a late repetition is told again, and exec knows
its trade id."""


def trade_id(client_order_id: str, start: Decimal, end: Decimal) -> str:
    return f"{client_order_id}:{plain(start)}-{plain(end)}"


def interval_of(trade_id: str) -> tuple[str, Interval] | None:
    """Return order and interval of a trade id of ours, none for another's."""
    name, _, numbers = trade_id.rpartition(":")
    start, dash, end = numbers.partition("-")
    if not (name and dash and _is_number(start) and _is_number(end)):
        return None
    return name, (Decimal(start), Decimal(end))


def _end(fill: VenueFilled) -> Decimal:
    found = interval_of(fill.trade_id)
    assert found is not None, "we have made it"
    return found[1][1]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


class ToldFills:
    """The fills that have been reported, by order."""

    def __init__(self) -> None:
        self._intervals: dict[str, list[Interval]] = {}
        self._reports: dict[str, list[VenueFilled]] = {}

    def remember(self, trade_ids: Iterable[str], filled: dict[str, Decimal]) -> None:
        """Take in what exec has: its trade ids, and the filled quantity of its open orders.

        A filled quantity that its trade ids do not explain is taken as known from zero upwards:
        exec counts it, so telling it again would count it twice.
        """
        for text in trade_ids:
            found = interval_of(text)
            if found is not None and not self._touches(*found):
                self._intervals.setdefault(found[0], []).append(found[1])
        for name, quantity in filled.items():
            if quantity > self.covered(name) and not self._intervals.get(name):
                self._intervals[name] = [(ZERO, quantity)]

    def covered(self, client_order_id: str) -> Decimal:
        """Return how much of the order's filled quantity has been told."""
        return sum((end - start for start, end in self._intervals.get(client_order_id, ())), ZERO)

    def told(self, client_order_id: str) -> list[VenueFilled]:
        return list(self._reports.get(client_order_id, ()))

    def execution(
        self, order: OrderData, quantity: Decimal, price: Decimal, total: Decimal
    ) -> list[VenueFilled]:
        """Return the report of an execution that took the order to `total`, none if it is known."""
        interval = (total - quantity, total)
        if quantity <= ZERO or interval[0] < ZERO or self._touches(order.client_order_id, interval):
            return []
        return [self._tell(order, interval, price)]

    def rest(self, order: OrderData) -> list[VenueFilled]:
        """Return reports of all that the order's totals say is filled and nothing has told.

        The price of what lies between is the one at which the order's average comes out. Several
        holes share one price.
        """
        holes = self._holes(order.client_order_id, order.filled)
        missing = sum((end - start for start, end in holes), ZERO)
        if missing <= ZERO or order.filled_avg_price is None:
            return []
        known = [
            fill
            for fill in self._reports.get(order.client_order_id, ())
            if _end(fill) <= order.filled  # the total may be older than what the stream has told
        ]
        told_value = sum((fill.quantity * fill.price for fill in known), ZERO)
        told_here = sum((fill.quantity for fill in known), ZERO)
        price = order.filled_avg_price
        if told_here + missing == order.filled:
            # From before our start only quantities are known: then the average has to do.
            price = (order.filled * order.filled_avg_price - told_value) / missing
        if price <= ZERO:
            price = order.filled_avg_price
        return [self._tell(order, hole, price.quantize(_NEAREST).normalize()) for hole in holes]

    def _tell(self, order: OrderData, interval: Interval, price: Decimal) -> VenueFilled:
        name = order.client_order_id
        report = VenueFilled(
            client_order_id=name,
            venue_order_id=order.id,
            trade_id=trade_id(name, *interval),
            quantity=interval[1] - interval[0],
            price=price,
            fee=ZERO,
        )
        self._intervals.setdefault(name, []).append(interval)
        self._reports.setdefault(name, []).append(report)
        for kept in (self._intervals, self._reports):
            if len(kept) > _MAX_ORDERS:
                kept.pop(next(iter(kept)))
        return report

    def _touches(self, client_order_id: str, interval: Interval) -> bool:
        start, end = interval
        return any(
            start < other_end and other_start < end
            for other_start, other_end in self._intervals.get(client_order_id, ())
        )

    def _holes(self, client_order_id: str, total: Decimal) -> list[Interval]:
        holes: list[Interval] = []
        reached = ZERO
        for start, end in sorted(self._intervals.get(client_order_id, ())):
            if min(start, total) > reached:
                holes.append((reached, min(start, total)))
            reached = max(reached, end)
        if total > reached:
            holes.append((reached, total))
        return holes
