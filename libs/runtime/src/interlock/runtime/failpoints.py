"""Points at which a process kills itself, so that a crash can be put exactly where it hurts.

``INTERLOCK_FAILPOINT=gate.published.SubmitOrder:3`` ends the gate with SIGKILL when it passes that
point for the third time. A point is the service, the moment and the type that the moment is about;
the moments are those at which the service loop waits for something (`interlock.runtime.loop`).
Without the variable nothing is armed. A kill is the one thing that every service must bear at any
moment, so whoever can set the variable can do nothing by it that stopping the process would not do.
"""

import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

VARIABLE = "INTERLOCK_FAILPOINT"


@dataclass(slots=True)
class Failpoint:
    """The point that is armed, and how many times it is passed before it kills."""

    point: str
    hits_left: int

    def reach(self, service: str, moment: str, things: Iterable[object]) -> None:
        for thing in things:
            if f"{service}.{moment}.{type(thing).__name__}" != self.point:
                continue
            self.hits_left -= 1
            if self.hits_left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def armed(environment: Mapping[str, str] = os.environ) -> Failpoint | None:
    """Return the failpoint of this process, none where the variable is not set."""
    text = environment.get(VARIABLE, "")
    if not text:
        return None
    point, _, hits = text.partition(":")
    return Failpoint(point, int(hits or 1))
