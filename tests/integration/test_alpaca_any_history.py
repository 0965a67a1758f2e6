"""Any history at a misbehaving Alpaca ends with our book equal to the venue's, to the cent (F13).

What exec does with reports is played here in its simplest form: a fill counts once, by its trade
id, and an order without an answer is looked up.
"""

import asyncio
import random
from decimal import Decimal

import pytest
from interlock.model.values import Side
from interlock.testkit.alpaca_stub import Answer, HangUp, Silence
from interlock.testkit.alpaca_stub_book import event
from interlock.testkit.decisions import approved
from interlock.venues.alpaca.venue import AlpacaVenue
from interlock.venues.port import VenueLost, VenueNeverSeen

from tests.integration.alpaca_desk import INSTRUMENTS, config_for, desk

ORDERS = 30
FAULTS = (
    None,
    None,
    None,
    Silence(accept=True),
    Silence(accept=False),
    HangUp(accept=True),
    Answer(504, "", accept=True),
    Answer(429, "", accept=False),
    Answer(403, '{"message": "insufficient buying power"}', accept=False),
)


class World:
    """One account, our side of it, and what goes wrong between the two."""

    def __init__(self, at, seed):
        self.at = at
        self.chance = random.Random(seed)
        self.sides = {}
        self.answers = []
        self.untold = []

    async def trade(self, n):
        side = self.chance.choice([Side.BUY, Side.SELL])
        order = approved(n, venue="alpaca", side=side, quantity=Decimal(20))
        self.sides[order.client_order_id] = side
        fault = self.chance.choice(FAULTS)
        if fault is not None:
            self.at.stub.faults.append(fault)
        sent = asyncio.create_task(self.at.venue.place(order, 0))
        while not any(
            each["client_order_id"] == order.client_order_id for each in self.at.stub.placed
        ):
            await asyncio.sleep(0.001)
        if order.client_order_id in self.at.stub.book.orders:
            await self.fill(order.client_order_id)
        self.answers += await sent

    async def fill(self, name):
        """Fill the order in parts. Of each the stream tells once, twice, late or never."""
        order = self.at.stub.book.orders[name]
        while order.leaves and self.chance.random() < 0.8:
            part = min(order.leaves, Decimal(self.chance.randint(1, 9)))
            price = Decimal(self.chance.randint(9900, 10100)) / 100
            told = await self.at.stub.fill(name, part, price, tell=False)
            for _ in range(self.chance.choice([0, 1, 1, 2])):
                await self.at.stub.tell(told)
            if self.chance.random() < 0.3:
                self.untold.append(told)
        if order.leaves and self.chance.random() < 0.4:
            await self.at.stub.end(name, "canceled", tell=self.chance.random() < 0.7)

    async def disturb(self):
        match self.chance.randrange(6):
            case 0:
                await self.at.stub.cut()
            case 1 if self.untold:
                self.chance.shuffle(self.untold)
                await self.at.stub.tell(self.untold.pop())
            case 2:
                self.at.stub.question_faults.append(Answer(500, ""))
            case 3:
                self.at.stub.history_lag = self.chance.choice([0, 3, 200])
            case 4:
                name = self.chance.choice(list(self.sides))
                self.answers += await self.at.venue.look_up(name)
            case _:
                pass

    async def tell_the_rest(self):
        """Let the stream tell late what was kept back, and hear it out."""
        self.chance.shuffle(self.untold)
        for told in self.untold:
            await self.at.stub.tell(told)
        last = self.at.stub.foreign(symbol="SPY", side="buy", qty="1", client_order_id="il-last")
        await self.at.stub.tell(event("new", last))
        await self.at.until(lambda each: getattr(each, "client_order_id", "") == "il-last")

    async def settle(self, venue):
        """Look every order up until the venue has answered, as exec does."""
        for name in self.sides:
            for _ in range(5):
                reports = await venue.look_up(name)
                self.answers += reports
                if not any(isinstance(each, VenueLost) for each in reports):
                    break
            else:
                pytest.fail(f"{name} stays in doubt")
            never = any(isinstance(each, VenueNeverSeen) for each in reports)
            assert never is (name not in self.at.stub.book.orders)

    def check(self):
        fills = self.at.fills(*self.answers).values()
        signed = [(self.sides[each.client_order_id].sign * each.quantity, each) for each in fills]
        held = sum((quantity for quantity, _ in signed), Decimal(0))
        cash = 100_000 - sum((quantity * each.price for quantity, each in signed), Decimal(0))
        book = self.at.stub.book
        assert held == book.positions.get("SPY", 0)
        assert abs(cash - book.cash) < Decimal("0.005")


@pytest.mark.parametrize("seed", range(4))
async def test_any_history_ends_with_equal_books(seed):
    async with desk(answer_timeout_seconds=0.1) as at:
        world = World(at, seed)
        at.stub.book.cash = Decimal(100_000)
        for n in range(ORDERS):
            await world.trade(n)
            await world.disturb()
        at.stub.question_faults.clear()
        await world.settle(at.venue)
        await world.tell_the_rest()
        world.check()
        placed = [each["client_order_id"] for each in at.stub.placed]
        assert len(placed) == len(set(placed)), "each order is sent once"


@pytest.mark.parametrize("seed", range(2))
async def test_a_new_process_finds_the_same_book(seed):
    async with desk(answer_timeout_seconds=0.1) as at:
        world = World(at, 100 + seed)
        for n in range(ORDERS):
            await world.trade(n)
        known = set(at.fills(*world.answers))
        after = AlpacaVenue(config_for(at.stub), INSTRUMENTS, at.stub.environ)
        book = await after.open([], {}, known)
        world.answers += book.news
        await world.settle(after)
        world.check()
        assert book.positions.get("SPY", 0) == at.stub.book.positions.get("SPY", 0)
        await after.close()
