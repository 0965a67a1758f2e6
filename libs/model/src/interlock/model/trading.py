"""The desk's standing as a table: what halts it, what lets it go on, and who has to say so.

A trigger is something that happened. One that `TRANSITIONS` lists makes a new standing, or confirms
the old one under a new epoch; one that `NOTHING_TO_DO` lists changes nothing there, on purpose. Any
other pair is refused: it raises `IllegalTriggerError`, and a person is told why.
"""

from enum import StrEnum

from interlock.model.values import TradingState


class Standing(StrEnum):
    """Where a desk stands. `TradingState` says what that lets through.

    ``STARTING`` ends with a reconciliation, ``HALTED_FOR_DAY`` and ``REDUCED`` with the next
    trading day or by a person, ``HALTED`` by a person only.
    """

    STARTING = "starting"
    ACTIVE = "active"
    REDUCED = "reduced"
    HALTED_FOR_DAY = "halted_for_day"
    HALTED = "halted"


class Trigger(StrEnum):
    """What happened.

    ``NEXT_DAY``: the next trading day has begun and the cool-down is over. ``PERSON_RESUMES_TODAY``
    is a resume on a day on which the kill rule has fired: that day is over for new risk.
    """

    RECONCILED = "reconciled"
    PERSON_HALTS = "person_halts"
    PERSON_RESUMES = "person_resumes"
    PERSON_RESUMES_TODAY = "person_resumes_today"
    SWITCH_PRESSED = "switch_pressed"
    TRIP_HALT = "trip_halt"
    TRIP_REDUCE = "trip_reduce"
    KILL_RULE = "kill_rule"
    NEXT_DAY = "next_day"


_S, _T = Standing, Trigger

TRANSITIONS: dict[tuple[Standing, Trigger], Standing] = {
    (_S.STARTING, _T.RECONCILED): _S.ACTIVE,
    (_S.STARTING, _T.PERSON_HALTS): _S.HALTED,
    (_S.STARTING, _T.SWITCH_PRESSED): _S.HALTED,
    (_S.STARTING, _T.TRIP_HALT): _S.HALTED,
    # What goes wrong before the book was compared is looked at by a person.
    (_S.STARTING, _T.TRIP_REDUCE): _S.HALTED,
    (_S.STARTING, _T.KILL_RULE): _S.HALTED,
    (_S.ACTIVE, _T.PERSON_HALTS): _S.HALTED,
    (_S.ACTIVE, _T.PERSON_RESUMES): _S.ACTIVE,
    (_S.ACTIVE, _T.SWITCH_PRESSED): _S.HALTED,
    (_S.ACTIVE, _T.TRIP_HALT): _S.HALTED,
    (_S.ACTIVE, _T.TRIP_REDUCE): _S.REDUCED,
    (_S.ACTIVE, _T.KILL_RULE): _S.HALTED_FOR_DAY,
    (_S.REDUCED, _T.PERSON_HALTS): _S.HALTED,
    (_S.REDUCED, _T.PERSON_RESUMES): _S.ACTIVE,
    (_S.REDUCED, _T.SWITCH_PRESSED): _S.HALTED,
    (_S.REDUCED, _T.TRIP_HALT): _S.HALTED,
    # Again: the cool-down begins anew.
    (_S.REDUCED, _T.TRIP_REDUCE): _S.REDUCED,
    (_S.REDUCED, _T.KILL_RULE): _S.HALTED_FOR_DAY,
    (_S.REDUCED, _T.NEXT_DAY): _S.ACTIVE,
    (_S.HALTED_FOR_DAY, _T.PERSON_HALTS): _S.HALTED,
    (_S.HALTED_FOR_DAY, _T.SWITCH_PRESSED): _S.HALTED,
    (_S.HALTED_FOR_DAY, _T.TRIP_HALT): _S.HALTED,
    (_S.HALTED_FOR_DAY, _T.TRIP_REDUCE): _S.HALTED_FOR_DAY,
    (_S.HALTED_FOR_DAY, _T.PERSON_RESUMES): _S.ACTIVE,
    (_S.HALTED_FOR_DAY, _T.NEXT_DAY): _S.ACTIVE,
    (_S.HALTED, _T.PERSON_HALTS): _S.HALTED,
    (_S.HALTED, _T.PERSON_RESUMES): _S.ACTIVE,
    (_S.HALTED, _T.PERSON_RESUMES_TODAY): _S.HALTED_FOR_DAY,
    # The desk stays with the person; what it still holds is closed all the same.
    (_S.HALTED, _T.KILL_RULE): _S.HALTED,
}

NOTHING_TO_DO: frozenset[tuple[Standing, Trigger]] = frozenset(
    {
        (_S.STARTING, _T.NEXT_DAY),
        (_S.ACTIVE, _T.RECONCILED),
        (_S.ACTIVE, _T.NEXT_DAY),
        (_S.REDUCED, _T.RECONCILED),
        (_S.HALTED_FOR_DAY, _T.RECONCILED),
        (_S.HALTED_FOR_DAY, _T.KILL_RULE),
        (_S.HALTED, _T.RECONCILED),
        (_S.HALTED, _T.SWITCH_PRESSED),
        (_S.HALTED, _T.TRIP_HALT),
        (_S.HALTED, _T.TRIP_REDUCE),
        (_S.HALTED, _T.NEXT_DAY),
    }
)

LETS_THROUGH: dict[Standing, TradingState] = {
    _S.STARTING: TradingState.HALTED,
    _S.ACTIVE: TradingState.ACTIVE,
    _S.REDUCED: TradingState.REDUCE_ONLY,
    _S.HALTED_FOR_DAY: TradingState.HALTED,
    _S.HALTED: TradingState.HALTED,
}


class IllegalTriggerError(Exception):
    """Something was asked of a desk that its standing does not allow."""

    def __init__(self, standing: Standing, trigger: Trigger) -> None:
        super().__init__(f"a desk that is {standing} cannot take {trigger}")
        self.standing = standing
        self.trigger = trigger


def next_standing(standing: Standing, trigger: Trigger) -> Standing | None:
    """Return the standing after `trigger`, none where there is nothing to do.

    Raises
    ------
    IllegalTriggerError
        For a pair that neither table lists.
    """
    after = TRANSITIONS.get((standing, trigger))
    if after is None and (standing, trigger) not in NOTHING_TO_DO:
        raise IllegalTriggerError(standing, trigger)
    return after


class Way(StrEnum):
    """How the kill switch came to stand where it stands. ``start``: no desk has run here yet."""

    FILE = "file"
    COMMAND = "command"
    RULE = "rule"
    SILENCE = "silence"
    START = "start"
