"""What a fault did to the desk, as counts; the format of every fault in this folder.

A fault is a module ``f<number>_<name>.py`` with

- `FULL` and `SMOKE`: how many trials `make chaos` and `make test` run;
- `LIMIT_SECONDS`: how long a full run may take, after which it is ended and has failed;
- ``def run(seed: int, trials: int) -> Outcome``;
- where it needs a tool that not every machine has, ``def missing() -> str`` with what it is.
"""

import sys
from collections.abc import Sequence

from msgspec import Struct

from tests.bench.report import percentile


class Outcome(Struct, frozen=True, kw_only=True):
    """The counts of one fault.

    `trials` are kills, flips, forgeries or whatever `unit` names. `lost`, `duplicated`, `unsigned`
    and `breaches` (of a limit or an invariant) must be 0, and so must `open_breaks`, the
    differences between our book and the venue's when everything has come back. `detected` counts
    the trials in which somebody noticed and said so; none where there is nothing to notice.
    `recovery_seconds` has one entry a trial that had to recover. Any other demand of the fault
    that did not hold is a line in `failures`.
    """

    fault: str
    what: str
    seed: int
    trials: int
    unit: str = "trials"
    acknowledged: int = 0
    lost: int = 0
    duplicated: int = 0
    unsigned: int = 0
    breaches: int = 0
    detected: int | None = None
    open_breaks: int = 0
    recovery_seconds: list[float] = []
    failures: list[str] = []
    note: str = ""

    @property
    def holds(self) -> bool:
        forbidden = (self.lost, self.duplicated, self.unsigned, self.breaches, self.open_breaks)
        return self.trials > 0 and not any(forbidden) and not self.failures


class Line(Struct, frozen=True, kw_only=True):
    """One fault's line in ``chaos.json``; recovery in seconds."""

    outcome: Outcome
    holds: bool
    recovery_p50: float | None
    recovery_p99: float | None
    took_seconds: float


def line_of(outcome: Outcome, took_seconds: float) -> Line:
    times = outcome.recovery_seconds
    return Line(
        outcome=outcome,
        holds=outcome.holds,
        recovery_p50=round(percentile(times, 0.5), 4) if times else None,
        recovery_p99=round(percentile(times, 0.99), 4) if times else None,
        took_seconds=round(took_seconds, 1),
    )


def print_line(line: Line) -> None:
    """Print the counts on one line, and each failure on one of its own."""
    outcome = line.outcome
    counts = {
        "seed": outcome.seed,
        outcome.unit: outcome.trials,
        "acknowledged": outcome.acknowledged,
        "lost": outcome.lost,
        "duplicated": outcome.duplicated,
        "unsigned": outcome.unsigned,
        "breaches": outcome.breaches,
        "detected": "-" if outcome.detected is None else outcome.detected,
        "open breaks": outcome.open_breaks,
        "recovery p50": _seconds(line.recovery_p50),
        "p99": _seconds(line.recovery_p99),
    }
    told = " · ".join(f"{name} {value}" for name, value in counts.items())
    verdict = "pass" if line.holds else "FAIL"
    note = f" ({outcome.note})" if outcome.note else ""
    head = f"{outcome.fault} {outcome.what}: {verdict}: {told} · took {line.took_seconds} s{note}"
    sys.stdout.write("\n".join([head, *(f"    {text}" for text in outcome.failures)]) + "\n")
    sys.stdout.flush()


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s"


def require_all(demands: Sequence[tuple[bool, str]]) -> list[str]:
    """Return the texts of the demands that were not met, for `Outcome.failures`."""
    return [text for met, text in demands if not met]
