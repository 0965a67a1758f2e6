"""What protects a position stands as signed, and never claims more than is held."""

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from interlock.exec.guards import kind_at_venue
from interlock.exec.ports import PlaceOrder, SwitchMoved, Ticked
from interlock.model.trading import Way
from interlock.model.values import ZERO, OrderType, Severity, Side
from interlock.testkit.cells import drive
from interlock.testkit.decisions import venue_bar, wide_bar
from interlock.testkit.desk_messages import SECOND
from interlock.wire.orders import (
    CancelOrders,
    OrderCancelRequested,
    OrderSubmitted,
    Protection,
)
from interlock.wire.system import AlertRaised

from tests.unit.exec.another_house import Away, House, kinds, signed

ALL = Protection(stop=Decimal(9), trail=Decimal(6), profit=Decimal("12.5"))
STOP = Protection(stop=Decimal("1.8"))
NAME = signed(1).client_order_id


def entered(away=None, *, protection=STOP, filled=10, price=100, **more):
    """Return an exec that has bought, and has been told so."""
    away = away or Away()
    away.order(1, protection=protection, **more)
    if filled:
        away.report(away.house.fill(NAME, filled, price))
    return away


def child(away):
    (found,) = away.house.protective.values()
    return found


def bar(away, low, high, n=50):
    away.now = max(away.now, n * SECOND)
    return away.hear(venue_bar(wide_bar(n, low=float(low), high=float(high))))


def test_a_fill_brings_the_stop_that_was_signed_with_it():
    away = entered()
    found = child(away)
    assert (found.order_type, found.side, found.quantity) == (OrderType.STOP, Side.SELL, 10)
    assert found.stop_price == Decimal("98.2")
    assert found.parent == NAME
    assert len(found.client_order_id) <= 36
    row = next(m for m, _ in away.log if isinstance(m, OrderSubmitted) and m.parent)
    assert (row.reduce_only, row.client_order_id) == (True, found.client_order_id)


def test_no_fill_no_stop():
    assert entered(filled=0).house.protective == {}


def test_a_short_is_protected_above():
    found = child(entered(side=Side.SELL))
    assert (found.side, found.stop_price) == (Side.BUY, Decimal("101.8"))


def test_a_further_fill_replaces_the_stop_by_one_for_all_of_it_at_the_new_average():
    away = entered(filled=4, price=100)
    said = away.report(away.house.fill(NAME, 6, 110))
    found = child(away)
    assert (found.quantity, found.stop_price) == (10, Decimal("104.2"))
    asked = next(m for m in said if isinstance(m, OrderCancelRequested))
    assert asked.replacing


@pytest.mark.parametrize(
    ("protection", "keeps", "kind"),
    [
        (ALL, {OrderType.STOP, OrderType.TRAILING_STOP}, OrderType.TRAILING_STOP),
        (ALL, {OrderType.STOP}, OrderType.STOP),
        (ALL, set(), None),
        (ALL, {OrderType.LIMIT}, None),
        (STOP, {OrderType.STOP}, OrderType.STOP),
        (Protection(profit=Decimal(1)), {OrderType.LIMIT}, OrderType.LIMIT),
        (
            Protection(stop=Decimal(1), trail=Decimal(2)),
            {OrderType.STOP, OrderType.TRAILING_STOP},
            OrderType.STOP,
        ),
    ],
)
def test_the_venue_keeps_the_nearer_stop_and_one_order_only(protection, keeps, kind):
    away = entered(Away(House(keeps=frozenset(keeps))), protection=protection)
    assert [one.order_type for one in away.house.protective.values()] == ([kind] if kind else [])


@pytest.mark.parametrize(
    ("protection", "low", "high", "closes"),
    [
        (Protection(stop=Decimal(5)), 95, 101, True),
        (Protection(stop=Decimal(5)), 80, 81, True),
        (Protection(stop=Decimal(5)), "95.01", 101, False),
        (Protection(trail=Decimal(5)), 95, 101, True),
        (Protection(trail=Decimal(5)), 96, 110, False),
        (Protection(profit=Decimal(5)), 100, 105, True),
        (Protection(profit=Decimal(5)), 100, "104.99", False),
    ],
)
def test_what_exec_keeps_itself_is_held_against_each_bar(protection, low, high, closes):
    away = entered(Away(House(keeps=frozenset())), protection=protection)
    bar(away, low, high)
    found = list(away.house.protective.values())
    assert [(one.order_type, one.side, one.quantity) for one in found] == (
        [(OrderType.MARKET, Side.SELL, 10)] if closes else []
    )


def test_a_trailing_stop_kept_by_exec_follows_the_best_bar_before():
    away = entered(Away(House(keeps=frozenset())), protection=Protection(trail=Decimal(5)))
    bar(away, 99, 108, 50)
    assert away.house.protective == {}
    bar(away, "103.01", 104, 51)
    assert away.house.protective == {}
    bar(away, 103, 104, 52)
    assert child(away).order_type is OrderType.MARKET


def test_a_stop_kept_by_exec_survives_its_restart():
    away = entered(Away(House(keeps=frozenset())), protection=Protection(trail=Decimal(5)))
    bar(away, 99, 108, 50)
    away.restart()
    bar(away, 103, 104, 51)
    assert child(away).quantity == 10


def test_a_take_profit_kept_by_exec_takes_the_place_of_the_stop_at_the_venue():
    away = entered(protection=ALL)
    stop = child(away)
    bar(away, 105, 113)
    found = child(away)
    assert (found.order_type, found.quantity) == (OrderType.MARKET, 10)
    assert stop.client_order_id in away.house.ended
    away.report(away.house.fill(found.client_order_id, 10, 113))
    assert away.state.positions == {"SPY": 0}
    assert (away.house.protective, away.state.guards) == ({}, {})


def test_a_stop_that_will_not_end_is_not_doubled():
    away = entered(protection=ALL)
    stop = child(away)
    away.house.holds_on_to.add(stop.client_order_id)
    bar(away, 105, 113)
    assert child(away) is stop
    assert away.state.orders.keys() == {stop.client_order_id}


def test_a_stop_that_fills_while_it_is_replaced_is_not_doubled():
    away = entered(protection=ALL)
    stop = child(away)
    fill = away.house.fill(stop.client_order_id, 4, 94)
    bar(away, 105, 113)
    away.report(fill)
    bar(away, 105, 113, 51)
    assert sum(away.house.leaves.values()) == 6 == away.house.positions["SPY"]


def test_a_fill_of_the_stop_ends_the_guard():
    away = entered()
    away.report(away.house.fill(child(away).client_order_id, 10, 98))
    assert (away.state.positions, away.state.guards) == ({"SPY": 0}, {})
    bar(away, 1, 500)
    assert away.house.protective == {}


def test_an_approved_exit_goes_before_the_stop_which_comes_back_for_the_rest():
    away = entered()
    away.order(2, side=Side.SELL, quantity=Decimal(4), reduce_only=True)
    exit_name = signed(2).client_order_id
    assert child(away).quantity == 6
    away.report(away.house.fill(exit_name, 4))
    assert child(away).quantity == 6
    assert away.house.positions["SPY"] == 6


class Watched(Away):
    """Its effects are kept."""

    def __init__(self):
        self.effects = []
        super().__init__()

    def _drive(self, reaction):
        said = drive(reaction, self._perform)
        self.log += [(message, True) for message in said]
        return said

    def _perform(self, effect):
        self.effects.append(effect)
        return self.cell.service.perform(effect)


def test_an_approved_exit_is_sent_after_the_end_of_the_stop_whose_place_it_takes():
    away = entered(Watched())
    stop = child(away).client_order_id
    away.order(2, side=Side.SELL, reduce_only=True)
    sent = [one for one in away.effects if isinstance(one, PlaceOrder)]
    assert [one.after for one in sent] == [(), (stop,)]


def test_an_exit_of_all_leaves_no_stop_and_one_that_is_cancelled_brings_it_back():
    away = entered()
    away.order(2, side=Side.SELL, reduce_only=True)
    assert away.house.protective == {}
    away.report(away.house.cancel(signed(2).client_order_id)[0])
    assert child(away).quantity == 10


def test_a_venue_that_refuses_a_stop_leaves_it_to_exec():
    house = House(refuses={OrderType.STOP})
    away = entered(Away(house))
    assert house.protective == {}
    (alert,) = [m for m, _ in away.log if isinstance(m, AlertRaised)]
    assert (alert.code, alert.severity) == ("protection.kept_by_exec", Severity.WARNING)
    bar(away, 98, 99)
    assert child(away).order_type is OrderType.MARKET


def test_what_the_venue_refuses_is_not_tried_again_at_once():
    house = House(keeps=frozenset())
    away = entered(Away(house))
    house.refuses.add(OrderType.MARKET)
    for n in (50, 51, 52):
        bar(away, 90, 91, n)
    rows = [m for m, _ in away.log if isinstance(m, OrderSubmitted) and m.parent]
    assert len(rows) == 1
    bar(away, 90, 91, 56)
    rows = [m for m, _ in away.log if isinstance(m, OrderSubmitted) and m.parent]
    assert len(rows) == 2


def test_stops_are_cancelled_by_their_own_name_only():
    away = entered()
    stop = child(away).client_order_id
    fields = {"message_id": "c1", "decision_id": "d", "ts_event": 1, "desk": away.state.desk}
    every = CancelOrders(**fields, account=away.state.account, by="ada", reason="so")
    away.hear(every)
    assert child(away).client_order_id == stop
    named = CancelOrders(
        **(fields | {"message_id": "c2"}),
        account=away.state.account, by="ada", reason="so", client_order_id=stop,
    )  # fmt: skip
    assert "OrderCanceled" in kinds(away.hear(named))


def pressed(*, is_pressed=True, at=5):
    return SwitchMoved(
        pressed=is_pressed, way=Way.FILE, by="ada", reason="so", seen_at=at,
        last_submit_at=0, cancelled_at=at, cancelled=1,
    )  # fmt: skip


def test_i7_after_a_press_stops_come_back_only_with_what_fills_after_it_is_armed_again():
    away = entered()
    stop = child(away).client_order_id
    cancelled = away.house.cancel(stop)
    away.report(pressed())
    away.report(cancelled[0])
    bar(away, 1, 500)
    assert away.house.protective == {}
    away.report(pressed(is_pressed=False, at=6))
    away.restart()
    bar(away, 1, 500, 51)
    assert away.house.protective == {}
    away.order(2, protection=STOP)
    away.report(away.house.fill(signed(2).client_order_id, 3))
    assert child(away).quantity == 3


def test_a_desk_that_only_reads_protects_nothing():
    away = entered()
    away.house.cancel(child(away).client_order_id)
    away.changes = {"read_only": True}
    away.restart()
    bar(away, 1, 500)
    assert away.house.protective == {}


def test_a_trade_told_after_the_end_of_its_entry_is_protected_all_the_same():
    away = entered(filled=0)
    late = away.house.fill(NAME, 3)
    away.report(away.house.cancel(NAME)[0])
    assert away.state.orders == {}
    away.report(late)
    assert away.state.positions == {"SPY": 3}
    assert child(away).quantity == 3


def test_a_stop_that_was_cancelled_comes_back_without_what_it_has_traded():
    away = entered()
    stop = child(away).client_order_id
    untold = away.house.fill(stop, 4, 98)
    away.report(away.house.cancel(stop)[0])
    assert away.house.protective == {}
    assert away.state.positions == {"SPY": 6}
    assert away.report(untold) == []
    away.now += 2 * SECOND
    away.report(Ticked(seconds=2))
    assert child(away).quantity == 6


def test_a_stop_comes_back_without_what_a_cancelled_exit_has_traded():
    away = entered()
    away.order(2, side=Side.SELL, reduce_only=True)
    away.house.fill(signed(2).client_order_id, 4)
    away.report(away.house.cancel(signed(2).client_order_id)[0])
    away.now += 2 * SECOND
    away.report(Ticked(seconds=2))
    assert child(away).quantity == 6 == away.house.positions["SPY"]


class Dying(House):
    """Its exec may die between the end of one stop and the next."""

    dies = False

    def protect(self, order, now):
        return () if self.dies else super().protect(order, now)


def test_a_stop_is_replaced_also_where_the_old_one_ended_in_an_earlier_life():
    away = entered(Away(Dying()), filled=4)
    away.report(away.house.fill(child(away).client_order_id, 1))
    away.house.dies = True
    away.report(away.house.fill(NAME, 6, 100))
    away.house.dies = False
    assert away.house.protective == {}
    away.restart()
    for seconds in (2, 4, 6):
        away.now += 2 * SECOND
        away.report(Ticked(seconds=seconds))
    assert child(away).quantity == 9 == away.house.positions["SPY"]


def test_a_position_that_stays_without_its_stop_is_told_of():
    away = entered(filled=4)
    away.house.holds_on_to.add(child(away).client_order_id)
    away.report(away.house.fill(NAME, 6, 100))
    said = []
    for n in range(1, 6):
        away.now += 2 * SECOND
        said += away.report(Ticked(seconds=2 * n))
    alerts = [m for m in said if isinstance(m, AlertRaised)]
    assert [one.code for one in alerts] == ["protection.waits"]
    assert "10 SPY" in alerts[0].text


class AnyTrading(RuleBasedStateMachine):
    """Entries, exits, fills told late, prices, restarts."""

    def __init__(self):
        super().__init__()
        self.away = Away(Dying())
        self.untold = []
        self.n = 0

    @rule(
        quantity=st.integers(1, 9), side=st.sampled_from(Side),
        protection=st.sampled_from([STOP, ALL, Protection(profit=Decimal(3)), None]),
    )  # fmt: skip
    def enter(self, quantity, side, protection):
        self._order(quantity=Decimal(quantity), side=side, protection=protection)

    @rule(quantity=st.integers(1, 9), side=st.sampled_from(Side))
    def leave(self, quantity, side):
        self._order(quantity=Decimal(quantity), side=side, reduce_only=True)

    def _order(self, **fields):
        self.n += 1
        self.away.now += SECOND
        self.away.order(self.n, **fields)

    @precondition(lambda self: self.away.house.rests)
    @rule(which=st.integers(0, 50), most=st.integers(1, 9), price=st.integers(90, 110))
    def trade(self, which, most, price):
        names = sorted(self.away.house.rests)
        self.untold.append(self.away.house.fill(names[which % len(names)], most, price))

    @precondition(lambda self: self.untold)
    @rule(which=st.integers(0, 50))
    def tell(self, which):
        self.away.report(self.untold.pop(which % len(self.untold)))

    @precondition(lambda self: self.away.house.rests)
    @rule(which=st.integers(0, 50))
    def cancel_at_the_venue(self, which):
        names = sorted(self.away.house.rests)
        self.untold += self.away.house.cancel(names[which % len(names)])

    @rule(low=st.integers(80, 110), wide=st.integers(0, 20))
    def price(self, low, wide):
        self.n += 1
        bar(self.away, low, low + wide, self.n + 100)

    @rule()
    def restart(self):
        self.away.restart()

    @precondition(lambda self: self.untold)
    @rule()
    def die_before_a_stop_is_sent(self):
        self.away.house.dies = True
        self.away.report(self.untold.pop(0))
        self.away.house.dies = False
        self.away.restart()

    @rule()
    def wait(self):
        """Once all is told and some seconds have passed, every guard has its order at the venue."""
        while self.untold:
            self.away.report(self.untold.pop(0))
        for n in range(2, 12, 2):
            self.away.now += 2 * SECOND
            self.away.report(Ticked(seconds=n))
        state = self.away.state
        leaving = any(not one.parent for one in state.orders.values())
        for guard in state.guards.values():
            at_venue = kind_at_venue(guard, self.away.house.keeps)
            if guard.open and at_venue and not leaving:
                standing = [self.away.house.leaves.get(one) for one in guard.children]
                assert standing == [guard.open]

    @invariant()
    def what_protects_at_the_venue_is_within_what_is_held(self):
        for side in Side:
            claimed = sum(
                (
                    self.away.house.leaves[name]
                    for name, order in self.away.house.protective.items()
                    if order.side is side
                ),
                ZERO,
            )
            held = -self.away.house.positions.get("SPY", ZERO) * side.sign
            opposite = self._entering(side)
            assert claimed <= max(held + opposite, ZERO)

    def _entering(self, side):
        """Return what an entry of the side that closes has taken away: nobody has been told."""
        return sum(
            (one.quantity for one in self.untold if hasattr(one, "quantity")
             and self._sent(one).side is side and not self._sent(one).reduce_only),
            ZERO,
        )  # fmt: skip

    def _sent(self, report):
        name = report.client_order_id
        order = self.away.house.rests.get(name) or self.away.house.ended[name]
        return order if hasattr(order, "reduce_only") else signed(1, reduce_only=True)

    @invariant()
    def the_guards_together_claim_no_more_than_is_held(self):
        state = self.away.state
        held = state.positions.get("SPY", ZERO)
        for side in Side:
            claimed = [one.open for one in state.guards.values() if one.entry.side is side]
            assert sum(claimed, ZERO) <= max(held * side.sign, ZERO)


test_children_never_exceed_what_is_held = AnyTrading.TestCase
AnyTrading.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
