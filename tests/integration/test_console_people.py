"""What people do in the console, on a real bus with the real policy service, and live changes."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from interlock.model.values import Side
from interlock.runtime.bus.nats import NatsBus
from interlock.runtime.switch_file import read_kill_file
from interlock.testkit.approvals import asked
from interlock.testkit.desk_messages import accepted, denied, fill, intent, submitted, tick
from interlock.wire.approvals import ApprovalDecided
from interlock.wire.catalogue import EXEC, FEED, GATE, STRATEGY
from interlock.wire.policy import PolicyChanged, TradingStateChanged

from tests.integration.console_desk import (
    PATIENCE_SECONDS,
    ConsoleDesk,
    console_desk,
    policy_on,
    until_bus_is_up,
)

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory) -> AsyncIterator[ConsoleDesk]:
    async with console_desk(tmp_path_factory.mktemp("people")) as running, policy_on(running):
        yield running


async def last(desk: ConsoleDesk, kind):
    bus: NatsBus = await desk.bus("console")
    found = await bus.latest([kind])
    await bus.close()
    return found[-1]


async def test_each_command_is_on_the_bus_under_the_persons_name(desk):
    async with desk.person("otto") as operator:
        done = (await operator.post("/api/force-demo", json={"reason": "quiet day"})).json()
        assert (done["outcome"], done["by"]) == ("obeyed", "otto")
        trading = await last(desk, TradingStateChanged)
        assert (trading.author, trading.forced_demo) == ("otto", True)
        refused = await operator.post("/api/clear-quarantine", json={})
        assert (refused.status_code, refused.json()["code"]) == (409, "quarantine.none")
        done = (await operator.post("/api/dial", json={"level": 2})).json()
        assert done["outcome"] == "obeyed"
        version = await last(desk, PolicyChanged)
        assert (version.author, version.parameters["aggressiveness"]) == ("otto", 2.0)
        assert done["policy_version"] == version.version
        back = {"version": version.version - 1, "reason": "too bold"}
        done = (await operator.post("/api/policy/rollback", json=back)).json()
        assert done["policy_version"] == version.version + 1
        again = await operator.post("/api/policy/rollback", json=back)
        assert (again.status_code, again.json()["code"]) == (409, "policy.unchanged")
        assert (await operator.get("/api/state")).json()["dial"]["level"] == 1


async def test_two_people_approve_what_one_cannot_and_twice_is_once(desk):
    request = asked(1, needed=2)
    await desk.say(STRATEGY, request)
    path = f"/api/approvals/{request.request_id}"
    async with desk.person("ada") as ada, desk.person("ben") as ben:
        for _ in range(2):
            said = (await ada.post(f"{path}/approve", json={})).json()
            assert (said["approval"], said["given"]) == ("pending", ["ada"])
        said = (await ben.post(f"{path}/approve", json={"reason": "yes"})).json()
        assert (said["approval"], said["given"]) == ("approved", ["ada", "ben"])
        said = (await ada.post(f"{path}/approve", json={})).json()
        assert said["approval"] == "approved"
        late = await ada.post(f"{path}/reject", json={"reason": "no"})
        assert (late.status_code, late.json()["code"]) == (409, "approved")
    decided = await last(desk, ApprovalDecided)
    assert (decided.approved, decided.by) == (True, ["ada", "ben"])


async def test_an_expired_entry_cannot_be_approved_and_an_unknown_one_is_unknown(desk):
    request = asked(2)
    await desk.say(STRATEGY, request)
    await desk.say(FEED, tick(400))
    async with desk.person("ada") as ada:
        late = await ada.post(f"/api/approvals/{request.request_id}/approve", json={})
        assert (late.status_code, late.json()["code"]) == (409, "expired")
        nobody = await ada.post("/api/approvals/nobodys/approve", json={})
        assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown")


async def test_a_pause_nobody_hears_is_stored_for_who_comes_back(desk):
    async with desk.person("otto") as operator:
        done = (await operator.post("/api/reasoner/pause", json={"reason": "odd"})).json()
        assert done["outcome"] == "stored"


class Stream:
    """An open page: reads events until one is there that was waited for."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.last_id = 0

    async def until(self, wanted) -> list[tuple[str, dict]]:
        """Return what came, up to and with the event that `wanted` says yes to."""
        seen: list[tuple[str, dict]] = []
        name = ""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in self._lines:
                if line.startswith("id: "):
                    assert int(line[4:]) > self.last_id, "numbers grow"
                    self.last_id = int(line[4:])
                elif line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    seen.append((name, json.loads(line[6:])))
                    if wanted(*seen[-1]):
                        return seen
        raise AssertionError("the stream has ended")


def of_order(intent_id: str, status: str):
    return lambda name, data: (
        name == "order" and data["intent_id"] == intent_id and data["status"] == status
    )


async def test_what_happens_on_the_bus_is_on_an_open_page(desk):
    wanted, refused = intent(40), intent(43)
    async with desk.person("vera") as viewer, viewer.stream("GET", "/api/stream") as response:
        page = Stream(response)
        await page.until(lambda name, _: name in ("state", "health"))
        await desk.say(STRATEGY, wanted, refused)
        await desk.say(GATE, denied(43))
        seen = await page.until(of_order(refused.intent_id, "denied"))
        await desk.say(EXEC, submitted(40), accepted(40), fill(40, Side.BUY, 10, 100))
        seen += await page.until(of_order(wanted.intent_id, "filled"))
        seen += await page.until(lambda name, _: name == "fill")
        kinds = {name for name, _ in seen}
        assert {"decision", "denial", "order", "fill"} <= kinds
        decisions = [data for name, data in seen if name == "decision"]
        verdicts = {one["intent_id"]: one["verdict"] for one in decisions}
        assert verdicts == {wanted.intent_id: "approved", refused.intent_id: "denied"}


async def test_a_console_that_died_is_found_again_and_says_what_was_missed(desk):
    async with desk.person("vera") as viewer:
        async with viewer.stream("GET", "/api/stream") as response:
            page = Stream(response)
            await page.until(lambda name, _: name == "health")
            desk.stop_console(signal.SIGKILL)
            with pytest.raises((httpx.TransportError, AssertionError)):
                await page.until(lambda *_: False)
        await desk.start_console()
        await until_bus_is_up(viewer)
        resumed = {"Last-Event-ID": str(page.last_id)}
        async with viewer.stream("GET", "/api/stream", headers=resumed) as response:
            assert response.status_code == 200, "nobody has to log in again"
            again = Stream(response)
            seen = await again.until(lambda name, _: name == "missed")
            assert seen[-1][1] == {"missed": True}
            await again.until(lambda name, _: name == "health")
            assert again.last_id > page.last_id


async def test_a_page_that_comes_back_soon_gets_what_it_missed(desk):
    wanted = intent(50)
    async with (
        desk.person("vera") as viewer,
        desk.person("otto") as other,
        other.stream("GET", "/api/stream") as watching,
    ):
        watcher = Stream(watching)
        async with viewer.stream("GET", "/api/stream") as response:
            page = Stream(response)
            await page.until(lambda name, _: name == "health")
        await desk.say(STRATEGY, wanted)
        await watcher.until(of_order(wanted.intent_id, "initialized"))
        resumed = {"Last-Event-ID": str(page.last_id)}
        async with viewer.stream("GET", "/api/stream", headers=resumed) as response:
            seen = await Stream(response).until(of_order(wanted.intent_id, "initialized"))
            assert "missed" not in {name for name, _ in seen}


async def test_an_orderly_end_ends_open_pages_too(desk):
    async with desk.person("vera") as viewer:
        async with viewer.stream("GET", "/api/stream") as response:
            page = Stream(response)
            await page.until(lambda name, _: name == "health")
            assert await asyncio.to_thread(desk.stop_console) == 0
            with pytest.raises((httpx.TransportError, AssertionError)):
                await page.until(lambda *_: False)
        await desk.start_console()


async def test_with_the_database_gone_the_desk_is_still_seen_and_lists_are_a_503(desk):
    await desk.database.stop()
    async with desk.person("vera") as viewer:
        state = await viewer.get("/api/state")
        assert (state.status_code, state.json()["database_up"]) == (200, False)
        for path in ("/api/decisions", "/api/orders", "/api/decisions/x", "/api/scorecard"):
            answer = await viewer.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "database")


async def test_kill_needs_the_disk_only(desk):
    """The database is gone already; now the bus goes as well."""
    async with desk.person("otto") as operator:
        desk.nats.process.kill()
        await desk.nats.wait()
        answer = await operator.post("/api/kill", json={"reason": "all is\nodd"})
        body = answer.json()
        assert answer.status_code == 200
        assert (body["file_written"], body["told"], body["confirmed"]) == (True, False, False)
        found = read_kill_file(desk.state.root)
        assert (found.reason, found.by) == ("all is odd", "otto")
        state = (await operator.get("/api/state")).json()
        assert state["kill_switch"]["file_there"]
        assert state["bus_up"] is False
        for path, said in {
            "/api/resume": {"reason": "x", "confirm": "resume params"},
            "/api/force-demo": {},
        }.items():
            refused = await operator.post(path, json=said)
            assert (refused.status_code, refused.json()["code"]) == (503, "bus")
        assert read_kill_file(desk.state.root) is not None, "a resume nobody hears arms nothing"
