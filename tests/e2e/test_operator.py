"""A person beside a running desk: looks, stops, resumes, and an enemy who writes rubbish."""

import asyncio
import base64
import json
import re
import signal
from collections import Counter
from itertools import groupby
from pathlib import Path

import nats
import pytest
from interlock.wire import codec
from interlock.wire.catalogue import ENTRIES, SERVICES, Stream, services_of
from interlock.wire.policy import ResumeTrading
from nats.errors import NoRespondersError
from nats.js.errors import APIError

from tests.e2e.desk import (
    PATIENCE_SECONDS,
    ROOT,
    children,
    interlock,
    journal,
    running,
    wait_until,
    write_slice,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

SLOW = ("--speed", "200000")
BRISK = ("--speed", "400000")
MISPLACED = codec.encode(
    ResumeTrading(
        message_id="1" * 32, decision_id="2" * 32, ts_event=1, desk="params", by="me", reason="so"
    )
)
RUBBISH = {
    "nothing": b"",
    "a torn object": b"{",
    "no text": b"\xff\xfe",
    "no object": b"[1]",
    "a message without its fields": b'{"type": "policy.halt.v1"}',
    "200 kB": b"x" * 200_000,
    "a message of another subject": MISPLACED,
}


@pytest.fixture(scope="module")
def long_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than any person here waits for."""
    return write_slice(tmp_path_factory.mktemp("data") / "long.csv", first=480, rows=1_600)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=480, rows=240)


async def connected(state: Path, user: str):
    record = json.loads((state / "run.json").read_text())
    password = (state / "secrets" / f"nats-{user}").read_text().strip()
    return await nats.connect(
        record["servers"]["nats"], user=user, password=password,
        inbox_prefix=f"_INBOX.{user}", allow_reconnect=False, error_cb=_ignore,
    )  # fmt: skip


async def _ignore(_error: Exception) -> None:
    """Permission errors are looked at where they are provoked."""


def test_a_person_looks_stops_and_resumes(long_data: Path, tmp_path: Path):
    with running(tmp_path, long_data, *SLOW):
        state = ("--state", str(tmp_path))
        status = json.loads(interlock("status", "--json", *state).stdout)
        names = {child["name"] for child in status["children"]}
        assert names & set(SERVICES) == set(services_of())
        assert {child["state"] for child in status["children"]} == {"ready"}
        for words in (("ls",), ("streams",), ("consumers",)):
            listed = interlock("bus", *words, "--json", *state)
            assert json.loads(listed.stdout), listed.stderr
        tail = interlock("bus", "tail", "evt.>", "--count", "3", *state)
        assert tail.returncode == 0, tail.stderr
        assert [line.split()[0][:4] for line in tail.stdout.splitlines()] == ["evt."] * 3
        assert tail.stdout.count('"type"') >= 3
        heard = asyncio.run(_listen(tmp_path))
        assert all(json.loads(body)["decision_id"] for body in heard)
        asyncio.run(_try_what_is_forbidden(tmp_path))
        _read_metrics(tmp_path)
        assert interlock("kill", "drill", *state).returncode == 0
        wait_until(lambda: _denied_for(tmp_path, "state.trading"))
        before = len(journal(tmp_path)["order.submit.v1"])
        assert interlock("resume", "--by", "ada", *state).returncode == 0
        wait_until(lambda: len(journal(tmp_path)["order.submit.v1"]) > before)
        pids = [child["pid"] for child in children(tmp_path).values()]
        assert interlock("down", *state).returncode == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    states = journal(tmp_path)["policy.trading-state.v1"]
    # Exec's own word of the switch may halt a second time what the person has halted.
    assert [state for state, _ in groupby(one["state"] for one in states)] == [
        *("halted", "active", "halted", "active")
    ]
    assert "drill" in states[2]["reason"]
    assert states[-1]["author"] == "ada"


async def _listen(state: Path) -> list[bytes]:
    client = await connected(state, "operator")
    subscription = await client.subscribe("evt.>")
    heard = [(await subscription.next_msg(timeout=30)).data for _ in range(3)]
    await client.close()
    return heard


async def _try_what_is_forbidden(state: Path) -> None:
    client = await connected(state, "operator")
    with pytest.raises((TimeoutError, NoRespondersError)):
        await client.request("cmd.exec.submit-order.paper-params.x", b"{}", timeout=0.5)
    with pytest.raises((TimeoutError, NoRespondersError, APIError)):
        await client.jetstream(timeout=0.5).add_stream(name="MINE", subjects=["mine.>"])
    await client.close()


def _read_metrics(state: Path) -> None:
    from urllib.request import urlopen

    found = ""
    for child in children(state).values():
        if child["health_url"]:
            try:
                with urlopen(child["health_url"] + "/metrics", timeout=5) as page:
                    found += page.read().decode()
            except OSError:
                continue
    for name in (
        "trader_ai_proposals_total", "trader_ai_decisions_latency_seconds",
        "trader_ai_errors_total", "interlock_gate_verdicts_total", "interlock_queue_lag_messages",
    ):  # fmt: skip
        assert f"# TYPE {name.removesuffix('_total')}" in found, name


def _denied_for(state: Path, code: str) -> bool:
    denials = journal(state)["order.denied.v1"]
    return any(failure["code"] == code for denial in denials for failure in denial["failures"])


def test_rubbish_on_every_subject_is_parked_and_every_service_lives(data: Path, tmp_path: Path):
    with running(tmp_path, data, *BRISK) as process:
        wait_until(lambda: all(child["ready"] for child in children(tmp_path).values()))
        before = _pids_of_services(tmp_path)
        sent = asyncio.run(_throw_rubbish(tmp_path))
        wait_until(lambda: json.loads((tmp_path / "replay.json").read_text())["finished"])
        after = _pids_of_services(tmp_path)
        letters = asyncio.run(_dead_letters(tmp_path))
        process.send_signal(signal.SIGTERM)
        closing = json.loads(process.communicate(timeout=PATIENCE_SECONDS)[0])
    assert after == before
    assert Counter((one["service"], one["subject"]) for one in letters) == sent
    assert {one["tries"] for one in letters} == {3}
    assert all(one["reason"].startswith("unreadable: ") for one in letters)
    assert {base64.b64decode(one["body"]) for one in letters} == set(RUBBISH.values())
    assert closing["summary"]["bars"] == 240
    assert (closing["parked"], closing["lost"]) == (sum(sent.values()), 0)
    states = [one["state"] for one in journal(tmp_path)["policy.trading-state.v1"]]
    assert states == ["halted", "active"]


def _pids_of_services(state: Path) -> dict[str, int]:
    standing = children(state)
    return {name: standing[name]["pid"] for name in services_of()}


async def _throw_rubbish(state: Path) -> Counter[tuple[str, str]]:
    """Publish what nobody can read on a subject of every stored message.

    Return who must park it, once each, on which subject.
    """
    admin = await connected(state, "admin")
    expected, running = Counter[tuple[str, str]](), services_of()
    for number, entry in enumerate(ENTRIES):
        if entry.stream in (None, Stream.DEAD):
            continue
        for kind, body in enumerate(RUBBISH.values()):
            subject = re.sub(r"{\w+}", f"junk{number}x{kind}", entry.pattern)
            await admin.jetstream().publish(subject, body)
            expected.update((name, subject) for name in entry.listeners if name in running)
    await admin.close()
    return expected


async def _dead_letters(state: Path) -> list[dict]:
    operator = await connected(state, "operator")
    streams = operator.jetstream()
    last = (await streams.stream_info(Stream.DEAD)).state.last_seq
    found = [await streams.get_msg(Stream.DEAD, seq=seq) for seq in range(1, last + 1)]
    await operator.close()
    return [json.loads(one.data or b"") for one in found]


def test_an_edited_desk_file_is_taken_and_a_broken_one_is_not(data: Path, tmp_path: Path):
    desk_file = tmp_path / "mine.toml"
    text = (ROOT / "deploy" / "desks" / "params.toml").read_text()
    desk_file.write_text(text)
    state = tmp_path / "state"
    with running(state, data, *SLOW, desk=str(desk_file)):
        desk_file.write_text(text.replace("position_notional = 5000", "position_notional = 4000"))
        wait_until(lambda: journal(state)["config.changed.v1"])
        desk_file.write_text(text.replace("position_notional = 5000", "position_notional = -1"))
        wait_until(lambda: journal(state)["alert.raised.v1"])
    (changed,) = journal(state)["config.changed.v1"]
    assert changed["changes"] == [
        {"key": "strategy.position_notional", "old": "5000", "new": "4000"}
    ]
    assert "position_notional" in journal(state)["alert.raised.v1"][0]["text"]
