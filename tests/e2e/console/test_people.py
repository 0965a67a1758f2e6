"""Several people in front of one desk: all see what one does, and each thing happens once."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from interlock.console.tokens import add_token, revoke
from interlock.console.views.people import Role
from interlock.runtime.switch_file import read_kill_file, read_switch
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.e2e.console.chromium import PATIENCE_MS, chromium_path, logged_in
from tests.integration.drill_desk import DrillDesk, drill_desk

pytestmark = [
    pytest.mark.stack,
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

ORDERS = 100
SCRIPT = "<script>alert('approve me')</script><img src=x onerror=alert(1)>"
DISSENT = SCRIPT + "y" * 500_000
MOST_DRAWN = 100_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    path = chromium_path()
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        await found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(browser: Browser, tmp_path_factory) -> AsyncIterator[DrillDesk]:
    del browser, tmp_path_factory  # without the first there is nothing to start a desk for
    async with drill_desk() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def otto(browser: Browser, desk: DrillDesk) -> AsyncIterator[Page]:
    async with logged_in(browser, desk.url, desk.tokens["otto"]) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def ada(browser: Browser, desk: DrillDesk) -> AsyncIterator[Page]:
    async with logged_in(browser, desk.url, desk.tokens["ada"]) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def ben(browser: Browser, desk: DrillDesk) -> AsyncIterator[Page]:
    async with logged_in(browser, desk.url, desk.tokens["ben"]) as page:
        yield page


async def shown(locator: Locator) -> None:
    await expect(locator).to_be_visible(timeout=PATIENCE_MS)


async def gone(locator: Locator) -> None:
    await expect(locator).to_have_count(0, timeout=PATIENCE_MS)


async def says(locator: Locator, text: str | re.Pattern[str]) -> None:
    await expect(locator).to_contain_text(text, timeout=PATIENCE_MS)


async def test_one_kill_ends_a_hundred_open_orders_before_everybodys_eyes(
    desk: DrillDesk, otto: Page, ada: Page
):
    await otto.goto(f"{desk.url}/#/orders")
    await desk.open_orders(ORDERS)
    lines = otto.get_by_role("region", name="Table of orders").locator("tbody tr")
    await expect(lines).to_have_count(ORDERS, timeout=PATIENCE_MS)
    # Pressed twice in a hurry, as people do.
    await otto.get_by_role("button", name="Kill", exact=True).dblclick()
    await shown(otto.get_by_text("No open order"))
    for page in (otto, ada):
        banner = page.locator(".banner.alarm")
        await says(banner, "Kill switch pressed by otto")
        await says(banner, f"{ORDERS} cancelled, 0 left open")
    assert read_kill_file(desk.scratch.state.root).by == "otto"

    await ada.get_by_role("button", name="Resume…").click()
    dialog = ada.get_by_role("dialog")
    await dialog.get_by_label("Why may it go on?").fill("looked at all of them")
    typed = dialog.get_by_label(re.compile("^Type"))
    go_on = dialog.get_by_role("button", name="Resume", exact=True)
    for wrong in ("resume", "resume other", "RESUME DRILL"):
        await typed.fill(wrong)
        await expect(go_on).to_be_disabled()
    await typed.fill("resume drill")
    await go_on.click()
    for page in (otto, ada):
        await gone(page.locator(".banner.alarm"))
    assert not read_switch(desk.scratch.state.root).pressed
    await desk.open_orders(1)
    await expect(lines).to_have_count(1, timeout=PATIENCE_MS)


async def test_two_people_approve_what_one_cannot(desk: DrillDesk, ada: Page, ben: Page):
    for page in (ada, ben):
        await page.goto(f"{desk.url}/#/approvals")
    await desk.ask_people(1, needed=2, conviction="1.5", dissent="the move is late")
    cards = [page.locator("article.approval") for page in (ada, ben)]
    for card in cards:
        await says(card, "0 of 2")
        await says(card, "the move is late")
    # One person is one person, however often they press.
    await cards[0].get_by_role("button", name="Approve").dblclick()
    for card in cards:
        await says(card, "1 of 2")
    await cards[0].get_by_role("button", name="Approve").click()
    await says(cards[1], "1 of 2 ada")
    await cards[1].get_by_role("button", name="Approve").click()
    for page, card in zip((ada, ben), cards, strict=True):
        await gone(card)
        await page.get_by_text("All", exact=True).click()
        await says(page.get_by_role("region", name="Approvals so far"), "ada, ben")


async def test_two_people_who_disagree_at_once_get_one_end(desk: DrillDesk, ada: Page, ben: Page):
    for page in (ada, ben):
        await page.goto(f"{desk.url}/#/approvals")
    request = await desk.ask_people(2)
    await ben.get_by_role("button", name="Reject…").click()
    await ben.get_by_role("dialog").get_by_label("Reason").fill("too late in the day")
    await asyncio.gather(
        ada.get_by_role("button", name="Approve").click(),
        ben.get_by_role("dialog").get_by_role("button", name="Reject").click(),
    )
    for page in (ada, ben):
        await gone(page.locator("article.approval"))
    async with desk.person("vera") as viewer:
        items = (await viewer.get("/api/approvals?state=all")).json()["items"]
    (end,) = [one for one in items if one["request_id"] == request]
    assert (end["status"], end["decided_by"]) in [("approved", ["ada"]), ("rejected", ["ben"])]
    late = ben if end["status"] == "approved" else ada
    await says(late.locator(".toast").last, end["status"])


async def test_page_that_stood_still_cannot_approve_what_has_expired(desk: DrillDesk, ada: Page):
    await ada.goto(f"{desk.url}/#/approvals")
    request = await desk.ask_people(3, seconds=6)
    approve = ada.locator("article.approval").get_by_role("button", name="Approve")
    await shown(approve)
    await ada.context.route("**/api/stream", lambda route: route.abort())
    await ada.reload()
    await says(ada.locator(".banner.lost"), "Connection lost")
    await shown(approve)
    async with desk.person("vera") as viewer:
        ended = ""
        while ended != "expired":
            items = (await viewer.get("/api/approvals?state=all")).json()["items"]
            (ended,) = [one["status"] for one in items if one["request_id"] == request]
            await asyncio.sleep(0.2)
    await says(ada.locator("article.approval"), "expired")
    await approve.click()
    await says(ada.locator(".toast"), "expired")
    await gone(ada.locator("article.approval"))


async def test_page_of_who_was_there_before_is_told_that_it_is_stale(desk: DrillDesk, otto: Page):
    await says(otto.locator(".foot"), "otto, operator")
    other = await otto.context.request.post(
        f"{desk.url}/api/login", data={"token": desk.tokens["ada"]}
    )
    assert other.ok
    await otto.get_by_role("button", name="Pause them").click()
    await says(otto.locator(".toast"), "this page is stale")
    await says(otto.locator(".foot"), "ada, approver")
    async with desk.person("vera") as viewer:
        assert not (await viewer.get("/api/state")).json()["reasoner_paused"]


async def test_token_that_is_taken_away_closes_the_open_page(browser: Browser, desk: DrillDesk):
    secrets = desk.scratch.state.secrets
    token = add_token(secrets, "mallory", Role.OPERATOR)
    async with logged_in(browser, desk.url, token) as page:
        revoke(secrets, "mallory")
        await shown(page.get_by_text("Your session has ended"))
        await gone(page.locator("table.decisions"))


async def test_logout_of_one_tab_closes_the_other(desk: DrillDesk, otto: Page):
    other = await otto.context.new_page()
    await other.goto(desk.url)
    await other.get_by_role("button", name="Log out otto").click()
    await shown(other.get_by_label("Your token"))
    await shown(otto.get_by_text("Your session has ended"))


async def test_dissent_of_a_model_is_text_however_long(desk: DrillDesk, ada: Page):
    await ada.goto(f"{desk.url}/#/approvals")
    await desk.ask_people(4, dissent=DISSENT, conviction=SCRIPT)
    card = ada.locator("article.approval")
    await says(card, SCRIPT)
    await says(card, f"of {len(DISSENT):,} characters")
    assert await ada.locator("img").count() == 0
    assert await ada.evaluate("() => document.body.textContent.length") < MOST_DRAWN
    await card.get_by_role("button", name="Reject…").click()
    await ada.get_by_role("dialog").get_by_label("Reason").fill(SCRIPT)
    await ada.get_by_role("dialog").get_by_role("button", name="Reject").click()
    await gone(card)
    await ada.get_by_text("All", exact=True).click()
    await says(ada.get_by_role("region", name="Approvals so far"), SCRIPT)


@pytest.mark.parametrize("place", ["decisions/%", "decisions/%00", "nowhere", "decisions/<b>"])
async def test_address_of_nothing_is_said_to_be_one(desk: DrillDesk, otto: Page, place: str):
    await otto.goto(f"{desk.url}/#/{place}")
    await otto.reload()
    await says(otto.locator("main"), re.compile("unknown|no such page|no word"))
    await shown(otto.get_by_role("button", name="Kill", exact=True))
