"""How an exchange is reached through ccxt: all of it configuration, nothing of it code.

ccxt is imported when the first exchange is opened: it takes half a second and 100 MB.
"""

import logging
import re
import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from msgspec import Struct, field

from interlock.model.values import require_finite_float
from interlock.venues.ccxt_dialects import dialect_of
from interlock.venues.port import VenueUnavailableError

_SECRET_FIELDS = re.compile(
    r"(?i)\b(signature|apikey|api-key|api-sign|token|listenkey|nonce)(=|['\"]?:\s*['\"]?)[^&\s'\",}]+"
)
_LONGEST_TEXT = 300
_HTTP_ERROR = 400
_CLOSING_MS = 20
_PINGS_MISSED = 2
_PINGS_PER_SILENCE = _PINGS_MISSED + 1.5


class CcxtConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at one exchange. Secrets are named here by their environment variables only.

    Attributes
    ----------
    exchange : str
        ccxt's id: ``coinbase`` (Advanced Trade), ``kraken``, ``binance`` or any other.
    paper : bool
        The account is a sandbox's, whose money is none: the exchange's own, or what `urls` name.
    urls, options : dict
        Laid over what ccxt knows of the exchange; a stub server needs `urls` alone.
    timeout_seconds : float
        How long a request may take; after it an order is unknown.
    silence_seconds : float
        A stream that has not answered a ping for so long is down.
    poll_seconds : float
        How often orders are asked for where the exchange has no stream of them.
    dead_man_seconds : int
        The exchange ends all orders of the account, stops too, when it has not heard from us for
        so long. 0: off. Renewed each third of it.
    keep_stops : bool
        Whether stops stand at the exchange, where it has them.
    request_ms : float
        The least time between requests; 0: what ccxt knows of the exchange.
    cancels_per_second : float
        How many orders a second may be ended; 0: what `request_ms` allows.
    cancel_all : bool
        Whether the kill switch ends all orders of the account with one request, whoever has placed
        them, where the exchange has one.
    """

    exchange: str
    paper: bool = False
    key_env: str = ""
    secret_env: str = ""
    password_env: str = ""
    urls: dict[str, Any] = field(default_factory=dict[str, Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    timeout_seconds: float = 5.0
    silence_seconds: float = 2.0
    poll_seconds: float = 1.0
    dead_man_seconds: int = 0
    keep_stops: bool = True
    request_ms: float = 0.0
    cancels_per_second: float = 0.0
    cancel_all: bool = True

    def __post_init__(self) -> None:
        for name in ("timeout_seconds", "silence_seconds", "poll_seconds"):
            require_finite_float(name, getattr(self, name))
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")
        if not self.cancels_per_second >= 0:
            raise ValueError("cancels_per_second must not be below zero")
        if self.dead_man_seconds < 0:
            raise ValueError("dead_man_seconds must not be below zero")


class Secrets(Struct, frozen=True, kw_only=True):
    """What must not be seen. It prints as nothing."""

    key: str = ""
    secret: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return "Secrets(***)"

    def redact(self, text: object) -> str:
        """Return `text` as one line of bounded length without any secret."""
        clean = str(text)
        for value in (self.secret, self.key, self.password):
            if value:
                clean = clean.replace(value, "***")
        clean = _SECRET_FIELDS.sub(r"\1\2***", clean)
        return " ".join(clean.split())[:_LONGEST_TEXT]


def read_secrets(config: CcxtConfig, environ: Mapping[str, str]) -> Secrets:
    """Return the account's secrets.

    Raises
    ------
    VenueUnavailableError
        When a variable the configuration names is not set.
    """
    named = {"key": config.key_env, "secret": config.secret_env, "password": config.password_env}
    missing = [name for name in named.values() if name and not environ.get(name)]
    if missing:
        raise VenueUnavailableError(f"{config.exchange}: set {' and '.join(missing)}")
    found = {name: environ[variable] for name, variable in named.items() if variable}
    # A PEM key in one line of an environment file has its line ends spelled out.
    return Secrets(**{name: text.replace("\\n", "\n") for name, text in found.items()})


def open_exchange(config: CcxtConfig, secrets: Secrets) -> Any:
    """Return ccxt's exchange: unmodified, with its limiter on and its retries off."""
    library = import_module("ccxt.pro")
    kind = getattr(library, config.exchange, None)
    if config.exchange not in library.exchanges:
        kind = getattr(import_module("ccxt.async_support"), config.exchange, None)
    if kind is None:
        raise VenueUnavailableError(f"ccxt knows no exchange {config.exchange!r}")
    # At DEBUG ccxt logs each request with its key and its signature.
    logging.getLogger("ccxt").setLevel(logging.INFO)
    ping_ms = int(1000 * config.silence_seconds / _PINGS_PER_SILENCE)
    exchange = kind(
        {
            "apiKey": secrets.key,
            "secret": secrets.secret,
            "password": secrets.password,
            "enableRateLimit": True,
            "timeout": int(1000 * config.timeout_seconds),
            "verbose": False,
            "urls": config.urls,
            "options": {
                **dialect_of(config.exchange).options,
                **config.options,
                "maxRetriesOnFailure": 0,
            },
            "streaming": {"keepAlive": ping_ms, "maxPingPongMisses": _PINGS_MISSED},
            "timeout_on_exit": _CLOSING_MS,
            **({"rateLimit": config.request_ms} if config.request_ms else {}),
        }
    )
    exchange.on_rest_response = _insist_on_json
    if config.paper and not config.urls:
        _enter_sandbox(exchange, config.exchange)
    return exchange


def _enter_sandbox(exchange: Any, name: str) -> None:
    try:
        exchange.set_sandbox_mode(True)
    except Exception as error:
        raise VenueUnavailableError(f"{name} has no sandbox: set paper = false") from error


def _insist_on_json(status: int, _reason: str, url: str, method: str, *rest: Any) -> str:
    """Refuse a body that is no JSON: ccxt would read an empty one as no orders and no money.

    ccxt calls this for each response and goes on with the body that it returns.
    """
    body: str = rest[1].strip()
    if status < _HTTP_ERROR and not body.startswith(("{", "[")):
        bad_response = import_module("ccxt").BadResponse
        place = url.partition("?")[0]
        raise bad_response(f"{method} {place} HTTP {status}: {body[:100]!r}")
    return body


def open_session(exchange: Any) -> None:
    """Let ccxt make its HTTP session, whose arguments newer releases of aiohttp warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        exchange.open()
