"""An Alpaca account on the stub, with all that its venue reports."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from interlock.model.instrument import Instrument
from interlock.model.values import OrderType, Side
from interlock.testkit.alpaca_stub import AlpacaStub
from interlock.testkit.decisions import approved
from interlock.venues.alpaca.config import AlpacaConfig
from interlock.venues.alpaca.venue import AlpacaVenue
from interlock.venues.port import ProtectiveOrder, VenueFilled, VenueLinkMoved

INSTRUMENTS = (
    Instrument(instrument_id="SPY", venue="alpaca"),
    Instrument(instrument_id="BTC", venue="alpaca", venue_symbol="BTC/USD"),
)


def config_for(stub, **changes):
    return AlpacaConfig(
        **{"trading_url": stub.url, "answer_timeout_seconds": 0.5, "watch_seconds": 0.2} | changes
    )


@dataclass
class Desk:
    """The stub, the venue, and everything it has reported since it runs."""

    stub: AlpacaStub
    venue: AlpacaVenue
    said: list = field(default_factory=list)

    async def until(self, fits, seconds=5.0):
        """Wait for a report, and return the first that fits."""
        async with asyncio.timeout(seconds):
            while True:
                for report in self.said:
                    if fits(report):
                        return report
                await asyncio.sleep(0.01)

    async def moved(self, up, after=0):
        """Wait for the link to have moved, counted from the `after`-th report."""
        return await self.until(
            lambda report: (
                report in self.said[after:]
                and isinstance(report, VenueLinkMoved)
                and report.up is up
            )
        )

    async def place(self, n=1, **more):
        order = approved(n, **({"venue": "alpaca"} | more))
        return order.client_order_id, await self.venue.place(order, 0)

    async def protect(self, name, order_type=OrderType.STOP, side=Side.SELL, quantity=10, **prices):
        order = ProtectiveOrder(
            client_order_id=name,
            parent="il-parent",
            instrument_id="SPY",
            side=side,
            order_type=order_type,
            quantity=Decimal(quantity),
            **{key: Decimal(value) for key, value in prices.items()},
        )
        return await self.venue.protect(order, 0)

    def fills(self, *more):
        """Return what exec would count: each fill by its trade id."""
        reports = [*self.said, *more]
        return {each.trade_id: each for each in reports if isinstance(each, VenueFilled)}

    def filled(self, *more):
        return sum((each.quantity for each in self.fills(*more).values()), Decimal(0))


@asynccontextmanager
async def desk(*, listen=True, binary=True, **changes):
    async with AlpacaStub(binary=binary) as stub:
        venue = AlpacaVenue(config_for(stub, **changes), INSTRUMENTS, stub.environ)
        made = Desk(stub, venue)
        task = asyncio.create_task(venue.run(made.said.append)) if listen else None
        try:
            if task is not None:
                await made.moved(up=True)
            yield made
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await venue.close()
