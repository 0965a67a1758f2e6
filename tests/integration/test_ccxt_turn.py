"""No approval ends in ccxt's queue of requests and is sent all the same."""

import asyncio
import time

from interlock.testkit.exchange_stub import ExchangeStub
from interlock.venues.port import TOO_LATE, VenueAccepted, VenueCanceled

from tests.integration.test_ccxt_venue import FIRST, NOW, SECOND, submit, venue_at

SLOW_MS = 150.0
MINUTE_NS = 60_000_000_000


async def placed_behind(questions, *, good_for_ns):
    """Return what came of an order behind so many questions, and the orders at the exchange."""
    async with ExchangeStub() as stub:
        venue = venue_at(stub, request_ms=SLOW_MS, timeout_seconds=5.0)
        await venue.open([], {}, set())
        await venue.place(submit(SECOND), NOW)
        asked = [asyncio.ensure_future(venue.look_up(SECOND)) for _ in range(questions)]
        await asyncio.sleep(0)
        told = await venue.place(submit(FIRST, expires_at=NOW + good_for_ns), NOW)
        await asyncio.gather(*asked)
        await venue.close()
        return told, [one.client_order_id for one in stub.orders]


async def test_i15_an_approval_that_ends_in_the_queue_is_not_sent():
    told, there = await placed_behind(4, good_for_ns=100_000_000)
    assert told == [VenueCanceled(client_order_id=FIRST, reason=TOO_LATE)]
    assert there == [SECOND]


async def test_one_that_gets_its_turn_in_time_is_sent():
    told, there = await placed_behind(1, good_for_ns=MINUTE_NS)
    assert isinstance(told[0], VenueAccepted)
    assert there == [SECOND, FIRST]


async def test_orders_keep_the_exchanges_pace():
    async with ExchangeStub() as stub:
        venue = venue_at(stub, request_ms=SLOW_MS, timeout_seconds=5.0)
        await venue.open([], {}, set())
        orders = [submit(f"il-{n:032}", expires_at=NOW + MINUTE_NS) for n in range(4)]
        began = time.monotonic()
        await asyncio.gather(*(venue.place(one, NOW) for one in orders))
        assert time.monotonic() - began > 3 * SLOW_MS / 1000
        assert len(stub.orders) == 4
        await venue.close()
