"""People before entries, on a desk that runs: asked, approved, rejected, expired, stopped."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.e2e.desk import (
    PATIENCE_SECONDS,
    assert_nothing_happened_twice,
    children,
    interlock,
    journal,
    running,
    write_slice,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

# A day of the data is two seconds.
PACE = ("--speed", "43200")
DAY_SECONDS = 86_400


def asking(days: int) -> dict[str, str]:
    """Return the settings of a desk whose entries wait for people, so long."""
    return {
        "INTERLOCK__STRATEGY__APPROVAL": "entries",
        "INTERLOCK__STRATEGY__APPROVAL_SECONDS": str(days * DAY_SECONDS),
        "INTERLOCK__STRATEGY__APPROVAL_MAX_MOVE_BPS": "5000",
    }


def wait_until(condition: Callable[[], object]) -> None:
    """Wait without hurry: each look reads the whole journal, on the desk's own cores."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        sleep(0.3)


class Desk:
    """A desk whose entries wait, and the people in front of it."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def told(self, tag: str) -> list[dict]:
        return journal(self.state)[f"approval.{tag}.v1"]

    def say(self, *words: str, code: int = 0) -> dict:
        done = interlock("approvals", *words, "--state", str(self.state), "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def pending(self) -> list[dict]:
        ended = {one["request_id"] for one in self.told("decided")}
        return [one for one in self.told("requested") if one["request_id"] not in ended]

    def next_pending(self, *, but: list[dict]) -> dict:
        known = {one["request_id"] for one in but}
        found = list[dict]()

        def there() -> bool:
            found[:] = [one for one in self.pending() if one["request_id"] not in known]
            return bool(found)

        wait_until(there)
        return found[-1]

    def orders_of(self, request: dict) -> list[dict]:
        wanted = request["intent"]["intent_id"]
        return [one for one in journal(self.state)["order.submit.v1"] if one["intent_id"] == wanted]

    def ended(self, request: dict) -> list[dict]:
        wanted = request["request_id"]
        return [one for one in self.told("decided") if one["request_id"] == wanted]

    def kill(self, service: str) -> None:
        """End a service the hard way, and return when it is ready again."""
        before = children(self.state)[service]["pid"]
        os.killpg(before, signal.SIGKILL)
        wait_until(lambda: (now := children(self.state)[service])["pid"] != before and now["ready"])


def data(folder: Path, rows: int) -> Path:
    return write_slice(folder / "slice.csv", first=480, rows=rows)


def test_i8_people_decide_each_entry_once_and_what_halts_wins(tmp_path: Path):
    state = tmp_path / "state"
    with running(state, data(tmp_path, 1_600), *PACE, **asking(days=10_000)):
        desk = Desk(state)
        approved = desk.next_pending(but=[])
        rejected = desk.next_pending(but=[approved])
        left = desk.next_pending(but=[approved, rejected])
        wait_until(lambda: len(desk.say("list")) >= 3)
        desk.kill("policy")

        answer = desk.say("approve", approved["request_id"], "--by", "Ada")
        assert (answer["state"], answer["by"]) == ("approved", ["Ada"])
        again = desk.say("approve", approved["request_id"], "--by", "bob")
        assert (again["state"], again["by"]) == ("approved", ["Ada"])
        wait_until(lambda: desk.orders_of(approved))
        answer = desk.say("reject", rejected["request_id"], "--by", "bob", "--reason", "no")
        assert answer["state"] == "rejected"
        refused = desk.say("approve", rejected["request_id"], "--by", "Ada", code=1)
        assert "approval.rejected" in refused["error"]

        assert interlock("kill", "enough", "--state", str(state)).returncode == 0
        wait_until(lambda: desk.ended(left) and not desk.pending())
        refused = desk.say("approve", left["request_id"], "--by", "Ada", code=1)
        assert "approval.halted" in refused["error"]
        trace = interlock("trace", approved["decision_id"], "--state", str(state))
        assert "approved by Ada" in trace.stdout, trace.stdout + trace.stderr
        listed = {one["request_id"]: one for one in desk.say("list", "--all", "--limit", "1000")}

    codes = [[one["code"] for one in desk.ended(each)] for each in (approved, rejected, left)]
    assert codes == [["approved"], ["rejected"], ["halted"]]
    (order,) = desk.orders_of(approved)
    assert order["reasons"][-1] == "approved by Ada"
    granted = {one["request_id"] for one in desk.told("decided") if one["approved"]}
    assert granted == {approved["request_id"]}
    entries = [one for one in journal(state)["order.intent.v1"] if not one["reduce_only"]]
    assert [one["intent_id"] for one in entries] == [approved["intent"]["intent_id"]]
    assert listed[approved["request_id"]]["state"] == "approved"
    assert listed[rejected["request_id"]]["by"] == ["bob"]
    assert_nothing_happened_twice(state)
    verified = interlock("verify", "--state", str(state))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_i8_what_nobody_decided_in_time_cannot_be_approved(tmp_path: Path):
    state = tmp_path / "state"
    with running(state, data(tmp_path, 150), **asking(days=1)):
        desk = Desk(state)
        wait_until(lambda: journal(state)["feed.replay-finished.v1"])
        expired = [one for one in desk.told("decided") if one["code"] == "expired"]
        assert len(expired) > 1
        refused = desk.say("approve", expired[0]["request_id"], "--by", "Ada", code=1)
        assert "approval.expired" in refused["error"]
    found = journal(state)
    assert [one for one in found["order.intent.v1"] if not one["reduce_only"]] == []
    assert {one["code"] for one in found["approval.decided.v1"]} == {"expired"}
