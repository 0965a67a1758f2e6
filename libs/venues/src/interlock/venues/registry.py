"""Which adapter a desk trades with, and which tells it the market. Vendors are imported late.

Theory of operation. A desk names its venue in ``[desk]`` and its live source in ``[feed]``. How an
account is reached stands in a section of its own, ``[alpaca]`` or ``[ccxt]``, which both read.
Paper money and real money are never mistaken for each other: an account with real money is refused
to every desk that is not in mode ``live``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from interlock.model.desk import DeskConfig
from interlock.model.values import TradingMode
from interlock.venues.alpaca.config import AlpacaConfig
from interlock.venues.ccxt_config import CcxtConfig
from interlock.venues.port import Venue, VenueUnavailableError
from interlock.venues.source import MarketSource, SourceUnavailableError

PAPER, ALPACA, CCXT = "paper", "alpaca", "ccxt"
SECTIONS = (ALPACA, CCXT)
"""The sections of a desk file in which accounts are described."""


class VenueConfigError(ValueError):
    """A desk cannot use what it names: unknown, without keys, or the wrong money. One line."""


class ReadSection(Protocol):
    """Reads a section of the desk file as a struct."""

    def __call__[C](self, service: str, kind: type[C]) -> C: ...


def section_type(name: str) -> type[Any]:
    """Return the struct of one of `SECTIONS`."""
    return AlpacaConfig if name == ALPACA else CcxtConfig


def venue_for(desk: DeskConfig, read: ReadSection, environ: Mapping[str, str]) -> Venue:
    """Return the desk's real venue, connected to nothing yet.

    Raises
    ------
    VenueConfigError
        When there is no such venue, its keys are not set, or it has real money and the desk is not
        in mode ``live``.
    """
    if desk.venue not in SECTIONS:
        known = ", ".join((PAPER, *SECTIONS))
        raise VenueConfigError(f"there is no venue {desk.venue!r}: known are {known}")
    config = read(desk.venue, section_type(desk.venue))
    if is_real_money(config) and desk.mode is not TradingMode.LIVE:
        raise VenueConfigError(
            f"desk {desk.name} is in mode {desk.mode} and [{desk.venue}] is an account with real "
            'money: choose its paper account, or set mode = "live" and live_allowed'
        )
    try:
        return _venue(config, desk, environ)
    except (VenueUnavailableError, ImportError) as error:
        raise VenueConfigError(_in_words(desk.venue, error)) from error


def _venue(config: object, desk: DeskConfig, environ: Mapping[str, str]) -> Venue:
    if isinstance(config, AlpacaConfig):
        from interlock.venues.alpaca.venue import AlpacaVenue

        return AlpacaVenue(config, desk.instruments, environ)
    from interlock.venues.ccxt_venue import CcxtVenue

    assert isinstance(config, CcxtConfig)
    return CcxtVenue(config, {one.instrument_id: one for one in desk.instruments}, environ)


def has_keys(name: str, read: ReadSection, environ: Mapping[str, str]) -> bool:
    """Return whether the environment holds every key that the account's section names."""
    config = read(name, section_type(name)) if name in SECTIONS else None
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
    source: str,
    symbols: Sequence[str],
    bar_seconds: int,
    read: ReadSection,
    environ: Mapping[str, str],
) -> MarketSource:
    """Return a live source for `symbols`, connected to nothing yet.

    Raises
    ------
    VenueConfigError
        When there is no such source, or its keys are not set.
    """
    if source not in SECTIONS:
        known = ", ".join(SECTIONS)
        raise VenueConfigError(f"there is no live source {source!r}: known are {known}")
    config = read(source, section_type(source))
    try:
        return _source(config, symbols, bar_seconds, environ)
    except (VenueUnavailableError, SourceUnavailableError, ImportError) as error:
        raise VenueConfigError(_in_words(source, error)) from error


def _source(
    config: object, symbols: Sequence[str], bar_seconds: int, environ: Mapping[str, str]
) -> MarketSource:
    if isinstance(config, AlpacaConfig):
        from interlock.venues.alpaca.source import AlpacaSource

        return AlpacaSource(config, symbols, environ)
    from interlock.venues.ccxt_source import CcxtSource

    assert isinstance(config, CcxtConfig)
    return CcxtSource(config, symbols, bar_seconds, environ)


def _in_words(name: str, error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"{name} needs a package that is not installed: install interlock-venues[{name}]"
    return str(error)
