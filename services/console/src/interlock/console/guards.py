"""Who may come in: a session, its CSRF word for what changes something, and a role."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from interlock.console.console import Console
from interlock.console.problems import ProblemError
from interlock.console.sessions import COOKIE, CSRF_HEADER, Session
from interlock.console.views.people import Role

type Connection = ASGIConnection[Any, Any, Any, Any]
type Guard = Callable[[Connection, BaseRouteHandler], None]

_READS = frozenset({"GET", "HEAD"})
STATE_KEY = "console"


def needs(role: Role) -> Guard:
    """Return a guard that lets in who is logged in and has at least this role."""

    def guard(connection: Connection, _: BaseRouteHandler) -> None:
        session = session_of(connection)
        if session is None:
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "login", "log in first")
        console: Console = connection.app.state[STATE_KEY]
        if connection.scope.get("method") not in _READS and not console.sessions.is_genuine(
            session, connection.headers.get(CSRF_HEADER)
        ):
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "csrf", "this page is stale: load it again")
        if not session.role.covers(role):
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "role", f"{session.name} is {session.role}, not {role}"
            )
        connection.scope["user"] = session

    return guard


def session_of(connection: Connection) -> Session | None:
    console: Console = connection.app.state[STATE_KEY]
    return console.sessions.of(connection.cookies.get(COOKIE))
