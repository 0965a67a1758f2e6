"""`make bench`: measures everything, prints a table, and writes it to `bench.json`.

Names of parts may be given to measure only those. `--minutes` is how long the console is left open.
"""

import argparse
import sys
import traceback
from functools import partial
from pathlib import Path

import msgspec

from tests.bench import (
    backtest_driver,
    chain,
    console_lists,
    console_soak,
    first_paint,
    forecasts,
    gate_in_process,
    gate_on_bus,
    hanging_model,
    live_quotes,
    reader,
    start_up,
    strategy_in_process,
)
from tests.bench.report import Line, print_table

PARTS = {
    "gate": gate_in_process.measure,
    "strategy": strategy_in_process.measure,
    "backtest": backtest_driver.measure,
    "forecasts": forecasts.measure,
    "gate-bus": gate_on_bus.measure,
    "chain": chain.measure,
    "hanging-model": hanging_model.measure,
    "start-up": start_up.measure,
    "live-quotes": live_quotes.measure,
    "reader": reader.measure,
    "console": console_lists.measure,
    "first-paint": first_paint.measure,
}
RESULT = Path("bench.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("part", nargs="*")
    parser.add_argument("--minutes", type=float, default=2.0)
    asked = parser.parse_args()
    parts = {**PARTS, "console-soak": partial(console_soak.measure, asked.minutes)}
    wanted = asked.part or list(parts)
    unknown = sorted(set(wanted) - parts.keys())
    if unknown:
        sys.stderr.write(f"no part is called {unknown[0]}: known are {', '.join(parts)}\n")
        return 2
    lines: list[Line] = []
    failed = False
    for part in wanted:
        sys.stderr.write(f"measuring {part} ...\n")
        try:
            lines += parts[part]()
        except Exception:  # noqa: BLE001 - one part that fails must not hide the others
            failed = True
            traceback.print_exc()
            lines.append(Line(what=part, note="could not be measured: see above"))
    print_table(lines)
    RESULT.write_bytes(msgspec.json.format(msgspec.json.encode(lines), indent=2) + b"\n")
    return int(failed)


sys.exit(main())
