"""Every key of a desk's file, made unusable in every way: refused by name, before anything runs."""

import copy
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from interlock.cli.errors import CliError
from interlock.cli.rooms import check_sections
from interlock.runtime.config import ConfigError, load_desk_file

DESK = Path(__file__).parents[2] / "deploy" / "desks" / "params.toml"
WRITTEN = tomllib.loads(DESK.read_text(encoding="utf-8"))
NO_NUMBERS = {"no number": float("nan"), "infinite": float("inf"), "a text": "lots"}
NO_TEXT = {"a list": [[1]], "a table": {"a": 1}, "true": True}
BELOW_NOTHING = {"lower"}
"""What may be less than nothing: a parameter is in its own unit."""


def _paths(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if above:
            yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))


KEYS = list(_paths(WRITTEN))


def _spoilers(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"a text": "perhaps", "two": 2, "a list": [True]}
    if isinstance(value, int | float | Decimal):
        return {**NO_NUMBERS, **NO_TEXT, "negative": -1, "negative infinite": float("-inf")}
    if isinstance(value, str):
        return {"a list": [[1]], "a table": {"a": 1}, "a number": 7}
    return {"a text": "text", "a number": 7, "true": True}


def _load(raw: dict[str, Any], folder: Path) -> None:
    path = folder / "desk.toml"
    path.write_text(_toml(raw), encoding="utf-8")
    check_sections(load_desk_file(path, {}))


def _toml(raw: dict[str, Any]) -> str:
    lines = list[str]()
    for section, table in raw.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines)


def _value(value: object) -> str:
    match value:
        case dict():
            pairs = (f"{msgspec.json.encode(k).decode()} = {_value(v)}" for k, v in value.items())
            return "{ " + ", ".join(pairs) + " }"
        case list():
            return "[" + ", ".join(_value(one) for one in value) + "]"
        case float():
            return repr(value)
        case _:
            return msgspec.json.encode(value).decode()


def test_the_file_as_it_is_can_be_used(tmp_path: Path):
    _load(WRITTEN, tmp_path)


@pytest.mark.parametrize("path", KEYS, ids=".".join)
def test_i9_a_bad_value_is_refused_and_its_key_named(path: tuple[str, ...], tmp_path: Path):
    accepted = list[str]()
    for how, bad in _spoilers(_at(WRITTEN, path)).items():
        raw = copy.deepcopy(WRITTEN)
        _at(raw, path[:-1])[path[-1]] = bad
        try:
            _load(raw, tmp_path)
        except (CliError, ConfigError) as error:
            assert path[-1] in str(error), f"{path} {how}: {error}"  # noqa: PT017 - many in one case
        else:
            accepted.append(how)
    if path[-1] in BELOW_NOTHING:
        accepted.remove("negative")
    assert not accepted, f"{path} may be {accepted}"


def _at(table: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        table = table[key]
    return table


@pytest.mark.parametrize("section", sorted(WRITTEN))
def test_i9_an_unknown_key_is_refused_and_named(section: str, tmp_path: Path):
    raw = copy.deepcopy(WRITTEN)
    raw[section]["max_oder_size"] = 1
    with pytest.raises((CliError, ConfigError), match="max_oder_size"):
        _load(raw, tmp_path)
