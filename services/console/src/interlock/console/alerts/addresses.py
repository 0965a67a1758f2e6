"""Where alerts go: URLs of the library apprise, read from files and variables, and used.

Theory of operation. A URL is a secret as a whole. It is held by an `Address` and shown nowhere;
what the library says of a failure is kept only with every part of the URL struck out, and its own
log lines, and those of the HTTP client below it, are cut off from ours. A message is sent by a
library object made for it alone: the library's objects wait between two messages, and a critical
alert must not. The library takes a second or two to load, so only a console with routes does.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from interlock.console.alerts.routes import AlertRoute
from interlock.console.alerts.wording import plain
from interlock.model.values import Severity
from interlock.runtime.config import ConfigError

if TYPE_CHECKING:
    from apprise import Apprise

MOST_ADDRESSES = 20
MOST_BYTES = 64 * 1024
SEND_SECONDS = 30.0
MOST_HANGING = 3
_SHORTEST_SECRET = 3
_PROBLEM_CHARS = 200
_TALKATIVE = ("apprise", "urllib3", "requests", "requests_oauthlib", "oauthlib")
_STRUCK_OUT = "(secret)"
_TYPES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


@dataclass(frozen=True, slots=True)
class Address:
    """One receiver of a route. `name` is the route's, with a number where it has several."""

    name: str
    route: AlertRoute
    url: str = field(repr=False)
    hanging: list[threading.Thread] = field(
        default_factory=list[threading.Thread], repr=False, compare=False
    )


def read_addresses(
    routes: Sequence[AlertRoute], folder: Path, environment: Mapping[str, str]
) -> list[Address]:
    """Return every address of `routes`; relative files begin at `folder`.

    Raises
    ------
    ConfigError
        When a URL is not there or is none. The text holds no part of it.
    """
    addresses: list[Address] = []
    for route in routes:
        urls = _urls(route, folder, environment)
        several = len(urls) > 1
        for number, (place, url) in enumerate(urls, 1):
            name = f"{route.name}/{number}" if several else route.name
            if _library(url) is None:
                raise ConfigError(
                    f"alert route {route.name}: {place} is no URL that alerts can be sent to; "
                    "docs/alerts.md shows some"
                )
            addresses.append(Address(name, route, url))
    if len(addresses) > MOST_ADDRESSES:
        raise ConfigError(f"alerts go to {MOST_ADDRESSES} addresses at most, not {len(addresses)}")
    return addresses


def _urls(route: AlertRoute, folder: Path, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return a route's URLs, each with the words that say where it stands."""
    if route.url_env:
        url = environment.get(route.url_env, "").strip()
        if not url:
            raise ConfigError(
                f"alert route {route.name}: the environment lacks {route.url_env}, which holds "
                "its URL"
            )
        return [(f"what {route.url_env} holds", url)]
    path = folder / route.urls_file
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"alert route {route.name}: {path} cannot be read ({why})") from None
    urls = [
        (f"line {number} of {path}", line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not urls:
        raise ConfigError(f"alert route {route.name}: {path} holds no URL")
    return urls


def _library(url: str) -> "Apprise | None":
    """Return a sender of the library's for one URL, none where it knows no such URL."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if logger.propagate:
            logger.addHandler(logging.NullHandler())
            logger.propagate = False
    import apprise

    asset = apprise.AppriseAsset(
        app_id="Interlock", app_desc="Interlock", async_mode=False, secure_logging=True
    )
    # Receivers would fetch a picture from elsewhere.
    asset.image_url_mask = asset.image_url_logo = ""
    asset.app_url = ""
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url):
        return None
    found = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(found, apprise.NotifyBase):
        return None
    if "overflow=" not in url:
        # A long text is cut to what fits, not sent in parts or refused.
        found.overflow_mode = apprise.OverflowMode.TRUNCATE
    sender = apprise.Apprise(asset=asset)
    sender.add(found)
    return sender


def send_and_wait(address: Address, title: str, body: str, severity: Severity) -> str:
    """Send one message and return what went wrong, nothing where it was taken.

    It may take as long as the receiver likes: see `send`.
    """
    try:
        sender = _library(address.url)
        if sender is None:
            return "the URL is not one that can be used"
        result = sender.notify(
            body=body, title=title, notify_type=_TYPES[severity], body_format="text"
        )
        if result:
            return ""
        said = [entry.message for entry in result.logs()]
    # Whatever a plugin of the library raises, the route goes on.
    except Exception as error:  # noqa: BLE001
        said = [f"{type(error).__name__}: {error}"]
    last = said[-1] if said else "it was not taken, and no reason given"
    return plain(without_secrets(last, address.url), _PROBLEM_CHARS)


async def send(address: Address, title: str, body: str, severity: Severity) -> str:
    """Do the same within `SEND_SECONDS`; a receiver that hangs is left to itself."""
    address.hanging[:] = [one for one in address.hanging if one.is_alive()]
    if len(address.hanging) >= MOST_HANGING:
        return f"{MOST_HANGING} messages to it hang"
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()

    def end(problem: str) -> None:
        if not ended.done():
            ended.set_result(problem)

    def work() -> None:
        problem = send_and_wait(address, title, body, severity)
        _call(loop, lambda: end(problem))

    # Not of a pool: nobody waits for it when the process ends.
    thread = threading.Thread(target=work, name=f"alert {address.name}", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await ended
    except TimeoutError:
        address.hanging.append(thread)
        return f"no answer within {SEND_SECONDS:g} s"


def _call(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(work)
    except RuntimeError:
        # The process is ending, and nobody asks any more.
        return


def without_secrets(text: str, url: str) -> str:
    """Return `text` with every part of `url` struck out, as it stands, quoted, and unquoted."""
    rest = url.partition("://")[2]
    forms = {rest, unquote(rest)}
    parts = {part for form in forms for part in (form, *re.split(r"[/:@?&=#,;+\s]+", form))}
    parts |= {quote(part, safe="") for part in parts}
    longest_first = sorted(parts, key=len, reverse=True)
    secret = "|".join(re.escape(part) for part in longest_first if len(part) >= _SHORTEST_SECRET)
    return re.sub(secret, _STRUCK_OUT, text, flags=re.IGNORECASE) if secret else text
