"""Alpaca's trading interface over REST, through the unmodified SDK.

Theory of operation. The SDK blocks, so its calls run in threads: one pool for orders and their
ends, one for questions, so that no order waits behind a question. The SDK repeats a POST after 429
and 504, which could place an order twice where the venue forgets a client order id; it is told to
repeat nothing. It sets no timeout; an adapter of `requests` does. A GET is asked again a few times
by ourselves; a POST never is.
"""

import asyncio
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgspec

from interlock.venues.alpaca.config import AlpacaConfig, AlpacaKeys
from interlock.venues.alpaca.errors import (
    AlpacaRefusedError,
    AlpacaWireError,
    RefusalCode,
    TooLateError,
    failure,
)
from interlock.venues.alpaca.orders import AccountData, ActivityData, OrderData, PositionData

if TYPE_CHECKING:
    from alpaca.common.rest import RESTClient

_QUESTIONS_AT_ONCE = 8
_PAUSES_SECONDS = (0.2, 0.6)
ORDERS_A_PAGE = 500
_ACTIVITIES_A_PAGE = 100
_MAX_PAGES = 100
_GRACE_SECONDS = 0.5

type Fields = dict[str, Any]


@contextmanager
def of_the_sdk() -> Generator[None]:
    """Import parts of the SDK: its streams, which we do not use, import what is deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def prepare(client: "RESTClient", config: AlpacaConfig) -> None:
    """Set the SDK's client up: no repetitions, a timeout, enough connections."""
    from requests.adapters import HTTPAdapter

    class TimeLimited(HTTPAdapter):
        def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
            if options.get("timeout") is None:
                options["timeout"] = config.answer_timeout_seconds
            return super().send(request, **options)

    # The constructor takes 0 for "not given" and then repeats three times.
    client._retry = 0  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    session = client._session  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    for scheme in ("http://", "https://"):
        session.mount(scheme, TimeLimited(pool_maxsize=config.at_once + _QUESTIONS_AT_ONCE))


class AlpacaRest:
    """The account's REST interface. Every failure is one of the two of `alpaca.errors`."""

    def __init__(self, config: AlpacaConfig, keys: AlpacaKeys) -> None:
        with of_the_sdk():
            from alpaca.trading.client import TradingClient

        self._limit_seconds = config.answer_timeout_seconds + _GRACE_SECONDS
        self._keys = keys
        self._client = TradingClient(
            keys.key, keys.secret, paper=config.paper, raw_data=True, url_override=config.trading
        )
        prepare(self._client, config)
        self._get: Callable[..., object] = self._client.get
        self._post: Callable[..., object] = self._client.post
        self._orders = ThreadPoolExecutor(config.at_once, "alpaca-orders")
        self._questions = ThreadPoolExecutor(_QUESTIONS_AT_ONCE, "alpaca-questions")
        self.under_way: set[str] = set()
        """Client order ids of which a POST may still reach the venue."""

    async def place(self, client_order_id: str, body: Fields, good_until: float) -> OrderData:
        """Place an order, unless the monotonic clock says that its approval has run out."""

        def post() -> object:
            if time.monotonic() >= good_until:
                raise TooLateError
            return self._post("/orders", body)

        self.under_way.add(client_order_id)
        future = self._orders.submit(_in_our_words, post, self._keys)
        # Also of one that has never begun, and has been taken back.
        future.add_done_callback(lambda _: self.under_way.discard(client_order_id))
        return self._read(await answer(future, self._limit_seconds), OrderData)

    async def cancel(self, venue_order_id: str) -> None:
        await self._once(self._orders, lambda: self._client.cancel_order_by_id(venue_order_id))

    async def cancel_all(self) -> None:
        """Ask for the end of every open order of the account, also of what others have placed."""
        await self._once(self._orders, self._client.cancel_orders)

    async def latest_orders(self, before: str | None) -> list[OrderData]:
        """Return a page of orders, open or ended, the youngest first."""
        query: Fields = {"status": "all", "limit": ORDERS_A_PAGE, "direction": "desc"}
        if before:
            query["until"] = before
        raw = await self._ask(partial(self._get, "/orders", query))
        return self._read(raw, list[OrderData])

    async def order(self, client_order_id: str) -> OrderData | None:
        """Return the order, none where the venue says that it has none of this name."""
        try:
            raw = await self._ask(lambda: self._client.get_order_by_client_id(client_order_id))
        except AlpacaRefusedError as refused:
            if refused.code in {RefusalCode.NOT_FOUND, RefusalCode.UNKNOWN_SYMBOL}:
                return None
            raise
        return self._read(raw, OrderData)

    async def open_orders(self) -> dict[str, OrderData]:
        """Return all open orders by the venue's id."""
        found: dict[str, OrderData] = {}
        query: Fields = {"status": "open", "limit": ORDERS_A_PAGE, "direction": "asc"}
        for _ in range(_MAX_PAGES):
            raw = await self._ask(partial(self._get, "/orders", dict(query)))
            page = self._read(raw, list[OrderData])
            before = len(found)
            found.update((order.id, order) for order in page)
            if len(page) < ORDERS_A_PAGE or len(found) == before:
                return found
            query["after"] = page[-1].submitted_at
        raise AlpacaWireError(f"more than {_MAX_PAGES * ORDERS_A_PAGE} open orders")

    async def positions(self) -> Sequence[PositionData]:
        return self._read(await self._ask(self._client.get_all_positions), list[PositionData])

    async def account(self) -> AccountData:
        return self._read(await self._ask(self._client.get_account), AccountData)

    async def executions(self, after: str | None) -> list[ActivityData]:
        """Return the account's executions since a time in the venue's own writing."""
        found: list[ActivityData] = []
        query: Fields = {"direction": "asc", "page_size": _ACTIVITIES_A_PAGE}
        if after:
            query["after"] = after
        for _ in range(_MAX_PAGES):
            raw = await self._ask(partial(self._get, "/account/activities/FILL", dict(query)))
            page = self._read(raw, list[ActivityData])
            found += page
            if len(page) < _ACTIVITIES_A_PAGE:
                return found
            query["page_token"] = page[-1].id
        return found

    def close(self) -> None:
        for pool in (self._orders, self._questions):
            pool.shutdown(wait=False, cancel_futures=True)
        self._client._session.close()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]

    async def _ask(self, work: Callable[[], object]) -> object:
        return await ask(self._questions, work, self._keys, self._limit_seconds)

    async def _once(self, pool: ThreadPoolExecutor, work: Callable[[], object]) -> object:
        return await answer(pool.submit(_in_our_words, work, self._keys), self._limit_seconds)

    def _read[T](self, raw: object, kind: type[T]) -> T:
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError as error:
            raise AlpacaWireError(
                f"an answer that is not Alpaca's: {self._keys.hide(str(error))}"
            ) from None


async def ask(
    pool: ThreadPoolExecutor, work: Callable[[], object], keys: AlpacaKeys, limit_seconds: float
) -> object:
    """Ask a question that changes nothing, and so may be asked again where no answer came."""
    for pause in _PAUSES_SECONDS:
        try:
            return await answer(pool.submit(_in_our_words, work, keys), limit_seconds)
        except AlpacaWireError as error:
            if not error.again:
                raise
        await asyncio.sleep(pause)
    return await answer(pool.submit(_in_our_words, work, keys), limit_seconds)


async def answer(future: Future[object], limit_seconds: float) -> object:
    """Wait for a call of the SDK.

    The SDK's timeout counts between bytes; `limit_seconds` ends an answer that drips in.
    """
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), limit_seconds)
    except TimeoutError:
        raise AlpacaWireError(f"no answer within {limit_seconds:g} s") from None


def _in_our_words(work: Callable[[], object], keys: AlpacaKeys) -> object:
    """Run a blocking call of the SDK, and return or raise in our words."""
    from alpaca.common.exceptions import APIError
    from requests.exceptions import RequestException

    try:
        return work()
    except APIError as error:
        status = cast("int | None", error.status_code)
        raise failure(status or 0, keys.hide(str(error))) from None
    except RequestException as error:
        words = keys.hide(str(error))[:200]
        raise AlpacaWireError(f"{type(error).__name__}: {words}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # What the SDK does with a body of another shape than it expects.
        raise AlpacaWireError(f"an answer that is not Alpaca's: {keys.hide(str(error))}") from None
