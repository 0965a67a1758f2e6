"""Live changes, and how processes and streams are."""

from http import HTTPStatus
from typing import Any

from litestar import Request, get
from litestar.response import Stream

from interlock.console.console import Console
from interlock.console.guards import needs
from interlock.console.health_views import health_view
from interlock.console.problems import ProblemError
from interlock.console.routes.documented import PROBLEMS
from interlock.console.sessions import COOKIE
from interlock.console.views.health import HealthView
from interlock.console.views.people import Role

MOST_STREAMS = 32
_LONGEST_NUMBER = 18
_LOOKS = [needs(Role.VIEWER)]


@get("/api/health", guards=_LOOKS, responses=PROBLEMS)
async def health(console: Console) -> HealthView:
    """Return how every process and stream is."""
    return await health_view(console)


@get("/api/stream", guards=_LOOKS, responses=PROBLEMS, media_type="text/event-stream")
async def stream(request: Request[Any, Any, Any], console: Console) -> Stream:
    """Send changes as they come, as server-sent events."""
    if console.changes.readers >= MOST_STREAMS:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE, "streams", f"{MOST_STREAMS} pages are open already"
        )
    text = request.headers.get("last-event-id", "")
    known = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    cookie = request.cookies.get(COOKIE)
    return Stream(
        console.changes.read(
            int(text) if known else None,
            may_read=lambda: console.sessions.holds(cookie),
        ),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


ROUTES = (health, stream)
