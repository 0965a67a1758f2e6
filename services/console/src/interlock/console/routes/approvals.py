"""Entries that wait for people."""

from typing import Annotated

from litestar import get, post
from litestar.params import Parameter

from interlock.console.commands import ask, command, reason_of
from interlock.console.console import Console
from interlock.console.guards import needs
from interlock.console.pages import LINES, bounded
from interlock.console.plain import text_of
from interlock.console.problems import unknown, unusable
from interlock.console.queries import approvals as queries
from interlock.console.routes.actions import Asking
from interlock.console.routes.documented import PROBLEMS
from interlock.console.views.people import (
    ActionView,
    ApprovalsPage,
    ReasonRequest,
    RejectRequest,
    Role,
)
from interlock.wire.approvals import GiveApproval, RejectApproval

_APPROVES = [needs(Role.APPROVER)]


@get("/api/approvals", guards=[needs(Role.VIEWER)], responses=PROBLEMS)
async def approvals(
    console: Console,
    status: Annotated[str, Parameter(query="state")] = queries.PENDING,
    cursor: str | None = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = LINES,
) -> ApprovalsPage:
    """List requests, newest first; `state` is ``pending`` or ``all``."""
    if status not in (queries.PENDING, "all"):
        raise unusable("state is pending or all")
    return await queries.approvals(
        console.tables,
        console.desk.name,
        only_pending=status == queries.PENDING,
        cursor=cursor,
        limit=bounded(limit),
    )


def _named(request_id: str) -> str:
    name = text_of("request_id", request_id)
    if name is None:
        raise unknown("give a request")
    return name


@post(
    "/api/approvals/{request_id:str}/approve",
    status_code=200,
    guards=_APPROVES,
    responses=PROBLEMS,
)
async def approve(
    data: ReasonRequest, request: Asking, console: Console, request_id: str
) -> ActionView:
    """Approve an entry; where two people are needed, as one of them. Twice is once."""
    by = request.user.name
    fields: dict[str, object] = {
        "request_id": _named(request_id),
        "reason": reason_of(data.reason, ""),
    }
    return await ask(console, command(console, GiveApproval, by, fields), by)


@post(
    "/api/approvals/{request_id:str}/reject",
    status_code=200,
    guards=_APPROVES,
    responses=PROBLEMS,
)
async def reject(
    data: RejectRequest, request: Asking, console: Console, request_id: str
) -> ActionView:
    """Reject an entry, for ever."""
    by, reason = request.user.name, reason_of(data.reason, "")
    if not reason:
        raise unusable("say why")
    fields: dict[str, object] = {"request_id": _named(request_id), "reason": reason}
    return await ask(console, command(console, RejectApproval, by, fields), by)


ROUTES = (approvals, approve, reject)
