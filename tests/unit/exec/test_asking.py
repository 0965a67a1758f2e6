"""A venue that is waited for: nothing waits with it, and what it says late is heard."""

import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest
from interlock.exec.adapters import asking as module
from interlock.exec.adapters.asking import Asking
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.sending import at_venue, open_venue, protect
from interlock.exec.adapters.venue_link import VenueLink
from interlock.exec.ports import (
    CancelOrder,
    LookUp,
    OpenVenue,
    PlaceOrder,
    PlaceProtection,
    Ticked,
    VenueAway,
    VenueOpened,
)
from interlock.model.values import OrderType, Side
from interlock.runtime.switch_file import SwitchState
from interlock.venues.port import (
    ProtectiveOrder,
    VenueAccepted,
    VenueCanceled,
    VenueFilled,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueUnavailableError,
)
from msgspec.structs import replace

from tests.unit.exec.another_house import House, signed
from tests.unit.exec.test_reconcile import working

NAME = signed(1).client_order_id


class Slow(House):
    """A house one has to wait for: until `free` is set, or for ever where it `breaks`."""

    def __init__(self, **more):
        super().__init__(**more)
        self.free, self.breaks = asyncio.Event(), None

    async def _late(self, answer):
        await self.free.wait()
        if self.breaks is not None:
            raise self.breaks
        return answer()

    def open(self, *asked):
        return self._late(lambda: House.open(self, *asked))

    def place(self, order, now):
        self.asked.append(("place", order.client_order_id))
        return self._late(lambda: House.place(self, order, now))

    def protect(self, order, now):
        return self._late(lambda: House.protect(self, order, now))

    def cancel(self, name):
        return self._late(lambda: House.cancel(self, name))

    def look_up(self, name):
        return self._late(lambda: House.look_up(self, name))


class Shell:
    """The shell of an exec; `told` is what its core would hear."""

    def __init__(self, venue=None):
        self.venue = venue or Slow()
        self.switch = KillSwitch(self.venue)
        self.told = []
        self.asking = Asking(self.switch.orders.hear, self.told.append)

    def ask(self, effect):
        return at_venue(self.venue, self.switch, self.asking, effect, 0)

    async def settle(self):
        self.venue.free.set()
        for _ in range(10):
            await asyncio.sleep(0)
        return self.told


async def test_an_order_is_on_its_way_at_once_and_its_answer_comes_later():
    shell = Shell()
    assert shell.ask(PlaceOrder(order=signed(1))) == ()
    assert shell.venue.asked == [("place", NAME)]
    assert shell.told == []
    assert NAME in shell.switch.orders
    assert await shell.settle() == [VenueAccepted(client_order_id=NAME, venue_order_id=f"v-{NAME}")]


async def test_one_slow_order_holds_up_no_other():
    shell = Shell()
    for n in range(1, 6):
        shell.ask(PlaceOrder(order=signed(n)))
    assert len(shell.venue.asked) == 5
    assert len(await shell.settle()) == 5


async def test_i1_the_same_order_is_not_sent_twice_at_once():
    shell = Shell()
    shell.ask(PlaceOrder(order=signed(1)))
    shell.ask(PlaceOrder(order=signed(1)))
    assert shell.venue.asked == [("place", NAME)]


async def test_i12_what_breaks_is_lost_and_its_text_is_told_to_nobody(caplog):
    shell = Shell()
    shell.venue.breaks = RuntimeError("secret-token")
    shell.ask(PlaceOrder(order=signed(1)))
    (lost,) = await shell.settle()
    assert isinstance(lost, VenueLost)
    assert "secret-token" not in lost.reason + caplog.text
    assert NAME in shell.switch.orders


async def test_i12_what_takes_too_long_is_lost(monkeypatch):
    monkeypatch.setattr(module, "CALL_SECONDS", 0.0)
    shell = Shell()
    shell.ask(PlaceOrder(order=signed(1)))
    await asyncio.sleep(0.01)
    (lost,) = shell.told
    assert isinstance(lost, VenueLost)


async def test_i12_never_seen_does_not_count_while_the_order_may_be_on_its_way(monkeypatch):
    shell = Shell()
    shell.ask(PlaceOrder(order=signed(1)))
    shell.venue.look_up = lambda _: _at_once([VenueNeverSeen(client_order_id=NAME)])
    shell.ask(LookUp(client_order_id=NAME))
    await asyncio.sleep(0)
    assert shell.told == []
    shell.venue.breaks = RuntimeError("reset")
    await shell.settle()
    shell.ask(LookUp(client_order_id=NAME))
    await asyncio.sleep(0)
    assert [type(one) for one in shell.told] == [VenueLost]
    monkeypatch.setattr(module, "LANDING_SECONDS", 0.0)
    shell.ask(LookUp(client_order_id=NAME))
    await asyncio.sleep(0)
    assert [type(one) for one in shell.told] == [VenueLost, VenueNeverSeen]


async def _at_once(reports):
    return reports


async def test_a_cancel_ends_what_the_switch_would_cancel():
    shell = Shell()
    shell.ask(PlaceOrder(order=signed(1)))
    await shell.settle()
    shell.ask(CancelOrder(client_order_id=NAME))
    assert isinstance((await shell.settle())[-1], VenueCanceled)
    assert NAME not in shell.switch.orders


async def test_closing_ends_what_is_under_way():
    shell = Shell()
    shell.ask(PlaceOrder(order=signed(1)))
    await shell.asking.close()
    assert shell.told == []


# Protective orders.


def stop(n=1, **more):
    return ProtectiveOrder(
        client_order_id=f"il-stop-{n}", parent=NAME, instrument_id="SPY", side=Side.SELL,
        order_type=OrderType.STOP, quantity=10, stop_price=98, **more,
    )  # fmt: skip


async def replaced(shell, between=lambda: None):
    """Return what is told of a second stop that takes the place of the first."""
    shell.ask(PlaceProtection(order=stop()))
    await shell.settle()
    shell.venue.free.clear()
    shell.told.clear()
    shell.ask(
        PlaceProtection(order=stop(2), instead_of="il-stop-1", filled={"il-stop-1": Decimal(0)})
    )
    between()
    return await shell.settle()


async def test_a_stop_takes_the_place_of_one_that_has_ended():
    shell = Shell()
    told = await replaced(shell)
    assert [type(one) for one in told[:1] + told[-1:]] == [VenueCanceled, VenueAccepted]
    assert told[-1].client_order_id == "il-stop-2"
    assert set(shell.venue.protective) == {"il-stop-2"}
    assert list(shell.switch.orders) == ["il-stop-2"]


async def test_a_stop_that_trades_while_it_is_replaced_is_not_doubled():
    shell = Shell()

    def trade():
        shell.switch.orders.hear([shell.venue.fill("il-stop-1", 4)])

    told = await replaced(shell, trade)
    assert (type(told[-1]), told[-1].client_order_id) == (VenueCanceled, "il-stop-2")
    assert shell.venue.protective == {}


async def test_i7_a_pressed_switch_lets_no_stop_through():
    shell = Shell()
    told = await replaced(shell, lambda: _press(shell.switch))
    assert shell.venue.protective == {}
    assert (type(told[-1]), told[-1].client_order_id) == (VenueCanceled, "il-stop-2")
    kept = protect(shell.venue, shell.switch, PlaceProtection(order=stop(3)), 0)
    assert isinstance(kept[0], VenueCanceled)


def _press(switch):
    switch.standing = replace(switch.standing, state=SwitchState.PRESSED)


# The venue's book.


def opening(*orders):
    return OpenVenue(orders=list(orders), positions={}, trade_ids=set())


async def test_the_book_comes_after_what_happened_to_the_orders_that_differ():
    shell = Shell()
    shell.ask(PlaceOrder(order=signed(1)))
    await shell.settle()
    shell.venue.fill(NAME, 4)
    shell.told.clear()
    assert open_venue(shell.venue, shell.switch, shell.asking, _remembering(10)) == ()
    told = await shell.settle()
    assert [type(one) for one in told] == [VenueAccepted, VenueFilled, VenueOpened]


def _remembering(quantity):
    return opening(working(NAME, quantity=quantity))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(VenueUnavailableError("503"), "503"), (RuntimeError("secret"), "RuntimeError")],
)
async def test_a_venue_that_shows_no_book_is_away(error, reason):
    shell = Shell()
    shell.venue.breaks = error
    open_venue(shell.venue, shell.switch, shell.asking, opening())
    assert await shell.settle() == [VenueAway(reason=reason)]


async def test_the_book_is_asked_for_once_at_a_time():
    shell = Shell()
    for _ in range(2):
        open_venue(shell.venue, shell.switch, shell.asking, opening())
    assert [type(one) for one in await shell.settle()] == [VenueOpened]


async def test_a_stream_that_breaks_is_a_link_that_is_down():
    class Breaking(House):
        async def run(self, report):
            report(VenueCanceled(client_order_id=NAME, reason="gone"))
            raise RuntimeError("secret")

    told = []
    venue = Breaking()
    switch = KillSwitch(venue)
    switch.orders.place(signed(1))
    with suppress(TimeoutError):
        await asyncio.wait_for(VenueLink(venue, switch, told.append).run(), 0.05)
    assert [type(one) for one in told] == [VenueCanceled, VenueLinkMoved]
    assert (told[1].up, "secret" in told[1].reason) == (False, False)
    assert NAME not in switch.orders


async def test_seconds_are_told(monkeypatch):
    class Quiet(House):
        async def run(self, _report):
            await asyncio.Event().wait()

    naps, sleep = [], asyncio.sleep

    async def nap(seconds):
        naps.append(seconds)
        await sleep(0)

    monkeypatch.setattr("interlock.exec.adapters.venue_link.asyncio.sleep", nap)
    told = []
    work = asyncio.ensure_future(VenueLink(Quiet(), KillSwitch(Quiet()), told.append).run())
    for _ in range(6):
        await sleep(0)
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    assert told[:2] == [Ticked(seconds=1), Ticked(seconds=2)]
    assert set(naps) == {1}
