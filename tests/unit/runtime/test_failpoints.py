"""A failpoint kills its own process, at the named point, at the named time, and nowhere else."""

import signal
import subprocess
import sys

from interlock.runtime.failpoints import VARIABLE, armed

PASSES = """
from interlock.runtime.failpoints import armed
point = armed()
for n in range(1, 4):
    point.reach("gate", "taken", [b"", 7.5])
    point.reach("gate", "published", [7])
    print(n, flush=True)
"""


def _run(value: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PASSES], env={VARIABLE: value}, capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_third_passing_kills() -> None:
    assert _run("gate.published.int:3") == (-signal.SIGKILL, "1\n2\n")


def test_first_passing_kills_where_no_number_is_given() -> None:
    assert _run("gate.taken.float") == (-signal.SIGKILL, "")


def test_another_service_moment_or_type_does_not() -> None:
    for point in ("exec.published.int", "gate.taken.int", "gate.published.float:1"):
        assert _run(point) == (0, "1\n2\n3\n"), point


def test_nothing_is_armed_by_default() -> None:
    assert armed({}) is None
