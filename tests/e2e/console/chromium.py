"""The system's Chromium as a person in front of the console, and what must never happen there."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

PATIENCE_MS = 60_000
NAMES = ("chromium", "chromium-browser", "google-chrome")


def system_chromium() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def chromium_path() -> str:
    path = system_chromium()
    if path is None:
        pytest.skip("no Chromium here: the console's page is not tried (apt-get install chromium)")
    return path


@contextmanager
def chromium() -> Generator[Browser]:
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass  # without slots: Playwright notes its wrappers on the listening object
class Watched:
    """A page of one person, with everything that went wrong in it."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refused or broken request is logged by the browser itself; the page shows it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(self.url):
            self.faults.append(f"left the machine: {request.url}")

    def log_in(self, token: str) -> None:
        self.page.get_by_label("Your token").fill(token)
        self.page.get_by_role("button", name="Log in").click()

    def show(self, place: str) -> None:
        self.page.goto(f"{self.url}/#/{place}")


@contextmanager
def watched(browser: Browser, url: str, **options: object) -> Generator[Watched]:
    """Open a page; at the end nothing may have gone wrong and nothing left the machine."""
    context = browser.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(PATIENCE_MS)
    seen = Watched(context.new_page(), url)
    seen.listen()
    seen.page.goto(url)
    yield seen
    context.close()
    assert not seen.faults
