"""Alerts from the bus to people, by a console in a process of its own."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from interlock.console.alerts import telling as telling_module
from interlock.console.alerts.addresses import read_addresses
from interlock.console.alerts.memory import FILE, Memory, read_memory
from interlock.console.alerts.routes import AlertRoute
from interlock.console.alerts.telling import Telling
from interlock.model.ids import derive_id
from interlock.model.values import Severity
from interlock.testkit.alert_receivers import HttpReceiver, http_receiver
from interlock.wire.catalogue import POLICY
from interlock.wire.system import AlertRaised

from tests.integration.console_desk import PATIENCE_SECONDS, ConsoleDesk, console_desk

pytestmark = [pytest.mark.servers, pytest.mark.asyncio(loop_scope="module")]

SECRET = "s3cr3tT0k3nOfOps"
ROUTES = """
[[console.alerts]]
name = "ops"
urls_file = "secrets/ops.urls"
at_most = 100

[[console.alerts]]
name = "boss"
url_env = "BOSS_URL"
min_severity = "critical"
"""


@pytest.fixture(scope="module")
def ops():
    with http_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def boss():
    with http_receiver() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory, ops, boss) -> AsyncIterator[ConsoleDesk]:
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "secrets").mkdir(mode=0o700)
    url = f"json://ada:{SECRET}@127.0.0.1:{ops.port}/{SECRET}"
    (folder / "secrets" / "ops.urls").write_text(url)
    environment = {
        "BOSS_URL": f"json://127.0.0.1:{boss.port}/{SECRET}",
        "INTERLOCK_LOG": "DEBUG",
    }
    async with console_desk(folder, sections=ROUTES, environment=environment) as running:
        yield running


def alert(
    code: str, text: str = "what happened", severity: Severity = Severity.WARNING, part: int = 0
) -> AlertRaised:
    identity = derive_id("test-alert", code, text, part)
    return AlertRaised(
        message_id=identity,
        decision_id=identity,
        ts_event=time.time_ns(),
        desk="params",
        service=POLICY,
        severity=severity,
        code=code,
        text=text,
        dedupe_key=code,
    )


def told(receiver: HttpReceiver, code: str) -> list[str]:
    """Return the bodies of the messages whose title ends in `code`."""
    posted = [json.loads(one.body) for one in receiver.taken]
    return [one["message"] for one in posted if one["title"].endswith(f": {code}")]


async def until(what) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not what():
            await asyncio.sleep(0.05)


async def test_alert_reaches_who_wants_its_severity_and_only_once(desk, ops, boss):
    same = [alert("first.warning", f"time {n}", part=n) for n in range(3)]
    await desk.say(POLICY, *same, alert("first.critical", severity=Severity.CRITICAL))
    await until(lambda: told(ops, "first.critical") and told(boss, "first.critical"))
    await until(lambda: told(ops, "first.warning"))
    assert [text.splitlines()[0] for text in told(ops, "first.warning")] == ["time 0"]
    assert told(boss, "first.warning") == []
    kept = read_memory(desk.state.root).lines["ops"].quiet
    assert [
        one.count for one in kept.values() if one.last and one.last.code == "first.warning"
    ] == [2]


async def test_what_a_model_wrote_is_told_as_text(desk, ops):
    await desk.say(POLICY, alert("hostile", "<!channel> [x](http://evil.example)" + "y" * 900_000))
    await until(lambda: told(ops, "hostile"))
    (body,) = told(ops, "hostile")
    assert body.startswith("(!channel) (x)((link) evil.example)yyy")
    assert len(body) < 500


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_restart_repeats_nothing_and_loses_nothing(how, desk, ops):
    before, while_away = f"before.{how.name}", f"away.{how.name}"
    await desk.say(POLICY, alert(before))
    await until(lambda: told(ops, before))
    await until(lambda: not read_memory(desk.state.root).lines["ops"].waiting)
    await asyncio.sleep(0.2)  # Long enough for the second word on the disk: it has arrived.
    desk.stop_console(how)
    await desk.say(POLICY, alert(while_away))
    await desk.start_console()
    await until(lambda: told(ops, while_away))
    assert len(told(ops, before)) == len(told(ops, while_away)) == 1


async def test_message_under_way_at_a_kill_is_sent_again(desk, ops):
    ops.pause_seconds = 1.0
    await desk.say(POLICY, alert("under.way"))
    # Read as it lies there: reading it as the console does puts back what was under way.
    await until(lambda: b'"under_way":{' in (desk.state.root / FILE).read_bytes())
    desk.stop_console(signal.SIGKILL)
    ops.pause_seconds = 0.0
    await desk.start_console()
    sent_at = read_memory(desk.state.root).lines["ops"].told_at
    await until(lambda: read_memory(desk.state.root).lines["ops"].told_at > sent_at)
    assert told(ops, "under.way")


async def test_receiver_that_was_down_gets_it_later_and_the_others_hear_of_it(desk, ops, boss):
    boss.stop()
    async with desk.person("vera") as person, person.stream("GET", "/api/stream") as stream:
        await desk.say(POLICY, alert("held.up", severity=Severity.CRITICAL))
        await until(lambda: told(ops, "held.up"))
        await until(lambda: told(ops, "console.alerts_undelivered"))
        shown = await _event(stream, "console.alerts_undelivered")
    (text,) = told(ops, "console.alerts_undelivered")
    assert text.startswith("alert route boss takes nothing, 1 alerts wait")
    assert shown["service"] == "console"
    health = {one["name"]: one for one in await _routes(desk)}
    assert health["boss"]["failures"] >= 3
    assert health["boss"]["problem"]
    boss.start()
    await until(lambda: told(boss, "held.up"))
    assert len(told(boss, "held.up")) == 1


async def _event(stream, code: str):
    async for line in stream.aiter_lines():
        if line.startswith("data: ") and code in line:
            return json.loads(line.removeprefix("data: "))
    raise AssertionError(code)


async def _routes(desk):
    async with desk.person("vera") as person:
        return (await person.get("/api/health")).json()["alert_routes"]


async def test_without_its_page_the_process_still_tells(desk, ops):
    desk.stop_console()
    port, desk.port = desk.port, 0
    desk.process = desk._process()
    await desk.say(POLICY, alert("no.page"))
    await until(lambda: told(ops, "no.page"))
    desk.stop_console()
    desk.port = port
    await desk.start_console()


async def test_no_secret_is_in_a_log_or_in_what_is_kept(desk):
    own = {"ops.urls"}
    files = [one for one in desk.state.root.rglob("*") if one.is_file() and one.name not in own]
    assert desk.state.root / FILE in files
    assert [one for one in files if SECRET.encode() in one.read_bytes()] == []


async def test_bad_url_ends_the_process_with_one_line(desk):
    urls = desk.state.root / "secrets" / "ops.urls"
    good = urls.read_text()
    desk.stop_console()
    urls.write_text(f"nonsense://{SECRET}")
    try:
        process = desk._process()
        assert process.wait(PATIENCE_SECONDS) == 2
    finally:
        urls.write_text(good)
    last = desk.log().splitlines()[-1]
    assert last.startswith("interlock console: alert route ops: line 1 of")
    assert SECRET not in last
    await desk.start_console()


async def test_bus_that_is_away_is_told(tmp_path: Path, ops, monkeypatch):
    monkeypatch.setattr(telling_module, "AWAY_SECONDS", 0.3)
    route = AlertRoute(name="ops", url_env="URL")
    url = f"json://127.0.0.1:{ops.port}/"
    shown: list[AlertRaised] = []
    telling = Telling(
        desk="alone",
        addresses=read_addresses([route], tmp_path, {"URL": url}),
        folder=tmp_path,
        bus=lambda: None,
        own=shown.append,
    )
    task = asyncio.create_task(telling.run())
    await until(lambda: told(ops, "console.bus_away"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [one.code for one in shown] == ["console.bus_away"]
    kept = msgspec.json.decode((tmp_path / FILE).read_bytes(), type=Memory)
    assert kept.lines["ops"].told_at
