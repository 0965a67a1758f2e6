"""How many calls a minute an endpoint is asked for, whatever a budget would pay."""

from collections import deque
from dataclasses import dataclass, field

from interlock.model.ids import NANOS_PER_SECOND

_WINDOW_NS = 60 * NANOS_PER_SECOND


@dataclass(slots=True)
class Rate:
    """The calls of the last minute, at most `most`. Times in nanoseconds of one monotonic clock."""

    most: int
    _calls: deque[int] = field(default_factory=deque[int])

    def admit(self, now: int) -> bool:
        """Count a call at `now` and return true, or false where it would be one too many."""
        while self._calls and now - self._calls[0] >= _WINDOW_NS:
            self._calls.popleft()
        if len(self._calls) >= self.most:
            return False
        self._calls.append(now)
        return True
