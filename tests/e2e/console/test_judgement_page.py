"""The pages of a desk with models in a real browser: days, escalations, scores, modes, the dial."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from interlock.testkit.desk_messages import DESK
from interlock.wire.catalogue import POLICY, STRATEGY
from interlock.wire.decisions import Mode, ModeChanged
from msgspec.structs import replace
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.console.chromium import chromium_path, logged_in
from tests.integration.console_desk import SCRIPT, ConsoleDesk, console_desk
from tests.integration.test_console_judgement import (
    ANSWERED,
    CHANGED,
    DECISION,
    FIRED,
    OVER,
    SCORED,
    SECTIONS,
    WRITTEN,
    numbered,
)

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.timeout(180)]

HOSTILE = replace(WRITTEN[1], root_cause=f"{SCRIPT} it fell", recommendations=[SCRIPT])
OFFLINE = "local reasoner offline, RL-only mode"


@asynccontextmanager
async def page_of(desk: ConsoleDesk, name: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox"]
        )
        async with logged_in(browser, desk.url, desk.tokens[name]) as page:
            yield page
        await browser.close()


async def test_days_show_what_was_written_what_fired_and_the_way_on(tmp_path):
    chromium_path()
    messages = [*FIRED, WRITTEN[0], HOSTILE, *OVER]
    promotion = numbered("policy.promotion.v1", 90)
    async with console_desk(tmp_path, *messages, sections=SECTIONS) as desk:
        await desk.say(POLICY, promotion)
        async with page_of(desk, "vera") as page:
            own_scripts = await page.locator("script").count()
            await page.goto(f"{desk.url}/#/days")
            await expect(
                page.get_by_role("heading", name="Post-mortem of 2008-05-02")
            ).to_be_visible()
            await expect(page.locator(".written")).to_contain_text(SCRIPT)
            assert await page.locator("script").count() == own_scripts
            fired = page.get_by_role("region", name="Escalations")
            await expect(fired.get_by_text("not granted", exact=True)).to_have_count(1)
            await expect(page.locator(".criteria li")).to_have_count(len(promotion.criteria))
            await page.get_by_text("Kills and escalations", exact=True).click()
            days = page.get_by_role("region", name="Days")
            await expect(days.get_by_text("kill day")).to_be_visible()
            await expect(days.get_by_text("2008-05-02")).to_have_count(0)
            await days.get_by_role("link", name="2008-05-01").click()
            heading = page.get_by_role("heading", name="Post-mortem of 2008-05-01")
            await expect(heading).to_be_visible()


async def test_a_decision_shows_its_score_and_an_escalation_what_it_changed(tmp_path):
    chromium_path()
    messages = [*FIRED, ANSWERED, CHANGED, SCORED]
    async with (
        console_desk(tmp_path, *messages, sections=SECTIONS) as desk,
        page_of(desk, "vera") as page,
    ):
        await page.goto(f"{desk.url}/#/decisions/{SCORED.decision_id}")
        parts = page.get_by_role("region", name="Parts of the score of IBM")
        await expect(parts).to_contain_text("low liquidity")
        await expect(parts.get_by_text("0.749")).to_be_visible()
        await page.goto(f"{desk.url}/#/decisions/{DECISION}")
        await expect(page.get_by_role("heading", name="Escalations")).to_be_visible()
        await expect(page.get_by_text("as the cloud model")).to_be_visible()
        changed = page.locator(".changes")
        await expect(changed).to_contain_text(f"v{CHANGED.version}")


async def test_what_fails_stands_above_every_page_as_it_begins_and_ends(tmp_path):
    chromium_path()

    def mode(n, *, begun):
        return ModeChanged(
            message_id=f"{n:032x}", decision_id="d" * 32, ts_event=n, desk=DESK, mode=Mode.RL_ONLY,
            begun=begun, reason=OFFLINE,
        )  # fmt: skip

    async with console_desk(tmp_path, sections=SECTIONS) as desk, page_of(desk, "vera") as page:
        await desk.say(STRATEGY, SCORED, mode(901, begun=True))
        banner = page.get_by_role("alert").filter(has_text=OFFLINE)
        await expect(banner).to_be_visible()
        scores = page.get_by_role("region", name="Scores")
        await expect(scores.get_by_role("link", name="IBM")).to_be_visible()
        await desk.say(STRATEGY, mode(902, begun=False))
        await expect(banner).to_have_count(0)
