"""A venue that is another house: it outlives every exec, and tells what it did when asked to.

It knows nothing of reduce-only, so that only exec keeps protective orders from turning a position.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from interlock.exec.app import build
from interlock.model.values import ZERO, OrderType
from interlock.runtime.clock import DataClock
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.testkit.cells import cell_of, drive
from interlock.testkit.decisions import approved, desk, trading
from interlock.testkit.desk_messages import SECOND
from interlock.venues.port import (
    ProtectiveOrder,
    VenueAccepted,
    VenueBook,
    VenueCanceled,
    VenueFilled,
    VenueKept,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
)
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

SIGNER = throwaway_signer()
HOUSE = "house"
USD = "USD"
STOPS = frozenset({OrderType.STOP, OrderType.TRAILING_STOP})


def signed(n=1, **more):
    fields = {"key_id": SIGNER.key_id, "venue": HOUSE, "expires_at": 10**18} | more
    order = approved(n, **fields)
    return replace(order, signature=SIGNER.sign(canonical_bytes(order)))


@dataclass
class House:
    """`rests` holds what works here, `refuses` and `holds_on_to` kinds and ids it will not.

    It can be asked about the orders that this exec has placed, and those it was `told` of. Trades
    are paid out of `cash`, where it names any.
    """

    keeps: frozenset = STOPS
    cancels_per_second: float | None = None
    cancels_all: bool = False
    rests: dict = field(default_factory=dict)
    leaves: dict = field(default_factory=dict)
    ended: dict = field(default_factory=dict)
    trades: list = field(default_factory=list)
    positions: dict = field(default_factory=dict)
    placed: list = field(default_factory=list)
    foreign: list = field(default_factory=list)
    refuses: set = field(default_factory=set)
    holds_on_to: set = field(default_factory=set)
    asked: list = field(default_factory=list)
    told: set = field(default_factory=set)
    cash: dict = field(default_factory=dict)

    def open(self, orders, _positions, _trade_ids):
        self.told |= {one.client_order_id for one in orders}
        return VenueBook(
            leaves=dict(self.leaves),
            positions=dict(self.positions),
            cash=dict(self.cash),
            foreign=list(self.foreign),
        )

    def place(self, order, _now):
        self.told.add(order.client_order_id)
        return self._take(order)

    def protect(self, order, _now):
        self.told.add(order.client_order_id)
        return self._take(order)

    def _take(self, order):
        name = order.client_order_id
        if order.order_type in self.refuses:
            return [VenueRejected(client_order_id=name, reason="not here")]
        self.placed.append(order)
        self.rests[name], self.leaves[name] = order, order.quantity
        return [VenueAccepted(client_order_id=name, venue_order_id=f"v-{name}")]

    def cancel(self, name):
        self.asked.append(("cancel", name))
        if name in self.holds_on_to:
            return [VenueKept(client_order_id=name, reason="too late")]
        if name not in self.rests:
            return [] if name in self.ended else [VenueNeverSeen(client_order_id=name)]
        self.ended[name] = self.rests.pop(name)
        del self.leaves[name]
        return [VenueCanceled(client_order_id=name, reason="asked")]

    def look_up(self, name):
        self.asked.append(("look_up", name))
        if name not in self.told:
            return [VenueLost(client_order_id=name, reason="never told of this order")]
        known = name in self.rests or name in self.ended
        if not known:
            return [VenueNeverSeen(client_order_id=name)]
        found = [VenueAccepted(client_order_id=name, venue_order_id=f"v-{name}")]
        found += [one for one in self.trades if one.client_order_id == name]
        sent = self.rests.get(name) or self.ended[name]
        traded = sum((one.quantity for one in self.trades if one.client_order_id == name), ZERO)
        if name in self.ended and traded < sent.quantity:
            found.append(VenueCanceled(client_order_id=name, reason="asked"))
        return found

    def advance(self, _event):
        raise AssertionError("the market of another house moves by itself")

    def fill(self, name, most, price=100, fee=ZERO, fee_elsewhere=ZERO):
        """Trade, and return the report of it."""
        order, quantity = self.rests[name], min(Decimal(most), self.leaves[name])
        self.leaves[name] -= quantity
        held = self.positions.get(order.instrument_id, ZERO)
        self.positions[order.instrument_id] = held + quantity * order.side.sign
        if USD in self.cash:
            paid = quantity * Decimal(price) * order.side.sign + fee - fee_elsewhere
            self.cash[USD] -= paid
        if not self.leaves[name]:
            self.ended[name] = self.rests.pop(name)
            del self.leaves[name]
        report = VenueFilled(
            client_order_id=name,
            venue_order_id=f"v-{name}",
            trade_id=f"t-{len(self.trades)}",
            quantity=quantity,
            price=Decimal(price),
            fee=fee,
            fee_elsewhere=fee_elsewhere,
        )
        self.trades.append(report)
        return report

    @property
    def protective(self):
        return {n: o for n, o in self.rests.items() if isinstance(o, ProtectiveOrder)}


class Away:
    """An exec at a `House`. `log` outlives it, as the bus does."""

    def __init__(self, house=None, **changes):
        self.house = house or House()
        self.changes = changes
        self.log = []
        self.now = SECOND
        self.start()
        self.hear(trading())
        self.report(VenueLinkMoved(up=True, reason="connected"))

    @property
    def state(self):
        return self.cell.state

    def start(self):
        self.house.told.clear()
        service = build(
            desk(venue=HOUSE, **self.changes), self.house, Verifier(SIGNER.public_key), DataClock()
        )
        self.cell = cell_of(service)
        for message, own in self.log:
            self.cell.recover(message, own=own)
        return self._drive(self.cell.begin(self.now))

    def restart(self):
        self.now += 1
        said = self.start()
        return said + self.report(VenueLinkMoved(up=True, reason="connected"))

    def hear(self, message):
        # Nothing is heard before it was said.
        self.now = max(self.now, message.ts_event)
        said = self._drive(self.cell.react(message, self.now))
        self.log.insert(len(self.log) - len(said), (message, False))
        return said

    def report(self, report):
        self.now += 1
        return self._drive(self.cell.hear(report, self.now))

    def order(self, n=1, **more):
        return self.hear(signed(n, **more))

    def _drive(self, reaction):
        said = drive(reaction, self.cell.service.perform)
        self.log += [(message, True) for message in said]
        return said


def kinds(said):
    return [type(message).__name__ for message in said]
