"""Exec's watch over the switch's files and the gate's heartbeat."""

import asyncio

import pytest
from interlock.exec.adapters import watch as watching
from interlock.exec.adapters.kill_switch import KillSwitch
from interlock.exec.adapters.watch import Silence, Watch
from interlock.exec.app import venue_of
from interlock.exec.config import ExecConfig
from interlock.exec.ports import SwitchMoved
from interlock.model.trading import Way
from interlock.runtime.switch_file import (
    KILL_FILE,
    SWITCH_FILE,
    Switch,
    SwitchState,
    arm_at_first_start,
    read_switch,
    remove_kill_file,
    write_kill_file,
    write_switch,
)
from interlock.testkit.decisions import desk
from interlock.venues.port import VenueCanceled

from tests.unit.exec.desk_with_switch import signed

LIMIT, FIRST = 10.0, 60.0


class Post:
    """A watch over a state folder with one open order, and what it reported."""

    def __init__(self, folder):
        self.folder, self.reported = folder, []
        arm_at_first_start(folder)
        venue = venue_of(desk(), ExecConfig())
        self.switch = KillSwitch(venue, folder)
        self.silence = Silence(LIMIT, FIRST)
        self.watch = Watch(self.switch, self.reported.append, self.silence)
        self.switch.may_send(signed())
        venue.place(signed(), 0)


@pytest.fixture
def post(tmp_path):
    return Post(tmp_path)


async def test_nothing_happens_while_nothing_is_wrong(post):
    for _ in range(3):
        await post.watch.look()
    assert post.reported == []
    assert not post.switch.pressed


async def test_i7_the_file_presses_with_its_text_as_the_reason(post):
    write_kill_file(post.folder, "too hot", "ann")
    await post.watch.look()
    moved, canceled = post.reported
    assert (moved.way, moved.by, moved.reason) == (Way.FILE, "ann", "too hot")
    assert isinstance(canceled, VenueCanceled)
    assert read_switch(post.folder).pressed


async def test_i7_taking_the_file_away_arms_nothing(post):
    (post.folder / KILL_FILE).touch()
    await post.watch.look()
    remove_kill_file(post.folder)
    await post.watch.look()
    assert post.switch.pressed
    assert len([one for one in post.reported if isinstance(one, SwitchMoved)]) == 1


@pytest.mark.parametrize("body", [None, b"", b"rubbish", b'{"state":"armed"}'])
async def test_i7_a_switch_file_that_is_lost_while_running_presses(post, body):
    file = post.folder / SWITCH_FILE
    file.unlink() if body is None else file.write_bytes(body)
    await post.watch.look()
    moved = post.reported[0]
    assert (moved.pressed, moved.way) == (True, Way.FILE)
    assert SWITCH_FILE in moved.reason
    assert read_switch(post.folder) == post.switch.standing


async def test_i7_a_valid_file_that_exec_did_not_write_presses(post):
    armed = Switch(state=SwitchState.ARMED, way=Way.COMMAND, by="eve", reason="me", seen_at=1)
    write_switch(post.folder, armed)
    await post.watch.look()
    assert post.switch.pressed


async def test_a_file_that_was_only_touched_is_the_same_file(post):
    (post.folder / SWITCH_FILE).touch()
    await post.watch.look()
    assert not post.switch.pressed


@pytest.mark.parametrize("body", [None, b"rubbish"])
async def test_i7_a_pressed_switch_is_written_again_when_its_file_is_lost(post, body):
    await post.switch.press(Way.COMMAND, "ann", "too hot")
    file = post.folder / SWITCH_FILE
    file.unlink() if body is None else file.write_bytes(body)
    await post.watch.look()
    assert read_switch(post.folder) == post.switch.standing
    assert post.switch.standing.by == "ann"


async def test_i7_arming_the_file_by_hand_does_not_arm_the_switch(post):
    await post.switch.press(Way.COMMAND, "ann", "too hot")
    armed = Switch(state=SwitchState.ARMED, way=Way.COMMAND, by="eve", reason="me", seen_at=1)
    write_switch(post.folder, armed)
    await post.watch.look()
    assert post.switch.pressed
    assert read_switch(post.folder).pressed


# Silence.


def beats(silence, seconds, step=0.02):
    for _ in range(round(seconds / step)):
        silence.pass_by(step)
    return silence.too_long


def test_a_gate_that_was_heard_may_be_silent_for_its_limit(post):
    post.silence.hear()
    assert not beats(post.silence, LIMIT - 0.1)
    assert beats(post.silence, 0.2)
    post.silence.hear()
    assert not post.silence.too_long


def test_a_gate_that_was_never_heard_is_given_its_time_to_start(post):
    assert not beats(post.silence, FIRST - 0.1)
    assert beats(post.silence, 0.2)


def test_sleeping_ourselves_is_not_the_gates_silence(post):
    post.silence.hear()
    post.silence.pass_by(3_600)
    assert not post.silence.too_long


async def test_i7_a_silent_gate_presses(post):
    post.silence.hear()
    assert beats(post.silence, LIMIT + 0.1)
    await post.watch.look()
    moved = post.reported[0]
    assert (moved.way, moved.by) == (Way.SILENCE, "exec")
    assert "silent for 10.1 s" in moved.reason


async def test_i9_a_file_is_seen_in_the_midst_of_a_press_by_a_rule(post):
    await post.switch.press(Way.RULE, "policy", "loss")
    write_kill_file(post.folder, "too hot", "ann")
    await post.watch.look()
    assert post.switch.standing.way is Way.FILE


async def test_the_watch_runs_by_itself(post, monkeypatch):
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.001)
    task = asyncio.create_task(post.watch.run())
    try:
        write_kill_file(post.folder, "too hot", "ann")
        async with asyncio.timeout(10):
            while not read_switch(post.folder).cancelled_at:
                await asyncio.sleep(0.001)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert read_switch(post.folder).cancelled == 1
