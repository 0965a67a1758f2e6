"""What stands before every request: whose address was asked, from whose page, and how much.

Theory of operation. The console listens on loopback, but a browser on this machine also shows
pages of others. One whose name is made to point at 127.0.0.1 would be of our origin; its ``Host``
gives it away. One that posts to us across origins names its own in ``Origin``. Answers forbid the
page to load, send to, or be framed by anything but ourselves, and to be kept in any cache.
"""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from interlock.console.problems import PROBLEM_TYPE
from interlock.console.views.base import ProblemView

MOST_BODY_BYTES = 64 * 1024
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS: dict[bytes, bytes] = {
    b"content-security-policy": _CSP.encode(),
    b"x-frame-options": b"DENY",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
_CACHE = b"cache-control"
_NO_STORE = (_CACHE, b"no-store")


class Wall:
    """Wraps the whole application. `hosts` are the names we may be called by, in lower case."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name, value) for name, value in message["headers"] if name not in HEADERS]
                kept = any(name == _CACHE for name, _ in own)
                extra = [] if kept else [_NO_STORE]
                message = {**message, "headers": [*own, *HEADERS.items(), *extra]}
            await send(message)

        refused = self._refusal(dict(scope["headers"]))
        if refused is not None:
            await _refuse(refused, sealed)
            return
        await self._app(scope, receive, sealed)

    def _refusal(self, headers: dict[bytes, bytes]) -> ProblemView | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if _name(host) not in self._hosts:
            return _problem(HTTPStatus.MISDIRECTED_REQUEST, "host", "nobody here has this name")
        origin = headers.get(b"origin")
        if origin is not None and urlsplit(origin.decode("latin-1")).netloc.lower() != host:
            return _problem(HTTPStatus.FORBIDDEN, "origin", "another page may not ask this")
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:20]) > MOST_BODY_BYTES:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return _problem(status, "size", f"at most {MOST_BODY_BYTES} bytes")
        return None


def _name(host: str) -> str:
    """Return the name of a ``Host`` without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _problem(status: HTTPStatus, code: str, detail: str) -> ProblemView:
    return ProblemView(
        type=PROBLEM_TYPE, title=status.phrase, status=status.value, detail=detail, code=code
    )


async def _refuse(problem: ProblemView, send: Send) -> None:
    body = msgspec.json.encode(problem)
    await send(
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": [
                (b"content-type", b"application/problem+json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
