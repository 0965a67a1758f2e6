"""What a model wrote is text on the page, however long and whatever it pretends to be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from interlock.testkit.decisions import proposal
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.console.chromium import PATIENCE_MS, chromium_path
from tests.integration.console_desk import SCRIPT, THESIS, ConsoleDesk, console_desk

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.timeout(180)]

MOST_DRAWN = 100_000


@asynccontextmanager
async def page_of(desk: ConsoleDesk, name: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox"]
        )
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(desk.url)
        await page.get_by_label("Your token").fill(desk.tokens[name])
        await page.get_by_role("button", name="Log in").click()
        await page.get_by_role("heading", name="Latest decisions").wait_for()
        yield page
        await browser.close()


async def test_script_of_a_megabyte_is_shown_as_text_and_runs_nowhere(tmp_path):
    chromium_path()
    async with console_desk(tmp_path) as desk, page_of(desk, "vera") as page:
        ran: list[str] = []
        page.on("dialog", lambda dialog: ran.append(dialog.message))
        own_scripts = await page.locator("script").count()
        await page.goto(f"{desk.url}/#/decisions/{proposal(1, 1.1).decision_id}")
        answer = page.get_by_role("region", name="Raw answer")
        await expect(answer).to_contain_text(SCRIPT)
        await expect(page.get_by_text(f"of {len(THESIS):,} characters").first).to_be_visible()
        await page.get_by_role("button", name="Show 40,000 more").first.click()
        drawn = await page.evaluate("() => document.body.textContent.length")
        assert 40_000 < drawn < MOST_DRAWN
        assert await page.locator("script").count() == own_scripts
        assert ran == []


async def test_page_shows_the_words_of_a_refusal(tmp_path):
    chromium_path()
    async with console_desk(tmp_path) as desk, page_of(desk, "vera") as page:
        await page.get_by_role("button", name="Kill").click()
        await expect(page.locator(".toast")).to_contain_text("vera is viewer, not operator")
        assert not (desk.state.root / "KILL_SWITCH").exists()
