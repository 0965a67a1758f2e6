"""A desk that trades at a stub of Alpaca, which lives on when exec dies and can lie to it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.wire.orders import OrderFilled

from tests.chaos.audit import Audit
from tests.chaos.desk import LIMITS, Desk, desk
from tests.chaos.load import INSTRUMENTS, PRICE, Load, load_on

VENUE = "alpaca"
_INSTRUMENTS = ", ".join(
    f'{{ instrument_id = "{name}", venue = "{VENUE}", bucket = "core", sector = "technology" }}'
    for name in INSTRUMENTS
)


@dataclass(slots=True)
class StubDesk:
    running: Desk
    load: Load
    stub: AlpacaStub

    def price(self, symbol: str | None = None) -> None:
        """Let market orders be filled as they come."""
        for name in (symbol,) if symbol else INSTRUMENTS:
            self.stub.book.prices[name] = Decimal(str(PRICE))

    async def fill_resting(self, *, tell: bool = True) -> int:
        """Fill what rests at the stub and return how many orders that were."""
        resting = [one for one in self.stub.book.orders.values() if one.is_open]
        for order in resting:
            await self.stub.fill(
                order.client_order_id, order.leaves, Decimal(str(PRICE)), tell=tell
            )
        return len(resting)


@asynccontextmanager
async def stub_desk(seed: int) -> AsyncIterator[StubDesk]:
    async with AlpacaStub() as stub:
        stub.book.cash = Decimal(LIMITS["INTERLOCK__DESK__EQUITY_USD"])
        environment = {
            **stub.environ,
            "INTERLOCK__DESK__VENUE": f'"{VENUE}"',
            "INTERLOCK__DESK__INSTRUMENTS": f"[{_INSTRUMENTS}]",
            "INTERLOCK__ALPACA__TRADING_URL": f'"{stub.url}"',
            "INTERLOCK__ALPACA__ANSWER_TIMEOUT_SECONDS": "0.5",
        }
        for name in INSTRUMENTS:
            stub.book.prices[name] = Decimal(str(PRICE))
        async with desk(**environment) as running, load_on(running, seed, venue=VENUE) as load:
            yield StubDesk(running, load, stub)


def differences(found: Audit, stub: AlpacaStub) -> list[str]:
    """I11, I13: what we hold by our fills is what the venue says we hold."""
    held: Counter[str] = Counter()
    for fill in found.of(OrderFilled):
        held[fill.instrument_id] += fill.last_qty * fill.side.sign
    names = sorted(held.keys() | stub.book.positions.keys())
    theirs = stub.book.positions
    return [
        f"I13 {name}: ours {held[name]}, the venue's {theirs.get(name, 0)}"
        for name in names
        if held[name] != theirs.get(name, 0)
    ]


async def placed_twice(stub: AlpacaStub) -> int:
    """I1: how many orders the venue has for one name of ours."""
    await asyncio.sleep(0)
    names = Counter(order.client_order_id for order in stub.book.orders.values())
    return sum(count - 1 for count in names.values())
