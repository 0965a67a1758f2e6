"""All orders of an account ended with one request for each market, where an exchange has it."""

from collections.abc import Sequence
from typing import Any

from interlock.venues.ccxt_errors import Outcome
from interlock.venues.ccxt_orders import Orders
from interlock.venues.port import VenueReport, VenueUnavailableError

_REQUESTS_A_CANCEL = 2
"""The cancel, and the look at how it went."""
_MS_A_SECOND = 1000


def cancels_per_second(exchange: Any) -> float:
    """Return how many ends ccxt's own limiter lets through: what queued there would time out."""
    return _MS_A_SECOND / (max(float(exchange.rateLimit), 1.0) * _REQUESTS_A_CANCEL)


async def ended_at_once(
    exchange: Any, orders: Orders, markets: Sequence[str | None]
) -> Sequence[VenueReport]:
    """Cancel everything in `markets`; return what the answers say of our orders.

    Raises
    ------
    VenueUnavailableError
        When one of the requests was not obeyed. The others have been.
    """
    told: list[VenueReport] = []
    failed: list[str] = []
    for market in markets:
        try:
            answered = await exchange.cancel_all_orders(market)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other markets go on
            failure = orders.error(error)
            # "No such order": there was nothing to end.
            if failure.outcome is not Outcome.NOT_FOUND:
                failed.append(failure.reason)
            continue
        for order in answered:
            tracked = orders.ours(order)
            if tracked is not None:
                told += await orders.tell(tracked, order)
    if failed:
        raise VenueUnavailableError("; ".join(failed))
    return told
