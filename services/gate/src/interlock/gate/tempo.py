"""How fast the gate is asked and answers, and how often a strategy has entered.

Times never go back: a moment before the last one counts as the last one, so a clock that jumps
back opens no window. Only as many moments are kept as the largest limit needs.
"""

from collections import deque
from dataclasses import dataclass, field

from interlock.model.ids import NANOS_PER_SECOND, UnixNanos

SECOND = NANOS_PER_SECOND
MINUTE = 60 * NANOS_PER_SECOND


@dataclass(slots=True)
class Tempo:
    """The last approvals, the last attempts (denied ones too), and entries per strategy."""

    approvals: deque[UnixNanos]
    attempts: deque[UnixNanos]
    latest: UnixNanos = 0
    entries: dict[str, int] = field(default_factory=dict[str, int])

    def attempt(self, moment: UnixNanos) -> UnixNanos:
        """Count an answer, whichever it was, and return the moment it counts at."""
        self.latest = max(self.latest, moment)
        self.attempts.append(self.latest)
        return self.latest

    def approve(self, moment: UnixNanos, entering: str) -> None:
        """Count an approval; `entering` is the strategy, or empty where it reduces."""
        self.approvals.append(self.attempt(moment))
        if entering:
            self.entries[entering] = self.entries.get(entering, 0) + 1

    def forget_entries(self, strategy: str) -> None:
        self.entries.pop(strategy, None)


def tempo(most_approvals: int, most_attempts: int) -> Tempo:
    return Tempo(deque(maxlen=max(1, most_approvals)), deque(maxlen=max(1, most_attempts)))


def is_full(moments: deque[UnixNanos], limit: int, window: int, now: UnixNanos) -> bool:
    """Return whether `limit` moments lie within the window that ends now."""
    return len(moments) >= limit and moments[-limit] > now - window


def count_within(moments: deque[UnixNanos], window: int, now: UnixNanos) -> int:
    """Return how many of the moments kept lie within the window that ends now."""
    return sum(1 for moment in moments if moment > now - window)
