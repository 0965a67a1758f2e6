"""The exchange's own word on orders: its stream, watched, and asked again after each silence.

Theory of operation. The link is reported down at once when the stream breaks or falls silent, and
up only after a new connection stands and REST has told what became of every working order. The
exchange may begin to send a little after it has taken a subscription, so REST is asked a second
time soon after, and then, while orders work, now and then whether it knows more than the stream.
Watched messages go into a queue, because ccxt forgets what arrives while nobody
waits. An exchange without such a stream is polled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.ccxt_link import (
    LinkDownError,
    keep,
    until_connected,
    until_one_ends,
    while_connected,
)
from interlock.venues.ccxt_orders import Orders
from interlock.venues.ccxt_reports import Unified
from interlock.venues.port import Tell, VenueLinkMoved, VenueLost, VenueReport

_RENEW_AGAIN_SECONDS = 0.2
_SECOND_LOOK_SECONDS = 1.0
_NEWS_SECONDS = 0.4
_MOST_WAITING = 10_000

type Hear = Callable[[Unified], Awaitable[Sequence[VenueReport]]]


@dataclass(slots=True)
class OrderStream:
    """`run` is the port's."""

    exchange: Any
    config: CcxtConfig
    orders: Orders
    _up: bool | None = field(default=None)

    async def run(self, tell: Tell) -> None:
        watched = self.exchange.has.get("watchOrders") is True

        def down(error: Exception) -> None:
            self._move(tell, up=False, reason=self.orders.error(error).reason)

        async with asyncio.TaskGroup() as tasks:
            once = self._watch if watched else self._poll
            tasks.create_task(keep(self.exchange, lambda: once(tell), down))
            if self.config.dead_man_seconds and self.exchange.has.get("cancelAllOrdersAfter"):
                tasks.create_task(self._keep_switch())

    def _move(self, tell: Tell, *, up: bool, reason: str) -> None:
        if self._up is not up:
            self._up = up
            tell(VenueLinkMoved(up=up, reason=reason))

    async def _watch(self, tell: Tell) -> None:
        heard: asyncio.Queue[tuple[Hear, Unified]] = asyncio.Queue(_MOST_WAITING)
        has, orders = self.exchange.has, self.orders
        jobs = [
            _feed(self.exchange.watch_orders, orders.hear_order, heard),
            _work_off(heard, tell),
            self._come_up(tell),
        ]
        if has.get("watchMyTrades") is True:
            jobs.insert(0, _feed(self.exchange.watch_my_trades, orders.hear_trade, heard))
        await until_one_ends(jobs)

    async def _come_up(self, tell: Tell) -> None:
        """Report the link up once it is connected and the hole is filled, then keep watch."""
        await until_connected(self.exchange)
        await self._back_fill(tell)
        self._move(tell, up=True, reason="the order stream is up, and what was missed is known")
        await asyncio.sleep(_SECOND_LOOK_SECONDS)
        await self._back_fill(tell)
        await until_one_ends([while_connected(self.exchange), self._hold_against_rest()])

    async def _hold_against_rest(self) -> None:
        """Fail where REST knows of news that the stream has not told: pongs alone prove nothing."""
        while True:
            await asyncio.sleep(self.orders.dialect.watch_seconds)
            behind = await self.orders.behind()
            if behind:
                await asyncio.sleep(_NEWS_SECONDS)
                if behind & await self.orders.behind():
                    raise LinkDownError("REST knows of news that the stream has not told")

    async def _back_fill(self, tell: Tell) -> None:
        """Tell what REST knows of working orders beyond what was told; raise where it is silent."""
        behind = await self.orders.behind()
        for tracked in self.orders.working():
            if tracked.venue_order_id and tracked.client_order_id not in behind:
                continue
            for report in await self.orders.look_up(tracked):
                if isinstance(report, VenueLost):
                    raise LinkDownError(report.reason)
                tell(report)

    async def _poll(self, tell: Tell) -> None:
        while True:
            if self.orders.working():
                await self._back_fill(tell)
            else:
                await self.exchange.fetch_balance()
            self._move(tell, up=True, reason="orders are asked for: there is no stream of them")
            await asyncio.sleep(self.config.poll_seconds)

    async def _keep_switch(self) -> None:
        """Tell the exchange that we live. That it did not hear is seen by the link, too."""
        while True:
            try:
                await self.exchange.cancel_all_orders_after(1000 * self.config.dead_man_seconds)
            except Exception:  # noqa: BLE001 - the next try is soon, and a silent link says so itself
                await asyncio.sleep(_RENEW_AGAIN_SECONDS)
            else:
                await asyncio.sleep(self.config.dead_man_seconds / 3)


async def _feed(
    watch: Callable[[], Awaitable[Sequence[Unified]]],
    hear: Hear,
    heard: asyncio.Queue[tuple[Hear, Unified]],
) -> None:
    while True:
        for news in await watch():
            # A full queue ends the stream, and the next one begins with REST.
            heard.put_nowait((hear, news))


async def _work_off(heard: asyncio.Queue[tuple[Hear, Unified]], tell: Tell) -> None:
    while True:
        hear, news = await heard.get()
        for report in await hear(news):
            tell(report)
