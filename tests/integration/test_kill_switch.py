"""`interlock kill` and `resume` on running desks: with the bus frozen, in one process, at rest."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from interlock.runtime.switch_file import KILL_FILE, SWITCH_FILE, read_switch

from tests.integration.test_commands import said, told, two_symbols, up_words, wait_for_the_end

pytestmark = [pytest.mark.servers, pytest.mark.stack]

SLOWLY = ("--speed", "20000")
"""A day of data in four seconds: the replay goes on for as long as a test takes."""


@contextmanager
def up(folder: Path, *more: str):
    """Run a desk on its own folder and end it with the block."""
    state = folder / "state"
    words = up_words(state, two_symbols(folder), "--json", *more)
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as desk:
        try:
            yield state, desk
        finally:
            said(state, "down")


def wait_until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def children(state: Path) -> dict[str, dict]:
    return json.loads((state / "run.json").read_text())["children"]


def in_a_process(*words: str) -> dict:
    """Run a command as a person does: a connection that is never answered ends with it."""
    program = [sys.executable, "-c", "from interlock.cli.main import app; app()"]
    done = subprocess.run([*program, *words, "--json"], capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_i7_a_kill_needs_no_bus_and_a_resume_gives_the_desk_back(tmp_path):
    with up(tmp_path) as (state, desk):
        wait_for_the_end(state, desk)
        assert not read_switch(state).pressed
        bus = children(state)["nats"]["pid"]
        os.killpg(bus, signal.SIGSTOP)
        try:
            pressed = in_a_process("kill", "too hot", "--by", "ann", "--state", str(state))
        finally:
            os.killpg(bus, signal.SIGCONT)
        assert pressed["confirmed"]
        assert pressed["state"] is None
        assert pressed["unheard"]
        assert (pressed["switch"]["way"], pressed["switch"]["by"]) == ("file", "ann")
        assert (state / KILL_FILE).exists()

        exec_pid = children(state)["exec"]["pid"]
        os.kill(exec_pid, signal.SIGKILL)
        wait_until(lambda: children(state)["exec"]["ready"] and _pid(state, "exec") != exec_pid)
        assert read_switch(state).pressed

        resumed = told(state, "resume", "--by", "bob", "--reason", "calm again")
        assert (resumed["by"], resumed["switch"]["state"]) == ("bob", "armed")
        assert not (state / KILL_FILE).exists()
        assert not read_switch(state).pressed


def _pid(state: Path, name: str) -> int:
    return children(state)[name]["pid"]


@pytest.mark.parametrize("harm", ["deleted", "corrupted"])
def test_i7_a_lost_switch_file_halts_a_running_desk_with_the_reason_in_one_line(tmp_path, harm):
    with up(tmp_path) as (state, desk):
        wait_for_the_end(state, desk)
        file = state / SWITCH_FILE
        file.unlink() if harm == "deleted" else file.write_bytes(b"\x00{")
        wait_until(lambda: read_switch(state).cancelled_at)
        switch = read_switch(state)
        assert switch.pressed
        assert SWITCH_FILE in switch.reason
        assert len(switch.reason.splitlines()) == 1
        again = said(state, "kill", "to be sure", "--by", "ann")
        assert "pressed already by exec" in again.splitlines()[0]
        assert told(state, "resume", "--by", "bob")["switch"]["state"] == "armed"


def test_i7_the_file_stops_a_desk_in_one_process_and_outlives_it(tmp_path):
    with up(tmp_path, "--single-process", *SLOWLY) as (state, _):
        wait_until(lambda: (state / "run.json").exists() and (state / "journal").exists())
        pressed = told(state, "kill", "too hot", "--by", "ann")
        assert pressed["confirmed"]
        assert "one process" in pressed["unheard"]
        assert read_switch(state).pressed
    assert read_switch(state).pressed
    at_rest = said(state, "kill", "still", "--by", "ann")
    assert "stays pressed for the next start" in at_rest
    armed = told(state, "resume", "--by", "bob")
    assert (armed["desk"], armed["switch"]["by"]) == ("", "bob")
    assert not (state / KILL_FILE).exists()
    assert not read_switch(state).pressed
