"""The desk's standing as the bus has it stored, read past everything that waits to be heard."""

from collections.abc import Awaitable, Callable, Sequence

from interlock.exec.ports import LookAgain, LookedAgain
from interlock.wire.base import Message
from interlock.wire.policy import (
    HaltTrading,
    ResumeTrading,
    TradingStateChanged,
    names_person,
)

type Latest = Callable[[Sequence[type[Message]]], Awaitable[Sequence[Message]]]

STANDING: tuple[type[Message], ...] = (TradingStateChanged, HaltTrading, ResumeTrading)


async def look_again(latest: Latest, effect: LookAgain) -> Sequence[LookedAgain]:
    """Raises `UnavailableError` where the bus does not answer: the order waits, and expires."""
    standing: TradingStateChanged | None = None
    halted_at = resumed_at = 0
    for message in await latest(STANDING):
        match message:
            case TradingStateChanged() if message.desk == effect.order.desk:
                standing = message
            case HaltTrading() if message.desk == effect.order.desk:
                halted_at = message.ts_event
            case ResumeTrading() if message.desk == effect.order.desk and names_person(message.by):
                resumed_at = message.ts_event
            case _:
                pass
    seen = LookedAgain(
        order=effect.order, standing=standing, halted_at=halted_at, resumed_at=resumed_at
    )
    return [seen]


async def nothing_stored(kinds: Sequence[type[Message]]) -> Sequence[Message]:
    """Answer for a bus whose messages are all heard at once."""
    del kinds
    return ()
