"""The HTTP application: all routes behind the wall."""

from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from interlock.console.console import Console
from interlock.console.guards import STATE_KEY
from interlock.console.problems import on_problem
from interlock.console.routes import (
    actions,
    approvals,
    desk,
    judgement,
    live,
    page,
    records,
    session,
)
from interlock.console.schema_page import PlainSchemaPage
from interlock.console.sessions import COOKIE, CSRF_HEADER
from interlock.console.wall import MOST_BODY_BYTES, Wall

ROUTES: Sequence[Any] = (
    *session.ROUTES,
    *desk.ROUTES,
    *records.ROUTES,
    *judgement.ROUTES,
    *live.ROUTES,
    *actions.ROUTES,
    *approvals.ROUTES,
    *page.ROUTES,
)


def application(console: Console) -> ASGIApp:
    """Return the application of one console."""

    def provide() -> Console:
        return console

    app = Litestar(
        route_handlers=list(ROUTES),
        dependencies={"console": Provide(provide, sync_to_thread=False)},
        state=State({STATE_KEY: console}),
        exception_handlers={Exception: on_problem},
        openapi_config=_openapi(console.desk.name),
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
        debug=False,
    )
    return Wall(app, console.allowed_hosts)


def _openapi(desk: str) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=f"Interlock console of desk {desk}",
        version="1",
        path="/schema",
        render_plugins=[PlainSchemaPage(), JsonRenderPlugin()],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie"),
                "csrf": SecurityScheme(
                    type="apiKey", name=CSRF_HEADER, security_scheme_in="header"
                ),
            }
        ),
        security=[{"session": [], "csrf": []}],
    )
