"""Which process is which, and which port is free."""

import os
import socket
import subprocess
import sys

import msgspec
from interlock.cli.process import (
    FIRST_PORT,
    PORTS,
    PidFile,
    end_stale,
    free_port,
    identity,
    port_is_free,
)
from interlock.cli.state_folder import open_state_folder


def sleeper() -> "subprocess.Popen[bytes]":
    code = "import time; print(flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()
    process.stdout.close()
    return process


def leave(state, process, known) -> None:
    left = PidFile(pid=process.pid, identity=known, stop_signal=15)
    (state.pids / "left.json").write_bytes(msgspec.json.encode(left))


def test_an_identity_stays_and_ends_with_its_process():
    assert identity(os.getpid()) == identity(os.getpid()) != None  # noqa: E711
    process = sleeper()
    assert identity(process.pid) not in (None, identity(os.getpid()))
    process.kill()
    process.wait()
    assert identity(process.pid) is None


def test_what_a_crashed_run_left_is_ended(tmp_path):
    state = open_state_folder(tmp_path)
    process = sleeper()
    leave(state, process, identity(process.pid))
    assert end_stale(state) == ["left"]
    assert process.wait() == -15
    assert list(state.pids.iterdir()) == []


def test_another_process_with_the_same_number_is_left_alone(tmp_path):
    state = open_state_folder(tmp_path)
    process = sleeper()
    try:
        leave(state, process, "another boot:1")
        assert end_stale(state) == []
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_damaged_pid_file_is_swept_away(tmp_path):
    state = open_state_folder(tmp_path)
    (state.pids / "left.json").write_text("not json")
    assert end_stale(state) == []
    assert list(state.pids.iterdir()) == []


def test_a_port_lies_outside_the_kernels_range():
    assert FIRST_PORT <= free_port() < FIRST_PORT + PORTS


def test_a_port_is_given_out_once_and_still_taken_by_its_server():
    port = free_port()
    assert not port_is_free(port)
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname()[1] == port


def test_a_port_somebody_listens_on_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not port_is_free(server.getsockname()[1])
