"""The system's Chromium as a person in front of the console, and what must never happen there."""

import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser as AsyncBrowser
from playwright.async_api import ConsoleMessage as AsyncConsoleMessage
from playwright.async_api import Page as AsyncPage
from playwright.async_api import Request as AsyncRequest
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


def watch(page: Page | AsyncPage, url: str) -> list[str]:
    """Return the list that everything will be in that goes wrong in a page from now on."""
    faults: list[str] = []

    def on_console(message: ConsoleMessage | AsyncConsoleMessage) -> None:
        # A refused or broken request is logged by the browser itself; the page shows it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def on_request(request: Request | AsyncRequest) -> None:
        if not request.url.startswith(url):
            faults.append(f"left the machine: {request.url}")

    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(f"asked: {dialog.message}"))
    page.on("console", on_console)
    page.on("request", on_request)
    return faults


@dataclass
class Watched:
    """A page of one person, with everything that went wrong in it."""

    page: Page
    url: str
    faults: list[str]

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
    page = context.new_page()
    seen = Watched(page, url, watch(page, url))
    page.goto(url)
    yield seen
    context.close()
    assert not seen.faults, seen.faults


@asynccontextmanager
async def logged_in(browser: AsyncBrowser, url: str, token: str) -> AsyncGenerator[AsyncPage]:
    """Open a person's page, held to the same."""
    context = await browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    faults = watch(page, url)
    await page.goto(url)
    await page.get_by_label("Your token").fill(token)
    await page.get_by_role("button", name="Log in").click()
    await page.locator(".foot .pulse.up").wait_for()
    yield page
    await context.close()
    assert not faults, faults
