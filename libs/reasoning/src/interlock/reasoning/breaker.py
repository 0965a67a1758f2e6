"""A circuit breaker: an endpoint that keeps failing is left alone for a while.

Closed lets calls through. After so many failures in a row it opens and lets none through until it
has cooled down; then it is half open, and the one call that it lets through decides.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from interlock.wire.reasoning import ReasonerFailure


class Position(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Event(StrEnum):
    """``TRIPPED`` is the failure that makes the number full, ``COOLED`` the first call after."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TRIPPED = "tripped"
    COOLED = "cooled"


TRANSITIONS: dict[tuple[Position, Event], Position] = {
    (Position.CLOSED, Event.SUCCEEDED): Position.CLOSED,
    (Position.CLOSED, Event.FAILED): Position.CLOSED,
    (Position.CLOSED, Event.TRIPPED): Position.OPEN,
    (Position.OPEN, Event.COOLED): Position.HALF_OPEN,
    (Position.HALF_OPEN, Event.SUCCEEDED): Position.CLOSED,
    (Position.HALF_OPEN, Event.TRIPPED): Position.OPEN,
}
"""Every allowed move; one that is not here is a programming error and raises ``KeyError``."""


class BreakerLimits(Struct, frozen=True, kw_only=True):
    failures: int
    cool_down_ns: int


class Breaker(Struct, frozen=True, kw_only=True):
    """`failures` in a row, the last one's `cause`, and when it opened in nanoseconds."""

    position: Position = Position.CLOSED
    failures: int = 0
    opened_at: int = 0
    cause: ReasonerFailure = ReasonerFailure.PROVIDER


def admitted(breaker: Breaker, limits: BreakerLimits, now: int) -> Breaker | None:
    """Return the breaker that lets one call through, or none where it must not go out."""
    match breaker.position:
        case Position.CLOSED:
            return breaker
        case Position.HALF_OPEN:
            return None
        case Position.OPEN:
            if now - breaker.opened_at < limits.cool_down_ns:
                return None
            return _moved(breaker, Event.COOLED)


def succeeded(breaker: Breaker) -> Breaker:
    return replace(_moved(breaker, Event.SUCCEEDED), failures=0)


def failed(breaker: Breaker, limits: BreakerLimits, now: int, cause: ReasonerFailure) -> Breaker:
    """Return the breaker after a call that failed for `cause` at `now`."""
    counted = replace(breaker, failures=breaker.failures + 1, cause=cause)
    full = counted.failures >= limits.failures or counted.position is Position.HALF_OPEN
    if not full:
        return _moved(counted, Event.FAILED)
    return replace(_moved(counted, Event.TRIPPED), opened_at=now)


def _moved(breaker: Breaker, event: Event) -> Breaker:
    return replace(breaker, position=TRANSITIONS[breaker.position, event])
