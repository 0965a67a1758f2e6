"""A person in front of the page of a desk that runs: watches, decides, stops it, lets it go on."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.console.chromium import PATIENCE_MS, Watched, chromium, watched
from tests.e2e.desk import children, journal, running, wait_until, write_slice

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.timeout(300)]

# Two days of the data are a second; an entry waits for thirty seconds.
PACE = ("--speed", "172800")
ASKS = {
    "INTERLOCK__STRATEGY__APPROVAL": "entries",
    "INTERLOCK__STRATEGY__APPROVAL_SECONDS": str(60 * 86_400),
    "INTERLOCK__STRATEGY__APPROVAL_MAX_MOVE_BPS": "5000",
}
PLACES = ("", "decisions", "orders", "approvals", "days", "policy", "services")
MOST_STOPS = 12
# Returns the name of what has the focus, which must be seen to have it.
FOCUSED = """() => {
  const found = document.activeElement, style = getComputedStyle(found);
  if (style.outlineStyle === "none" || !found.getBoundingClientRect().width) return "nothing seen";
  return found.getAttribute("aria-label") ?? found.innerText;
}"""
CONNECTED = re.compile("^Connected")
BAD = {"serious", "critical"}


@dataclass(frozen=True, slots=True)
class Desk:
    state: Path
    url: str
    token: str

    def decided(self) -> dict[str, bool]:
        rows = journal(self.state)["approval.decided.v1"]
        return {one["request_id"]: one["approved"] for one in rows}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    del browser  # without one there is nothing to start a desk for
    state = tmp_path_factory.mktemp("state")
    data = write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=480, rows=2_400)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(state, data, *PACE, "--port", str(port), **ASKS):
        token = state / "secrets" / "console-token"
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: token.exists() and _answers(url))
        yield Desk(state, url, token.read_text().strip())


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/session").status_code == httpx.codes.UNAUTHORIZED
    except httpx.TransportError:
        return False


@pytest.fixture
def person(browser: Browser, desk: Desk) -> Iterator[Watched]:
    with watched(browser, desk.url) as seen:
        seen.log_in(desk.token)
        expect(seen.page.locator(".foot")).to_have_text(CONNECTED, timeout=PATIENCE_MS)
        yield seen


def test_wrong_token_is_refused_in_words(browser: Browser, desk: Desk):
    with watched(browser, desk.url) as seen:
        seen.log_in("nobody's")
        expect(seen.page.get_by_role("alert")).to_contain_text("nobody has this token")
        expect(seen.page.get_by_role("button", name="Kill")).to_have_count(0)


def test_desk_is_watched_live_without_loading_again(person: Watched):
    page = person.page
    expect(page.get_by_text("armed, trading")).to_be_visible(timeout=PATIENCE_MS)
    clock = page.locator(".foot .num").first
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=PATIENCE_MS)
    first = page.locator("table.decisions tbody tr a.id").first
    expect(first).to_be_visible(timeout=PATIENCE_MS)
    newest = first.inner_text()
    expect(first).not_to_have_text(newest, timeout=PATIENCE_MS)
    expect(page.locator(".chart canvas").first).to_be_visible(timeout=PATIENCE_MS)


def test_decision_is_followed_from_bar_to_verdict(person: Watched):
    page = person.page
    person.show("decisions?kind=proposal")
    page.locator("table.decisions a.id").first.click(timeout=PATIENCE_MS)
    expect(page.get_by_role("heading", name="Trace, from bar to fill")).to_be_visible()
    row = page.locator(".wf-row").first
    row.click()
    expect(row).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("heading", name="What the model said")).to_be_visible()
    expect(page.get_by_role("region", name="Proposals")).to_contain_text("threshold_bps")
    person.show("decisions/0000")
    expect(page.get_by_role("alert")).to_contain_text("unknown")


def test_people_approve_one_entry_and_reject_another(person: Watched, desk: Desk):
    page = person.page
    person.show("approvals")
    card = page.locator("article.approval").last
    card.get_by_role("button", name="Approve").click(timeout=PATIENCE_MS)
    wait_until(lambda: True in desk.decided().values())
    page.get_by_role("button", name="Reject…").first.click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Reject")).to_be_disabled()
    dialog.get_by_label("Reason").fill("too late in the day")
    dialog.get_by_role("button", name="Reject").click()
    wait_until(lambda: False in desk.decided().values())
    page.get_by_text("All", exact=True).click()
    expect(page.get_by_role("region", name="Approvals so far")).to_contain_text("approved")


def test_policy_is_compared_and_rolled_back(person: Watched, desk: Desk):
    page = person.page
    wait_until(lambda: len(journal(desk.state)["policy.changed.v1"]) > 1)
    person.show("policy")
    expect(page.locator(".diff-row.changed")).to_contain_text("threshold_bps")
    page.get_by_role("button", name="Roll back to v1", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the first was better")
    dialog.get_by_role("button", name="Roll back").click()
    wait_until(
        lambda: any(
            "the first was better" in one["reason"]
            for one in journal(desk.state)["policy.changed.v1"]
        )
    )
    versions = page.get_by_role("region", name="Versions")
    expect(versions).to_contain_text("the first was better", timeout=PATIENCE_MS)


def test_kill_and_every_page_are_reached_with_the_keyboard_alone(browser: Browser, desk: Desk):
    with watched(browser, desk.url) as seen:
        page = seen.page
        expect(page.get_by_label("Your token")).to_be_focused()
        page.keyboard.type(desk.token)
        page.keyboard.press("Enter")
        page.locator(".foot .pulse.up").wait_for()
        passed: list[str] = []
        while "Log out" not in "".join(passed):
            page.keyboard.press("Tab")
            passed.append(page.evaluate(FOCUSED))
            assert len(passed) < MOST_STOPS, passed
        assert passed[0] == "Skip to the page"
        assert [name for name in passed if name.startswith("Kill")], passed
        for key, title in {"l": "Decisions", "a": "Approvals", "p": "Policy"}.items():
            page.keyboard.press("g")
            page.keyboard.press(key)
            expect(page.get_by_role("heading", level=1)).to_have_text(title)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("to the kill button")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("k")
        expect(page.locator("[data-kill]")).to_be_focused()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("fetch('http://192.0.2.1/').catch(() => 0)", "Content Security Policy"),
        ("document.body.append(Object.assign(new Image(), {src: '//192.0.2.1/x'}))", "Security"),
        ("document.body.innerHTML = '<p onclick=1 style=color:red>'", "Security"),
        ("setTimeout(() => { throw new Error('odd') })", "odd"),
    ],
)
def test_what_must_not_happen_in_a_page_would_be_seen(
    browser: Browser, desk: Desk, harm: str, said: str
):
    with pytest.raises(AssertionError, match=said):
        _watch_it_happen(browser, desk, harm)


def _watch_it_happen(browser: Browser, desk: Desk, harm: str) -> None:
    with watched(browser, desk.url) as seen:
        seen.page.get_by_label("Your token").wait_for()
        seen.page.evaluate(f"() => {{ {harm}; }}")
        wait_until(lambda: seen.page.evaluate("() => 1") and seen.faults)


def _serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} at {one['nodes'][0]['html']}: {one['nodes'][0].get('failureSummary')}"
        for one in found
        if one["impact"] in BAD
    ]


@pytest.mark.parametrize(("width", "colours"), [(1440, "light"), (1440, "dark"), (360, "dark")])
def test_nobody_is_shut_out(browser: Browser, desk: Desk, colours: str, width: int):
    size = {"width": width, "height": 800}
    with watched(browser, desk.url, color_scheme=colours, viewport=size) as seen:
        page = seen.page
        page.get_by_label("Your token").wait_for()
        assert not _serious(page)
        seen.log_in(desk.token)
        for place in PLACES:
            seen.show(place)
            page.locator("main .panel").first.wait_for()
            assert not _serious(page), place
            wider = "() => document.documentElement.scrollWidth - innerWidth"
            assert page.evaluate(wider) <= 0, f"{place} is wider than the screen"
        page.goto(f"{desk.url}/#/decisions?kind=proposal")
        page.locator("table.decisions a.id").first.click()
        page.get_by_role("heading", name="Trace, from bar to fill").wait_for()
        assert not _serious(page), "a decision"
        page.keyboard.press("?")
        page.get_by_role("dialog").wait_for()
        assert not _serious(page), "the help"


def test_kill_is_one_press_and_going_on_is_typed(person: Watched, desk: Desk):
    page = person.page
    page.keyboard.press("K")
    expect(page.locator("[data-kill]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".banner.alarm")).to_contain_text("Kill switch pressed")
    assert not _serious(page)
    assert (desk.state / "KILL_SWITCH").exists()
    page.get_by_role("button", name="Resume…").click()
    dialog = page.get_by_role("dialog")
    go_on = dialog.get_by_role("button", name="Resume", exact=True)
    assert not _serious(page)
    dialog.get_by_label("Why may it go on?").fill("looked at it")
    dialog.get_by_label(re.compile("^Type")).fill("resume")
    expect(go_on).to_be_disabled()
    dialog.get_by_label(re.compile("^Type")).fill("resume params")
    go_on.click()
    expect(page.get_by_text("armed, trading")).to_be_visible()
    expect(page.locator(".banner.alarm")).to_have_count(0)


def test_page_says_when_the_console_is_gone_and_goes_on_after(person: Watched, desk: Desk):
    page = person.page
    before = children(desk.state)["console"]["pid"]
    os.killpg(before, signal.SIGKILL)
    expect(page.locator(".banner.lost")).to_contain_text("Connection lost", timeout=PATIENCE_MS)
    wait_until(lambda: children(desk.state)["console"]["pid"] != before)
    expect(page.locator(".foot")).to_have_text(CONNECTED, timeout=PATIENCE_MS)
    expect(page.locator(".banner.lost")).to_have_count(0, timeout=PATIENCE_MS)
    clock = page.locator(".foot .num").first
    shown = clock.inner_text()
    expect(clock).not_to_have_text(shown, timeout=PATIENCE_MS)
