"""The exchange's own word on orders: its stream, watched, and asked again after each silence.

Theory of operation. ccxt pings each connection and fails it when a pong is overdue; its interval
is set from `silence_seconds`. The link is reported down at once, and up only after a new
connection stands and REST has told what became of every working order. The exchange may begin to
send a little after it has taken a subscription, so REST is asked a second time soon after. Watched
messages go into a queue, because ccxt forgets what arrives while nobody waits. An exchange without
such a stream is polled.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.ccxt_orders import Orders
from interlock.venues.ccxt_reports import Unified
from interlock.venues.port import Tell, VenueLinkMoved, VenueLost, VenueReport

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_SETTLE_SECONDS = 0.3
_SECOND_LOOK_SECONDS = 2.0
_MOST_WAITING = 10_000

type Hear = Callable[[Unified], Awaitable[Sequence[VenueReport]]]


class _SilentError(Exception):
    """The link is down. The text is the reason."""


@dataclass(slots=True)
class OrderStream:
    """`run` is the port's."""

    exchange: Any
    config: CcxtConfig
    orders: Orders
    _up: bool | None = field(default=None)

    async def run(self, tell: Tell) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_link(tell))
            if self.config.dead_man_seconds:
                tasks.create_task(self._keep_switch())

    async def _keep_link(self, tell: Tell) -> None:
        pause = _FIRST_PAUSE_SECONDS
        watched = self.exchange.has.get("watchOrders") is True
        while True:
            began = time.monotonic()
            try:
                await (self._watch(tell) if watched else self._poll(tell))
            except Exception as error:  # noqa: BLE001 - whatever ended the stream, it is down
                self._move(tell, up=False, reason=self.orders.error(error).reason)
            await self.exchange.close_ws_clients()
            if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _move(self, tell: Tell, *, up: bool, reason: str) -> None:
        if self._up is not up:
            self._up = up
            tell(VenueLinkMoved(up=up, reason=reason))

    async def _watch(self, tell: Tell) -> None:
        """Watch until something breaks, and raise what did."""
        heard: asyncio.Queue[tuple[Hear, Unified]] = asyncio.Queue(_MOST_WAITING)
        has, orders = self.exchange.has, self.orders
        jobs = [
            _feed(self.exchange.watch_orders, orders.hear_order, heard),
            self._work_off(heard, tell),
            self._come_up(tell),
        ]
        if has.get("watchMyTrades") is True:
            jobs.insert(0, _feed(self.exchange.watch_my_trades, orders.hear_trade, heard))
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            # ccxt cancels what waits for a connection that it closes.
            if not task.cancelled():
                await task
        raise _SilentError("the connection was closed")

    async def _come_up(self, tell: Tell) -> None:
        """Report the link up once it is connected and the hole is filled, then keep watch."""
        async with asyncio.timeout(_CONNECT_SECONDS):
            while not self._connected():  # noqa: ASYNC110 - ccxt has no event for it
                await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(_SETTLE_SECONDS)
        await self._back_fill(tell)
        self._move(tell, up=True, reason="the order stream is up, and what was missed is known")
        await asyncio.sleep(_SECOND_LOOK_SECONDS)
        await self._back_fill(tell)
        while self._connected():  # noqa: ASYNC110 - ccxt has no event for it
            await asyncio.sleep(_LOOK_SECONDS)
        raise _SilentError("the connection was closed")

    def _connected(self) -> bool:
        by_url: dict[str, Any] = self.exchange.clients or {}
        clients = list(by_url.values())
        return bool(clients) and all(
            client.isConnected and not client.closed() for client in clients
        )

    async def _work_off(self, heard: asyncio.Queue[tuple[Hear, Unified]], tell: Tell) -> None:
        while True:
            hear, news = await heard.get()
            for report in await hear(news):
                tell(report)

    async def _back_fill(self, tell: Tell) -> None:
        """Tell what REST says of every working order; raise where it says nothing."""
        for tracked in self.orders.working():
            for report in await self.orders.look_up(tracked):
                if isinstance(report, VenueLost):
                    raise _SilentError(report.reason)
                tell(report)

    async def _poll(self, tell: Tell) -> None:
        while True:
            if self.orders.working():
                await self._back_fill(tell)
            elif self.exchange.has.get("fetchTime"):
                await self.exchange.fetch_time()
            else:
                await self.exchange.fetch_balance()
            self._move(tell, up=True, reason="orders are asked for: there is no stream of them")
            await asyncio.sleep(self.config.poll_seconds)

    async def _keep_switch(self) -> None:
        """Tell the exchange that we live. That it did not hear is seen by the link, too."""
        if not self.exchange.has.get("cancelAllOrdersAfter"):
            return
        while True:
            try:
                await self.exchange.cancel_all_orders_after(1000 * self.config.dead_man_seconds)
            except Exception:  # noqa: BLE001 - the next try is soon, and a silent link says so itself
                await asyncio.sleep(_FIRST_PAUSE_SECONDS)
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
