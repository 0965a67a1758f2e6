"""An order's turn in ccxt's queue of requests, and its bytes right after.

Theory of operation. ccxt lets requests wait inside the call that makes them, so that whoever calls
cannot look at the clock in between, and an approval might end in the queue. So the turn is taken
first, by itself; then the caller looks at the clock; then the call is begun with the waiting
switched off, which it reads before it first gives way to anything else.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def take_turn(exchange: Any) -> None:
    """Wait until all that was asked before has gone out and the exchange's pace allows one more."""
    await exchange.throttle()


async def begun_at_once[T](exchange: Any, call: Coroutine[Any, Any, T]) -> T:
    """Return what `call`, one of ccxt's with its turn taken, comes to."""
    waits: bool = exchange.enableRateLimit
    exchange.enableRateLimit = False
    try:
        task = asyncio.Task(call, loop=asyncio.get_running_loop(), eager_start=True)
    finally:
        exchange.enableRateLimit = waits
    return await task
