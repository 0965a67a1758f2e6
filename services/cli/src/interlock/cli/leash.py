"""Become another program that cannot outlive the process that started it.

Run as ``python -I -S leash.py PARENT SIGNAL ordinary|same PROGRAM ARGUMENT...``. It is a program of
its own because both steps must happen in the child, between fork and exec, where a process that
may hold locks of other threads must not run Python.

The order matters: entering a user namespace clears the parent-death signal, so it is set after.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
CONFIGURATION_ERROR = 2
CANNOT_RUN = 127


def main(parent: int, death_signal: int, user: str, program: list[str]) -> None:
    if user == "ordinary" and os.geteuid() == 0:
        _leave_root()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        # The parent died before it could be watched.
        sys.exit(CANNOT_RUN)
    try:
        os.execv(program[0], program)  # noqa: S606 - there is no shell to want
    except OSError as error:
        sys.exit(f"{program[0]} cannot be run: {error.strerror}")


def _leave_root() -> None:
    """Map the one user we are to `nobody`: PostgreSQL refuses to run as root, rightly."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        os.unshare(os.CLONE_NEWUSER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"65534 {uid} 1")
        _write("/proc/self/gid_map", f"65534 {gid} 1")
    except (OSError, AttributeError) as error:
        sys.stderr.write(
            "PostgreSQL refuses to run as root and user namespaces are forbidden here "
            f"({error}): run interlock as an ordinary user, or give --postgres URL\n"
        )
        sys.exit(CONFIGURATION_ERROR)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib doubles the start-up
        file.write(text)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
