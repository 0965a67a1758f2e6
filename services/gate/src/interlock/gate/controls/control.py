"""What a control is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from interlock.gate.case import Case
from interlock.wire.orders import ControlFailure
from interlock.wire.system import TripLevel

FIA = "FIA best practices for automated trading risk controls, pre-trade controls"
SEC = "SEC rule 15c3-5"
RTS6 = "MiFID II RTS 6, article 15"
DESK = "desk rule"
OURS = "Interlock"


class Level(StrEnum):
    """What a control does when it says no.

    It always denies. Beyond that it disables the strategy, leaves only reducing orders, or halts.
    """

    DENY = "deny"
    DISABLE = "disable"
    REDUCE = "reduce"
    HALT = "halt"

    @property
    def trip(self) -> TripLevel | None:
        return None if self is Level.DENY else TripLevel(self.value)


@dataclass(frozen=True, slots=True)
class Control:
    """One line of the table: the code, what it holds to, the unit, and where the rule is from.

    `binds_reducing` is false where a reduce-only order passes: a desk that is halted, blind or
    without limits must still be able to get out. What such an order may do at most is the matter
    of `position.reduce_only`.
    """

    code: str
    definition: str
    unit: str
    source: str
    check: Callable[[Case], ControlFailure | None]
    level: Level = Level.DENY
    binds_reducing: bool = False
