"""Configuration: one TOML file a desk, a frozen struct a section, no unknown keys.

Environment variables override single keys: ``INTERLOCK__GATE__MAX_ORDER_NOTIONAL=5000`` sets
``max_order_notional`` of section ``[gate]``; the value is read as TOML, or as text where it is
none.
"""

import hashlib
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from interlock.model.instrument import Instrument
from interlock.model.values import TradingMode, require_positive

ENVIRONMENT_PREFIX = "INTERLOCK__"


class ConfigError(ValueError):
    """The configuration cannot be used. The text says which key, and what to do."""


class DeskConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[desk]``: what every service of a desk must know.

    `cadence_seconds` is the desk's heartbeat of decisions; `equity_usd` what it starts with.
    """

    name: str
    account: str
    venue: str
    instruments: tuple[Instrument, ...]
    cadence_seconds: int
    equity_usd: Decimal
    mode: TradingMode = TradingMode.DEMO
    live_allowed: bool = False
    require_live_confirm: bool = True
    read_only: bool = False
    default_replay: str = ""

    def __post_init__(self) -> None:
        require_positive("equity_usd", self.equity_usd)
        if self.cadence_seconds < 1:
            raise ValueError(f"cadence_seconds must be at least 1, not {self.cadence_seconds}")
        if self.mode is TradingMode.LIVE and not self.live_allowed:
            raise ValueError("mode is live but live_allowed is not set")

    def instrument(self, instrument_id: str) -> Instrument | None:
        """Return the instrument of this id or alias, none where the desk does not know it."""
        for instrument in self.instruments:
            if instrument_id == instrument.instrument_id or instrument_id in instrument.aliases:
                return instrument
        return None


class DeskFile(Struct, frozen=True, kw_only=True):
    """A desk file, read: the desk's own section, the services' sections still raw, the hash."""

    path: str
    desk: DeskConfig
    sections: dict[str, dict[str, Any]]
    config_hash: str

    def section[C](self, service: str, kind: type[C]) -> C:
        """Return the section of `service` as `kind`, or raise `ConfigError` naming the key."""
        name = service.replace("-", "_")
        return _convert(self.path, name, self.sections.get(name, {}), kind)


def load_desk_file(path: Path, environment: Mapping[str, str] = os.environ) -> DeskFile:
    """Read a desk file and lay the environment's overrides over it.

    Raises
    ------
    ConfigError
        When the file is absent or no TOML, when a key is unknown or a value cannot be used.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=_number)
    except FileNotFoundError:
        raise ConfigError(f"there is no desk file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    _override(raw, environment)
    desk = _convert(str(path), "desk", raw.pop("desk", {}), DeskConfig)
    stray = sorted(name for name, value in raw.items() if not isinstance(value, dict))
    if stray:
        raise ConfigError(f"{path}: {stray[0]} stands outside any section")
    canonical = msgspec.json.encode({"desk": desk, **raw}, order="deterministic")
    digest = hashlib.sha256(canonical).hexdigest()
    return DeskFile(path=str(path), desk=desk, sections=raw, config_hash=digest)


def _convert[C](path: str, section: str, raw: object, kind: type[C]) -> C:
    try:
        return msgspec.convert(raw, kind, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{path}, section [{section}]: {error}") from error


def _number(text: str) -> str:
    """Keep a TOML float as text, so that 0.1 stays 0.1 where it becomes a Decimal."""
    if not Decimal(text).is_finite():
        raise ConfigError(f"{text} is no number to configure anything with")
    return text


def _override(raw: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        section, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if not key:
            raise ConfigError(f"{name} names no key: write {ENVIRONMENT_PREFIX}SECTION__KEY")
        raw.setdefault(section, {})[key] = _value(text)


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}", parse_float=_number)["value"]
    except tomllib.TOMLDecodeError:
        return text
