"""People before entries, on a desk that runs: asked, approved, rejected, expired, stopped."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.desk import (
    assert_nothing_happened_twice,
    children,
    interlock,
    journal,
    running,
    wait_until,
    write_slice,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

# A day of the data is two seconds: people have twenty of them to answer in.
PACE = ("--speed", "43200")
DAY_SECONDS = 86_400
ASKS = {
    "INTERLOCK__STRATEGY__APPROVAL": "entries",
    "INTERLOCK__STRATEGY__APPROVAL_SECONDS": str(14 * DAY_SECONDS),
    "INTERLOCK__STRATEGY__APPROVAL_MAX_MOVE_BPS": "5000",
}


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


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(tmp_path_factory.mktemp("data") / "slice.csv", first=480, rows=1_600)


def test_i8_people_decide_each_entry_once_and_what_halts_wins(data: Path, tmp_path: Path):
    with running(tmp_path, data, *PACE, **ASKS):
        desk = Desk(tmp_path)
        left = desk.next_pending(but=[])
        approved = desk.next_pending(but=[left])
        rejected = desk.next_pending(but=[left, approved])
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

        wait_until(lambda: desk.ended(left))
        refused = desk.say("approve", left["request_id"], "--by", "Ada", code=1)
        assert "approval.expired" in refused["error"]

        waits = desk.next_pending(but=[left, approved, rejected])
        assert interlock("kill", "enough", "--state", str(tmp_path)).returncode == 0
        wait_until(lambda: desk.ended(waits))
        assert desk.ended(waits)[0]["code"] in ("halted", "expired")
        wait_until(lambda: not desk.pending())
        trace = interlock("trace", approved["decision_id"], "--state", str(tmp_path))
        assert "approved by Ada" in trace.stdout, trace.stdout + trace.stderr
        listed = {one["request_id"]: one for one in desk.say("list", "--all", "--limit", "1000")}

    assert [len(desk.ended(one)) for one in (left, approved, rejected)] == [1, 1, 1]
    assert desk.ended(left)[0]["code"] == "expired"
    assert any(one["code"] == "halted" for one in desk.told("decided"))
    (order,) = desk.orders_of(approved)
    assert order["reasons"][-1] == "approved by Ada"
    granted = {one["request_id"] for one in desk.told("decided") if one["approved"]}
    assert granted == {approved["request_id"]}
    entries = [one for one in journal(tmp_path)["order.intent.v1"] if not one["reduce_only"]]
    assert [one["intent_id"] for one in entries] == [approved["intent"]["intent_id"]]
    assert (listed[approved["request_id"]]["state"], listed[rejected["request_id"]]["by"]) == (
        "approved", ["bob"],
    )  # fmt: skip
    assert_nothing_happened_twice(tmp_path)
