"""Our orders at an exchange: what is known of them, and how to ask for the rest.

Theory of operation. Each order has a record from the moment before it is sent. News of it, from
the stream or from REST, passes through here and becomes reports; an order's end is only reported
when the fills reported before it add up to what the exchange says was filled, else its trades are
asked for first. Telling a fill twice is harmless, for exec applies each trade id once; telling an
end before a fill is not.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from interlock.model.values import ZERO
from interlock.venues.ccxt_config import Secrets
from interlock.venues.ccxt_dialects import Dialect, Finding
from interlock.venues.ccxt_errors import Outcome, VenueError, read_error
from interlock.venues.ccxt_reports import (
    ENDED,
    Fee,
    Unified,
    accepted,
    ending,
    fee_parts,
    filled,
    has_all_trades,
    number,
    trade_key,
)
from interlock.venues.port import VenueLost, VenueNeverSeen, VenueReport

_MARGIN_MS = 60_000
_RATE_SECONDS = 60.0
_NANOS_PER_MS = 1_000_000
_MOST_ORPHANS = 1_000
_MOST_ORDERS = 20_000


@dataclass(slots=True)
class TrackedOrder:
    """One order of ours. `symbol` is ccxt's, `trades` the quantity of each trade told."""

    client_order_id: str
    name: str
    instrument_id: str
    symbol: str
    quantity: Decimal
    ts_sent: int
    venue_order_id: str = ""
    trades: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    ended: bool = False
    posting: bool = False

    @property
    def told(self) -> Decimal:
        return sum(self.trades.values(), ZERO)

    @property
    def since_ms(self) -> int:
        """When to begin looking for it: our clock and the exchange's may differ."""
        return self.ts_sent // _NANOS_PER_MS - _MARGIN_MS


@dataclass(slots=True)
class Orders:
    """All of them, at one exchange."""

    exchange: Any
    dialect: Dialect
    secrets: Secrets
    known: dict[str, TrackedOrder] = field(default_factory=dict[str, TrackedOrder])
    _by_name: dict[str, str] = field(default_factory=dict[str, str])
    _by_venue_id: dict[str, str] = field(default_factory=dict[str, str])
    _orphans: dict[str, list[Unified]] = field(default_factory=dict[str, list[Unified]])
    _rates: dict[str, tuple[float, Decimal]] = field(
        default_factory=dict[str, tuple[float, Decimal]]
    )

    def track(
        self, client_order_id: str, instrument_id: str, symbol: str, quantity: Decimal, now: int
    ) -> None:
        if len(self.known) >= _MOST_ORDERS:
            self._forget()
        name = self.dialect.name(client_order_id)
        self.known[client_order_id] = TrackedOrder(
            client_order_id, name, instrument_id, symbol, quantity, now
        )
        self._by_name[name] = client_order_id

    def _forget(self) -> None:
        """Drop the older half of the orders, as far as they have ended."""
        for tracked in list(self.known.values())[: _MOST_ORDERS // 2]:
            if tracked.ended:
                del self.known[tracked.client_order_id]
                self._by_name.pop(tracked.name, None)
                self._by_venue_id.pop(tracked.venue_order_id, None)

    def bind(self, tracked: TrackedOrder, venue_order_id: str) -> None:
        tracked.venue_order_id = venue_order_id
        self._by_venue_id[venue_order_id] = tracked.client_order_id

    def working(self) -> Sequence[TrackedOrder]:
        return [order for order in self.known.values() if not order.ended and not order.posting]

    async def behind(self) -> set[str]:
        """Return our orders of which REST knows more than has been told."""
        waiting = [order for order in self.working() if order.venue_order_id]
        listed: dict[str, Unified] = {}
        for symbol in {order.symbol for order in waiting}:
            for order in await self.exchange.fetch_open_orders(symbol):
                listed[str(order["id"])] = order
        return {
            tracked.client_order_id
            for tracked in waiting
            if tracked.venue_order_id not in listed
            or number(listed[tracked.venue_order_id].get("filled")) > tracked.told
        }

    def ours(self, order: Unified) -> TrackedOrder | None:
        """Return our record of an order the exchange tells of, none where it is not ours."""
        found = self._by_venue_id.get(str(order.get("id")))
        if found is None:
            found = next((self._by_name[n] for n in self._names(order) if n in self._by_name), None)
        if found is None:
            return None
        tracked = self.known[found]
        if order.get("id"):
            self.bind(tracked, str(order["id"]))
        return tracked

    def _names(self, news: Unified) -> Sequence[str]:
        """Return what may be our id in an order or a trade."""
        info: dict[str, Any] = news["info"] if isinstance(news.get("info"), dict) else {}
        fields = self.dialect.stream_id_fields
        raw = [info.get(name) for name in (*fields, "c", "clientOrderId", "client_order_id")]
        return [str(name) for name in (news.get("clientOrderId"), *raw) if name]

    def error(self, error: BaseException) -> VenueError:
        return read_error(error, self.secrets.redact(error), self.dialect.words)

    async def hear_trade(self, trade: Unified) -> Sequence[VenueReport]:
        """Return a fill of ours; one of an order not yet known by its venue id waits for it."""
        venue_id = str(trade.get("order"))
        tracked = self.known.get(self._by_venue_id.get(venue_id, ""))
        if tracked is None:
            tracked = self.ours({"id": venue_id, "info": trade.get("info")})
        if tracked is None:
            if len(self._orphans) >= _MOST_ORPHANS:
                self._orphans.pop(next(iter(self._orphans)))
            self._orphans.setdefault(venue_id, []).append(trade)
            return ()
        return await self._fills(tracked, [trade], only_new=True)

    async def hear_order(self, order: Unified) -> Sequence[VenueReport]:
        """Return what the stream's news of an order comes to; of foreign ones, nothing."""
        tracked = self.ours(order)
        if tracked is None:
            return ()
        reports: list[VenueReport] = []
        over = tracked.ended
        if not over and order["status"] != "rejected":
            reports.append(accepted(tracked.client_order_id, order))
        waiting = self._orphans.pop(str(order["id"]), [])
        reports.extend(await self._fills(tracked, waiting, only_new=True))
        told_short = order.get("filled") is None or number(order["filled"]) > tracked.told
        if order["status"] in ENDED and order.get("filled") is None:
            # The stream's note of an end may not say how much was filled: ask.
            return [*reports, *await self.look_up(tracked)]
        if told_short and order.get("filled") is not None:
            return [*reports, *await self.tell(tracked, order)]
        return reports if over else [*reports, *self._end(tracked, order)]

    async def look_up(self, tracked: TrackedOrder) -> Sequence[VenueReport]:
        """Ask what became of an order. No answer is `VenueLost`, and so is half an answer."""
        client_order_id = tracked.client_order_id
        if tracked.posting:
            return [VenueLost(client_order_id=client_order_id, reason="it is still being sent")]
        try:
            order = await self._find(tracked)
        except Exception as error:  # noqa: BLE001 - no failure of ccxt's may pass for an answer
            failure = self.error(error)
            if failure.outcome is Outcome.NOT_FOUND:
                return [VenueNeverSeen(client_order_id=client_order_id)]
            return [VenueLost(client_order_id=client_order_id, reason=failure.reason)]
        if order is None:
            return [VenueNeverSeen(client_order_id=client_order_id)]
        self.bind(tracked, str(order["id"]))
        return await self.tell(tracked, order)

    async def tell(self, tracked: TrackedOrder, order: Unified) -> Sequence[VenueReport]:
        """Return the whole story of an order as the exchange has it."""
        reports: list[VenueReport] = []
        if order["status"] != "rejected":
            reports.append(accepted(tracked.client_order_id, order))
        target = number(order.get("filled"))
        if target > ZERO:
            try:
                trades = order["trades"] if has_all_trades(order) else await self._trades(tracked)
            except Exception as error:  # noqa: BLE001 - no failure of ccxt's may pass for an answer
                lost = self.error(error).reason
                return [VenueLost(client_order_id=tracked.client_order_id, reason=lost)]
            reports.extend(await self._fills(tracked, trades, only_new=False))
        if tracked.told < target:
            short = f"{target} filled, and trades of {tracked.told} listed so far"
            return [*reports, VenueLost(client_order_id=tracked.client_order_id, reason=short)]
        return [*reports, *self._end(tracked, order)]

    def _end(self, tracked: TrackedOrder, order: Unified) -> Sequence[VenueReport]:
        tracked.ended = tracked.ended or order["status"] in ENDED
        return ending(tracked.client_order_id, order, tracked.told)

    async def _fills(
        self, tracked: TrackedOrder, trades: Sequence[Unified], *, only_new: bool
    ) -> Sequence[VenueReport]:
        reports: list[VenueReport] = []
        for trade in trades:
            key = trade_key(trade, per_market=self.dialect.trade_ids_per_market)
            if only_new and key in tracked.trades:
                continue
            fee = await self._fee(tracked.symbol, trade)
            tracked.trades[key] = number(trade["amount"])
            reports.append(filled(tracked.client_order_id, key, trade, fee))
        # Kraken's stream has no more news of an order that its trades have filled.
        tracked.ended = tracked.ended or tracked.told >= tracked.quantity
        return reports

    async def _find(self, tracked: TrackedOrder) -> Unified | None:
        exchange, name = self.exchange, tracked.name
        found: Unified | None
        mine = {self.dialect.find_param: name}
        if self.dialect.finding is Finding.QUERY:
            found = await exchange.fetch_order("", tracked.symbol, mine)
            return found
        if tracked.venue_order_id:
            found = await exchange.fetch_order(tracked.venue_order_id, tracked.symbol)
            return found
        params = mine if self.dialect.finding is Finding.FILTER else {}
        since = None if params else tracked.since_ms
        working = await exchange.fetch_open_orders(tracked.symbol, None, None, params)
        found = self._named(name, working)
        if found is not None:
            return found
        if exchange.has.get("fetchOrders") is True:
            ended = await exchange.fetch_orders(tracked.symbol, since, None, params)
        else:
            ended = await exchange.fetch_closed_orders(tracked.symbol, since, None, params)
            if exchange.has.get("fetchCanceledOrders") is True:
                ended += await exchange.fetch_canceled_orders(tracked.symbol, since, None, params)
        return self._named(name, ended)

    def _named(self, name: str, orders: Sequence[Unified]) -> Unified | None:
        return next((order for order in orders if name in self._names(order)), None)

    async def _trades(self, tracked: TrackedOrder) -> Sequence[Unified]:
        """Return the trades of one order."""
        exchange, venue_id, symbol = self.exchange, tracked.venue_order_id, tracked.symbol
        if exchange.has.get("fetchOrderTrades") is True:
            listed: Sequence[Unified] = await exchange.fetch_order_trades(venue_id, symbol)
            return listed
        if exchange.has.get("fetchOrderTrades") == "emulated":
            order = await exchange.fetch_order(venue_id, symbol)
            ids: list[str] = order["info"].get("trades") or []
            if ids:
                params = {"trades": ids}
                listed = await exchange.fetch_order_trades(venue_id, symbol, params=params)
                return listed  # noqa: RET504 - named for its type
        trades = await exchange.fetch_my_trades(symbol, tracked.since_ms)
        return [trade for trade in trades if str(trade["order"]) == venue_id]

    async def _fee(self, symbol: str, trade: Unified) -> Fee:
        """Return a trade's cost in the quote currency, whatever it was paid in."""
        market = self.exchange.market(symbol)
        cost = paid = ZERO
        for currency, amount in fee_parts(trade):
            if currency == market["quote"]:
                cost += amount
                paid += amount
            elif currency == market["base"]:
                cost += amount * number(trade["price"])
            else:
                rate = await self._rate(currency, market["quote"])
                # Better a fee too high than none: the market's own rate stands in.
                worst = number(trade["price"]) * number(trade["amount"]) * number(market["taker"])
                cost += worst if rate is None else amount * rate
        return Fee(cost, cost - paid)

    async def _rate(self, currency: str, quote: str) -> Decimal | None:
        """Return what a third currency costs, asked for once a minute at most."""
        symbol = f"{currency}/{quote}"
        at, rate = self._rates.get(symbol, (-_RATE_SECONDS, ZERO))
        if time.monotonic() - at < _RATE_SECONDS:
            return rate
        try:
            ticker = await self.exchange.fetch_ticker(symbol)
            rate = number(ticker["last"] or ticker["bid"])
        except Exception:  # noqa: BLE001 - no rate is no reason to lose a fill
            return None
        if rate <= ZERO:
            return None
        self._rates[symbol] = (time.monotonic(), rate)
        return rate
