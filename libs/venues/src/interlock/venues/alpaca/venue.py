"""An Alpaca account as a venue.

Theory of operation. Orders go out and questions are asked over REST; what becomes of an order
comes in on the stream of order events. Fills of both are made one by `alpaca.fills`, whose rule
says when a fill is news. After each reconnect, before the link is called up, REST is asked for
everything that may have been missed. While orders are open, REST is also asked for them at
intervals: where it knows of an end or of a fill that the stream has not told half a second later,
the stream is called down and opened anew, however alive its connection looks.

Alpaca lets one share be promised to one closing order only: a stop *and* a take-profit on the same
shares are refused ("insufficient qty available"). So stops stand at the venue and take-profits are
exec's to keep; and an order waits for the orders of its side that are just being cancelled.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from math import inf

from interlock.model.ids import CLIENT_ORDER_ID_PREFIX, NANOS_PER_SECOND
from interlock.model.instrument import Instrument
from interlock.model.order import CLOSED, WorkingOrder
from interlock.model.values import OrderType, Side, TradingMode
from interlock.venues.alpaca.config import AlpacaConfig, keys_from
from interlock.venues.alpaca.ending import ended_at_once
from interlock.venues.alpaca.errors import (
    AlpacaRefusedError,
    AlpacaWireError,
    RefusalCode,
    TooLateError,
)
from interlock.venues.alpaca.fills import ToldFills
from interlock.venues.alpaca.orders import (
    ENDED,
    AccountData,
    Ended,
    OrderData,
    OrderEventData,
    entry_body,
    protective_body,
    standing,
)
from interlock.venues.alpaca.rest import ORDERS_A_PAGE, AlpacaRest
from interlock.venues.alpaca.stream import LinkLostError, order_events
from interlock.venues.port import (
    TOO_LATE,
    ForeignOrder,
    ProtectiveOrder,
    Tell,
    VenueAccepted,
    VenueBook,
    VenueBusy,
    VenueCanceled,
    VenueKept,
    VenueLinkMoved,
    VenueLost,
    VenueNeverSeen,
    VenueRejected,
    VenueReport,
    VenueUnavailableError,
)
from interlock.wire.market import Bar, Quote
from interlock.wire.orders import SubmitOrder

_KEPT_BY_ALPACA = frozenset({OrderType.STOP, OrderType.TRAILING_STOP})
_FILL_EVENTS = frozenset({"fill", "partial_fill"})
_STANDING_EVENTS = frozenset({"new", "accepted"})
_LOOKS_AT_BOOK = 3
_GRACE_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_STEADY_SECONDS = 5.0
_ROOM_SECONDS = 0.8
_LOOK_UPS_AT_ONCE = 8
_MAX_ENDED = 20_000

type Failure = AlpacaRefusedError | AlpacaWireError


class AlpacaVenue:
    """One Alpaca account, paper or live.

    Parameters
    ----------
    config
        Which account, and where.
    instruments
        What is traded there; the venue's symbols come from here.
    environ
        The environment, which holds the keys under the names that `config` gives.
    """

    def __init__(
        self, config: AlpacaConfig, instruments: Iterable[Instrument], environ: Mapping[str, str]
    ) -> None:
        self._config = config
        self._keys = keys_from(config, environ)
        self._rest = AlpacaRest(config, self._keys)
        self._symbols = {each.instrument_id: each.symbol for each in instruments}
        self._names = {_bare(symbol): name for name, symbol in self._symbols.items()}
        self._fills = ToldFills()
        self._working: dict[str, OrderData] = {}
        self._ended: dict[str, None] = {}
        self._canceling: dict[str, asyncio.Event] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self._up = False
        self._lost: set[str] = set()
        self._never: set[str] = set()

    @property
    def keeps(self) -> frozenset[OrderType]:
        return _KEPT_BY_ALPACA

    @property
    def cancels_per_second(self) -> float | None:
        return self._config.cancels_per_second

    @property
    def cancels_all(self) -> bool:
        return self._config.cancel_all

    async def cancel_all(self) -> Sequence[VenueReport]:
        ended = await ended_at_once(self._rest, set(self._working))
        await self._settle(ended)
        return [report for order in ended for report in self._retold(order)]

    async def open(
        self,
        orders: Sequence[WorkingOrder],
        positions: dict[str, Decimal],  # noqa: ARG002 - the venue knows its own
        trade_ids: set[str],
    ) -> VenueBook:
        self._fills.remember(trade_ids, {each.client_order_id: each.filled for each in orders})
        try:
            account = await self._rest.account()
            self._check(account)
            found, held = await self._look_at_book()
            ours = {each.client_order_id for each in orders if each.status not in CLOSED}
            news = await self._news(ours, found)
        except (AlpacaRefusedError, AlpacaWireError) as error:
            raise VenueUnavailableError(f"Alpaca: {error}") from None
        known = ours | self._working.keys()
        return VenueBook(
            leaves={
                order.client_order_id: order.leaves
                for order in found.values()
                if _is_ours(order, known)
            },
            positions=held,
            cash={account.currency: account.cash},
            foreign=[
                self._foreign(order) for order in found.values() if not _is_ours(order, known)
            ],
            news=news,
        )

    async def place(self, order: SubmitOrder, now: int) -> Sequence[VenueReport]:
        good_until = time.monotonic() + (order.expires_at - now) / NANOS_PER_SECOND
        name = order.client_order_id
        demo = order.mode is TradingMode.DEMO
        if demo is not self._config.paper:
            kind = "paper" if self._config.paper else "live"
            return [_refused(name, f"signed for {order.mode}, and the account is a {kind} one")]
        if order.post_only:
            return [_refused(name, "Alpaca has no post-only orders")]
        symbol = self._symbols.get(order.instrument_id)
        if symbol is None:
            return [_refused(name, f"{order.instrument_id} is not among our instruments")]
        return await self._send(name, entry_body(order, symbol), good_until)

    async def protect(self, order: ProtectiveOrder, now: int) -> Sequence[VenueReport]:  # noqa: ARG002
        symbol = self._symbols.get(order.instrument_id)
        if symbol is None:
            reason = f"{order.instrument_id} is not among our instruments"
            return [_refused(order.client_order_id, reason)]
        return await self._send(order.client_order_id, protective_body(order, symbol), inf)

    async def cancel(self, client_order_id: str) -> Sequence[VenueReport]:
        over = self._canceling.setdefault(client_order_id, asyncio.Event())
        try:
            return await self._cancel(client_order_id)
        finally:
            over.set()
            self._canceling.pop(client_order_id, None)

    async def _cancel(self, client_order_id: str) -> Sequence[VenueReport]:
        try:
            order = self._working.get(client_order_id) or await self._rest.order(client_order_id)
            if order is None:
                return self._never_seen(client_order_id)
            await self._rest.cancel(order.id)
        except AlpacaRefusedError as refused:
            return await self._not_canceled(client_order_id, refused)
        except AlpacaWireError as error:
            kind = VenueBusy if error.busy else VenueLost
            return [kind(client_order_id=client_order_id, reason=str(error))]
        await self._until_ended(client_order_id)
        return []

    async def look_up(self, client_order_id: str) -> Sequence[VenueReport]:
        under_way = client_order_id in self._rest.under_way
        try:
            order = await self._rest.order(client_order_id)
            if order is not None:
                return await self._story(order)
        except (AlpacaRefusedError, AlpacaWireError) as error:
            return [VenueLost(client_order_id=client_order_id, reason=str(error))]
        if under_way:
            reason = "the venue has not seen it yet, and it may still be on its way"
            return [VenueLost(client_order_id=client_order_id, reason=reason)]
        return [VenueNeverSeen(client_order_id=client_order_id)]

    def advance(self, event: Bar | Quote) -> Sequence[VenueReport]:  # noqa: ARG002 - it moves itself
        return ()

    async def run(self, report: Tell) -> None:
        known = False

        async def ready() -> None:
            for news in await self._missed():
                report(news)
            self._up = True
            report(VenueLinkMoved(up=True, reason="the stream is open, and what was missed told"))

        async def heard(event: OrderEventData) -> None:
            for news in await self._told_by(event):
                report(news)

        pause = _FIRST_PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            reason = ""
            began = clock()
            try:
                await order_events(self._config, self._keys, ready, heard, self._watch)
            except LinkLostError as lost:
                reason = str(lost)
            if clock() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            if self._up or not known:
                report(VenueLinkMoved(up=False, reason=reason))
            self._up, known = False, True
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def close(self) -> None:
        self._rest.close()

    async def _until_ended(self, name: str) -> None:
        """Wait a little for the stream to say that a cancelled order has ended.

        "Asked for" is all that the answer to a cancel says, and the shares that the order holds
        are not free before.
        """
        if not self._up or name in self._ended:
            return
        ended = self._ends.setdefault(name, asyncio.Event())
        try:
            await asyncio.wait_for(ended.wait(), _ROOM_SECONDS)
        except TimeoutError:
            pass
        finally:
            self._ends.pop(name, None)

    async def _room_for(self, body: dict[str, object]) -> None:
        """Wait for what is being cancelled on the same side: its shares are needed here."""
        for name, over in list(self._canceling.items()):
            order = self._working.get(name)
            if order is not None and (order.symbol, order.side) == (body["symbol"], body["side"]):
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), 2 * _ROOM_SECONDS)

    async def _send(
        self, name: str, body: dict[str, object], good_until: float
    ) -> Sequence[VenueReport]:
        if name in self._never:
            return [VenueCanceled(client_order_id=name, reason="canceled before it was sent")]
        await self._room_for(body)
        try:
            order = await self._rest.place(name, body, good_until)
        except TooLateError:
            return [VenueCanceled(client_order_id=name, reason=TOO_LATE)]
        except AlpacaRefusedError as refused:
            if refused.code is RefusalCode.DUPLICATE_ID:
                return await self._adopt(name)
            return [VenueRejected(client_order_id=name, reason=str(refused))]
        except AlpacaWireError as error:
            self._lost.add(name)
            return [VenueLost(client_order_id=name, reason=str(error))]
        return await self._story(order)

    async def _adopt(self, name: str) -> Sequence[VenueReport]:
        """The venue has an order of this name: an earlier attempt of ours came there."""
        found = await self.look_up(name)
        if any(isinstance(each, VenueNeverSeen) for each in found):
            reason = "the venue says that it has this order, and does not show it yet"
            return [VenueLost(client_order_id=name, reason=reason)]
        return found

    async def _not_canceled(self, name: str, refused: AlpacaRefusedError) -> Sequence[VenueReport]:
        """Alpaca would not end it: it has ended already, or it goes on."""
        found = await self.look_up(name)
        if not found or any(isinstance(each, VenueLost | VenueNeverSeen) for each in found):
            return found
        if name in self._working:
            return [*found, VenueKept(client_order_id=name, reason=str(refused))]
        return found

    def _never_seen(self, name: str) -> Sequence[VenueReport]:
        if name in self._rest.under_way:
            return [VenueLost(client_order_id=name, reason="it may still be on its way")]
        self._never.add(name)
        if name in self._lost:
            return [VenueNeverSeen(client_order_id=name)]
        return [VenueCanceled(client_order_id=name, reason="the venue has never seen it")]

    async def _story(self, order: OrderData) -> list[VenueReport]:
        """Return all that REST tells of one order: how it stands, and every fill."""
        await self._settle([order])
        return self._retold(order)

    def _retold(self, order: OrderData) -> list[VenueReport]:
        """Return how an order stands with all fills told so far. An end comes last."""
        self._keep(order)
        stands = standing(order)
        fills = self._fills.told(order.client_order_id)
        if isinstance(stands, VenueAccepted):
            return [stands, *fills]
        return [*fills, stands]

    def _keep(self, order: OrderData) -> None:
        name = order.client_order_id
        self._lost.discard(name)
        if order.status in ENDED:
            self._end(name)
        elif name not in self._ended:
            # An answer may be older than what the stream has told since.
            self._working[name] = order

    def _end(self, name: str) -> None:
        self._working.pop(name, None)
        self._ended[name] = None
        if name in self._ends:
            self._ends[name].set()
        if len(self._ended) > _MAX_ENDED:
            self._ended.pop(next(iter(self._ended)))

    async def _settle(self, orders: Sequence[OrderData]) -> list[VenueReport]:
        """Tell what the totals of orders say is filled and nothing has told yet.

        The account's history gives each execution with its price. Where it does not have them
        yet, or does not answer, the order's own total and average stand in.
        """
        behind = {each.id: each for each in orders if self._is_behind(each)}
        if not behind:
            return []
        told: list[VenueReport] = []
        times = [each.submitted_at for each in behind.values()]
        since = min(times, key=str) if all(times) else None
        try:
            executions = await self._rest.executions(since)
        except (AlpacaRefusedError, AlpacaWireError):
            executions = []
        for each in executions:
            order = behind.get(each.order_id)
            if order is not None:
                told += self._fills.execution(order, each.qty, each.price, each.cum_qty)
        for order in behind.values():
            told += self._fills.rest(order)
        return told

    def _is_behind(self, order: OrderData) -> bool:
        return self._fills.covered(order.client_order_id) < order.filled

    async def _told_by(self, event: OrderEventData) -> list[VenueReport]:
        """Return what an event of the stream says that is new."""
        order = event.order
        if not _is_ours(order, self._working):
            return []
        told: list[VenueReport] = []
        if event.event in _FILL_EVENTS and event.qty and event.price:
            told += self._fills.execution(order, event.qty, event.price, order.filled)
        if event.event in ENDED:
            # An end closes the book on an order, so what was missed of it comes first.
            told += await self._settle([order])
            self._end(order.client_order_id)
            if event.event not in {Ended.FILL, Ended.FILLED}:
                told.append(standing(_with_status(order, event.event)))
        elif event.event in _STANDING_EVENTS:
            self._keep(order)
            told.append(standing(order))
        elif event.event == "order_cancel_rejected":
            told.append(
                VenueKept(client_order_id=order.client_order_id, reason="the cancel was rejected")
            )
        return told

    async def _missed(self) -> list[VenueReport]:
        """Return all that may have happened while nobody listened."""
        try:
            found = await self._rest.open_orders()
            return await self._news(set(self._working), found)
        except (AlpacaRefusedError, AlpacaWireError) as error:
            raise LinkLostError(f"what was missed cannot be asked for: {error}") from None

    async def _news(self, names: set[str], found: dict[str, OrderData]) -> list[VenueReport]:
        """Return the story of each named order, wherever it now stands."""
        still = {order.client_order_id: order for order in found.values() if _is_ours(order, names)}
        gate = asyncio.Semaphore(_LOOK_UPS_AT_ONCE)

        async def ended(name: str) -> OrderData | None:
            async with gate:
                return await self._rest.order(name)

        gone = await asyncio.gather(*(ended(name) for name in sorted(names - still.keys())))
        orders = [*(each for each in gone if each is not None), *still.values()]
        await self._settle(orders)
        return [report for order in orders for report in self._retold(order)]

    async def _look_at_book(self) -> tuple[dict[str, OrderData], dict[str, Decimal]]:
        """Return open orders and positions of one moment: no fill came between the two."""
        before = await self._rest.open_orders()
        for _ in range(_LOOKS_AT_BOOK):
            positions = await self._rest.positions()
            after = await self._rest.open_orders()
            if _filled(before) == _filled(after):
                break
            before = after
        else:
            raise AlpacaWireError("orders and positions move too fast to be held against ours")
        return after, {self._name(each.symbol): each.signed for each in positions}

    async def _watch(self) -> None:
        """Raise `LinkLostError` once REST knows what the stream should have told."""
        pages = 1
        while True:
            await asyncio.sleep(pages * self._config.watch_seconds)
            before = set(self._working)
            if not before or not self._up:
                continue
            pages = 1 + len(before) // ORDERS_A_PAGE
            try:
                open_now = {
                    order.client_order_id: order
                    for order in (await self._rest.open_orders()).values()
                }
                await self._heard_of(
                    {
                        name
                        for name in before & self._working.keys()
                        if name not in open_now or self._is_behind(open_now[name])
                    }
                )
            except (AlpacaRefusedError, AlpacaWireError):
                continue

    async def _heard_of(self, owed: set[str]) -> None:
        """Give the stream time to tell of orders, then ask whether there was anything to tell."""
        if not owed:
            return
        await asyncio.sleep(_GRACE_SECONDS)
        for name in sorted(owed & self._working.keys()):
            order = await self._rest.order(name)
            untold = order is not None and (order.status in ENDED or self._is_behind(order))
            if untold and name in self._working:
                raise LinkLostError(f"silent: the stream says nothing of order {name}")

    def _check(self, account: AccountData) -> None:
        expected = self._config.account_id
        if expected and expected not in {account.id, account.account_number}:
            raise VenueUnavailableError(
                f"Alpaca: wrong account: the keys belong to {account.account_number},"
                f" and the desk names {expected}"
            )
        if account.account_blocked:
            raise VenueUnavailableError(f"Alpaca: account {account.account_number} is blocked")

    def _foreign(self, order: OrderData) -> ForeignOrder:
        return ForeignOrder(
            venue_order_id=order.id,
            instrument_id=self._name(order.symbol),
            side=Side.SELL if order.side.startswith("sell") else Side.BUY,
            leaves=order.leaves,
        )

    def _name(self, symbol: str) -> str:
        """Return the instrument of a symbol; what is not ours keeps the venue's name."""
        return self._names.get(_bare(symbol), symbol)


def _bare(symbol: str) -> str:
    """Alpaca writes ``BTC/USD`` in orders and ``BTCUSD`` in positions."""
    return symbol.replace("/", "").upper()


def _is_ours(order: OrderData, known: Iterable[str]) -> bool:
    name = order.client_order_id
    return name.startswith(CLIENT_ORDER_ID_PREFIX) or name in known


def _filled(orders: dict[str, OrderData]) -> dict[str, Decimal]:
    return {name: order.filled for name, order in orders.items()}


def _refused(client_order_id: str, words: str) -> VenueRejected:
    """A refusal of ours: such an order is never sent."""
    return VenueRejected(
        client_order_id=client_order_id, reason=f"{RefusalCode.UNSUPPORTED}: {words}"
    )


def _with_status(order: OrderData, status: str) -> OrderData:
    """An event may come before its order's status has caught up with it."""
    if order.status in ENDED:
        return order
    return OrderData(
        id=order.id,
        client_order_id=order.client_order_id,
        status=status,
        replaced_by=order.replaced_by,
    )
