"""Pressing the kill switch from outside, and having it armed again.

Theory of operation. A press writes the file first: it needs the disk and nothing else, and exec
watches it by itself. Only then is the command sent over the bus, where there is one. What exec did
is read from the file it keeps, so that this works with every server and service dead.
"""

import asyncio
import time
from dataclasses import dataclass

from interlock.cli.errors import CliError
from interlock.cli.run_record import RunRecord, read_run_record
from interlock.cli.state_folder import StateFolder, locked
from interlock.cli.steering import Obeyed, halt, resume, steer
from interlock.model.trading import Way
from interlock.runtime.switch_file import (
    KILL_FILE,
    Switch,
    SwitchState,
    read_switch,
    remove_kill_file,
    write_kill_file,
    write_switch,
)

EXEC_SECONDS = 5.0
LOOK_SECONDS = 0.005
NANOS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Pressed:
    """What came of a press.

    `desk` is the running one, empty where none runs. `switch` is none where exec has not confirmed
    the press in time. `obeyed` is the policy service's answer, or `unheard` says why there is none.
    """

    pressed_at: int
    desk: str
    switch: Switch | None
    obeyed: Obeyed | None = None
    unheard: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether nothing is open any more, or nothing runs that could hold anything open."""
        return self.switch is not None or not self.desk


async def press(state: StateFolder, by: str, reason: str) -> Pressed:
    """Write the file, tell the desk, and wait until exec has cancelled what was open.

    Raises
    ------
    CliError
        When the file cannot be written.
    """
    if not state.root.is_dir():
        raise CliError(f"no desk runs in {state.root}, there is no such folder: give --state")
    pressed_at = time.time_ns()
    try:
        write_kill_file(state.root, reason, by)
    except OSError as error:
        raise CliError(
            f"{state.root / KILL_FILE} cannot be written ({error.strerror}): make that file, or "
            "stop the desk with `interlock down`"
        ) from error
    record = _running(state)
    if record is None:
        return Pressed(pressed_at=pressed_at, desk="", switch=None, unheard="no desk runs")
    telling = asyncio.create_task(_tell(state, record, by, reason))
    switch = await _cancelled(state, EXEC_SECONDS)
    obeyed, unheard = await telling
    return Pressed(
        pressed_at=pressed_at, desk=record.desk, switch=switch, obeyed=obeyed, unheard=unheard
    )


async def let_go(state: StateFolder, by: str, reason: str) -> tuple[Obeyed, Switch]:
    """Take the file away, have a person's resume obeyed, and wait until exec has armed.

    Raises
    ------
    CliError
        When nobody answers, or exec stays pressed.
    """
    remove_kill_file(state.root)
    obeyed = await steer(state, lambda desk, now: resume(desk, by, reason, now))
    deadline = time.monotonic() + EXEC_SECONDS
    while (switch := read_switch(state.root)).pressed:
        if time.monotonic() > deadline:
            raise CliError(
                f"the desk is {obeyed.change.state}, but exec keeps the kill switch pressed "
                f"({switch.way}: {switch.reason}): mend that and resume again"
            )
        await asyncio.sleep(LOOK_SECONDS)
    return obeyed, switch


def arm_at_rest(state: StateFolder, by: str, reason: str) -> Switch:
    """Arm the switch of a state folder in which nothing runs, in a person's name.

    Raises
    ------
    CliError
        When there is no switch there, or a desk runs after all.
    """
    if not read_switch_there(state):
        raise CliError(f"no desk runs in {state.root}: start one with `interlock up`")
    with locked(state):
        armed = Switch(
            state=SwitchState.ARMED,
            way=Way.COMMAND,
            by=by,
            reason=reason,
            seen_at=time.time_ns(),
            last_submit_at=read_switch(state.root).last_submit_at,
        )
        remove_kill_file(state.root)
        write_switch(state.root, armed)
    return armed


def read_switch_there(state: StateFolder) -> bool:
    """Return whether a desk has ever run in this folder."""
    return (state.root / "replay.json").exists() or (state.root / "journal").exists()


def desk_runs(state: StateFolder) -> bool:
    return _running(state) is not None


def _running(state: StateFolder) -> RunRecord | None:
    """Return the record of the run that goes on. One that cannot be read stops no press."""
    try:
        record = read_run_record(state)
    except CliError:
        return None
    return record if record is not None and record.alive else None


async def _cancelled(state: StateFolder, seconds: float) -> Switch | None:
    """Wait until exec says that nothing is open any more; none where it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        switch = read_switch(state.root)
        if switch.pressed and switch.cancelled_at:
            return switch
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(LOOK_SECONDS)


async def _tell(
    state: StateFolder, record: RunRecord, by: str, reason: str
) -> tuple[Obeyed | None, str]:
    if "nats" not in record.servers:
        return None, "the desk runs in one process and hears no commands"
    try:
        return await steer(state, lambda desk, now: halt(desk, by, reason, now)), ""
    except CliError as error:
        return None, str(error)
