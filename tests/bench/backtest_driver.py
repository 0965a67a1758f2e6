"""The backtest driver: bars a second without orders, order cycles a second as orders add up."""

import gc
import tracemalloc
from collections.abc import Iterator

from interlock.cli.backtest_run import assemble, run_backtest
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig

from tests.bench.desk import measured_desk
from tests.bench.made_up_data import quiet_market, swinging_market
from tests.bench.report import Line

QUIET_BARS = 50_000
BARS_TARGET = 100_000
CYCLES_TARGET = 5_000
CYCLES = (500, 2_000, 5_000, 20_000)
MEMORY_CYCLES = (2_000, 6_000)


def measure() -> Iterator[Line]:
    file = measured_desk()
    run_backtest(file, quiet_market(2_000))
    quiet = run_backtest(file, quiet_market(QUIET_BARS))
    assert quiet.summary.intents == 0
    yield Line(
        what="backtest, bars without orders",
        rate=f"{quiet.bars_per_second:,.0f}/s",
        target=f">= {BARS_TARGET:,}/s",
        met=quiet.bars_per_second >= BARS_TARGET,
    )
    for cycles in CYCLES:
        # The first bar of each instrument has no return yet, the last order no bar to fill it.
        swinging = run_backtest(file, swinging_market(cycles + 10))
        assert swinging.summary.fills == cycles, swinging.summary
        rate = swinging.summary.fills / swinging.seconds
        yield Line(
            what=f"backtest, full order cycles, {cycles:,} orders",
            rate=f"{rate:,.0f}/s",
            target=f">= {CYCLES_TARGET:,}/s, flat",
            met=rate >= CYCLES_TARGET,
        )
    yield Line(
        what="backtest, memory kept for ever",
        rate=f"{_bytes_per_order():,.0f} B/order",
        note="ids of intents and trades, once for ever; the ledger's fills",
    )


def _bytes_per_order() -> float:
    few, many = (_bytes_after(cycles) for cycles in MEMORY_CYCLES)
    return (many - few) / (MEMORY_CYCLES[1] - MEMORY_CYCLES[0])


def _bytes_after(cycles: int) -> int:
    file = measured_desk()
    gc.collect()
    tracemalloc.start()
    data = swinging_market(cycles)
    desk = assemble(file, data.ts_first, {})
    desk.backtest.run(open_waves(FeedConfig(), file.desk, data))
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size
