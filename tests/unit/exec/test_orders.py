"""Exec sends what the gate signed, once, and survives dying at every step of it."""

from decimal import Decimal

import pytest
from interlock.exec.app import build, venue_of
from interlock.exec.config import ExecConfig
from interlock.exec.ports import AdvanceVenue, OpenVenue, PlaceOrder
from interlock.model.order import OrderStatus
from interlock.model.values import Side
from interlock.runtime.clock import DataClock
from interlock.runtime.config import ConfigError
from interlock.runtime.service import Perform, Publish
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.testkit.cells import CrashError, begin, cell_of, drive, react
from interlock.testkit.decisions import approved, desk, trading, venue_bar, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.venues.paper import PaperConfig
from interlock.venues.port import (
    VenueAccepted,
    VenueBook,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueLost,
    VenueRejected,
)
from interlock.wire.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderSubmitted,
    OrderUnknown,
    ReconciliationCompleted,
)
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

SIGNER = throwaway_signer()


def signed(n=1, **more):
    order = approved(n, **({"key_id": SIGNER.key_id} | more))
    return replace(order, signature=SIGNER.sign(canonical_bytes(order)))


def paper(participation="0.05"):
    config = PaperConfig(participation=Decimal(participation))
    return venue_of(desk(), ExecConfig(paper=config))


class SpyVenue:
    """A venue that keeps what it was sent, and answers as it is told."""

    def __init__(self, *answers):
        self.sent = []
        self.answers = answers

    keeps = frozenset()
    cancels_per_second = None
    cancels_all = False

    def look_up(self, _client_order_id):
        return ()

    def open(self, _orders, _positions, _trade_ids):
        return VenueBook(leaves={}, positions={})

    def place(self, order, _now):
        self.sent.append(order)
        return self.answers

    def cancel(self, _client_order_id):
        return ()

    def advance(self, _event):
        return ()


def exec_cell(venue=None, **changes):
    """Return an exec on a desk that is active in epoch 1."""
    verifier = Verifier(SIGNER.public_key)
    cell = cell_of(build(desk(**changes), venue or paper(), verifier, DataClock()))
    react(cell, trading(), 0)
    return cell


def kinds(said):
    return [type(message) for message in said]


def news(cell, report):
    return drive(cell.hear(report, 0), cell.service.perform)


def sent(cell, n=1, now=None, **more):
    return react(cell, signed(n, **more), n * SECOND if now is None else now)


# What is refused.


def refused(order, now=SECOND, cell=None, **changes):
    venue = SpyVenue()
    cell = cell or exec_cell(venue, **changes)
    (answer,) = react(cell, order, now)
    assert isinstance(answer, OrderRefused)
    assert venue.sent == []
    assert cell.state.orders == {}
    return answer.code


def test_i2_an_order_without_a_signature_is_refused():
    assert refused(approved(1, key_id=SIGNER.key_id)) == "signature"


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": Decimal(11)},
        {"side": Side.SELL},
        {"instrument_id": "GOOG"},
        {"limit_price": Decimal(1)},
        {"expires_at": 9 * SECOND},
        {"intent_id": "another"},
        {"client_order_id": "il-another"},
        {"decision_id": "another"},
        {"nonce": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_i2_an_order_that_was_altered_is_refused(change):
    assert refused(replace(signed(), **change)) == "signature"


@pytest.mark.parametrize("other", [{"desk": "crypto"}, {"account": "live-1"}, {"venue": "alpaca"}])
def test_i2_a_genuine_order_of_another_desk_account_or_venue_is_refused(other):
    assert refused(signed(**other)) == "account"


def test_i2_an_order_of_another_key_is_refused():
    other = throwaway_signer()
    order = approved(1, key_id=other.key_id)
    order = replace(order, signature=other.sign(canonical_bytes(order)))
    assert refused(order) == "key"
    assert refused(replace(order, key_id=SIGNER.key_id)) == "signature"


@pytest.mark.parametrize(("late", "good"), [(-1, True), (0, False), (1, False)])
def test_i15_an_approval_ends_at_its_last_nanosecond(late, good):
    order = signed()
    if good:
        assert OrderSubmitted in kinds(react(exec_cell(), order, order.expires_at + late))
    else:
        assert refused(order, order.expires_at + late) == "expired"


def test_i14_an_order_of_an_older_epoch_is_refused():
    cell = exec_cell()
    react(cell, trading(epoch=2), 0)
    assert refused(signed(epoch=1), cell=cell) == "epoch"
    assert OrderSubmitted in kinds(sent(cell, 2, epoch=2))
    assert refused(signed(3, epoch=3), 3 * SECOND, exec_cell()) == "epoch"


def test_i14_news_of_an_older_epoch_does_not_bring_it_back():
    cell = exec_cell()
    react(cell, trading(epoch=5), 0)
    react(cell, trading(epoch=4), 0)
    assert refused(signed(epoch=4), cell=cell) == "epoch"


def test_a_desk_that_only_reads_sends_nothing():
    assert refused(signed(), read_only=True) == "read_only"


def test_i1_an_approval_is_used_once():
    venue = SpyVenue(VenueAccepted(client_order_id=signed().client_order_id, venue_order_id="v"))
    cell = exec_cell(venue)
    assert kinds(sent(cell)) == [OrderSubmitted, OrderAccepted]
    for again in (signed(), replace(signed(), message_id="another"), signed(nonce="another")):
        assert react(cell, again, SECOND) == []
    assert len(venue.sent) == 1


def test_i1_an_approval_is_used_once_also_after_the_order_was_filled():
    cell = exec_cell(paper("1"))
    sent(cell)
    assert kinds(react(cell, venue_bar(wide_bar(2)), 2 * SECOND)) == [OrderFilled]
    assert react(cell, replace(signed(), message_id="another"), SECOND) == []
    assert react(cell, venue_bar(wide_bar(3)), 3 * SECOND) == []


def test_i4_what_was_refused_is_never_sent_later():
    """The gate stops counting a refused order, so the true one must not follow the forged one."""
    venue = SpyVenue()
    cell = exec_cell(venue)
    assert kinds(react(cell, replace(signed(), quantity=Decimal(99)), SECOND)) == [OrderRefused]
    assert react(cell, replace(signed(), message_id="the true one"), SECOND) == []
    assert venue.sent == []


# The order of things.


def test_i10_the_write_ahead_row_is_durable_before_the_venue_hears_of_the_order():
    cell = exec_cell()
    steps = []

    def note(step):
        steps.append(kinds(step.messages) if isinstance(step, Publish) else type(step.effect))
        return False

    drive(cell.react(signed(), SECOND), cell.service.perform, before=note)
    assert steps[1:] == [[OrderSubmitted], PlaceOrder, [OrderAccepted]]


def test_i3_the_row_and_the_venue_get_the_signed_fields():
    venue = SpyVenue()
    order = signed(limit_price=Decimal("99.5"), quantity=Decimal(7), side=Side.SELL)
    (row,) = react(exec_cell(venue), order, SECOND)
    assert venue.sent == [order]
    for name in set(row.__struct_fields__) & set(order.__struct_fields__) - {
        "message_id",
        "ts_event",
    }:
        assert getattr(row, name) == getattr(order, name)


# Death at every step. The venue is another house: it keeps what it was sent.


class House:
    """The bus and the venue, which outlive exec."""

    def __init__(self, venue=None):
        self.venue = venue or paper("1")
        self.log = []
        self.placed = []
        self.cell = self.start()

    def start(self):
        cell = exec_cell(self.venue)
        for message in self.log:
            cell.recover(message, own=True)
        return cell

    def perform(self, effect):
        if isinstance(effect, PlaceOrder):
            self.placed.append(effect.order.client_order_id)
        if isinstance(effect, OpenVenue):
            return ()
        return self.cell.service.perform(effect)

    def deliver(self, message, now, *, before=None, after=None):
        """Return whether exec lived through this message; it is a new exec where it did not."""
        try:
            reaction = self.cell.react(message, now)
            drive(reaction, self.perform, said=self.log, before=before, after=after)
        except CrashError:
            self.cell = self.start()
            return False
        return True

    def of(self, kind):
        return [message for message in self.log if isinstance(message, kind)]


def publishes(kind):
    return lambda step: isinstance(step, Publish) and isinstance(step.messages[0], kind)


def performs(kind):
    return lambda step: isinstance(step, Perform) and isinstance(step.effect, kind)


DEATHS = [
    ("before", publishes(OrderSubmitted)),
    ("after", publishes(OrderSubmitted)),
    ("before", performs(PlaceOrder)),
    ("after", performs(PlaceOrder)),
    ("before", publishes(OrderAccepted)),
    ("after", publishes(OrderAccepted)),
]


@pytest.mark.parametrize("death", DEATHS)
def test_i1_i11_an_order_is_sent_and_traded_once_wherever_exec_dies(death):
    when, where = death
    house = House()
    assert not house.deliver(signed(), SECOND, **{when: where})
    assert house.deliver(signed(), SECOND)
    assert house.deliver(replace(signed(), message_id="twice"), SECOND)
    assert house.deliver(venue_bar(wide_bar(2)), 2 * SECOND)
    assert house.deliver(venue_bar(wide_bar(3)), 3 * SECOND)
    assert [len(house.of(kind)) for kind in (OrderSubmitted, OrderAccepted, OrderFilled)] == [
        1,
        1,
        1,
    ]
    assert house.of(OrderFilled)[0].last_qty == 10
    assert house.cell.state.positions == {"SPY": 10}
    assert house.venue._positions == {"SPY": 10}
    assert house.of(OrderRefused) == []


@pytest.mark.parametrize("death", DEATHS[1:5])
def test_i15_a_row_whose_approval_ran_out_meanwhile_is_unknown_and_not_sent(death):
    when, where = death
    house = House()
    house.deliver(signed(), SECOND, **{when: where})
    before = len(house.placed)
    assert house.deliver(signed(), 9 * SECOND)
    assert len(house.placed) == before
    (unknown,) = house.of(OrderUnknown)
    (order,) = house.cell.state.orders.values()
    assert order.status is OrderStatus.UNKNOWN
    assert unknown.client_order_id == order.client_order_id
    assert house.deliver(signed(), 9 * SECOND)
    assert len(house.of(OrderUnknown)) == 1


def test_i15_an_order_that_was_never_written_ahead_and_ran_out_is_refused():
    house = House()
    house.deliver(signed(), SECOND, before=publishes(OrderSubmitted))
    house.deliver(signed(), 9 * SECOND)
    assert [refusal.code for refusal in house.of(OrderRefused)] == ["expired"]
    assert house.placed == []


@pytest.mark.parametrize(
    "change", [{"quantity": Decimal(99)}, {"signature": ""}, {"side": Side.SELL}]
)
def test_i2_a_forgery_of_a_row_that_waits_for_its_answer_is_not_sent(change):
    house = House()
    house.deliver(signed(), SECOND, after=publishes(OrderSubmitted))
    house.deliver(replace(signed(), message_id="forged", **change), SECOND)
    house.deliver(replace(signed(), message_id="forged late", **change), 9 * SECOND)
    assert house.placed == []
    assert house.of(OrderRefused) == house.of(OrderUnknown) == []
    house.deliver(signed(), SECOND)
    assert len(house.placed) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_i11_a_fill_is_booked_once_wherever_exec_dies(when):
    """The paper venue dies with exec, and is given the book that exec has written down."""
    house = House(paper("0.006"))
    house.deliver(signed(), SECOND)
    first = venue_bar(wide_bar(2))
    assert not house.deliver(first, 2 * SECOND, **{when: publishes(OrderFilled)})
    house.venue = paper("0.006")
    house.cell = house.start()
    begin(house.cell, 2 * SECOND)
    house.deliver(first, 2 * SECOND)
    assert [fill.last_qty for fill in house.of(OrderFilled)] == [6]
    house.deliver(venue_bar(wide_bar(3)), 3 * SECOND)
    assert [fill.last_qty for fill in house.of(OrderFilled)] == [6, 4]
    assert [fill.leaves_qty for fill in house.of(OrderFilled)] == [4, 0]
    assert house.cell.state.positions == house.venue._positions == {"SPY": 10}


def test_an_order_does_not_trade_on_the_bar_it_was_decided_on_even_after_a_restart():
    house = House()
    house.deliver(signed(), SECOND)
    house.venue = paper("1")
    house.cell = house.start()
    begin(house.cell, SECOND)
    house.deliver(venue_bar(wide_bar(1)), SECOND)
    assert house.of(OrderFilled) == []
    house.deliver(venue_bar(wide_bar(2)), 2 * SECOND)
    assert len(house.of(OrderFilled)) == 1


# The venue's news.


def working(cell=None):
    cell = cell or exec_cell(SpyVenue())
    sent(cell)
    return cell, signed().client_order_id


def filled(name, quantity, trade_id="t-1", price=100):
    return VenueFilled(
        client_order_id=name,
        venue_order_id="v",
        trade_id=trade_id,
        quantity=Decimal(quantity),
        price=Decimal(price),
        fee=Decimal(0),
    )


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (VenueAccepted(client_order_id="", venue_order_id="v"), OrderAccepted),
        (VenueRejected(client_order_id="", reason="no"), OrderRejected),
        (VenueCanceled(client_order_id="", reason="ioc"), OrderCanceled),
        (VenueExpired(client_order_id=""), OrderExpired),
        (VenueLost(client_order_id="", reason="504"), OrderUnknown),
    ],
)
def test_each_report_becomes_its_event(report, kind):
    cell, name = working()
    (event,) = news(cell, replace(report, client_order_id=name))
    assert type(event) is kind
    assert event.decision_id == signed().decision_id
    assert (event.intent_id, event.instrument_id) == (signed().intent_id, "SPY")
    closed = kind in (OrderRejected, OrderCanceled, OrderExpired)
    assert bool(cell.state.orders) is not closed


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (VenueAccepted(client_order_id="", venue_order_id="v"), OrderAccepted),
        (VenueRejected(client_order_id="", reason="no"), OrderRejected),
        (VenueCanceled(client_order_id="", reason="gone"), OrderCanceled),
        (filled("", 10), OrderFilled),
    ],
)
def test_i12_only_the_venue_ends_what_is_unknown(report, kind):
    cell, name = working()
    news(cell, VenueLost(client_order_id=name, reason="504"))
    assert react(cell, signed(), 99 * SECOND) == []
    assert news(cell, VenueLost(client_order_id=name, reason="504")) == []
    assert cell.state.orders[name].status is OrderStatus.UNKNOWN
    assert kinds(news(cell, replace(report, client_order_id=name))) == [kind]


def test_i11_a_trade_reported_twice_is_booked_once():
    cell, name = working()
    assert kinds(news(cell, filled(name, 4))) == [OrderFilled]
    assert news(cell, filled(name, 4)) == []
    (second,) = news(cell, filled(name, 6, "t-2", 110))
    assert (second.cum_qty, second.leaves_qty, second.avg_px) == (10, 0, 106)
    assert cell.state.positions == {"SPY": 10}
    assert news(cell, filled(name, 6, "t-2")) == []


def test_a_fill_before_the_acceptance_is_a_fill_all_the_same():
    cell, name = working()
    assert kinds(news(cell, filled(name, 4))) == [OrderFilled]
    assert news(cell, VenueAccepted(client_order_id=name, venue_order_id="v")) == []
    assert cell.state.orders[name].status is OrderStatus.PARTIALLY_FILLED


def test_news_of_an_order_that_is_not_ours_is_passed_over():
    cell, _ = working()
    assert news(cell, filled("il-foreign", 4)) == []
    assert cell.state.positions == {}


# Reconciliation.


def test_i13_a_new_desk_reconciles_without_a_break():
    (done,) = begin(exec_cell(), 0)
    assert isinstance(done, ReconciliationCompleted)
    assert (done.breaks, done.open_orders, done.positions) == ([], 0, 0)


def test_i13_the_paper_venue_takes_over_what_exec_remembers():
    house = House(paper("0.006"))
    house.deliver(signed(), SECOND)
    house.deliver(venue_bar(wide_bar(2)), 2 * SECOND)
    house.venue = paper("0.006")
    (done,) = begin(house.start(), 2 * SECOND)
    assert (done.breaks, done.open_orders, done.positions) == ([], 1, 1)


def test_a_venue_nobody_has_an_adapter_for_does_not_start():
    with pytest.raises(ConfigError, match="alpaca"):
        venue_of(desk(venue="alpaca"), ExecConfig())


def test_a_quiet_desk_does_not_trouble_the_venue():
    cell = exec_cell()
    effects = []
    drive(cell.react(venue_bar(wide_bar(1)), 0), lambda effect: effects.append(effect) or ())
    assert effects == []
    sent(cell)
    drive(cell.react(venue_bar(wide_bar(2)), 0), lambda effect: effects.append(effect) or ())
    assert [type(effect) for effect in effects] == [AdvanceVenue]
