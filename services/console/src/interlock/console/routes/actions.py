"""What a person does to the desk. Each needs its role, and is on the bus under their name."""

from http import HTTPStatus
from typing import Any

from litestar import Request, post

from interlock.console import commands
from interlock.console.commands import ask, command, reason_of
from interlock.console.console import Console
from interlock.console.desk_views import DIAL_LEVELS
from interlock.console.guards import needs
from interlock.console.problems import ProblemError, unusable
from interlock.console.routes.documented import PROBLEMS
from interlock.console.sessions import Session
from interlock.console.views.people import (
    ActionView,
    DialRequest,
    KillView,
    ReasonRequest,
    ResumeRequest,
    Role,
    RollBackRequest,
)
from interlock.wire.policy import ClearQuarantine, ForceDemo, RollBackPolicy, SetParameter
from interlock.wire.reasoning import PauseReasoner, ResumeReasoner

type Asking = Request[Session, Any, Any]

_ACTS = [needs(Role.OPERATOR)]
_HIGHEST_VERSION = 2**53


@post("/api/kill", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def kill(data: ReasonRequest, request: Asking, console: Console) -> KillView:
    """Press the kill switch: cancel every open order, let no new risk through."""
    reason = reason_of(data.reason, "pressed in the console")
    return await commands.kill(console, request.user.name, reason)


@post("/api/resume", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def resume(data: ResumeRequest, request: Asking, console: Console) -> ActionView:
    """Let orders through again. `confirm` is ``resume`` and the desk's name."""
    wanted = f"resume {console.desk.name}"
    if data.confirm.strip() != wanted:
        raise unusable(f"type {wanted!r} to confirm")
    reason = reason_of(data.reason, "resumed in the console")
    return await commands.resume(console, request.user.name, reason)


@post("/api/force-demo", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def force_demo(data: ReasonRequest, request: Asking, console: Console) -> ActionView:
    """Keep every order off live accounts until the desk is resumed."""
    by, fields = request.user.name, {"reason": reason_of(data.reason, "forced in the console")}
    return await ask(console, command(console, ForceDemo, by, {**fields}), by)


@post("/api/clear-quarantine", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def clear_quarantine(data: ReasonRequest, request: Asking, console: Console) -> ActionView:
    """End a quarantine early, where a judge has said so too."""
    by, fields = request.user.name, {"reason": reason_of(data.reason, "cleared in the console")}
    return await ask(console, command(console, ClearQuarantine, by, {**fields}), by)


@post("/api/policy/rollback", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def roll_back(data: RollBackRequest, request: Asking, console: Console) -> ActionView:
    """Put an older policy version in force again, as a new one."""
    if not 0 <= data.version <= _HIGHEST_VERSION:
        raise unusable("that is no version's number")
    by = request.user.name
    reason = reason_of(data.reason, "rolled back in the console")
    fields: dict[str, object] = {"reason": reason, "version": data.version}
    return await ask(console, command(console, RollBackPolicy, by, fields), by)


@post("/api/reasoner/pause", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def pause_reasoner(data: ReasonRequest, request: Asking, console: Console) -> ActionView:
    """Have no model asked any more, near or far, until they are resumed."""
    by, fields = request.user.name, {"reason": reason_of(data.reason, "paused in the console")}
    return await ask(console, command(console, PauseReasoner, by, {**fields}), by)


@post("/api/reasoner/resume", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def resume_reasoner(data: ReasonRequest, request: Asking, console: Console) -> ActionView:
    """Have the models asked again."""
    by, fields = request.user.name, {"reason": reason_of(data.reason, "resumed in the console")}
    return await ask(console, command(console, ResumeReasoner, by, {**fields}), by)


@post("/api/dial", status_code=200, guards=_ACTS, responses=PROBLEMS)
async def dial(data: DialRequest, request: Asking, console: Console) -> ActionView:
    """Set the aggressiveness, from 0 to 3, where the desk has a dial. It moves no hard limit."""
    if not 0 <= data.level < DIAL_LEVELS:
        raise unusable(f"level is from 0 to {DIAL_LEVELS - 1}")
    if not console.dial.levels:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "dial.none",
            f"desk {console.desk.name} has no dial: its policy has no parameter "
            f"{console.dial.parameter!r}",
        )
    by = request.user.name
    fields: dict[str, object] = {
        "parameter": console.dial.parameter,
        "value": console.dial.levels[data.level],
        "reason": reason_of(data.reason, f"dial set to {data.level} in the console"),
    }
    return await ask(console, command(console, SetParameter, by, fields), by)


ROUTES = (
    kill,
    resume,
    force_demo,
    clear_quarantine,
    roll_back,
    pause_reasoner,
    resume_reasoner,
    dial,
)
