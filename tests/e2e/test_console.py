"""The console of a desk that runs: found, logged in to, obeyed by every service."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from interlock.console.sessions import CSRF_HEADER

from tests.e2e.desk import children, interlock, journal, running, up, wait_until, write_slice

pytestmark = [pytest.mark.servers, pytest.mark.stack]


@pytest.fixture
def slow_replay(tmp_path: Path) -> Path:
    return write_slice(tmp_path / "slice.csv", 2_000, 600)


def any_port() -> int:
    """Return a port that is free now; what is started by another process shall take it."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return holder.getsockname()[1]


@contextmanager
def logged_in(state: Path, port: int) -> Iterator[httpx.Client]:
    token = (state / "secrets" / "console-token").read_text().strip()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        answer = client.post("/api/login", json={"token": token})
        assert answer.status_code == 200, answer.text
        client.headers[CSRF_HEADER] = answer.json()["csrf"]
        yield client


def test_a_person_watches_stops_and_resumes_a_desk(tmp_path: Path, slow_replay: Path):
    state, port = tmp_path / "state", any_port()
    where = ("--speed", "40000", "--port", str(port))
    with running(state, slow_replay, *where) as desk:
        wait_until(lambda: children(state).get("console", {}).get("ready"))
        assert f"http://127.0.0.1:{port}" in desk.stderr.readline()
        with logged_in(state, port) as page:
            wait_until(lambda: page.get("/api/state").json()["trading_state"] == "active")
            wait_until(lambda: page.get("/api/decisions?kind=order").json()["items"])
            (line, *_) = page.get("/api/decisions?kind=order&limit=1").json()["items"]
            decision = f"/api/decisions/{line['decision_id']}"
            assert page.get(decision).json()["messages"]

            def services() -> set[str]:
                return {one["service"] for one in page.get(decision).json()["waterfall"]}

            # Each service sends its spans when it has a handful.
            wait_until(lambda: {"gate", "strategy"} <= services())

            paused = page.post("/api/reasoner/pause", json={"reason": "let it rest"}).json()
            assert paused["outcome"] == "obeyed"
            wait_until(lambda: page.get("/api/state").json()["reasoner_paused"])

            pressed = page.post("/api/kill", json={"reason": "enough"}).json()
            assert (pressed["confirmed"], pressed["obeyed"]) == (True, True)
            assert page.get("/api/state").json()["trading_state"] == "halted"
            said = {"reason": "all is well", "confirm": "resume params"}
            resumed = page.post("/api/resume", json=said).json()
            assert (resumed["outcome"], resumed["trading_state"]) == ("obeyed", "active")
            assert page.get("/api/state").json()["kill_switch"]["pressed"] is False

            health = page.get("/api/health").json()
            ready = {one["name"]: one["ready"] for one in health["services"]}
            assert ready["gate"]
            assert ready["console"]
            name = page.get("/api/session").json()["name"]
    words = journal(state)
    for tag in ("policy.halt.v1", "policy.resume.v1", "reasoner.pause.v1"):
        assert [one["by"] for one in words[tag]] == [name], tag


def test_a_replay_that_only_counts_starts_no_console(tmp_path: Path):
    replay = write_slice(tmp_path / "slice.csv", 2_000, 40)
    done = up(tmp_path / "state", replay, "--port", "5555")
    assert json.dumps(done)
    assert not (tmp_path / "state" / "secrets" / "console-token").exists()


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path):
    replay = write_slice(tmp_path / "slice.csv", 2_000, 40)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        words = ("up", "--desk", "params", "--replay", str(replay), "--port", str(taken))
        told = interlock(*words, "--state", str(tmp_path / "state"))
    assert told.returncode == 2
    assert f"--port {taken} is taken" in told.stderr
    assert not (tmp_path / "state" / "run.json").exists()
