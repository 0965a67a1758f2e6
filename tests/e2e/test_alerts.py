"""A person says who is told of alerts, tries it, and is told of the kill switch."""

import json
from pathlib import Path

import pytest
from interlock.testkit.alert_receivers import http_receiver

from tests.e2e.desk import ROOT, children, interlock, running, wait_until, write_slice

pytestmark = [pytest.mark.servers, pytest.mark.stack, pytest.mark.timeout(180)]

SECRET = "s3cr3tT0k3nOfOps"
ROUTE = '\n[[console.alerts]]\nname = "ops"\nurls_file = "ops.urls"\n'


@pytest.fixture
def receiver():
    with http_receiver() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, receiver) -> Path:
    """Return a desk file with one route, whose URL lies beside it."""
    path = tmp_path / "desk.toml"
    text = (ROOT / "deploy" / "desks" / "params.toml").read_text()
    path.write_text(text + ROUTE + "in_replays = true\n")
    (tmp_path / "ops.urls").write_text(f"json://ada:{SECRET}@127.0.0.1:{receiver.port}/{SECRET}")
    return path


def titles(receiver) -> list[str]:
    return [json.loads(one.body)["title"] for one in receiver.taken]


def listed(state: Path) -> set[str]:
    done = interlock("alerts", "list", "--json", "--state", str(state))
    return {one["code"] for one in json.loads(done.stdout)}


def test_pressed_switch_is_told_without_a_page(desk: Path, tmp_path: Path, receiver):
    state = tmp_path / "state"
    replay = write_slice(tmp_path / "slice.csv", first=480, rows=60)
    with running(state, replay, "--speed", "20", desk=str(desk)) as process:
        wait_until(lambda: "console" in children(state) or process.poll() is not None)
        wait_until((state / "alerts.json").is_file)
        assert interlock("kill", "drill <!channel>", "--state", str(state)).returncode == 0
        wait_until(lambda: "CRITICAL params: kill_switch.pressed" in titles(receiver))
        wait_until(lambda: "CRITICAL params: trading.halted" in titles(receiver))
        assert "<" not in "".join(json.loads(one.body)["message"] for one in receiver.taken)

        # The ledger's tables are soon there, not at once.
        wait_until(lambda: {"kill_switch.pressed", "trading.halted"} <= listed(state))
        routes = interlock("alerts", "routes", "--json", "--state", str(state))
        (ops,) = json.loads(routes.stdout)
        assert (ops["route"], ops["failures"], ops["problem"]) == ("ops", 0, "")
        doctor = interlock("doctor", "--desk", str(desk), "--state", str(state)).stdout
    kept = [one for one in state.rglob("*") if one.is_file()]
    assert [one for one in kept if SECRET.encode() in one.read_bytes()] == []
    assert SECRET not in doctor


def test_a_replay_tells_nobody_who_did_not_ask_for_it(desk: Path, tmp_path: Path, receiver):
    desk.write_text(desk.read_text().replace("in_replays = true", "in_replays = false"))
    (tmp_path / "ops.urls").unlink()
    replay = write_slice(tmp_path / "slice.csv", first=480, rows=2)
    told = interlock(
        "up", "--desk", str(desk), "--replay", str(replay), "--state", str(tmp_path / "s"),
        "--exit",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert receiver.taken == []


def test_routes_are_tried_and_what_came_of_each_is_said(desk: Path, receiver):
    done = interlock("alerts", "test", "--desk", str(desk), "--json")
    assert (done.returncode, json.loads(done.stdout)) == (
        0,
        [{"route": "ops", "ok": True, "problem": ""}],
    )
    assert titles(receiver) == ["TEST params: interlock alerts test"]
    receiver.stop()
    done = interlock("alerts", "test", "--desk", str(desk), "--route", "ops")
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("up", "--exit", "--replay", "crash-2008"), "line 1 of"),
        (("alerts", "test"), "line 1 of"),
        (("alerts", "test", "--route", "none"), "there is no alert route 'none'"),
    ],
)
def test_bad_url_is_said_in_one_line_before_anything_starts(
    words: tuple[str, ...], said: str, desk: Path, tmp_path: Path
):
    (tmp_path / "ops.urls").write_text(f"nonsense://{SECRET}")
    more = ("--state", str(tmp_path / "s")) if words[0] == "up" else ()
    done = interlock(*words, "--desk", str(desk), *more)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert said in line
    assert SECRET not in line
    assert not (tmp_path / "s").exists()


def test_url_in_the_desk_file_is_refused_unread(desk: Path):
    text = desk.read_text()
    desk.write_text(text.replace('urls_file = "ops.urls"', f'url = "json://{SECRET}@host"'))
    done = interlock("alerts", "test", "--desk", str(desk))
    assert done.returncode == 2
    assert "put it into a file" in done.stderr
    assert SECRET not in done.stderr


def test_severity_that_is_none_and_a_folder_without_a_desk_are_said(tmp_path: Path):
    state = ("--state", str(tmp_path / "nothing"))
    assert interlock("alerts", "list", "--min-severity", "loud", *state).returncode == 2
    assert interlock("alerts", "list", *state).returncode == 2
    assert "no console has sent" in interlock("alerts", "routes", *state).stdout
