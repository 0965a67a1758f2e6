"""The page's own files, read once and kept in memory, compressed where that helps."""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Any

from litestar import Request, Response, get

from interlock.console.problems import unknown

FOLDER = "page"
INDEX = "index.html"
_HASHED = "assets"
_WORTH_COMPRESSING = 1_024
_COMPRESSED_TYPES = ("text/", "application/javascript", "application/json", "image/svg")


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFile:
    """One file as it is sent. `packed` is gzip, none where that saves nothing."""

    body: bytes
    packed: bytes | None
    media_type: str
    tag: str


@cache
def page_files() -> dict[str, PageFile]:
    """Return the built page by path; empty where it was not built."""
    root = files("interlock.console") / FOLDER
    found: dict[str, PageFile] = {}
    if root.is_dir():
        _collect(root, PurePosixPath(), found)
    return found


def _collect(folder: Traversable, path: PurePosixPath, found: dict[str, PageFile]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _collect(entry, path / entry.name, found)
        else:
            found[str(path / entry.name)] = _page_file(entry)


def _page_file(entry: Traversable) -> PageFile:
    body = entry.read_bytes()
    media_type = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    if media_type == "text/javascript":
        media_type = "application/javascript"
    squeezed = media_type.startswith(_COMPRESSED_TYPES) and len(body) >= _WORTH_COMPRESSING
    return PageFile(
        body=body,
        packed=gzip.compress(body, mtime=0) if squeezed else None,
        media_type=media_type,
        tag=f'"{sha256(body).hexdigest()[:32]}"',
    )


@get(["/", "/{path:path}"], include_in_schema=False)
async def page(request: Request[Any, Any, Any], path: str = "") -> Response[bytes]:
    """Send a file of the page. Its own addresses, which are no files, lead to its index."""
    name = path.strip("/")
    if name == "api" or name.startswith("api/"):
        raise unknown("nothing here")
    found = page_files().get(name)
    if found is None and (name.startswith(f"{_HASHED}/") or PurePosixPath(name).suffix):
        raise unknown("nothing here")
    found = found or page_files().get(INDEX)
    if found is None:
        raise unknown("the page is not built: run `make web`")
    hashed = name.startswith(f"{_HASHED}/")
    headers = {
        "ETag": found.tag,
        "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == found.tag:
        return Response(b"", status_code=304, headers=headers)
    packed = found.packed if "gzip" in request.headers.get("accept-encoding", "") else None
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(packed or found.body, media_type=found.media_type, headers=headers)


ROUTES = (page,)
