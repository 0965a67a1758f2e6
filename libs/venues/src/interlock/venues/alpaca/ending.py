"""How orders stand after all of an account were cancelled, with a request for each 500 of them.

Theory of operation. Asking for each by itself would take more requests than Alpaca allows in a
minute. "Asked for" is all that its answer says, so a moment passes before the orders are read, and
they are read again while ours still work, for as long as the kill switch waits.
"""

import asyncio

from interlock.venues.alpaca.orders import ENDED, OrderData
from interlock.venues.alpaca.rest import ORDERS_A_PAGE, AlpacaRest

_LOOKS = 3
_PAUSE_SECONDS = 0.2


async def ended_at_once(rest: AlpacaRest, names: set[str]) -> list[OrderData]:
    """Cancel all orders of the account; return those of `names` that have ended by now."""
    await rest.cancel_all()
    ended: dict[str, OrderData] = {}
    for _ in range(_LOOKS):
        if names <= ended.keys():
            break
        await asyncio.sleep(_PAUSE_SECONDS)
        found = await _read(rest, names - ended.keys())
        ended.update((one.client_order_id, one) for one in found if one.status in ENDED)
    return list(ended.values())


async def _read(rest: AlpacaRest, names: set[str]) -> list[OrderData]:
    found: dict[str, OrderData] = {}
    before: str | None = None
    # Orders of others may lie between ours; one that never came there is nowhere.
    for _ in range(2 + len(names) // ORDERS_A_PAGE):
        page = await rest.latest_orders(before)
        found.update((one.client_order_id, one) for one in page if one.client_order_id in names)
        if len(page) < ORDERS_A_PAGE or len(found) == len(names):
            break
        before = page[-1].submitted_at
    return list(found.values())
