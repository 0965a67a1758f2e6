"""Answers that come late, twice, not at all or against each other; cancels; the link."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.exec.ports import PlaceOrder, Ticked
from interlock.model.order import CLOSED, OrderStatus
from interlock.model.values import Side
from interlock.testkit.cells import CrashError, drive
from interlock.testkit.desk_messages import SECOND
from interlock.venues.port import (
    VenueAccepted,
    VenueCanceled,
    VenueExpired,
    VenueFilled,
    VenueKept,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
)
from interlock.wire.orders import (
    CancelOrders,
    OrderRefused,
    OrderRejected,
    OrderUnknown,
    VenueLinkChanged,
)

from tests.unit.exec.another_house import Away, House, kinds, signed

NAME = signed(1).client_order_id


class Silent(House):
    """Takes orders, or loses them, and says nothing."""

    loses = False

    def place(self, order, now):
        self.told.add(order.client_order_id)
        if not self.loses:
            super().place(order, now)
        return ()


def ordered(house=None, n=1, **more):
    away = Away(house or House())
    away.order(n, **more)
    return away


def status(away, name=NAME):
    order = away.state.orders.get(name) or away.state.closed[name]
    return order.status


def tick(away, seconds):
    away.now += 2 * SECOND
    return away.report(Ticked(seconds=seconds))


def cancel(away, n=1, **more):
    fields = {"account": away.state.account, "by": "ada", "reason": "too late"} | more
    return away.hear(
        CancelOrders(
            message_id=f"cancel-{n}", decision_id="d", ts_event=1, desk=away.state.desk, **fields
        )
    )


# No answer.


def test_i12_an_order_without_an_answer_is_looked_up_and_adopted():
    away = ordered(Silent())
    assert status(away) is OrderStatus.SUBMITTED
    assert kinds(tick(away, 2)) == ["OrderAccepted"]


def test_i12_an_order_that_was_lost_is_unknown_until_the_venue_says_more():
    away = ordered(Silent())
    said = away.report(VenueLost(client_order_id=NAME, reason="504"))
    assert kinds(said) == ["OrderUnknown"]
    away.house.fill(NAME, 10)
    assert kinds(tick(away, 2)) == ["OrderAccepted", "OrderFilled"]


def test_i12_only_a_venue_that_twice_has_never_seen_it_ends_an_order():
    house = Silent()
    house.loses = True
    away = ordered(house)
    assert tick(away, 2) == []
    assert status(away) is OrderStatus.SUBMITTED
    (rejected,) = tick(away, 4)
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason == "the venue has never seen it"


@given(st.lists(st.sampled_from(["tick", "lost", "again"]), max_size=30))
@settings(max_examples=50, deadline=None)
def test_i12_no_clock_ends_an_order(steps):
    away = ordered(Silent())
    away.house.look_up = lambda name: [VenueLost(client_order_id=name, reason="no answer")]
    for seconds, step in enumerate(steps):
        match step:
            case "tick":
                away.now += 3600 * SECOND
                away.report(Ticked(seconds=seconds * 2))
            case "lost":
                away.report(VenueLost(client_order_id=NAME, reason="504"))
            case _:
                away.restart()
    assert status(away) not in CLOSED


def test_an_accepted_order_is_not_in_doubt_because_a_question_was_lost():
    away = ordered()
    assert away.report(VenueLost(client_order_id=NAME, reason="timeout")) == []
    assert away.report(VenueNeverSeen(client_order_id=NAME)) == []


def test_an_order_may_be_in_doubt_more_than_once():
    away = ordered(Silent())
    lost = VenueLost(client_order_id=NAME, reason="504")
    accepted = VenueAccepted(client_order_id=NAME, venue_order_id="v")
    assert kinds(away.report(lost)) == ["OrderUnknown"]
    assert kinds(away.report(accepted)) == ["OrderAccepted"]
    for n in (1, 2):
        assert "OrderCancelRequested" in kinds(cancel_kept(away, n))
    assert status(away) is OrderStatus.ACCEPTED


def cancel_kept(away, n):
    away.house.holds_on_to.add(NAME)
    return cancel(away, n)


def test_i1_an_order_that_was_on_its_way_when_exec_died_is_not_sent_twice():
    away = Away()

    def dies(step):
        return isinstance(getattr(step, "effect", None), PlaceOrder)

    with pytest.raises(CrashError):
        drive(away.cell.react(signed(1), SECOND), away.cell.service.perform, after=dies)
    row = away.cell.state.orders[NAME]
    assert row.status is OrderStatus.SUBMITTED
    placed = list(away.house.placed)
    away.hear(signed(1))
    assert away.house.placed == placed
    assert status(away) is OrderStatus.ACCEPTED


# The end of orders.


def test_a_cancel_is_asked_for_and_told():
    away = ordered()
    assert kinds(cancel(away)) == ["OrderCancelRequested", "OrderCanceled"]


def test_of_many_what_adds_risk_is_ended_first_and_the_larger_before_the_smaller():
    away = Away()
    away.order(1, quantity=Decimal(100))
    away.report(away.house.fill(NAME, 100))
    for n, more in (
        (2, {"side": Side.SELL, "reduce_only": True, "quantity": Decimal(90)}),
        (3, {"quantity": Decimal(2)}),
        (4, {"quantity": Decimal(7)}),
    ):
        away.order(n, **more)
    cancel(away)
    asked = [name for what, name in away.house.asked if what == "cancel"]
    assert asked == [signed(n).client_order_id for n in (4, 3, 2)]


def test_a_venue_that_keeps_an_order_leaves_it_working():
    away = ordered()
    away.report(away.house.fill(NAME, 4))
    assert kinds(cancel_kept(away, 1)) == ["OrderCancelRequested", "OrderKept"]
    assert status(away) is OrderStatus.PARTIALLY_FILLED


def test_a_cancel_without_an_answer_is_asked_for_again():
    away = ordered()
    answer, away.house.cancel = away.house.cancel, lambda _: ()
    assert kinds(cancel(away)) == ["OrderCancelRequested"]
    assert cancel(away, 2) == []
    away.house.cancel = answer
    assert kinds(tick(away, 2)) == ["OrderCanceled"]


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({}, set()),
        ({"instrument_id": "QQQ"}, {"SPY"}),
        ({"client_order_id": NAME}, {"QQQ"}),
        ({"client_order_id": "il-other"}, {"SPY", "QQQ"}),
        ({"account": "another"}, {"SPY", "QQQ"}),
    ],
)
def test_what_is_cancelled_is_what_was_named(more, left):
    away = ordered()
    away.order(2, instrument_id="QQQ")
    cancel(away, **more)
    assert {one.instrument_id for one in away.state.orders.values()} == left


def test_a_desk_that_only_reads_cancels_nothing():
    away = ordered()
    away.changes = {"read_only": True}
    away.restart()
    assert cancel(away) == []
    assert ("cancel", NAME) not in away.house.asked


# The link.


def test_a_link_that_is_down_is_said_at_once_and_blocks_new_risk_only():
    away = ordered()
    away.report(away.house.fill(NAME, 10))
    (word,) = away.report(VenueLinkMoved(up=False, reason="mute for 2 s"))
    assert isinstance(word, VenueLinkChanged)
    assert (word.up, word.reason) == (False, "mute for 2 s")
    assert away.report(VenueLinkMoved(up=False, reason="still")) == []
    (refusal,) = away.order(2)
    assert isinstance(refusal, OrderRefused)
    assert refusal.code == "venue_link"
    assert "OrderAccepted" in kinds(away.order(3, side=Side.SELL, reduce_only=True))


def test_a_link_that_is_up_again_brings_look_ups_and_reconciles():
    away = ordered(Silent())
    away.report(VenueLinkMoved(up=False, reason="cut"))
    away.house.fill(NAME, 4)
    said = kinds(away.report(VenueLinkMoved(up=True, reason="back")))
    assert said[0] == "VenueLinkChanged"
    assert said.count("OrderFilled") == 1
    assert said[-1] == "ReconciliationCompleted"
    assert kinds(away.order(2)) == ["OrderSubmitted"]


def test_a_fresh_exec_has_no_link_until_the_stream_is_up():
    away = ordered()
    said = away.start()
    assert kinds(said)[0] == "VenueLinkChanged"
    assert away.order(2)[0].code == "venue_link"


# Anything in any order.

NEWS = st.one_of(
    st.builds(VenueAccepted, client_order_id=st.just(NAME), venue_order_id=st.just("v")),
    st.builds(VenueRejected, client_order_id=st.just(NAME), reason=st.just("no")),
    st.builds(VenueCanceled, client_order_id=st.just(NAME), reason=st.just("gone")),
    st.builds(VenueExpired, client_order_id=st.just(NAME)),
    st.builds(VenueLost, client_order_id=st.just(NAME), reason=st.just("504")),
    st.builds(VenueKept, client_order_id=st.just(NAME), reason=st.just("no")),
    st.builds(VenueNeverSeen, client_order_id=st.just(NAME)),
    st.builds(Ticked, seconds=st.integers(0, 200)),
    st.builds(
        VenueFilled,
        client_order_id=st.just(NAME),
        venue_order_id=st.just("v"),
        trade_id=st.sampled_from(["t1", "t2", "t3", "t4"]),
        quantity=st.sampled_from([Decimal(n) for n in ("4", "7", "0", "-1", "NaN", "Infinity")]),
        price=st.sampled_from([Decimal(n) for n in ("100", "0", "NaN")]),
        fee=st.sampled_from([Decimal(0), Decimal("NaN")]),
    ),
)


@given(st.lists(st.one_of(NEWS, st.just("cancel")), max_size=25))
@settings(max_examples=200, deadline=None)
def test_i11_no_news_in_any_order_breaks_exec_and_each_trade_counts_once(reports):
    away = ordered(Silent())
    for n, report in enumerate(reports):
        if report == "cancel":
            cancel(away, n)
        else:
            away.report(report)
    fills = [m for m, _ in away.log if type(m).__name__ == "OrderFilled"]
    assert len({one.trade_id for one in fills}) == len(fills)
    assert away.state.positions.get("SPY", 0) == sum(one.last_qty for one in fills)
    assert len({m.message_id for m, own in away.log if own}) == sum(own for _, own in away.log)
    ended = [m for m, _ in away.log if type(m).__name__ in ("OrderCanceled", "OrderExpired")]
    assert len(ended) <= 1
    unknown = [m for m, _ in away.log if isinstance(m, OrderUnknown)]
    assert len(unknown) <= 1
