"""The console's page in a Chromium that has never seen it: when it paints, and what it loads."""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from tests.bench.report import Line, millis, percentile
from tests.e2e.console.chromium import system_chromium
from tests.integration.console_desk import ConsoleDesk, console_desk

VISITS = 10
PAINT_TARGET_SECONDS = 1.0
SIZE_TARGET_BYTES = 300_000
PAINTED = """() => performance.getEntriesByName("first-contentful-paint")[0].startTime"""
LOADED = """() => performance.getEntriesByType("resource")
  .concat(performance.getEntriesByType("navigation"))
  .filter((one) => !new URL(one.name).pathname.startsWith("/api/"))
  .reduce((sum, one) => sum + one.transferSize, 0)"""
SHOWN = """() => performance.now()"""


def measure() -> Iterable[Line]:
    """Visit the desk's page with an empty cache, as a person who is logged in."""
    chromium = system_chromium()
    if chromium is None:
        return [Line(what="first paint", note="no Chromium here")]
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        return asyncio.run(_measure(Path(folder), chromium))


async def _measure(folder: Path, chromium: str) -> list[Line]:
    painted: list[float] = []
    shown: list[float] = []
    loaded = 0
    async with console_desk(folder) as desk, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(VISITS):
            paint, figures, size = await _visit(browser, desk)
            painted.append(paint)
            shown.append(figures)
            loaded = max(loaded, size)
        await browser.close()
    slowest = max(painted)
    return [
        Line(
            what="first paint of the console's page, empty cache",
            p50=millis(percentile(painted, 0.5)),
            p99=millis(slowest),
            target=f"<= {millis(PAINT_TARGET_SECONDS)}",
            met=slowest <= PAINT_TARGET_SECONDS,
            note=f"desk's figures and decisions on it after {millis(percentile(shown, 0.5))}",
        ),
        Line(
            what="whole page over the wire",
            rate=f"{loaded / 1_000:.0f} kB",
            target=f"<= {SIZE_TARGET_BYTES // 1_000} kB",
            met=0 < loaded <= SIZE_TARGET_BYTES,
        ),
    ]


async def _visit(browser: Browser, desk: ConsoleDesk) -> tuple[float, float, int]:
    """Return the seconds to the first paint and to the last figure, and the bytes of the page."""
    context = await browser.new_context()
    await context.request.post(f"{desk.url}/api/login", data={"token": desk.tokens["vera"]})
    page = await context.new_page()
    await page.goto(desk.url)
    await page.locator("table.decisions a.id").first.wait_for()
    figures: float = await page.evaluate(SHOWN)
    await page.locator(".chart canvas").or_(page.get_by_text("No equity yet")).first.wait_for()
    paint: float = await page.evaluate(PAINTED)
    size: int = await page.evaluate(LOADED)
    await context.close()
    return paint / 1_000, figures / 1_000, size
