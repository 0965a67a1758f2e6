"""A strategy that keeps asking while something is done to the desk, and what it learns late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from random import Random

from interlock.wire.catalogue import BY_KIND
from interlock.wire.orders import OrderDenied, SubmitOrder

from tests.chaos.desk import NotInTimeError, until
from tests.chaos.load import Load, mixed_intent

PAUSE_SECONDS = 0.01


@asynccontextmanager
async def kept_asking(
    load: Load, seed: int, *, first: int = 0, pause_seconds: float = PAUSE_SECONDS
) -> AsyncIterator[None]:
    """Ask one intent after the other, each when the broker has the one before."""

    async def ask_on() -> None:
        chance = Random(seed)
        for number in count(first):
            await load.ask(mixed_intent(load, number, chance)[0])
            await asyncio.sleep(pause_seconds)

    asking = asyncio.create_task(ask_on())
    try:
        yield
        if asking.done():
            asking.result()
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def all_judged(load: Load, seconds: float = 30.0) -> None:
    """Return when every intent that was acknowledged is judged.

    What was said while our own link was away was not heard: it is read back.
    """
    try:
        await until(lambda: not load.unjudged(), 2.0, "every intent to be judged")
    except NotInTimeError:
        await until(lambda: _read_back(load), seconds, "every intent to be judged")


async def _read_back(load: Load) -> bool:
    for kind in (OrderDenied, SubmitOrder):
        entry = BY_KIND[kind]
        assert entry.stream is not None
        async for msg in load.ear._read_back(entry.stream, entry.filter, last_only=False):
            load.hear(msg.data)
    return not load.unjudged()


async def next_approval(load: Load, after: float, seconds: float = 15.0) -> float:
    """Return the moment of the first approval after `after`, of `time.monotonic`."""

    def later() -> list[float]:
        return [at for at, _ in load.approved.values() if at > after]

    await until(later, seconds, "an approval again")
    return min(later())
