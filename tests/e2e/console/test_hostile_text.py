"""What a model wrote is text on the page, however long and whatever it pretends to be."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from interlock.testkit.decisions import proposal
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.console.chromium import chromium_path, logged_in
from tests.integration.console_desk import SCRIPT, THESIS, ConsoleDesk, console_desk

pytestmark = [
    pytest.mark.servers,
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.asyncio(loop_scope="module"),
]

MOST_DRAWN = 100_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory) -> AsyncIterator[ConsoleDesk]:
    chromium_path()
    async with console_desk(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(desk: ConsoleDesk) -> AsyncIterator[Page]:
    """Return a viewer's page; at the end nothing may have run in it and nothing left it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox"]
        )
        async with logged_in(browser, desk.url, desk.tokens["vera"]) as page:
            yield page
        await browser.close()


async def test_script_of_a_megabyte_is_shown_as_text_and_runs_nowhere(
    desk: ConsoleDesk, page: Page
):
    own_scripts = await page.locator("script").count()
    await page.goto(f"{desk.url}/#/decisions/{proposal(1, 1.1).decision_id}")
    answer = page.get_by_role("region", name="Raw answer")
    await expect(answer).to_contain_text(SCRIPT)
    await expect(page.get_by_text(f"of {len(THESIS):,} characters").first).to_be_visible()
    await page.get_by_role("button", name="Show 40,000 more").first.click()
    drawn = await page.evaluate("() => document.body.textContent.length")
    assert 40_000 < drawn < MOST_DRAWN
    assert await page.locator("script").count() == own_scripts


async def test_page_shows_the_words_of_a_refusal(desk: ConsoleDesk, page: Page):
    await page.get_by_role("button", name="Kill").click()
    await expect(page.locator(".toast")).to_contain_text("vera is viewer, not operator")
    assert not (desk.state.root / "KILL_SWITCH").exists()
