"""The kill switch on the disk: ``switch.json`` says where it stands, ``KILL_SWITCH`` presses it.

Theory of operation. Exec alone writes ``switch.json``, in one step and with fsync, so that what it
says survives any crash. Whatever cannot be read as it was written is a pressed switch: a missing
file, other bytes, an unknown key. The one exception is a state folder in which no desk has ever
run. ``KILL_SWITCH`` is anybody's: its presence presses, its text is the reason. Taking it away
arms nothing.
"""

import os
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from interlock.model.trading import Way

SWITCH_FILE = "switch.json"
KILL_FILE = "KILL_SWITCH"
JOURNAL = Path("journal") / "journal.jsonl"
FIRST_START = "first start"
_BY = "by "
_LONGEST_REASON = 1_000


class SwitchState(StrEnum):
    ARMED = "armed"
    PRESSED = "pressed"


class Switch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the switch stands. Times are UNIX ns of the machine's clock, 0 where there is none.

    Parameters
    ----------
    way, by, reason, seen_at
        How it came to stand there, who did it and why, and when exec saw it.
    last_submit_at
        When exec last sent an order that increases risk.
    cancelled_at, cancelled
        When the last open order was closed, and how many were cancelled.
    left
        Orders the venue has not answered for yet; exec goes on asking.
    """

    state: SwitchState
    way: Way
    by: str
    reason: str
    seen_at: int
    last_submit_at: int = 0
    cancelled_at: int = 0
    cancelled: int = 0
    left: int = 0

    @property
    def pressed(self) -> bool:
        return self.state is SwitchState.PRESSED


@dataclass(frozen=True, slots=True)
class KillFile:
    """What ``KILL_SWITCH`` says."""

    reason: str
    by: str


def read_switch(folder: Path) -> Switch:
    """Return where the switch stands; pressed, with the reason, where the file cannot tell."""
    path = folder / SWITCH_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Switch)
    except FileNotFoundError:
        why = f"{SWITCH_FILE} is missing"
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        why = f"{SWITCH_FILE} cannot be read: {_one_line(str(error))}"
    return Switch(
        state=SwitchState.PRESSED, way=Way.FILE, by="exec", reason=why, seen_at=time.time_ns()
    )


def write_switch(folder: Path, switch: Switch) -> None:
    """Replace ``switch.json`` in one step, durably: the bytes, then the name."""
    path = folder / SWITCH_FILE
    fresh = path.with_name(f"{SWITCH_FILE}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(switch), indent=2) + b"\n")
        file.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    _sync_folder(folder)


def arm_at_first_start(folder: Path) -> None:
    """Write an armed switch into a state folder in which no desk has ever run."""
    if (folder / SWITCH_FILE).exists() or (folder / JOURNAL).exists():
        return
    armed = Switch(
        state=SwitchState.ARMED, way=Way.START, by="", reason=FIRST_START, seen_at=time.time_ns()
    )
    write_switch(folder, armed)


def read_kill_file(folder: Path) -> KillFile | None:
    """Return what ``KILL_SWITCH`` says, none where it is not there.

    Whatever else is in the way of looking counts as the file being there.
    """
    path = folder / KILL_FILE
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return KillFile(f"{KILL_FILE} cannot be looked for: {_one_line(str(error))}", "exec")
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return KillFile(f"{KILL_FILE} is there and cannot be read: {error.strerror}", "")
    lines = text.strip().splitlines()
    by = lines.pop().removeprefix(_BY) if lines[1:] and lines[-1].startswith(_BY) else ""
    return KillFile(_one_line(" ".join(lines)) or f"{KILL_FILE} is there", by)


def write_kill_file(folder: Path, reason: str, by: str) -> None:
    """Press the switch. It needs nothing but the disk."""
    path = folder / KILL_FILE
    fresh = path.with_name(f"{KILL_FILE}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(f"{_one_line(reason)}\n{_BY}{_one_line(by)}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(folder)


def remove_kill_file(folder: Path) -> None:
    """Take ``KILL_SWITCH`` away. The switch stays pressed until a person resumes."""
    (folder / KILL_FILE).unlink(missing_ok=True)
    _sync_folder(folder)


def mark_of(folder: Path) -> tuple[int, int, int]:
    """Return what changes whenever somebody writes ``switch.json``; zeros where it is gone."""
    try:
        found = (folder / SWITCH_FILE).stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST_REASON]
