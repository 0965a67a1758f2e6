"""Configuration: one TOML file a desk, a frozen struct a section, no unknown keys.

Environment variables override single keys: ``INTERLOCK__GATE__MAX_ORDER_NOTIONAL=5000`` sets
``max_order_notional`` of section ``[gate]``; the value is read as TOML, or as text where it is
none.

A scenario is a second TOML file that is laid over the first, table by table, for one replay: a
stretch of the past with its own universe and limits. ``INTERLOCK_SCENARIO`` names it. It says in
``[replay]`` what is replayed, and no desk that trades at a venue takes one.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any, cast

import msgspec
from msgspec import Struct

from interlock.model.desk import DeskConfig
from interlock.model.values import TradingMode
from interlock.wire.system import ConfigLine

ENVIRONMENT_PREFIX = "INTERLOCK__"
SCENARIO_VARIABLE = "INTERLOCK_SCENARIO"


class ConfigError(ValueError):
    """The configuration cannot be used. The text says which key, and what to do."""


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Section ``[replay]`` of a scenario: recorded data, and which days of it, both included.

    `data` is a named set, or a file in the folder that ``INTERLOCK_DATA`` names.
    """

    data: str
    first: date | None = None
    last: date | None = None
    why: str = ""


class DeskFile(Struct, frozen=True, kw_only=True):
    """A desk file, read: the desk's own section, the services' sections still raw, the hash."""

    path: str
    desk: DeskConfig
    sections: dict[str, dict[str, Any]]
    config_hash: str
    scenario: Scenario | None = None
    scenario_path: str = ""

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
    raw = _read(path)
    scenario = None
    if laid_over := environment.get(SCENARIO_VARIABLE, ""):
        changes = _read(Path(laid_over))
        scenario = _convert(laid_over, "replay", changes.pop("replay", {}), Scenario)
        _lay_over(raw, changes)
    _override(raw, environment)
    desk = _convert(str(path), "desk", raw.pop("desk", {}), DeskConfig)
    if scenario is not None and desk.mode is TradingMode.LIVE:
        raise ConfigError(f"{path}: mode is live, and a scenario is for replays only")
    stray = sorted(name for name, value in raw.items() if not isinstance(value, dict))
    if stray:
        raise ConfigError(f"{path}: {stray[0]} stands outside any section")
    whole = {"desk": desk, **raw} | ({} if scenario is None else {"replay": scenario})
    digest = hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()
    return DeskFile(
        path=str(path),
        desk=desk,
        sections=raw,
        config_hash=digest,
        scenario=scenario,
        scenario_path=laid_over,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=_number)
    except FileNotFoundError:
        raise ConfigError(f"there is no desk file {path}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Put every value of `above` into `below`; tables are merged, anything else is replaced."""
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            _lay_over(below[name], cast("dict[str, Any]", value))
        else:
            below[name] = value


def changes_between(section: str, old: Struct, new: Struct) -> list[ConfigLine]:
    """Return what differs between two versions of one section, values as text."""
    return [
        ConfigLine(
            key=f"{section}.{name}", old=str(getattr(old, name)), new=str(getattr(new, name))
        )
        for name in new.__struct_fields__
        if getattr(old, name) != getattr(new, name)
    ]


def _convert[C](path: str, section: str, raw: object, kind: type[C]) -> C:
    try:
        built = msgspec.convert(raw, kind, strict=False)
        _require_finite(msgspec.to_builtins(built, builtin_types=(Decimal,)))
    # A NaN that a section compares with something raises an ArithmeticError.
    except (msgspec.ValidationError, ValueError, ArithmeticError) as error:
        said = _with_its_key(raw, kind, str(error))
        raise ConfigError(f"{path}, section [{section}]: {said}") from error
    return built


def _with_its_key(raw: object, kind: type[Any], said: str) -> str:
    """Return what msgspec said with the table's name where it says ``[...]``."""
    found = re.search(r"`\$\.(\w+)\[\.\.\.\]", said)
    if found is None:
        return said
    whole = cast("dict[str, dict[str, object]]", raw)
    for key, value in whole[found[1]].items():
        try:
            msgspec.convert({**whole, found[1]: {key: value}}, kind, strict=False)
        except (msgspec.ValidationError, ValueError, ArithmeticError) as error:
            return str(error).replace("[...]", f".{key}", 1)
    return said


def _require_finite(value: object, key: str = "") -> None:
    """Raise ``ValueError`` for a NaN or infinity: text becomes one without a word."""
    match value:
        case float() | Decimal() if not isfinite(value):
            raise ValueError(f"{value} is no number to configure anything with - at `{key}`")
        case dict():
            for name, one in cast("dict[str, object]", value).items():
                _require_finite(one, f"{key}.{name}" if key else name)
        case list() | tuple():
            for one in cast("list[object]", value):
                _require_finite(one, key)
        case _:
            pass


def _number(text: str) -> str:
    """Keep a TOML float as text, so that 0.1 stays 0.1 where it becomes a Decimal."""
    return text.replace("_", "")


def _override(raw: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        section, _, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().partition("__")
        if not key:
            raise ConfigError(f"{name} names no key: write {ENVIRONMENT_PREFIX}SECTION__KEY")
        table = raw.setdefault(section, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{name}: {section} is a value, not a section")
        table[key] = _value(text)


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}", parse_float=_number)["value"]
    except tomllib.TOMLDecodeError:
        return text
