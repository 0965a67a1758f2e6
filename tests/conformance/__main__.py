"""`make conformance`: prints for each attack the codes that must stop it and those that did.

Exit code 1 where one does not hold: other codes than expected, or a control that is not approved.
"""

import logging
import sys
from collections import Counter

from tests.conformance.attack import APPROVED, Attack, told
from tests.conformance.table import ATTACKS

HEAD = ("attack", "expected code", "got", "holds")
SHOWN = 2
"""How many codes of one verdict are printed; all of them are compared."""
WIDTHS = (max(len(one.case) for one in ATTACKS), 40, 40)


def main() -> int:
    # What the services log while they are attacked is no part of the table.
    logging.disable(logging.CRITICAL)
    _print(*HEAD)
    failed = 0
    for attack in ATTACKS:
        expected, (got, control) = told(attack.expected), _outcome(attack)
        holds = got == expected and control == APPROVED
        failed += not holds
        _print(attack.case, _short(expected), _short(got), "yes" if holds else "NO")
        if got != expected:
            sys.stdout.write(f"    expected: {expected}\n    got:      {got}\n")
        if control != APPROVED:
            sys.stdout.write(f"    its control is not approved but: {control}\n")
    names = Counter(one.name for one in ATTACKS)
    sys.stdout.write(
        f"{len(ATTACKS)} attacks of {len(names)} kinds, {len(ATTACKS) - failed} held, "
        f"{failed} not; each with a control that is approved\n"
    )
    return int(failed > 0)


def _outcome(attack: Attack) -> tuple[str, str]:
    """Return what came of the attack and of its control; an error is an answer as well."""
    try:
        return told(attack.run()), attack.control()
    except Exception as error:  # noqa: BLE001 - the others are to be tried all the same
        return f"{type(error).__name__}: {error}", APPROVED


def _short(codes: str) -> str:
    first = codes.split(", ")
    more = len(first) - SHOWN
    return codes if more <= 0 else f"{', '.join(first[:SHOWN])} + {more} more"


def _print(*cells: str) -> None:
    padded = [cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)]
    sys.stdout.write("  ".join([*padded, *cells[len(WIDTHS) :]]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
