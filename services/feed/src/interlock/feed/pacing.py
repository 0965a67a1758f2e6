"""The pace of a replay: data time against the machine's."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

from interlock.model.ids import NANOS_PER_SECOND
from interlock.wire.base import Message
from interlock.wire.market import Bar, ClockTicked, Quote, ReplayFinished, ReplayStarted

_LONGEST_WAIT_BARS = 5
_LONGEST_WAIT_SECONDS = 60


class ResumeError(ValueError):
    """A replay cannot go on where it was left. The text says what to do."""


async def run_replay(
    messages: Iterator[Message],
    publish_wave: Callable[[Message], Awaitable[None]],
    *,
    speed: float | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    resume_after: str | None = None,
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Publish each message when its time has come.

    Parameters
    ----------
    publish_wave : callable
        Publishes one message and returns when the whole system has settled.
    speed : float, optional
        Seconds of data a second; none is as fast as the system settles. A closed market is not
        waited out: no wait stands for more than 5 bars, or a minute where that is longer.
    progress : callable
        Told rows published so far, and rows in all.
    resume_after : str, optional
        The id of the last message that was published before; everything up to it is passed over.

    Raises
    ------
    ResumeError
        When the data set has no message of the id `resume_after`.
    """
    pace = _Pace(speed, now())
    done = total = 0
    passing_over = resume_after is not None
    for message in messages:
        match message:
            case ReplayStarted():
                total = message.bars
                pace.bar_seconds = message.bar_seconds
            case ReplayFinished():
                done = message.bars.read
            case Bar() | Quote():
                done += 1
            case _:
                pass
        if passing_over:
            passing_over = message.message_id != resume_after
            pace.last_ts = message.ts_event
            continue
        pause = pace.seconds_until(message, now())
        if pause > 0:
            await wait(pause)
        await publish_wave(message)
        if isinstance(message, Bar | Quote | ReplayFinished):
            progress(done, total)
    if passing_over:
        raise ResumeError(
            f"this data set has no message {resume_after}, where the replay was left: "
            "replay the same data, or start with a fresh state folder"
        )


class _Pace:
    """Data time against the machine's: waits add up from the start, so lateness is made up."""

    def __init__(self, speed: float | None, started: float) -> None:
        self.bar_seconds = 1
        self.last_ts = 0
        self._speed = speed
        self._due = started

    def seconds_until(self, message: Message, now: float) -> float:
        """Return how long to wait before `message`; only the clock's messages move time."""
        if self._speed is None or not isinstance(message, Bar | Quote | ClockTicked):
            return 0.0
        longest = max(_LONGEST_WAIT_BARS * self.bar_seconds, _LONGEST_WAIT_SECONDS)
        step = (message.ts_event - self.last_ts) / NANOS_PER_SECOND if self.last_ts else 0.0
        self.last_ts = message.ts_event
        self._due += min(step, longest) / self._speed
        return self._due - now
