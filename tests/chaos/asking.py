"""A strategy that keeps asking while something is done to the desk, and what it learns late."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from random import Random

from interlock.wire.catalogue import BY_KIND
from interlock.wire.orders import OrderDenied, SubmitOrder
from interlock.wire.policy import ResumeTrading

from tests.chaos.desk import Desk, NotInTimeError, until
from tests.chaos.load import Load, command, mixed_intent

PAUSE_SECONDS = 0.01
HALTED = {"state.trading", "state.switch"}
"""Controls that deny until a person resumes."""


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


async def trades_again(load: Load, after: float, seconds: float = 15.0) -> float:
    """Return the moment of the first approval after `after`, while somebody keeps asking.

    Where the desk was halted for what was done to it, a named person resumes it.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await next_approval(load, after, 0.3)
        except NotInTimeError:
            codes = _codes_since(load, after)
            if time.monotonic() > deadline:
                raise NotInTimeError(f"nothing is approved again: {sorted(codes)}") from None
            if codes & HALTED:
                await load.ear.publish([command(ResumeTrading, time.time_ns())], {})


def _codes_since(load: Load, after: float) -> set[str]:
    denials = [denial for at, denial in load.denied.values() if at > after]
    return {failure.code for denial in denials for failure in denial.failures}


async def revived(running: Desk) -> list[str]:
    """Start again what has ended by itself, as the supervisor would, and return its names."""
    ended = [name for name, one in running.running.items() if one.process.returncode is not None]
    for name in ended:
        await running.wait(name)
    await running.start(*ended)
    return ended
