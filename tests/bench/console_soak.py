"""The console and its page left open at 200 events a second: how late the screen is, what grows.

Theory of operation. A real console hears a made-up desk on a real bus. A real Chromium shows the
desk's page, with a price chart and its marks. An intent's time is taken just before it is
published, and again in the frame after its line is in the page's table of latest decisions. Memory
is the console's resident set, and the page's JavaScript heap after a collection. What has a bound
fills in the first third; the medians of the second and of the last third are compared.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from statistics import median

from interlock.runtime.bus.nats import NatsBus
from interlock.testkit.decisions import account
from interlock.testkit.desk_messages import accepted, bar, denied, fill, intent, submitted, tick
from interlock.wire.base import Message
from interlock.wire.catalogue import EXEC, FEED, GATE, LEDGER, STRATEGY
from playwright.async_api import CDPSession, Page, async_playwright

from tests.bench.report import Line, millis, percentile
from tests.e2e.console.chromium import system_chromium
from tests.integration.console_desk import ConsoleDesk, console_desk

EVENTS_PER_SECOND, BATCHES_PER_SECOND = 200, 20
BARS, ACCOUNTS, TICKS = 4, 4, 2
"""Of a second's events; the others are of orders."""
SCREEN_TARGET_SECONDS = 0.300
GROWTH_TARGET_BYTES = 8 * 1024**2
SAMPLES = 30
FIRST_ORDER = 1_000_000
DENIED_EACH = 4
_MIB = 1024**2
_MEMORY_PAGE = 4_096

WATCH = """() => {
  window.shown = [];
  let before = new Set();
  let isAsked = false;
  const look = () => {
    isAsked = false;
    const at = Date.now(), now = new Set();
    for (const link of document.querySelectorAll("table.decisions a.id")) {
      const id = link.hash.split("/").pop();
      now.add(id);
      if (!before.has(id)) window.shown.push([id, at]);
    }
    before = now;
  };
  const changed = () => { if (!isAsked) { isAsked = true; requestAnimationFrame(look); } };
  const options = { childList: true, subtree: true, attributes: true, attributeFilter: ["href"] };
  new MutationObserver(changed).observe(document.querySelector("main"), options);
}"""


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes of the console's process and of the page's heap, and the page's nodes."""

    resident: int
    heap: int
    nodes: int


@dataclass(slots=True)
class Soak:
    """What was sent and is not on the screen yet, how late the rest was, and what was held."""

    sent: dict[str, float] = field(default_factory=dict[str, float])
    late: list[float] = field(default_factory=list[float])
    samples: list[Sample] = field(default_factory=list[Sample])
    published: int = 0


def measure(minutes: float) -> Iterable[Line]:
    """Leave one console and one page alone with a busy desk for so many minutes."""
    chromium = system_chromium()
    if chromium is None:
        return [Line(what="console left open", note="no Chromium here")]
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        return asyncio.run(_measure(Path(folder), chromium, minutes * 60))


async def _measure(folder: Path, chromium: str, seconds: float) -> list[Line]:
    soak = Soak()
    async with console_desk(folder) as desk, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        devtools = await _opened(page, desk)
        live = asyncio.create_task(_live(desk, soak))
        began = time.monotonic()
        for number in range(1, SAMPLES + 1):
            until = began + seconds * number / SAMPLES
            while (left := until - time.monotonic()) > 0:
                await asyncio.sleep(min(1.0, left))
                assert not live.done(), await live
                await _collect(page, soak)
            soak.samples.append(await _sample(desk, devtools))
            _say(number, soak)
        took = time.monotonic() - began
        live.cancel()
        with suppress(asyncio.CancelledError):
            await live
        await browser.close()
    return _lines(soak, took)


async def _opened(page: Page, desk: ConsoleDesk) -> CDPSession:
    """Open the desk's page on the price of SPY; return what its memory is asked of."""
    await page.goto(desk.url)
    await page.get_by_label("Your token").fill(desk.tokens["vera"])
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("heading", name="Latest decisions").wait_for()
    await page.locator(".charts .tab", has_text="SPY").click()
    await page.evaluate(WATCH)
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")
    await devtools.send("HeapProfiler.enable")
    return devtools


async def _live(desk: ConsoleDesk, soak: Soak) -> None:
    """Say what a busy desk says, at a steady pace, each service with its own identity."""
    names = (FEED, STRATEGY, GATE, EXEC, LEDGER)
    buses = {name: await desk.bus(name) for name in names}
    began, number = time.monotonic(), FIRST_ORDER
    of_orders = EVENTS_PER_SECOND - BARS - ACCOUNTS - TICKS
    batch = 0
    left: list[tuple[str, Message]] = []
    try:
        while True:
            await asyncio.sleep(max(0.0, began + batch / BATCHES_PER_SECOND - time.monotonic()))
            while len(left) < of_orders:
                number += 1
                left += _order(number)
            share = of_orders // BATCHES_PER_SECOND + (batch % 2)
            now, left = left[:share], left[share:]
            now += _market(number, batch)
            await _publish(buses, now, soak)
            batch += 1
    finally:
        for bus in buses.values():
            await bus.close()


async def _publish(
    buses: dict[str, NatsBus], said: Sequence[tuple[str, Message]], soak: Soak
) -> None:
    at = time.time()
    for service, message in said:
        if service == STRATEGY:
            soak.sent[message.decision_id] = at
    by_service = {name: [m for who, m in said if who == name] for name, _ in said}
    await asyncio.gather(*(buses[name].publish(mine, {}) for name, mine in by_service.items()))
    soak.published += len(said)


def _order(n: int) -> list[tuple[str, Message]]:
    if n % DENIED_EACH == 0:
        return [(STRATEGY, intent(n)), (GATE, denied(n))]
    lived = (submitted(n), accepted(n), fill(n, price=Decimal(100)))
    return [(STRATEGY, intent(n)), *((EXEC, one) for one in lived)]


def _market(n: int, batch: int) -> list[tuple[str, Message]]:
    """Return a batch's part of the second's ticks, bars and accounts, each with a time of its own.

    A second of ours is about fifty of the desk's, so these numbers grow by one a batch.
    """
    at = FIRST_ORDER + batch
    place = batch % BATCHES_PER_SECOND
    said: list[tuple[str, Message]] = []
    if place % (BATCHES_PER_SECOND // BARS) == 0:
        said.append((FEED, bar(at, 100.0 + (batch % 50) / 10)))
    if place % (BATCHES_PER_SECOND // ACCOUNTS) == 1:
        said.append((LEDGER, account(at)))
    if place % (BATCHES_PER_SECOND // TICKS) == 2:
        said.append((FEED, tick(n)))
    return said


async def _collect(page: Page, soak: Soak) -> None:
    """Take what was shown since the last time; a line that comes back was counted already."""
    shown: str = await page.evaluate("() => JSON.stringify(window.shown.splice(0))")
    for decision_id, at_ms in json.loads(shown):
        began = soak.sent.pop(decision_id, None)
        if began is not None:
            soak.late.append(at_ms / 1_000 - began)


async def _sample(desk: ConsoleDesk, devtools: CDPSession) -> Sample:
    await devtools.send("HeapProfiler.collectGarbage")
    answer = await devtools.send("Performance.getMetrics")
    figures = {one["name"]: int(one["value"]) for one in answer["metrics"]}
    return Sample(_resident(desk), figures["JSHeapUsedSize"], figures["Nodes"])


def _resident(desk: ConsoleDesk) -> int:
    assert desk.process is not None
    text = Path(f"/proc/{desk.process.pid}/statm").read_text(encoding="ascii")
    return int(text.split()[1]) * _MEMORY_PAGE


def _say(number: int, soak: Soak) -> None:
    last = soak.samples[-1]
    sys.stderr.write(
        f"{number}/{SAMPLES}: {soak.published:,} events, {len(soak.late):,} seen on the screen, "
        f"console {last.resident / _MIB:.1f} MiB, page {last.heap / _MIB:.2f} MiB, "
        f"{last.nodes:,} nodes\n"
    )


def _grown(values: Sequence[int]) -> float:
    third = len(values) // 3
    return median(values[-third:]) - median(values[third:-third])


def _lines(soak: Soak, seconds: float) -> list[Line]:
    p99 = percentile(soak.late, 0.99)
    rate = soak.published / seconds
    resident = [one.resident for one in soak.samples]
    heap = [one.heap for one in soak.samples]
    nodes = [one.nodes for one in soak.samples]
    missed = len(soak.sent) / (len(soak.sent) + len(soak.late))
    screen = Line(
        what="event on the bus to its line on the screen, in Chromium",
        p50=millis(percentile(soak.late, 0.5)),
        p99=millis(p99),
        rate=f"{rate:.0f}/s",
        target=f"p99 <= {millis(SCREEN_TARGET_SECONDS)}",
        met=p99 <= SCREEN_TARGET_SECONDS,
        note=f"{len(soak.late):,} lines, slowest {millis(max(soak.late))}, {missed:.1%} not shown",
    )
    growth = [
        Line(
            what=f"{what} over {seconds / 60:.0f} minutes",
            rate=f"{rate:.0f}/s",
            target=f"grows <= {GROWTH_TARGET_BYTES / _MIB:.0f} MiB",
            met=_grown(values) <= GROWTH_TARGET_BYTES,
            note=f"{_grown(values) / _MIB:+.2f} MiB from its second third to its last; "
            f"{values[0] / _MIB:.1f} MiB at first, {values[-1] / _MIB:.1f} at last",
        )
        for what, values in (("console's process", resident), ("page's heap", heap))
    ]
    steady = f"{nodes[0]:,}, {round(median(nodes)):,}, {nodes[-1]:,} nodes"
    return [screen, *growth, Line(what="page's nodes", note=steady)]
