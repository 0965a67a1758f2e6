"""Exec at an exchange that is a real server: a stream cut, a death, a deposit, flat at the end."""

import asyncio
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest
from interlock.exec.adapters.asking import Asking
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.venue_link import VenueLink
from interlock.exec.app import build
from interlock.exec.core import RECONCILE_SECONDS
from interlock.exec.ports import Ticked
from interlock.model.instrument import Instrument
from interlock.model.values import InstrumentKind, OrderType, Side
from interlock.runtime.clock import WallClock
from interlock.runtime.service import Perform
from interlock.runtime.signing import Verifier, throwaway_signer
from interlock.testkit import alpaca_stub
from interlock.testkit.cells import cell_of
from interlock.testkit.decisions import approved, desk, trading
from interlock.testkit.desk_messages import DESK
from interlock.testkit.exchange_stub import KEY, SECRET, ExchangeStub, HangUp, Slow
from interlock.venues.alpaca.config import AlpacaConfig
from interlock.venues.alpaca.venue import AlpacaVenue
from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.ccxt_venue import CcxtVenue
from interlock.wire.base import root_ids
from interlock.wire.orders import Protection
from interlock.wire.policy import ResumeTrading
from interlock.wire.signing import canonical_bytes
from msgspec.structs import replace

SPY = Instrument(instrument_id="SPY", venue="alpaca")
BTC = Instrument(
    instrument_id="BTC-USDT",
    venue="binance",
    currency="USDT",
    tick=Decimal("0.01"),
    lot=Decimal("0.0001"),
    kind=InstrumentKind.CRYPTO,
    venue_symbol="BTC/USDT",
)
SIGNER = throwaway_signer()
NAME = BTC.instrument_id
PATIENCE_SECONDS = 20.0


class Exec:
    """An exec as its process wires it, with a loop of a few lines. `log` outlives it."""

    def __init__(self, venue, at, instrument, log):
        self.log, self.clock = log, WallClock()
        self.at, self.name = at, instrument.instrument_id
        self.heard = asyncio.Queue()
        self.venue = venue
        switch = KillSwitch(self.venue)
        self.asking = Asking(switch.orders.hear, self.heard.put_nowait)
        service = build(
            desk(venue=at, instruments=(instrument,)), self.venue,
            Verifier(SIGNER.public_key), self.clock, switch=switch, asking=self.asking,
        )  # fmt: skip
        self.cell = cell_of(service)
        for message, own in log:
            self.cell.recover(message, own=own)
        self.link = VenueLink(self.venue, switch, self.heard.put_nowait)

    async def run(self):
        link = asyncio.create_task(self.link.run())
        try:
            await self.drive(self.cell.begin(self.clock.now()))
            while True:
                item = await self.heard.get()
                now = self.clock.now()
                known = hasattr(item, "message_id")
                await self.drive(self.cell.react(item, now) if known else self.cell.hear(item, now))
                if known:
                    self.log.append((item, False))
        finally:
            link.cancel()
            with suppress(asyncio.CancelledError):
                await link
            await self.asking.close()
            await self.venue.close()

    async def drive(self, reaction):
        reports = None
        while True:
            try:
                step = reaction.send(reports)
            except StopIteration:
                return
            reports = None
            if isinstance(step, Perform):
                result = self.cell.service.perform(step.effect)
                reports = await result if hasattr(result, "__await__") else result
            else:
                self.log += [(message, True) for message in step.messages]

    def said(self, kind):
        return [m for m, own in self.log if own and type(m).__name__ == kind]

    async def until(self, fits):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not fits():
                await asyncio.sleep(0.01)

    @property
    def cash(self):
        return {name: one.amount for name, one in self.cell.state.cash.items()}

    async def reconcile(self):
        """Hold the books against each other, as each minute does."""
        before = self.cell.state.last
        self.heard.put_nowait(Ticked(seconds=RECONCILE_SECONDS))
        await self.until(lambda: self.cell.state.last is not before)
        return self.cell.state.last

    async def resume(self):
        before = self.cell.state.last
        ids = dict(zip(("message_id", "decision_id"), root_ids(ResumeTrading, "ann"), strict=True))
        self.heard.put_nowait(
            ResumeTrading(**ids, ts_event=self.clock.now(), desk=DESK, by="ann", reason="mine")
        )
        await self.until(lambda: self.cell.state.last is not before)
        return self.cell.state.last

    async def ready(self):
        """Wait until the link is up and the books are equal."""
        await self.until(lambda: self.cell.state.link_up and self.cell.state.opened)
        await self.until(lambda: self.cell.state.last is not None)

    def order(self, n, **more):
        now = self.clock.now()
        fields = {
            "key_id": SIGNER.key_id, "venue": self.at, "instrument_id": self.name,
            "quantity": Decimal(1), "order_type": OrderType.LIMIT, "limit_price": Decimal(100),
            "ts_event": now, "expires_at": now + 2 * 10**9,
        }  # fmt: skip
        order = approved(n, **(fields | more))
        order = replace(order, signature=SIGNER.sign(canonical_bytes(order)))
        self.heard.put_nowait(order)
        return order.client_order_id


@asynccontextmanager
async def running(venue, at, instrument, log):
    one = Exec(venue, at, instrument, log)
    one.heard.put_nowait(trading())
    work = asyncio.create_task(one.run())
    try:
        await one.ready()
        yield one
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


def at_binance(stub, log):
    pytest.importorskip("ccxt")
    config = CcxtConfig(
        exchange="binance", key_env="K", secret_env="S", urls=stub.urls,
        timeout_seconds=0.5, request_ms=1.0,
    )  # fmt: skip
    venue = CcxtVenue(config, {NAME: BTC}, {"K": KEY, "S": SECRET})
    return running(venue, "binance", BTC, log)


def at_alpaca(stub, log):
    pytest.importorskip("alpaca")
    config = AlpacaConfig(trading_url=stub.url, answer_timeout_seconds=0.5, watch_seconds=0.2)
    return running(AlpacaVenue(config, (SPY,), stub.environ), "alpaca", SPY, log)


def working(stub):
    return [one for one in stub.orders if not one.ended]


def open_at(stub):
    return {one.client_order_id: one.quantity for one in stub.book.orders.values() if one.is_open}


async def test_i1_i11_i13_cut_killed_and_restarted_our_book_is_the_exchanges_to_the_cent():
    log = []
    async with ExchangeStub() as stub:
        async with at_binance(stub, log) as desk_exec:
            entry = desk_exec.order(1, protection=Protection(stop=Decimal(5)))
            await desk_exec.until(lambda: working(stub))
            stub.fill(entry, "0.4", "100")
            stub.fill(entry, "0.2", "99")
            await desk_exec.until(
                lambda: [one.quantity for one in working(stub)[1:]] == [Decimal("0.6")]
            )
            await stub.sockets.cut()
            stub.fill(entry, "0.1", "98", tell=0)
            await desk_exec.until(lambda: len(desk_exec.said("OrderFilled")) == 3)
        stub.fill(entry, "0.3", "97", tell=0)
        async with at_binance(stub, log) as desk_exec:
            await desk_exec.until(lambda: len(desk_exec.said("OrderFilled")) == 4)
            await desk_exec.until(lambda: [one.quantity for one in working(stub)] == [Decimal(1)])
            stub.next_orders([HangUp(accepted=True)])
            leaving = desk_exec.order(
                2, side=Side.SELL, reduce_only=True, order_type=OrderType.MARKET, limit_price=None
            )
            await desk_exec.until(lambda: desk_exec.said("OrderUnknown"))
            await desk_exec.until(
                lambda: [one.client_order_id for one in working(stub)] == [leaving]
            )
            stub.fill(leaving, "1", "101", tell=2)
            await desk_exec.until(lambda: not desk_exec.cell.state.orders)
            assert desk_exec.cell.state.positions == {NAME: 0}
        async with at_binance(stub, log) as desk_exec:
            assert desk_exec.cell.state.last.breaks == []
            assert desk_exec.cell.state.guards == {}
            assert desk_exec.cash == {"USDT": stub.balances["USDT"]}
        fills = desk_exec.said("OrderFilled")
        cash = sum(-one.last_qty * one.last_px * one.side.sign - one.fee for one in fills)
        assert stub.balances == {"USDT": 100_000 + cash, "BTC": 0}
        assert len({one.trade_id for one in fills}) == len(fills) == 5
        sent = [one.client_order_id for one in stub.orders]
        assert len(set(sent)) == len(sent) == stub.posts


async def test_a_close_waits_for_a_stop_that_is_on_its_way_and_holds_its_coins():
    log = []
    async with ExchangeStub() as stub, at_binance(stub, log) as desk_exec:
        entry = desk_exec.order(1, protection=Protection(stop=Decimal(5)))
        await desk_exec.until(lambda: working(stub))
        stub.next_orders([Slow(0.3)])
        stub.fill(entry, "1", "100")
        await desk_exec.until(lambda: len(desk_exec.said("OrderSubmitted")) == 2)
        leaving = desk_exec.order(
            2, side=Side.SELL, reduce_only=True, order_type=OrderType.MARKET, limit_price=None
        )
        await desk_exec.until(lambda: [one.client_order_id for one in working(stub)] == [leaving])
        stub.fill(leaving, "1", "101")
        await desk_exec.until(lambda: not desk_exec.cell.state.orders)
        assert desk_exec.cell.state.positions == {NAME: 0}
        assert desk_exec.said("OrderRejected") == []


async def test_i1_i11_i13_at_alpaca_our_book_is_the_brokers_after_a_cut_and_a_death():
    log = []
    async with alpaca_stub.AlpacaStub() as stub:
        async with at_alpaca(stub, log) as desk_exec:
            protection = Protection(stop=Decimal(5))
            entry = desk_exec.order(1, quantity=Decimal(10), protection=protection)
            await desk_exec.until(lambda: entry in open_at(stub))
            await stub.fill(entry, 4, 100)
            await desk_exec.until(lambda: Decimal(4) in open_at(stub).values())
            await stub.cut()
            await stub.fill(entry, 3, 99, tell=False)
            await desk_exec.until(lambda: len(desk_exec.said("OrderFilled")) == 2)
        await stub.fill(entry, 3, 98, tell=False)
        async with at_alpaca(stub, log) as desk_exec:
            await desk_exec.until(lambda: len(desk_exec.said("OrderFilled")) == 3)
            await desk_exec.until(lambda: list(open_at(stub).values()) == [Decimal(10)])
            (stop,) = open_at(stub)
            await stub.fill(stop, 10, 94)
            await desk_exec.until(lambda: not desk_exec.cell.state.orders)
        async with at_alpaca(stub, log) as desk_exec:
            assert desk_exec.cell.state.last.breaks == []
            assert desk_exec.cell.state.positions == {"SPY": 0}
            assert desk_exec.cash == {"USD": stub.book.cash}
        fills = desk_exec.said("OrderFilled")
        assert len({one.trade_id for one in fills}) == len(fills) == 4
        assert open_at(stub) == {}


async def deposit_and_resume(desk_exec, deposit, currency):
    """Let money come behind our back: named, blocking, and taken over once a person has resumed."""
    ours = desk_exec.cash[currency]
    assert (await desk_exec.reconcile()).breaks == []
    deposit(Decimal(500))
    word = await desk_exec.reconcile()
    named = f"cash {currency}: ours {ours.normalize():f}, theirs {(ours + 500).normalize():f}"
    assert word.account_breaks == word.breaks == [named]
    assert word.cash_breaks == {currency: Decimal(500)}
    refused = desk_exec.order(8)
    await desk_exec.until(lambda: desk_exec.said("OrderRefused"))
    assert [one.client_order_id for one in desk_exec.said("OrderRefused")] == [refused]
    assert desk_exec.said("AlertRaised")[-1].code == "reconciliation.cash"
    word = await desk_exec.resume()
    assert (word.breaks, word.cash) == ([], {currency: ours + 500})
    taken = desk_exec.order(9)
    await desk_exec.until(lambda: taken in desk_exec.cell.state.orders)


async def test_r9_a_deposit_at_binance_is_a_break_that_a_person_accepts():
    log = []
    async with ExchangeStub() as stub:
        async with at_binance(stub, log) as desk_exec:
            entry = desk_exec.order(1)
            await desk_exec.until(lambda: working(stub))
            stub.fill(entry, "1", "99.5")
            await desk_exec.until(lambda: desk_exec.said("OrderFilled"))

            def deposit(amount):
                stub.balances["USDT"] += amount

            await deposit_and_resume(desk_exec, deposit, "USDT")
        async with at_binance(stub, log) as desk_exec:
            assert desk_exec.cell.state.last.breaks == []
            assert desk_exec.cash == {"USDT": stub.balances["USDT"]}


async def test_r9_fees_in_bnb_leave_the_cash_as_it_is():
    log = []
    async with ExchangeStub(balances={"USDT": "100000", "BTC": "0", "BNB": "5"}) as stub:
        stub.fee_asset = "BNB"
        async with at_binance(stub, log) as desk_exec:
            entry = desk_exec.order(1)
            await desk_exec.until(lambda: working(stub))
            stub.fill(entry, "1", "99.5")
            await desk_exec.until(lambda: desk_exec.said("OrderFilled"))
            assert (await desk_exec.reconcile()).breaks == []
            (fill,) = desk_exec.said("OrderFilled")
            assert fill.fee == fill.fee_elsewhere > 0
            assert desk_exec.cash == {"USDT": stub.balances["USDT"]} == {"USDT": Decimal("99900.5")}


async def test_r9_a_deposit_at_alpaca_is_a_break_that_a_person_accepts():
    log = []
    async with alpaca_stub.AlpacaStub() as stub:
        async with at_alpaca(stub, log) as desk_exec:
            entry = desk_exec.order(1)
            await desk_exec.until(lambda: entry in open_at(stub))
            await stub.fill(entry, 1, "99.5")
            await desk_exec.until(lambda: desk_exec.said("OrderFilled"))

            def deposit(amount):
                stub.book.cash += amount

            await deposit_and_resume(desk_exec, deposit, "USD")
        async with at_alpaca(stub, log) as desk_exec:
            assert desk_exec.cell.state.last.breaks == []
            assert desk_exec.cash == {"USD": stub.book.cash}
