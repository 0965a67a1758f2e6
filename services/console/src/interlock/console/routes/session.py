"""Logging in and out."""

from http import HTTPStatus
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie

from interlock.console.console import Console
from interlock.console.guards import needs, session_of
from interlock.console.problems import ProblemError
from interlock.console.routes.documented import PROBLEMS
from interlock.console.sessions import COOKIE, Session
from interlock.console.views.people import LoginRequest, Role, SessionView

_UNKNOWN_ADDRESS = "unknown"


def _view(console: Console, session: Session) -> SessionView:
    return SessionView(
        name=session.name,
        role=session.role,
        csrf=session.csrf,
        desk=console.desk.name,
        expires_at=str(session.expires_at),
    )


@post("/api/login", status_code=200, responses=PROBLEMS)
async def log_in(
    data: LoginRequest, request: Request[Any, Any, Any], console: Console
) -> Response[SessionView]:
    """Log in with a token. The session's cookie comes with the answer."""
    address = request.client.host if request.client else _UNKNOWN_ADDRESS
    wait = console.login_rate.wait_seconds(address)
    if wait:
        raise ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "login_rate",
            f"too many wrong tokens: wait {wait:.0f} s",
            retry_after_seconds=int(wait) + 1,
        )
    found = console.sessions.log_in(data.token)
    if found is None:
        console.login_rate.failed(address)
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "token", "nobody has this token")
    session, sealed = found
    cookie = Cookie(
        key=COOKIE,
        value=sealed,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        max_age=console.sessions.hours * 3_600,
    )
    return Response(_view(console, session), cookies=[cookie])


@post("/api/logout", status_code=204, guards=[needs(Role.VIEWER)], responses=PROBLEMS)
async def log_out(request: Request[Session, Any, Any], console: Console) -> Response[None]:
    """End the session, for whoever has its cookie."""
    console.sessions.log_out(request.user)
    response: Response[None] = Response(None, status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


@get("/api/session", responses=PROBLEMS)
async def session(request: Request[Any, Any, Any], console: Console) -> SessionView:
    """Say who is logged in."""
    found = session_of(request)
    if found is None:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "login", "log in first")
    return _view(console, found)


ROUTES = (log_in, log_out, session)
