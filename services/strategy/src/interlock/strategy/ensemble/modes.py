"""What the desk does when an input fails. Each mode begins with one alert and ends with one.

Theory of operation. The mode of a bar follows from what is wrong now: its instrument's data, the
local reasoner, the models whose forecasts are not there. A failure mode holds for the desk while it
holds for one instrument at least; several may hold at once, of different instruments. What is
announced is folded from what we said, what is wrong from what others said, and each time something
is heard the two are compared: what was cut short by a crash is said after it.
"""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from interlock.model.values import Severity
from interlock.strategy.ensemble.score import PREDICTORS, RL, VOICES
from interlock.wire.decisions import Mode


class Failure(Struct, frozen=True, kw_only=True):
    """One row: what a mode does, and what people are told as it begins and as it ends.

    `may_act` says whether it lets the score speak, `halves` whether it halves the sizes.
    """

    may_act: bool
    halves: bool
    severity: Severity
    begins: str
    ends: str


FAILURES: dict[Mode, Failure] = {
    Mode.DATA_STALL: Failure(
        may_act=False,
        halves=False,
        severity=Severity.WARNING,
        begins="data feed interrupted, holding positions",
        ends="data feed complete again",
    ),
    Mode.RL_ONLY: Failure(
        may_act=True,
        halves=False,
        severity=Severity.WARNING,
        begins="local reasoner offline, RL-only mode",
        ends="local reasoner online again",
    ),
    Mode.PREDICTORS_ONLY: Failure(
        may_act=True,
        halves=True,
        severity=Severity.WARNING,
        begins="RL models unavailable, reduced sizes",
        ends="RL models available again, full sizes",
    ),
    Mode.FORECASTS_MISSING: Failure(
        may_act=True,
        halves=True,
        severity=Severity.WARNING,
        begins="forecast models unavailable, reduced sizes",
        ends="forecast models available again, full sizes",
    ),
    Mode.NO_MODELS: Failure(
        may_act=False,
        halves=False,
        severity=Severity.WARNING,
        begins="all models unavailable, no new risk",
        ends="models available again",
    ),
}
"""In the order in which they are announced. `Mode.FULL` fails in nothing."""

_ALL = frozenset(VOICES)


def mode_of(present: AbstractSet[str], *, stalled: bool, reasoner_up: bool) -> Mode:
    """Return the mode of an instrument of which the voices in `present` are there."""
    if stalled:
        return Mode.DATA_STALL
    return _by_voices(present) if reasoner_up else _without_reasoner(present)


def _without_reasoner(present: AbstractSet[str]) -> Mode:
    return Mode.RL_ONLY if RL in present else Mode.NO_MODELS


def _by_voices(present: AbstractSet[str]) -> Mode:
    if not present:
        return Mode.NO_MODELS
    if RL not in present:
        return Mode.PREDICTORS_ONLY
    return Mode.FULL if present >= PREDICTORS else Mode.FORECASTS_MISSING


def heeded_in(mode: Mode) -> frozenset[str]:
    """Return the voices that count in a mode, where they are there."""
    match mode:
        case Mode.RL_ONLY:
            return frozenset({RL})
        case Mode.PREDICTORS_ONLY:
            return PREDICTORS
        case Mode.NO_MODELS:
            return frozenset()
        case _:
            return _ALL


def may_act(mode: Mode) -> bool:
    """Return whether a score may lead to an order."""
    failure = FAILURES.get(mode)
    return failure is None or failure.may_act


def halves(mode: Mode) -> bool:
    failure = FAILURES.get(mode)
    return failure is not None and failure.halves
