"""The API's own page: the OpenAPI document as plain HTML, which loads nothing from anywhere."""

from html import escape
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

_METHODS = ("get", "post")


class PlainSchemaPage(OpenAPIRenderPlugin):
    """Lists what can be asked, in words."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page."""
        del request
        title = escape(openapi_schema["info"]["title"])
        rows = [
            line
            for path, item in sorted(openapi_schema.get("paths", {}).items())
            for method in _METHODS
            if method in item
            for line in _operation(method, path, item[method])
        ]
        return "\n".join(
            [
                "<!doctype html>",
                '<html lang="en"><head><meta charset="utf-8">',
                f"<title>{title}</title></head><body>",
                f"<h1>{title}</h1>",
                '<p>As a document: <a href="/schema/openapi.json">openapi.json</a></p>',
                "<dl>",
                *rows,
                "</dl></body></html>",
            ]
        ).encode()


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"<dt><code>{method.upper()} {escape(path)}</code></dt>"]
    lines.append(f"<dd>{escape(operation.get('description', ''))}</dd>")
    for parameter in operation.get("parameters", []):
        name, where = escape(parameter["name"]), escape(parameter["in"])
        lines.append(f"<dd><code>{name}</code> ({where})</dd>")
    return lines
