"""The two clocks: the machine's, and the data's."""

import time
from typing import Protocol


class Clock(Protocol):
    """What a shell asks for the time; cores are told it."""

    def now(self) -> int: ...

    def observe(self, ts_event: int) -> None: ...


class WallClock:
    """The machine's clock, in UNIX nanoseconds."""

    def now(self) -> int:
        return time.time_ns()

    def observe(self, ts_event: int) -> None:
        """Take no notice: the machine's clock moves by itself."""


class DataClock:
    """The clock of a replay: the latest moment any handled message was about.

    Before the first one it stands at `start`, the beginning of the data.
    """

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def observe(self, ts_event: int) -> None:
        self._now = max(self._now, ts_event)
