"""JSON as the standard has it: no NaN, no infinity, and no key with two values."""

import json
from typing import NoReturn

from interlock.reasoning.answer_schema import Json
from interlock.reasoning.refusal import ReadRefusal, refuse, told

_MAX_INT_DIGITS = 300


class RepeatedKeyError(ValueError):
    """One object gives one key two values."""


class NotFiniteError(ValueError):
    """The text holds NaN or Infinity as numbers."""


def strict_json(text: str) -> Json:
    """Return the JSON value that is all of `text`, none where it is no JSON."""
    try:
        whole: Json = DECODER.decode(text)
    except RepeatedKeyError as error:
        refuse(ReadRefusal.CONFLICT, str(error))
    except NotFiniteError as error:
        # Prose may begin with the word NaN: only a NaN inside whole JSON is an answer's number.
        if is_json(text):
            refuse(ReadRefusal.NOT_FINITE, str(error))
        return None
    except ValueError:
        return None
    return whole


def is_json(text: str) -> bool:
    """Return whether Python takes `text` for JSON, as it does with NaN in it."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _once_each(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    whole = dict(pairs)
    if len(whole) == len(pairs):
        return whole
    whole.clear()
    for key, value in pairs:
        if key in whole and not _same(whole[key], value):
            raise RepeatedKeyError(f"{told(key)} has two values in one object")
        whole[key] = value
    return whole


def _same(one: Json, other: Json) -> bool:
    """Return whether two values are the same: 1 is not true, though Python says so."""
    return one == other and json.dumps(one) == json.dumps(other)


def _not_finite(name: str) -> NoReturn:
    raise NotFiniteError(f"{name} is no number to act on")


def _int(digits: str) -> float:
    """Return a whole number; one that nothing can be is infinite, and refused as such."""
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else float(digits)


DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_not_finite, parse_int=_int)
