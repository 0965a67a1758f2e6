"""Any exchange that ccxt speaks to, as a venue. ccxt is used as it is: only configured.

Theory of operation. An order leaves with exactly the signed size and price, or not at all: ccxt
rounds to the market's steps, so a number that it would change is refused here, as is one below the
market's least size or value. What the exchange answers is read by `ccxt_errors`; what becomes of
an order afterwards by `ccxt_orders` and `ccxt_stream`. A spot exchange knows balances and no
positions: the balance of a coin is the position of the one instrument that trades it.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import Any

from msgspec import Struct

from interlock.model.ids import NANOS_PER_SECOND
from interlock.model.instrument import Instrument
from interlock.model.order import CLOSED, WorkingOrder
from interlock.model.values import ZERO, OrderType, Side, TimeInForce
from interlock.venues.ccxt_config import CcxtConfig, open_exchange, open_session, read_secrets
from interlock.venues.ccxt_dialects import dialect_of
from interlock.venues.ccxt_ending import cancels_per_second, ended_at_once
from interlock.venues.ccxt_errors import RATE_LIMIT, Outcome
from interlock.venues.ccxt_orders import Orders, TrackedOrder
from interlock.venues.ccxt_reports import Unified, cash_names, number
from interlock.venues.ccxt_stream import OrderStream
from interlock.venues.ccxt_turn import begun_at_once, take_turn
from interlock.venues.port import (
    TOO_LATE,
    ForeignOrder,
    ProtectiveOrder,
    Tell,
    VenueBook,
    VenueBusy,
    VenueCanceled,
    VenueKept,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
    VenueReport,
    VenueUnavailableError,
)
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder

_CANCEL_LOOKS = 4
_CANCEL_PAUSE_SECONDS = 0.25
_SETTLED_SECONDS = 2.0
_ROOM_SECONDS = 2.0


class MarketRules(Struct, frozen=True, kw_only=True):
    """What the exchange asks of orders in one market. Fees are fractions of the value."""

    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A request to place an order, in ccxt's terms. `good_until` is of the monotonic clock."""

    client_order_id: str
    instrument_id: str
    kind: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    reference: Decimal
    params: dict[str, Any]
    good_until: float = inf


class _UnfitError(Exception):
    """The order cannot be sent as it was signed."""


class CcxtVenue:
    """One account at one exchange.

    Parameters
    ----------
    instruments : Mapping[str, Instrument]
        By instrument id; `venue_symbol` is ccxt's symbol, such as ``BTC/USD``.
    environ : Mapping[str, str], optional
        Where the secrets are.

    Raises
    ------
    VenueUnavailableError
        When ccxt has no such exchange, or a secret is missing.
    """

    def __init__(
        self,
        config: CcxtConfig,
        instruments: Mapping[str, Instrument],
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._config = config
        self._dialect = dialect_of(config.exchange)
        self._symbols = {name: one.symbol for name, one in instruments.items()}
        self._instruments = {one.symbol: name for name, one in instruments.items()}
        secrets = read_secrets(config, environ)
        self._exchange: Any = open_exchange(config, secrets)
        self._orders = Orders(self._exchange, self._dialect, secrets)
        self._stream = OrderStream(self._exchange, config, self._orders)
        self._posted: dict[str, float] = {}
        self._ending: dict[str, asyncio.Event] = {}

    @property
    def keeps(self) -> frozenset[OrderType]:
        """Stops that become market orders. No take-profits: coins can be locked only once."""
        return self._dialect.stops if self._config.keep_stops else frozenset()

    @property
    def cancels_per_second(self) -> float | None:
        return self._config.cancels_per_second or cancels_per_second(self._exchange)

    @property
    def cancels_all(self) -> bool:
        return self._config.cancel_all and bool(self._exchange.has.get("cancelAllOrders"))

    def cancel_all(self) -> Awaitable[Sequence[VenueReport]]:
        markets = list(self._instruments) if self._dialect.open_orders_by_market else [None]
        return ended_at_once(self._exchange, self._orders, markets)

    def open(
        self, orders: Sequence[WorkingOrder], positions: dict[str, Decimal], trade_ids: set[str]
    ) -> Awaitable[VenueBook]:
        del positions, trade_ids
        return self._open(orders)

    async def _open(self, orders: Sequence[WorkingOrder]) -> VenueBook:
        try:
            open_session(self._exchange)
            await self._exchange.load_markets()
            self._check_markets()
            for order in orders:
                if order.client_order_id not in self._orders.known:
                    self._remember(order)
            working, cash, positions = await self._holdings()
        except VenueUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no book
            words = self._orders.error(error).reason
            raise VenueUnavailableError(f"{self._config.exchange}: {words}") from None
        leaves: dict[str, Decimal] = {}
        foreign: list[ForeignOrder] = []
        for listed in working:
            tracked = self._orders.ours(listed)
            left = number(listed["amount"]) - number(listed["filled"])
            if tracked is not None:
                leaves[tracked.client_order_id] = left
            else:
                foreign.append(self._foreign(listed, left))
        news = await self._news(leaves, working)
        return VenueBook(leaves=leaves, positions=positions, cash=cash, foreign=foreign, news=news)

    def _remember(self, order: WorkingOrder) -> None:
        name, instrument_id = order.client_order_id, order.instrument_id
        symbol = self._symbols.get(instrument_id)
        if symbol is None:
            raise VenueUnavailableError(f"{name} is an order in {instrument_id}, not traded here")
        self._orders.track(name, instrument_id, symbol, order.quantity, order.ts_event)
        self._orders.known[name].ended = order.status in CLOSED

    def _check_markets(self) -> None:
        markets = self._exchange.markets
        unknown = [symbol for symbol in self._instruments if symbol not in markets]
        if unknown:
            raise VenueUnavailableError(f"{self._config.exchange} trades no {', '.join(unknown)}")
        coins: dict[str, str] = {}
        for symbol in self._instruments:
            market = markets[symbol]
            if market.get("spot") and coins.setdefault(market["base"], symbol) != symbol:
                raise VenueUnavailableError(
                    f"{coins[market['base']]} and {symbol} share the coin {market['base']}: "
                    "its balance would be the position of both"
                )

    async def _holdings(
        self,
    ) -> tuple[Sequence[Unified], dict[str, Decimal], dict[str, Decimal]]:
        """Return open orders, cash by currency and positions by instrument."""
        exchange, symbols = self._exchange, list(self._instruments)
        places = symbols if self._dialect.open_orders_by_market else [None]
        asked = [*(exchange.fetch_open_orders(place) for place in places), exchange.fetch_balance()]
        *listed, balance = await _together(asked)
        total: Mapping[str, Any] = balance["total"]
        unsaid = [coin for coin, amount in total.items() if amount is None]
        if unsaid:
            raise VenueUnavailableError(f"the balance of {', '.join(unsaid)} cannot be read")
        markets = {symbol: exchange.market(symbol) for symbol in symbols}
        positions = {
            self._instruments[symbol]: number(total[market["base"]])
            for symbol, market in markets.items()
            if market.get("spot") and number(total.get(market["base"])) != ZERO
        }
        contracts = [symbol for symbol, market in markets.items() if not market.get("spot")]
        if contracts:
            for held in await exchange.fetch_positions(contracts):
                size = number(held["contracts"])
                if size != ZERO and held["symbol"] in self._instruments:
                    name = self._instruments[held["symbol"]]
                    positions[name] = -size if held["side"] == "short" else size
        cash = {name: number(total.get(name)) for name in sorted(cash_names(markets.values()))}
        return [order for orders in listed for order in orders], cash, positions

    def _foreign(self, order: Unified, left: Decimal) -> ForeignOrder:
        return ForeignOrder(
            venue_order_id=str(order["id"]),
            instrument_id=self._instruments.get(order["symbol"], str(order["symbol"])),
            side=Side(order["side"]),
            leaves=left,
        )

    async def _news(
        self, leaves: Mapping[str, Decimal], working: Sequence[Unified]
    ) -> list[VenueReport]:
        """Return what became of our orders that are open no more, and the fills of the others."""
        news: list[VenueReport] = []
        for order in working:
            tracked = self._orders.ours(order)
            if tracked is not None:
                news.extend(await self._orders.tell(tracked, order))
        for tracked in self._orders.working():
            if tracked.client_order_id not in leaves:
                news.extend(await self._orders.look_up(tracked))
        return news

    def rules(self) -> dict[str, MarketRules]:
        """Return the exchange's rules by instrument id, once it has been opened."""
        return {name: self._rules(symbol) for symbol, name in self._instruments.items()}

    def _rules(self, symbol: str) -> MarketRules:
        market = self._exchange.market(symbol)
        limits = market["limits"]
        return MarketRules(
            tick=number(market["precision"]["price"]),
            lot=number(market["precision"]["amount"]),
            min_quantity=number(limits["amount"]["min"]),
            min_notional=number(limits["cost"]["min"]),
            maker_fee=number(market["maker"]),
            taker_fee=number(market["taker"]),
        )

    def place(self, order: SubmitOrder, now: int) -> Awaitable[Sequence[VenueReport]]:
        params: dict[str, Any] = {}
        if order.post_only:
            params["postOnly"] = True
        if order.time_in_force is TimeInForce.IOC and order.order_type is OrderType.LIMIT:
            params["timeInForce"] = "IOC"
        wanted = _Wanted(
            client_order_id=order.client_order_id,
            instrument_id=order.instrument_id,
            kind=order.order_type.value,
            side=order.side,
            quantity=order.quantity,
            price=order.limit_price,
            reference=order.limit_price or order.reference_price,
            params=self._with_reduce(order.instrument_id, order.reduce_only, params),
            good_until=time.monotonic() + (order.expires_at - now) / NANOS_PER_SECOND,
        )
        unfit = ""
        if order.time_in_force is TimeInForce.DAY and order.order_type is OrderType.LIMIT:
            unfit = "the exchange never closes: it has no orders for the day"
        if order.post_only and order.order_type is not OrderType.LIMIT:
            unfit = "only a limit order can be post-only"
        return self._place(wanted, now, unfit)

    def protect(self, order: ProtectiveOrder, now: int) -> Awaitable[Sequence[VenueReport]]:
        params: dict[str, Any] = {}
        unfit = ""
        if order.order_type not in self.keeps:
            unfit = f"no {order.order_type} is kept at this exchange"
        elif order.order_type is OrderType.STOP and order.stop_price is not None:
            params["stopLossPrice"] = format(order.stop_price, "f")
        elif order.trail_offset is not None:
            params["trailingAmount"] = format(order.trail_offset, "f")
        else:
            unfit = f"a {order.order_type} without its price"
        wanted = _Wanted(
            client_order_id=order.client_order_id,
            instrument_id=order.instrument_id,
            kind="market",
            side=order.side,
            quantity=order.quantity,
            price=None,
            reference=order.stop_price or ZERO,
            params=self._with_reduce(order.instrument_id, True, params),
        )
        return self._place(wanted, now, unfit)

    def _with_reduce(
        self, instrument_id: str, reduce_only: bool, params: dict[str, Any]
    ) -> dict[str, Any]:
        """Spot has no such flag: nobody sells coins there that are not held."""
        symbol = self._symbols.get(instrument_id, "")
        markets: dict[str, dict[str, Any]] = self._exchange.markets or {}
        market = markets.get(symbol, {})
        return {**params, "reduceOnly": True} if reduce_only and market.get("contract") else params

    async def _place(self, wanted: _Wanted, now: int, unfit: str) -> Sequence[VenueReport]:
        name = wanted.client_order_id
        if name in self._orders.known:
            return await self._look_up(name)
        try:
            if unfit:
                raise _UnfitError(unfit)  # noqa: TRY301 - one way out for all that does not fit
            symbol = self._fit(wanted)
        except _UnfitError as error:
            return [VenueRejected(client_order_id=name, reason=str(error))]
        self._orders.track(name, wanted.instrument_id, symbol, wanted.quantity, now)
        return await self._post(self._orders.known[name], wanted)

    def _fit(self, wanted: _Wanted) -> str:
        """Return the symbol where the exchange can take the order exactly as it is."""
        symbol = self._symbols.get(wanted.instrument_id)
        if symbol is None or not self._exchange.markets:
            raise _UnfitError(f"unknown_symbol: {wanted.instrument_id}")
        rules = self._rules(symbol)
        prices = (wanted.price, wanted.params.get("stopLossPrice"))
        for text, step in (
            (wanted.quantity, rules.lot),
            *((Decimal(price), rules.tick) for price in prices if price is not None),
        ):
            if step > ZERO and text % step != ZERO:
                raise _UnfitError(f"precision: {text:f} is not in steps of {step:f}")
        if wanted.quantity < rules.min_quantity:
            least = f"{rules.min_quantity:f}"
            raise _UnfitError(f"min_quantity: {wanted.quantity:f} is below {least}")
        value = wanted.quantity * wanted.reference
        if ZERO < value < rules.min_notional:
            raise _UnfitError(f"min_notional: {value:f} is below {rules.min_notional:f}")
        return symbol

    async def _post(self, tracked: TrackedOrder, wanted: _Wanted) -> Sequence[VenueReport]:
        params = {**self._dialect.always, **wanted.params, self._dialect.id_param: tracked.name}
        quantity = format(wanted.quantity, "f")
        price = None if wanted.price is None else format(wanted.price, "f")
        if self._config.exchange == "coinbase" and wanted.kind == "market":
            # ccxt would turn the size of a market buy into a sum of money.
            params["order_configuration"] = {"market_market_ioc": {"base_size": quantity}}
            price = format(wanted.reference, "f")
        tracked.posting = True
        try:
            await self._wait_for_room(tracked)
            await take_turn(self._exchange)
            if time.monotonic() >= wanted.good_until:
                tracked.ended = True
                return [VenueCanceled(client_order_id=tracked.client_order_id, reason=TOO_LATE)]
            call = self._exchange.create_order(
                tracked.symbol, wanted.kind, wanted.side.value, quantity, price, params
            )
            order = await begun_at_once(self._exchange, call)
        except Exception as error:  # noqa: BLE001 - an SDK that stumbles has sent the order all the same
            tracked.posting = False
            return await self._not_placed(tracked, error)
        finally:
            tracked.posting = False
            self._posted[tracked.client_order_id] = time.monotonic()
        if not order.get("id"):
            lost = "unreadable: the exchange's answer names no order"
            return [VenueLost(client_order_id=tracked.client_order_id, reason=lost)]
        self._orders.bind(tracked, str(order["id"]))
        if order.get("filled") is None or order.get("status") is None:
            order = {**order, "status": "open", "filled": 0}
        return await self._orders.tell(tracked, order)

    async def _wait_for_room(self, tracked: TrackedOrder) -> None:
        """Wait for what is being cancelled in this market: its coins may be needed here."""
        for name, over in list(self._ending.items()):
            other = self._orders.known.get(name)
            if other is not None and other is not tracked and other.symbol == tracked.symbol:
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), _ROOM_SECONDS)

    async def _not_placed(self, tracked: TrackedOrder, error: Exception) -> Sequence[VenueReport]:
        failure = self._orders.error(error)
        name = tracked.client_order_id
        match failure.outcome:
            case Outcome.DUPLICATE:
                return await self._orders.look_up(tracked)
            case Outcome.REFUSED:
                tracked.ended = True
                return [VenueRejected(client_order_id=name, reason=failure.reason)]
            case _:
                return [VenueLost(client_order_id=name, reason=failure.reason)]

    def cancel(self, client_order_id: str) -> Awaitable[Sequence[VenueReport]]:
        return self._cancel(client_order_id)

    async def _cancel(self, client_order_id: str) -> Sequence[VenueReport]:
        tracked = self._orders.known.get(client_order_id)
        if tracked is None:
            return [VenueCanceled(client_order_id=client_order_id, reason="it was never sent")]
        over = self._ending.setdefault(client_order_id, asyncio.Event())
        try:
            return await self._cancel_tracked(tracked)
        finally:
            over.set()
            self._ending.pop(client_order_id, None)

    async def _cancel_tracked(self, tracked: TrackedOrder) -> Sequence[VenueReport]:
        client_order_id = tracked.client_order_id
        while tracked.posting:  # noqa: ASYNC110 - over in one request's time
            await asyncio.sleep(_CANCEL_PAUSE_SECONDS / 10)
        by_name = self._dialect.cancel_param
        if not by_name and not tracked.venue_order_id:
            found = await self._orders.look_up(tracked)
            if not tracked.venue_order_id:
                return self._unseen(tracked, found)
        try:
            params = {by_name: tracked.name} if by_name else {}
            await self._exchange.cancel_order(tracked.venue_order_id, tracked.symbol, params)
        except Exception as error:  # noqa: BLE001 - no failure of ccxt's may pass for an answer
            failure = self._orders.error(error)
            if failure.outcome is Outcome.LOST:
                return [VenueLost(client_order_id=client_order_id, reason=failure.reason)]
            if failure.code == RATE_LIMIT:
                return [VenueBusy(client_order_id=client_order_id, reason=failure.reason)]
            found = await self._orders.look_up(tracked)
            if tracked.ended or failure.outcome is Outcome.NOT_FOUND:
                return self._unseen(tracked, found)
            return [VenueKept(client_order_id=client_order_id, reason=failure.reason)]
        return await self._ended(tracked)

    async def _ended(self, tracked: TrackedOrder) -> Sequence[VenueReport]:
        """Return how an order ended whose cancel was taken. Some exchanges need a moment for it."""
        found: Sequence[VenueReport] = ()
        for _ in range(_CANCEL_LOOKS):
            found = await self._orders.look_up(tracked)
            if tracked.ended:
                break
            await asyncio.sleep(_CANCEL_PAUSE_SECONDS)
        return self._unseen(tracked, found)

    def _unseen(self, tracked: TrackedOrder, found: Sequence[VenueReport]) -> Sequence[VenueReport]:
        """Let an order that never came there end, unless its request may still be on its way."""
        name = tracked.client_order_id
        since = time.monotonic() - self._posted.get(name, 0.0)
        if found and isinstance(found[-1], VenueNeverSeen) and since > _SETTLED_SECONDS:
            tracked.ended = True
            return [VenueCanceled(client_order_id=name, reason="it never came to the exchange")]
        return found

    def look_up(self, client_order_id: str) -> Awaitable[Sequence[VenueReport]]:
        return self._look_up(client_order_id)

    async def _look_up(self, client_order_id: str) -> Sequence[VenueReport]:
        tracked = self._orders.known.get(client_order_id)
        if tracked is None:
            reason = "the adapter was not told of this order"
            return [VenueLost(client_order_id=client_order_id, reason=reason)]
        return await self._orders.look_up(tracked)

    def advance(self, event: Bar | Quote) -> Sequence[VenueReport]:
        del event
        return ()

    async def run(self, report: Tell) -> None:
        open_session(self._exchange)
        await self._stream.run(report)

    async def close(self) -> None:
        """Let go of the connections. The dead-man switch is taken off, so that stops stay."""
        try:
            if self._config.dead_man_seconds and self._exchange.has.get("cancelAllOrdersAfter"):
                await self._exchange.cancel_all_orders_after(0)
        except Exception as error:  # noqa: BLE001 - closing goes on; the exchange then ends the orders
            del error
        finally:
            await self._exchange.close()


async def _together(asked: Sequence[Coroutine[Any, Any, Any]]) -> Sequence[Any]:
    """Await all, and leave none running behind the first that fails."""
    tasks = [asyncio.create_task(one) for one in asked]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
