"""What a drill shows: a line a round while it runs, then the figures against the targets."""

import logging
import sys

import typer
import uvloop

from interlock.cli.errors import CliError
from interlock.cli.frame import print_json, print_table
from interlock.cli.kill_drill import (
    ALERT_TARGET_MS,
    CANCEL_TARGET_MS,
    SCENARIOS,
    SUBMIT_TARGET_MS,
    Figures,
    Round,
    chosen,
    drill,
    figures,
)

HEAD = ("way", "without", "rounds", "cancelled", "last submit p50", "p99", "all gone p50", "p99")


def run_drill(
    ways: list[str], without: list[str], orders: int, rounds: int, *, as_json: bool
) -> bool:
    """Run the drill, show it, and return whether every target was met."""
    scenarios = chosen(ways, without)
    if not scenarios:
        known = ", ".join(f"{one.way} without {one.without}" for one in SCENARIOS)
        raise CliError(f"no drill is called so: known are {known}")
    done, total = 0, rounds * len(scenarios)

    def show(one: Round) -> None:
        nonlocal done
        done += 1
        sys.stderr.write(f"round {done} of {total}: {_round_line(one)}\n")

    # That the bus is away is part of the drill.
    logging.getLogger("interlock").setLevel(logging.CRITICAL)
    found = list(figures(uvloop.run(drill(rounds * scenarios, orders, show))))
    met = all(one.met for one in found)
    if as_json:
        print_json({"met": met, "targets": _TARGETS, "figures": found})
    else:
        _show(found, met=met)
    return met


_TARGETS = {
    "submit_p99_ms": SUBMIT_TARGET_MS,
    "cancelled_ms": CANCEL_TARGET_MS,
    "alert_ms": ALERT_TARGET_MS,
}


def _round_line(one: Round) -> str:
    line = (
        f"{one.way} without {one.without}: seen after {one.seen_ms:.0f} ms, last submit after "
        f"{one.submit_ms:.0f} ms, {one.cancelled:,} orders gone after {one.cancelled_ms:.0f} ms"
    )
    return f"{line}, AND ONE WAS SENT AFTERWARDS" if one.late else line


def _show(found: list[Figures], *, met: bool) -> None:
    rows = [
        (
            one.way,
            one.without,
            str(one.rounds),
            f"{one.cancelled:,}",
            _ms(one.submit_p50_ms),
            _ms(one.submit_p99_ms),
            _ms(one.cancelled_p50_ms),
            f"{_ms(one.cancelled_p99_ms)}{'' if one.met else '  MISSED'}",
        )
        for one in found
    ]
    print_table(HEAD, rows)
    alerts = [one.alert_max_ms for one in found if one.alert_max_ms is not None]
    if alerts:
        typer.echo(f"the slowest alert came after {_ms(max(alerts))}")
    typer.echo(
        f"targets: last submit p99 <= {SUBMIT_TARGET_MS:g} ms, all gone <= "
        f"{CANCEL_TARGET_MS:g} ms, alert <= {ALERT_TARGET_MS:g} ms, nothing sent while pressed: "
        f"{'met' if met else 'MISSED'}"
    )


def _ms(value: float) -> str:
    return f"{value:.1f} ms"
