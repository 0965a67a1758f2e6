"""Where an Alpaca account is reached, and under which names its keys stand in the environment."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from interlock.venues.port import VenueUnavailableError

_PAPER = "https://paper-api.alpaca.markets"
_LIVE = "https://api.alpaca.markets"
_DATA = "https://data.alpaca.markets"
_DATA_STREAM = "wss://stream.data.alpaca.markets"
_LEAST_TO_HIDE = 6


class DataFeed(StrEnum):
    """``iex``: one exchange, free of charge. ``sip``: all exchanges."""

    IEX = "iex"
    SIP = "sip"


class AlpacaConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account. Empty addresses stand for Alpaca's own.

    `account_id` is the number or the id of the account that the keys must belong to; empty: any.
    `answer_timeout_seconds` is how long one request may take, `at_once` how many may be under way.
    While orders are open, REST is asked for them each `watch_seconds`: that finds a stream that
    lives and says nothing, and takes 60 / `watch_seconds` of Alpaca's 200 requests a minute.
    `cancels_per_second` is how many of them ends of orders may take. With `cancel_all` the kill
    switch ends all orders of the account with one request, whoever has placed them.
    """

    paper: bool = True
    account_id: str = ""
    api_key_env: str = "ALPACA_API_KEY"
    secret_key_env: str = "ALPACA_SECRET_KEY"  # noqa: S105 - the name of a variable, not a secret
    trading_url: str = ""
    data_url: str = ""
    data_stream_url: str = ""
    feed: DataFeed = DataFeed.IEX
    news: bool = True
    answer_timeout_seconds: float = 3.0
    at_once: int = 32
    watch_seconds: float = 1.2
    cancels_per_second: float = 2.0
    cancel_all: bool = True

    def __post_init__(self) -> None:
        for name in ("answer_timeout_seconds", "watch_seconds", "cancels_per_second"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero")
        if self.at_once < 1:
            raise ValueError("at_once must be at least 1")

    @property
    def trading(self) -> str:
        return (self.trading_url or (_PAPER if self.paper else _LIVE)).rstrip("/")

    @property
    def order_stream(self) -> str:
        """The stream of order events stands on the host of the orders."""
        return "ws" + self.trading.removeprefix("http") + "/stream"

    @property
    def data(self) -> str:
        return (self.data_url or _DATA).rstrip("/")

    @property
    def data_stream(self) -> str:
        return (self.data_stream_url or _DATA_STREAM).rstrip("/")


class AlpacaKeys:
    """A key and its secret, which no text, log or error shows."""

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self.secret = secret

    def __repr__(self) -> str:
        return "AlpacaKeys(***)"

    def hide(self, text: str) -> str:
        """Return `text` as one line without the key and the secret, wherever they stand in it."""
        for value in (self.secret, self.key):
            if len(value) >= _LEAST_TO_HIDE:
                text = text.replace(value, "***")
        return " ".join(text.split())


def keys_from(config: AlpacaConfig, environ: Mapping[str, str]) -> AlpacaKeys:
    """Return the account's keys, or raise `VenueUnavailableError` that names what is not set."""
    missing = [
        name for name in (config.api_key_env, config.secret_key_env) if not environ.get(name)
    ]
    if missing:
        raise VenueUnavailableError(
            f"Alpaca's keys are not set: put them into {' and '.join(missing)}"
        )
    return AlpacaKeys(environ[config.api_key_env], environ[config.secret_key_env])
