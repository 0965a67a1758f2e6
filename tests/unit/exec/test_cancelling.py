"""Ending many orders where the venue counts requests: turns, their order, and who waits."""

import asyncio
from decimal import Decimal

import pytest
from interlock.exec.adapters.asking import Asking
from interlock.exec.adapters.cancelling import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Pace
from interlock.exec.adapters.kill_switch import TRIES_AT_ALL, KillSwitch
from interlock.exec.adapters.sending import at_venue
from interlock.exec.ports import CancelOrder, PlaceOrder
from interlock.model.trading import Way
from interlock.model.values import OrderType, Side
from interlock.runtime.switch_file import arm_at_first_start, read_switch
from interlock.venues.port import (
    TOO_LATE,
    ProtectiveOrder,
    VenueAccepted,
    VenueBusy,
    VenueCanceled,
)

from tests.unit.exec.desk_with_switch import name_of, signed

RARELY = 0.01
"""A second turn does not come while a test lasts."""


class Counting:
    """A venue that counts requests; `all_of_them` is what its one request for all ends."""

    def __init__(self, cancels_per_second=None, *, all_of_them=None):
        self.cancels_per_second = cancels_per_second
        self.cancels_all = all_of_them is not None
        self.all_of_them, self.asked, self.busy = all_of_them or [], [], False
        self.rests = set()

    async def cancel_all(self):
        self.asked.append("all")
        if self.busy:
            raise OSError("429")
        self.rests -= set(self.all_of_them)
        return [_gone(name) for name in self.all_of_them]

    async def cancel(self, name):
        self.asked.append(f"cancel {name}")
        if self.busy:
            return [VenueBusy(client_order_id=name, reason="429")]
        self.rests.discard(name)
        return [_gone(name)]

    async def look_up(self, name):
        self.asked.append(f"look_up {name}")
        if name in self.rests:
            return [VenueAccepted(client_order_id=name, venue_order_id="v")]
        return [_gone(name)]


def _gone(name):
    return VenueCanceled(client_order_id=name, reason="cancelled")


def switch_with(venue, orders, folder=None):
    if folder is not None:
        arm_at_first_start(folder)
    switch = KillSwitch(venue, folder)
    for order in orders:
        switch.orders.place(order)
        venue.rests.add(order.client_order_id)
    return switch


def small(n):
    return signed(n, quantity=Decimal(1))


def stop(n):
    return ProtectiveOrder(
        client_order_id=f"il-stop-{n}", parent=name_of(n), instrument_id="SPY", side=Side.SELL,
        order_type=OrderType.STOP, quantity=Decimal(1000), stop_price=Decimal(90),
    )  # fmt: skip


async def press(switch):
    return await switch.press(Way.FILE, "ann", "too hot")


async def test_what_adds_risk_is_ended_first_by_value_and_what_protects_last():
    venue = Counting()
    closing = signed(5, reduce_only=True, side=Side.SELL, quantity=Decimal(500))
    orders = [stop(1), closing, small(2), signed(3), signed(4, limit_price=None)]
    switch = switch_with(venue, orders)
    switch.orders.add_foreign({"il-nobody-knows": Decimal(1)})
    await press(switch)
    assert venue.asked == [
        f"cancel {name}"
        for name in (
            name_of(4), name_of(3), name_of(2), "il-nobody-knows", name_of(5), "il-stop-1",
        )
    ]  # fmt: skip


async def test_a_press_takes_the_turns_there_are_and_leaves_the_rest_to_the_sweep(tmp_path):
    venue = Counting(RARELY)
    switch = switch_with(venue, [small(1), signed(2), signed(3, reduce_only=True)], tmp_path)
    await press(switch)
    assert venue.asked == [f"cancel {name_of(2)}"]
    kept = read_switch(tmp_path)
    assert (kept.cancelled, kept.left, kept.cancelled_at) == (1, 2, 0)
    assert await switch.sweep() == []
    assert len(venue.asked) == 1
    switch.pace.per_second = None
    switch.pace._next_at = 0.0
    await switch.sweep()
    assert venue.asked[1:] == [f"cancel {name_of(1)}", f"cancel {name_of(3)}"]
    kept = read_switch(tmp_path)
    assert (kept.cancelled, kept.left) == (3, 0)
    assert kept.cancelled_at >= kept.seen_at


async def test_one_request_ends_all_and_what_it_did_not_name_is_looked_up_then_cancelled():
    venue = Counting(all_of_them=[name_of(1), name_of(2)])
    switch = switch_with(venue, [signed(n) for n in (1, 2, 3)])
    await press(switch)
    assert venue.asked == ["all", f"look_up {name_of(3)}", f"cancel {name_of(3)}"]
    assert switch.standing.cancelled == 3
    assert await switch.sweep() == ()


async def test_a_press_with_nothing_of_ours_open_ends_what_others_have_there():
    venue = Counting(all_of_them=[])
    venue.cancels_all = True
    await press(switch_with(venue, []))
    assert venue.asked == ["all"]


async def test_a_request_for_all_that_was_not_taken_is_made_again_while_nothing_else_was_sent():
    venue = Counting(all_of_them=[name_of(1)])
    venue.busy = True
    switch = switch_with(venue, [signed(1)])
    await press(switch)
    assert venue.asked == ["all", f"cancel {name_of(1)}"]
    venue.busy, switch.pace._next_at = False, 0.0
    await switch.sweep()
    assert venue.asked[2:] == ["all"]
    assert not len(switch.orders)


async def test_a_request_for_all_that_is_never_taken_is_not_made_for_ever():
    venue = Counting(all_of_them=[])
    venue.cancels_all = venue.busy = True
    switch = switch_with(venue, [])
    await press(switch)
    for _ in range(9):
        await switch.sweep()
    assert venue.asked == ["all"] * TRIES_AT_ALL


async def test_i9_a_request_for_all_ends_nothing_that_was_sent_to_reduce_after_the_press():
    venue = Counting(all_of_them=[name_of(1), name_of(2)])
    venue.busy = True
    switch = switch_with(venue, [signed(1)])
    await press(switch)
    assert switch.may_send(signed(2, reduce_only=True, side=Side.SELL))
    venue.busy, switch.pace._next_at = False, 0.0
    await switch.sweep()
    assert venue.asked[2:] == [f"cancel {name_of(1)}"]
    assert name_of(2) in switch.orders


async def test_a_venue_that_is_asked_too_often_is_left_alone_longer_each_time():
    now = 100.0
    pace = Pace(None, lambda: now)
    busy = [VenueBusy(client_order_id="il-1", reason="429")]
    pause, waited = FIRST_PAUSE_SECONDS, []
    for _ in range(7):
        pace.hear(busy)
        pace.hear(busy)
        assert not pace.is_free
        assert not await pace.turn(lambda: True, until=now + pause / 2)
        waited.append(pace._next_at - now)
        now += pause
        assert pace.is_free
        assert await pace.turn(lambda: True, until=now)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
    assert waited == [1, 2, 4, 8, 16, 16, 16]
    pace.hear([_gone("il-1")])
    pace.hear(busy)
    assert pace._next_at - now == FIRST_PAUSE_SECONDS


async def test_turns_are_apart_and_what_is_wanted_no_more_takes_none():
    now = 0.0
    pace = Pace(2.0, lambda: now)
    assert await pace.turn(lambda: True, until=0)
    assert not await pace.turn(lambda: True, until=0.4)
    assert not await pace.turn(lambda: False)
    now = 0.5
    assert await pace.turn(lambda: True, until=0.5)
    assert pace._next_at == 1.0


@pytest.mark.parametrize("pressed", [False, True])
async def test_ends_that_were_asked_for_wait_for_their_turn_unless_a_press_takes_them_over(pressed):
    venue = Counting(RARELY)
    switch = switch_with(venue, [signed(n) for n in (1, 2, 3)])
    heard = []
    asks = Asking(switch.hear, heard.append)
    for n in (1, 2, 3):
        assert at_venue(venue, switch, asks, CancelOrder(client_order_id=name_of(n)), 0) == ()
    await asyncio.sleep(0)
    assert venue.asked == [f"cancel {name_of(1)}"]
    if pressed:
        await press(switch)
        assert switch.is_ending(name_of(3))
    await asks.close()
    assert venue.asked == [f"cancel {name_of(1)}"]
    assert [one.client_order_id for one in heard] == [name_of(1)]


class Trading(Counting):
    """It takes orders, too."""

    async def place(self, order, _now):
        self.asked.append(f"place {order.client_order_id}")
        return [VenueAccepted(client_order_id=order.client_order_id, venue_order_id="v")]


CANCEL_1, CANCEL_2, PLACE_3 = f"cancel {name_of(1)}", f"cancel {name_of(2)}", f"place {name_of(3)}"


@pytest.mark.parametrize(
    ("left_seconds", "per_second", "asked"),
    [
        pytest.param(60, 20.0, [CANCEL_1, CANCEL_2, PLACE_3], id="in time"),
        pytest.param(0.5, RARELY, [CANCEL_1, PLACE_3], id="a stop that will not end"),
        pytest.param(-0.5, RARELY, [CANCEL_1], id="too late"),
    ],
)
async def test_what_takes_a_stops_place_is_sent_after_its_end_and_never_late(
    left_seconds, per_second, asked
):
    venue = Trading(per_second)
    switch = switch_with(venue, [signed(1), signed(2)])
    heard, closing = [], signed(3)
    asks = Asking(switch.hear, heard.append)
    now = closing.expires_at - int(left_seconds * 10**9)
    for n in (1, 2):
        at_venue(venue, switch, asks, CancelOrder(client_order_id=name_of(n)), now)
    sent = PlaceOrder(order=closing, after=(name_of(2),))
    assert at_venue(venue, switch, asks, sent, now) == ()
    async with asyncio.timeout(10):
        while name_of(3) not in [one.client_order_id for one in heard]:
            await asyncio.sleep(0.01)
    await asks.close()
    assert venue.asked == asked
    late = VenueCanceled(client_order_id=name_of(3), reason=TOO_LATE)
    assert (late in heard) is (left_seconds < 0)
