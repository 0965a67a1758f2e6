"""A server that answers from recorded bodies, and remembers what it was asked."""

from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web


class RecordedExchange:
    """`by_path` holds bodies by a part of the path; what has none gets `body`.

    `asked` are path and body of the requests that came.
    """

    def __init__(self) -> None:
        self.body = "{}"
        self.by_path: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self._port = 0
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)

    def urls_for(self, urls: Mapping[str, Any]) -> dict[str, Any]:
        """Return an exchange's URLs with each of them leading here."""
        return {name: self._url_for(value) for name, value in urls.items()}

    def _url_for(self, value: Any) -> Any:
        if isinstance(value, str):
            return f"http://127.0.0.1:{self._port}{'/' if value.endswith('/') else ''}"
        return self.urls_for(value)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path_qs, (await request.read()).decode()))
        found = (body for part, body in self.by_path.items() if part in request.path_qs)
        return web.Response(text=next(found, self.body), content_type="application/json")

    def asked_of(self, part: str) -> list[str]:
        """Return path and body, as one text, of the requests with `part` in their path."""
        return [f"{path} {body}" for path, body in self.asked if part in path]
