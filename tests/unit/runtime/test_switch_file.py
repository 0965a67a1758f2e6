"""The kill switch on the disk: what cannot be read is pressed, and nothing arms by going away."""

import json
import os
import stat

import msgspec
import pytest
from interlock.model.trading import Way
from interlock.runtime.switch_file import (
    KILL_FILE,
    SWITCH_FILE,
    KillFile,
    Switch,
    SwitchState,
    arm_at_first_start,
    mark_of,
    read_kill_file,
    read_switch,
    remove_kill_file,
    write_kill_file,
    write_switch,
)

ARMED = Switch(state=SwitchState.ARMED, way=Way.COMMAND, by="ann", reason="calm", seen_at=5)
PRESSED = Switch(
    state=SwitchState.PRESSED, way=Way.SILENCE, by="exec", reason="no beat", seen_at=7,
    last_submit_at=6, cancelled_at=9, cancelled=3, left=1,
)  # fmt: skip


@pytest.mark.parametrize("switch", [ARMED, PRESSED], ids=["armed", "pressed"])
def test_what_was_written_is_read(tmp_path, switch):
    write_switch(tmp_path, switch)
    assert read_switch(tmp_path) == switch
    assert [path.name for path in tmp_path.iterdir()] == [SWITCH_FILE]
    assert stat.S_IMODE((tmp_path / SWITCH_FILE).stat().st_mode) == 0o600


def test_a_half_written_file_is_in_nobodys_way(tmp_path):
    (tmp_path / f"{SWITCH_FILE}.new").write_text("{")
    write_switch(tmp_path, PRESSED)
    assert read_switch(tmp_path) == PRESSED


def changed(**fields):
    return json.dumps(msgspec.to_builtins(ARMED) | fields).encode()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"\xff\xfe", "malformed"),
        (b"[]", "object"),
        (b"null", "object"),
        (changed(state="off"), "off"),
        (changed(state=True), "state"),
        (changed(seen_at="now"), "seen_at"),
        (changed(seen_at=1.5), "seen_at"),
        (changed(by=None), "by"),
        (changed(bypass=True), "bypass"),
        (b'{"state": "armed"}', "way"),
    ],
)
def test_i7_what_cannot_be_read_is_pressed_with_the_reason_in_one_line(tmp_path, body, word):
    (tmp_path / SWITCH_FILE).write_bytes(body)
    read = read_switch(tmp_path)
    assert read.pressed
    assert word in read.reason
    assert "\n" not in read.reason


def test_i7_a_missing_file_is_pressed(tmp_path):
    read = read_switch(tmp_path)
    assert (read.pressed, read.way, read.reason) == (True, Way.FILE, "switch.json is missing")


def test_i7_a_folder_in_the_place_of_the_file_is_pressed(tmp_path):
    (tmp_path / SWITCH_FILE).mkdir()
    assert read_switch(tmp_path).pressed


def test_a_state_folder_in_which_no_desk_has_run_is_armed(tmp_path):
    arm_at_first_start(tmp_path)
    assert not read_switch(tmp_path).pressed


def test_i7_a_folder_with_a_journal_is_never_armed_by_starting(tmp_path):
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "journal.jsonl").write_text("")
    arm_at_first_start(tmp_path)
    assert read_switch(tmp_path).pressed


@pytest.mark.parametrize("body", [msgspec.json.encode(PRESSED), b"rubbish"])
def test_i7_a_first_start_arms_nothing_that_is_there(tmp_path, body):
    (tmp_path / SWITCH_FILE).write_bytes(body)
    arm_at_first_start(tmp_path)
    assert read_switch(tmp_path).pressed


def test_nobody_presses_where_there_is_no_file(tmp_path):
    assert read_kill_file(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "reason", "by"),
    [
        ("", "KILL_SWITCH is there", ""),
        ("\n \n", "KILL_SWITCH is there", ""),
        ("too hot", "too hot", ""),
        ("too\nhot\n", "too hot", ""),
        ("too hot\nby ann\n", "too hot", "ann"),
        ("by ann", "by ann", ""),
    ],
)
def test_the_text_of_the_file_is_the_reason(tmp_path, text, reason, by):
    (tmp_path / KILL_FILE).write_text(text)
    assert read_kill_file(tmp_path) == KillFile(reason, by)


def test_i7_bytes_that_are_no_text_press_all_the_same(tmp_path):
    (tmp_path / KILL_FILE).write_bytes(b"\xff\x00")
    assert read_kill_file(tmp_path) is not None


def test_i7_a_folder_or_a_dangling_link_of_that_name_presses(tmp_path):
    (tmp_path / KILL_FILE).symlink_to(tmp_path / "nowhere")
    assert read_kill_file(tmp_path) is not None
    (tmp_path / KILL_FILE).unlink()
    (tmp_path / KILL_FILE).mkdir()
    assert read_kill_file(tmp_path) is not None


def test_i7_a_state_folder_that_cannot_be_looked_into_presses(tmp_path):
    not_a_folder = tmp_path / "file"
    not_a_folder.write_text("")
    found = read_kill_file(not_a_folder)
    assert found is not None
    assert "cannot be looked for" in found.reason


def test_a_press_says_why_and_who_in_lines_of_their_own(tmp_path):
    write_kill_file(tmp_path, "too\nhot", "ann")
    assert read_kill_file(tmp_path) == KillFile("too hot", "ann")
    remove_kill_file(tmp_path)
    assert read_kill_file(tmp_path) is None
    remove_kill_file(tmp_path)


def test_every_change_of_the_file_leaves_a_mark(tmp_path):
    marks = {mark_of(tmp_path)}
    write_switch(tmp_path, ARMED)
    marks.add(mark_of(tmp_path))
    write_switch(tmp_path, ARMED)
    marks.add(mark_of(tmp_path))
    os.utime(tmp_path / SWITCH_FILE, ns=(1, 1))
    marks.add(mark_of(tmp_path))
    assert len(marks) == 4
