"""All controls in one table, in the order they are asked.

Every control looks at the same `Case` and returns none, or a failure with what it observed and
what it allows. All are asked, so a denial names everything that was wrong. Controls that read
numbers come after those that make sure the numbers are there, and say nothing where they are not:
the first group has denied already.
"""

from interlock.gate.case import Case
from interlock.gate.controls import (
    age,
    money,
    pace,
    permission,
    position,
    price,
    size,
    state,
    version,
)
from interlock.gate.controls.control import Control
from interlock.wire.orders import ControlFailure

CONTROLS: tuple[Control, ...] = (
    *state.CONTROLS,
    *version.CONTROLS,
    *permission.CONTROLS,
    *size.CONTROLS,
    *price.CONTROLS,
    *position.CONTROLS,
    *pace.CONTROLS,
    *money.CONTROLS,
    *age.CONTROLS,
)
BY_CODE = {control.code: control for control in CONTROLS}

_CHECKS = {
    False: tuple(control.check for control in CONTROLS),
    True: tuple(control.check for control in CONTROLS if control.binds_reducing),
}


def run_controls(case: Case) -> list[ControlFailure]:
    """Return every control that says no, in the table's order."""
    failures: list[ControlFailure] = []
    for check in _CHECKS[case.intent.reduce_only]:
        failure = check(case)
        if failure is not None:
            failures.append(failure)
    return failures
