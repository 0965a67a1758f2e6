"""Which adapter a desk trades with, and which tells it the market. Vendors are imported late.

Theory of operation. A desk names its venue in ``[desk]`` and its live source in ``[feed]``. How an
account is reached stands in a section of its own, ``[alpaca]`` or ``[ccxt]``, which both read.
Paper money and real money are never mistaken for each other: an account with real money is refused
to every desk that is not in mode ``live``.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol

from interlock.model.desk import DeskConfig
from interlock.model.values import TradingMode
from interlock.venues.port import Venue, VenueUnavailableError
from interlock.venues.source import MarketSource, SourceUnavailableError

PAPER, ALPACA, CCXT = "paper", "alpaca", "ccxt"
_ADAPTERS = {
    ALPACA: {
        "config": "interlock.venues.alpaca.config:AlpacaConfig",
        "venue": "interlock.venues.alpaca.venue:AlpacaVenue",
        "source": "interlock.venues.alpaca.source:AlpacaSource",
    },
    CCXT: {
        "config": "interlock.venues.ccxt_config:CcxtConfig",
        "venue": "interlock.venues.ccxt_venue:CcxtVenue",
        "source": "interlock.venues.ccxt_source:CcxtSource",
    },
}
SECTIONS = tuple(_ADAPTERS)
"""The sections of a desk file in which accounts are described."""


class VenueConfigError(ValueError):
    """A desk cannot use what it names: unknown, without keys, or the wrong money. One line."""


class ReadSection(Protocol):
    """Reads a section of the desk file as a struct."""

    def __call__[C](self, service: str, kind: type[C]) -> C: ...


def section_type(name: str) -> type[Any]:
    """Return the struct of one of `SECTIONS`."""
    kind: type[Any] = _load(name, "config")
    return kind


def venue_for(desk: DeskConfig, read: ReadSection, environ: Mapping[str, str]) -> Venue:
    """Return the desk's real venue, connected to nothing yet.

    Raises
    ------
    VenueConfigError
        When there is no such venue, its keys are not set, or it has real money and the desk is not
        in mode ``live``.
    """
    if desk.venue not in _ADAPTERS:
        known = ", ".join((PAPER, *_ADAPTERS))
        raise VenueConfigError(f"there is no venue {desk.venue!r}: known are {known}")
    config = read(desk.venue, section_type(desk.venue))
    if is_real_money(config) and desk.mode is not TradingMode.LIVE:
        raise VenueConfigError(
            f"desk {desk.name} is in mode {desk.mode} and [{desk.venue}] is an account with real "
            'money: choose its paper account, or set mode = "live" and live_allowed'
        )
    try:
        venue: Venue = _load(desk.venue, "venue")(config, desk.instruments, environ)
    except (VenueUnavailableError, ImportError) as error:
        raise VenueConfigError(_in_words(desk.venue, error)) from error
    return venue


def has_keys(name: str, read: ReadSection, environ: Mapping[str, str]) -> bool:
    """Return whether the environment holds every key that the account's section names."""
    config = read(name, section_type(name)) if name in _ADAPTERS else None
    named = [
        getattr(config, key)
        for key in getattr(config, "__struct_fields__", ())
        if key.endswith("_env")
    ]
    return all(environ.get(variable) for variable in named if variable)


def is_real_money(config: object) -> bool:
    """Return whether orders of this account cost money. An exchange without a word on it does."""
    return not getattr(config, "paper", False)


def source_for(
    source: str, symbols: Sequence[str], read: ReadSection, environ: Mapping[str, str]
) -> MarketSource:
    """Return a live source for `symbols`, connected to nothing yet.

    Raises
    ------
    VenueConfigError
        When there is no such source, or its keys are not set.
    """
    if source not in _ADAPTERS:
        known = ", ".join(_ADAPTERS)
        raise VenueConfigError(f"there is no live source {source!r}: known are {known}")
    config = read(source, section_type(source))
    try:
        made: MarketSource = _load(source, "source")(config, symbols, environ)
    except (VenueUnavailableError, SourceUnavailableError, ImportError) as error:
        raise VenueConfigError(_in_words(source, error)) from error
    return made


def _load(name: str, part: str) -> Any:
    module, _, kind = _ADAPTERS[name][part].partition(":")
    return getattr(import_module(module), kind)


def _in_words(name: str, error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"{name} needs a package that is not installed: install interlock-venues[{name}]"
    return str(error)
