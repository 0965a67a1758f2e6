"""A person's words to the desk, as messages and as the switch on the disk."""

import asyncio
import time
from http import HTTPStatus
from typing import Any

from interlock.console.console import Console
from interlock.console.problems import ProblemError, unknown, unusable
from interlock.console.views.people import ActionView, KillView
from interlock.runtime.errors import UnavailableError
from interlock.runtime.switch_file import (
    KILL_FILE,
    Switch,
    read_switch,
    remove_kill_file,
    write_kill_file,
)
from interlock.wire.approvals import ApprovalCounted
from interlock.wire.base import DeskMessage, Message, caused_id, root_ids
from interlock.wire.policy import (
    CommandRefused,
    HaltTrading,
    PolicyChanged,
    ResumeTrading,
    TradingStateChanged,
)
from interlock.wire.reasoning import ReasonerPaused

ANSWERS: tuple[type[Message], ...] = (
    TradingStateChanged,
    PolicyChanged,
    CommandRefused,
    ApprovalCounted,
    ReasonerPaused,
)
ANSWER_SECONDS = 5.0
SWITCH_SECONDS = 5.0
LONGEST_REASON = 1_000
_LOOK_SECONDS = 0.01


def reason_of(text: str, usual: str) -> str:
    """Return a person's reason as one line.

    Raises
    ------
    ProblemError
        When it is too long to be one.
    """
    if len(text) > LONGEST_REASON:
        raise unusable(f"a reason has {LONGEST_REASON} characters at most")
    # A lone surrogate cannot be written down.
    plain = " ".join(text.encode(errors="replace").decode().replace("\0", " ").split())
    return plain or usual


def command(console: Console, kind: type[Any], by: str, fields: dict[str, object]) -> DeskMessage:
    """Return a command at the desk's own time: the machine's would throw a replay's forward."""
    desk = console.desk.name
    message_id, decision_id = root_ids(kind, desk, by, time.time_ns())
    made: DeskMessage = kind(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=console.live.moment,
        desk=desk,
        by=by,
        **fields,
    )
    return made


async def ask(console: Console, wanted: DeskMessage, by: str) -> ActionView:
    """Store a command and return what policy answered.

    Raises
    ------
    ProblemError
        When policy refuses, with its code.
    UnavailableError
        When the command was not stored.
    """
    answers = {caused_id(wanted, kind) for kind in ANSWERS}
    answer = await console.hearing.say(wanted, answers, ANSWER_SECONDS)
    match answer:
        case CommandRefused():
            raise _refusal(answer)
        case TradingStateChanged():
            return ActionView(
                outcome="obeyed",
                message_id=wanted.message_id,
                by=by,
                detail=answer.reason,
                trading_state=answer.state,
                epoch=answer.epoch,
            )
        case PolicyChanged():
            return ActionView(
                outcome="obeyed",
                message_id=wanted.message_id,
                by=by,
                detail=answer.reason,
                policy_version=answer.version,
            )
        case ApprovalCounted():
            return ActionView(
                outcome="obeyed",
                message_id=wanted.message_id,
                by=by,
                detail=f"{len(answer.given)} of {answer.needed} have approved",
                approval=answer.standing,
                given=answer.given,
            )
        case ReasonerPaused():
            detail = "models are not asked" if answer.paused else "models are asked"
            return ActionView(outcome="obeyed", message_id=wanted.message_id, by=by, detail=detail)
        case _:
            return ActionView(
                outcome="stored",
                message_id=wanted.message_id,
                by=by,
                detail="stored, but not obeyed yet: it will be when who is to obey is back",
            )


def _refusal(refused: CommandRefused) -> ProblemError:
    """Return a refusal as a problem; an approval's codes are given without their area."""
    code = refused.code.removeprefix("approval.")
    if code == "unknown":
        return unknown(refused.reason)
    return ProblemError(HTTPStatus.CONFLICT, code, refused.reason)


async def kill(console: Console, by: str, reason: str) -> KillView:
    """Write the file, tell the desk, and say what came of it within a few seconds.

    The file comes first and needs the disk only; what fails afterwards is told, not raised.

    Raises
    ------
    ProblemError
        When the file cannot be written and nobody could be told either.
    """
    pressed_at = time.time_ns()
    unwritten = await asyncio.to_thread(_press, console, by, reason)
    telling = asyncio.create_task(_tell(console, by, reason))
    switch = None if unwritten else await _cancelled(console, SWITCH_SECONDS)
    told, obeyed, unheard = await telling
    if unwritten and not told:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "kill", f"{unwritten}; {unheard}")
    details = [unwritten, unheard, "" if switch else "exec has not confirmed it yet"]
    return KillView(
        pressed_at=str(pressed_at),
        file_written=not unwritten,
        told=told,
        confirmed=switch is not None,
        cancelled=0 if switch is None else switch.cancelled,
        obeyed=obeyed,
        detail="; ".join(text for text in details if text),
    )


def _press(console: Console, by: str, reason: str) -> str:
    try:
        write_kill_file(console.folder, reason, by)
    except OSError as error:
        return f"{KILL_FILE} cannot be written ({error.strerror})"
    return ""


async def _tell(console: Console, by: str, reason: str) -> tuple[bool, bool, str]:
    """Return whether the halt was stored, whether policy obeyed, and what was wrong."""
    try:
        done = await ask(console, command(console, HaltTrading, by, {"reason": reason}), by)
    except ProblemError as refused:
        return True, False, refused.detail
    except UnavailableError as error:
        return False, False, str(error)
    return True, done.outcome == "obeyed", "" if done.outcome == "obeyed" else done.detail


async def _cancelled(console: Console, seconds: float) -> Switch | None:
    """Wait until exec says that nothing is open any more; none where it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        switch = read_switch(console.folder)
        if switch.pressed and switch.cancelled_at:
            return switch
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(_LOOK_SECONDS)


async def resume(console: Console, by: str, reason: str) -> ActionView:
    """Take the file away, have a person's resume obeyed, and wait until exec has armed.

    Raises
    ------
    ProblemError
        When policy refuses, or exec keeps the switch pressed.
    """
    if not console.hearing.up:
        raise UnavailableError("the bus is away: nobody would hear it")
    try:
        await asyncio.to_thread(remove_kill_file, console.folder)
    except OSError as error:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "kill", f"{KILL_FILE}: {error.strerror}"
        ) from error
    done = await ask(console, command(console, ResumeTrading, by, {"reason": reason}), by)
    if done.outcome != "obeyed":
        return done
    deadline = time.monotonic() + SWITCH_SECONDS
    while (switch := read_switch(console.folder)).pressed:
        if time.monotonic() > deadline:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "switch",
                f"the desk is {done.trading_state}, but exec keeps the kill switch pressed "
                f"({switch.way}: {switch.reason}): mend that and resume again",
            )
        await asyncio.sleep(_LOOK_SECONDS)
    return done
