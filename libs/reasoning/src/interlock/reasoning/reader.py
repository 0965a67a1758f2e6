"""Reads a model's answer tolerantly and judges it strictly.

Theory of operation. The text is first taken as JSON, whole. Where it is none, thoughts are cut
away and every balanced ``{...}`` in the rest is looked at: JSON as it stands, or repaired if it
speaks of a field we asked for. Each object that does is an answer; its fields are gathered
from all its levels under any of their names, bent into shape as the field's rule allows, and
decoded with the real type. All answers in one text must agree. Whatever is left in doubt is
refused with a code: nothing is guessed, nothing is filled in.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NoReturn, cast

import msgspec
from msgspec import Struct

from interlock.model.plain_text import plain_text
from interlock.reasoning.schemas import AnswerSchema, NumberRule, TextRule, TextsRule

MAX_ANSWER_CHARS = 262_144
_MAX_DEPTH = 32
_MAX_LOOSE_BRACES = 64
_MAX_LITERAL_CHARS = 200

_THOUGHT_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_OBJECT_BEGIN = re.compile(r"\{\s*[\"'\u201c]")
_BRACE_OR_QUOTE = re.compile(r'\\.|["{}]', re.DOTALL)
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(%?)", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(?://[^\n]*|#[^\n]*|/\*.*?\*/)\s*$", re.DOTALL)
# What a value hangs on when the field's name is one level up, or beside it as `parameter`.
_INNER_NAMES = frozenset({"value", "proposed", "new", "text", "summary"})
_NAMING_KEYS = frozenset({"parameter", "param", "name"})


type _Json = dict[str, _Json] | list[_Json] | str | float | bool | None


class ReadRefusal(StrEnum):
    """Why an answer was not taken. Public and stable; the wording beside it is not."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    NO_JSON = "no_json"
    BAD_JSON = "bad_json"
    TRUNCATED = "truncated"
    MISSING = "missing_field"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    CONFLICT = "conflict"


class Unreadable(Struct, frozen=True, kw_only=True):
    """A refused answer."""

    code: ReadRefusal
    reason: str


class _RefusedError(Exception):
    def __init__(self, code: ReadRefusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Unreadable(code=code, reason=reason)


class _RepeatedKeyError(ValueError):
    """One object gives one key two values."""


class _NotFiniteError(ValueError):
    """The text holds NaN or Infinity as numbers."""


def read(text: str, schema: AnswerSchema) -> Struct | Unreadable:
    """Return the answer in `text` as an instance of ``schema.kind``, or why there is none.

    It never raises. `text` must be complete: an answer that its provider cut off is not read.
    """
    try:
        return _read(text, schema)
    except _RefusedError as refused:
        return refused.refusal
    except RecursionError:
        return Unreadable(code=ReadRefusal.TOO_DEEP, reason="the answer is nested too deeply")


def report(reading: Struct | Unreadable) -> dict[str, Any]:
    """Return a reading as ``interlock reason parse`` prints it."""
    if isinstance(reading, Unreadable):
        return {"ok": False, "code": reading.code.value, "reason": reading.reason}
    return {"ok": True, "value": msgspec.to_builtins(reading)}


def _read(text: str, schema: AnswerSchema) -> Struct:
    if len(text) > MAX_ANSWER_CHARS:
        _refuse(ReadRefusal.TOO_LONG, f"{len(text)} characters, at most {MAX_ANSWER_CHARS}")
    if not text.strip():
        _refuse(ReadRefusal.EMPTY, "the answer is empty")
    documents = _documents(text, schema)
    answers = [a for document in documents for a in _answers(document, schema)]
    if not answers:
        missing = ", ".join(schema.identifying)
        code = ReadRefusal.MISSING if documents else ReadRefusal.NO_JSON
        _refuse(code, f"no object in the answer has {missing}")
    _require_agreement(answers, schema)
    decided = [_judged(answer, schema) for answer in answers]
    return decided[0]


def _refuse(code: ReadRefusal, reason: str) -> NoReturn:
    raise _RefusedError(code, reason)


def _short(text: str) -> str:
    return plain_text(text, 120)


# From text to JSON documents.


def _documents(text: str, schema: AnswerSchema) -> list[_Json]:
    for whole in (text, _without_thoughts(text)):
        document = _strict_json(whole.strip().removeprefix("\ufeff"))
        if isinstance(document, str) and document.lstrip().startswith(("{", "[")):
            document = _strict_json(document)
        if isinstance(document, dict | list):
            return [document]
    rest = _without_thoughts(text)
    if not rest.strip():
        _refuse(ReadRefusal.EMPTY, "the answer holds thoughts and nothing else")
    found: list[_Json] = []
    for segment in _segments(rest):
        document = _strict_json(segment)
        if document is None and _mentions(segment, schema):
            document = _repaired(segment, schema)
        if document is not None:
            found.append(document)
    return found


def _without_thoughts(text: str) -> str:
    """Return `text` without ``<think>`` blocks, also where one of their two ends is missing.

    One pass over the tags: a pattern over the whole block takes quadratic time on hostile text.
    """
    kept: list[str] = []
    thinking = False
    at = 0
    for tag in _THOUGHT_TAG.finditer(text):
        closes = bool(tag.group(1))
        if closes and not thinking:
            kept.clear()
        elif not closes and not thinking:
            kept.append(text[at : tag.start()])
        thinking = not closes
        at = tag.end()
    if not thinking:
        kept.append(text[at:])
    return " ".join(kept)


def _strict_json(text: str) -> _Json:
    """Return the JSON value that is all of `text`, none where it is no JSON."""
    try:
        whole: _Json = json.loads(text, object_pairs_hook=_once_each, parse_constant=_not_finite)
    except _RepeatedKeyError as error:
        _refuse(ReadRefusal.CONFLICT, str(error))
    except _NotFiniteError as error:
        # Prose may begin with the word NaN: only a NaN inside whole JSON is an answer's number.
        if _is_json(text):
            _refuse(ReadRefusal.NOT_FINITE, str(error))
        return None
    except ValueError:
        return None
    return whole


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _once_each(pairs: list[tuple[str, _Json]]) -> dict[str, _Json]:
    whole: dict[str, _Json] = {}
    for key, value in pairs:
        if key in whole and whole[key] != value:
            raise _RepeatedKeyError(f"{_short(key)} has two values in one object")
        whole[key] = value
    return whole


def _not_finite(name: str) -> NoReturn:
    raise _NotFiniteError(f"{name} is no number to act on")


def _segments(text: str) -> Iterator[str]:
    """Yield every outermost balanced ``{...}``.

    An object that begins and never ends is a cut answer, whatever stands inside it. A loose brace
    of prose is stepped over.
    """
    start = text.find("{")
    loose = 0
    while start >= 0:
        end = _closing_brace(text, start)
        if end is not None:
            yield text[start:end]
            start = text.find("{", end)
            continue
        if _OBJECT_BEGIN.match(text, start):
            _refuse(ReadRefusal.TRUNCATED, "an object begins and does not end")
        loose += 1
        if loose > _MAX_LOOSE_BRACES:
            _refuse(ReadRefusal.BAD_JSON, "too many braces that do not close")
        start = text.find("{", start + 1)


def _closing_brace(text: str, start: int) -> int | None:
    depth = 0
    quoted = False
    for found in _BRACE_OR_QUOTE.finditer(text, start):
        match found.group():
            case '"':
                quoted = not quoted
            case "{" if not quoted:
                depth += 1
            case "}" if not quoted:
                depth -= 1
                if depth == 0:
                    return found.end()
            case _:
                pass
    return None


def _mentions(segment: str, schema: AnswerSchema) -> bool:
    flat = _flat(segment)
    return any(name in flat for field in schema.identifying for name in _names(field, schema))


def _repaired(segment: str, schema: AnswerSchema) -> dict[str, _Json]:
    """Return `segment` repaired, if the repair leaves every number of ours as it was written.

    The repairer keeps the last of two equal keys, reads "1. 2" as 1 and "~1.2" as 1.2; so each
    number is looked up in the text again.
    """
    # 0.06 s to import, and most answers need no repair.
    from json_repair import loads

    try:
        document = cast("_Json", loads(segment, strict=True, skip_json_loads=True))
    except (ValueError, RecursionError) as error:
        _refuse(ReadRefusal.BAD_JSON, _short(str(error)))
    if not isinstance(document, dict):
        _refuse(ReadRefusal.BAD_JSON, "what looks like an object is none")
    for key, value in _scalars(document):
        if not isinstance(schema.fields.get(_field_named(key, schema) or ""), NumberRule):
            continue
        pattern = rf"(?<![\w]){re.escape(key)}[\"'\u201d\u2019]?\s*[:=]\s*([^,;}}\n]*)"
        literals = re.findall(pattern, segment)
        if len(literals) != 1 or not _is_written(value, literals[0]):
            _refuse(ReadRefusal.BAD_JSON, f"{_short(key)} cannot be read without guessing")
    return document


def _scalars(document: dict[str, _Json]) -> Iterator[tuple[str, _Json]]:
    for key, value in document.items():
        inner = value if isinstance(value, list) else [value]
        for item in inner:
            if isinstance(item, dict):
                yield from _scalars(item)
            else:
                yield key, item


def _is_written(value: _Json, literal: str) -> bool:
    if len(literal) > _MAX_LITERAL_CHARS:
        return False
    written = _COMMENT.sub("", literal).strip().strip("\"'\u201c\u201d\u2018\u2019")
    return written == value or _plain_number(written) == _plain_number(str(value)) is not None


def _plain_number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text.strip())
    return float(found.group(1)) if found is not None and not found.group(2) else None


# From JSON documents to gathered fields.

type _Gathered = dict[str, list[_Json]]


def _answers(document: _Json, schema: AnswerSchema) -> list[_Gathered]:
    """Return the fields of every answer in `document`, each with all the values it is given."""
    if isinstance(document, list):
        return [answer for item in document for answer in _answers(item, schema)]
    if not isinstance(document, dict):
        return []
    if len(document) == 1:
        (only,) = document.values()
        if isinstance(only, list):
            return _answers(only, schema)
    gathered: _Gathered = {}
    _gather(document, None, schema, gathered, _MAX_DEPTH)
    return [gathered] if any(name in gathered for name in schema.identifying) else []


def _gather(
    node: dict[str, _Json], above: str | None, schema: AnswerSchema, into: _Gathered, levels: int
) -> None:
    if levels == 0:
        _refuse(ReadRefusal.TOO_DEEP, f"the answer is nested more than {_MAX_DEPTH} deep")
    for key, value in node.items():
        if _flat(key) in _NAMING_KEYS and isinstance(value, str):
            above = _field_named(value, schema) or above
    for key, value in node.items():
        field = _field_named(key, schema)
        if field is None and _flat(key) in _INNER_NAMES:
            field = above
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _gather(item, field, schema, into, levels - 1)
            elif field is not None and item is not None:
                into.setdefault(field, []).append(item)


def _field_named(key: str, schema: AnswerSchema) -> str | None:
    flat = _flat(key)
    for field in schema.fields:
        if flat in _names(field, schema):
            return field
    return None


def _names(field: str, schema: AnswerSchema) -> tuple[str, ...]:
    return tuple(_flat(name) for name in (field, *schema.fields[field].aliases))


def _flat(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).lower() if c.isalnum())


# From gathered fields to the answer.


def _require_agreement(answers: list[_Gathered], schema: AnswerSchema) -> None:
    """Refuse if any two objects give a number differently, complete or not."""
    for field, rule in schema.fields.items():
        if not isinstance(rule, NumberRule):
            continue
        values = {_number(field, raw, rule) for answer in answers for raw in answer.get(field, [])}
        if len(values) > 1:
            told = ", ".join(f"{value:g}" for value in sorted(values))
            _refuse(ReadRefusal.CONFLICT, f"{field} is given as {told}")


def _judged(answer: _Gathered, schema: AnswerSchema) -> Struct:
    values: dict[str, Any] = {}
    for field, rule in schema.fields.items():
        raws = answer.get(field)
        if not raws:
            continue
        match rule:
            case NumberRule():
                number = _number(field, raws[0], rule)
                values[field] = int(number) if rule.whole else number
            case TextRule():
                values[field] = _text(field, raws[0], rule)
            case TextsRule():
                values[field] = _texts(field, raws, rule)
    missing = [field for field in schema.fields if field not in values]
    if missing:
        _refuse(ReadRefusal.MISSING, f"the answer lacks {', '.join(missing)}")
    try:
        return msgspec.convert(values, schema.kind)
    except msgspec.ValidationError as error:
        _refuse(ReadRefusal.WRONG_TYPE, _short(str(error)))


def _texts(field: str, raws: list[_Json], rule: TextsRule) -> list[str]:
    one = TextRule(max_chars=rule.max_chars)
    return [text for raw in raws[: rule.max_items] if (text := _text(field, raw, one))]


def _text(field: str, raw: object, rule: TextRule) -> str:
    if not isinstance(raw, str):
        _refuse(ReadRefusal.WRONG_TYPE, f"{field} is no text")
    return plain_text(raw, rule.max_chars).strip()


def _number(field: str, raw: object, rule: NumberRule) -> float:
    value, in_percent = _parsed(field, raw)
    if not math.isfinite(value):
        _refuse(ReadRefusal.NOT_FINITE, f"{field} is not finite")
    if in_percent and not rule.percent:
        _refuse(ReadRefusal.WRONG_TYPE, f"{field} is no percentage")
    value = _scaled(value, rule, in_percent=in_percent)
    if not rule.lower <= value <= rule.upper:
        _refuse(
            ReadRefusal.OUT_OF_RANGE,
            f"{field} is {value:g}, not within {rule.lower:g} to {rule.upper:g}",
        )
    if rule.whole and not value.is_integer():
        _refuse(ReadRefusal.WRONG_TYPE, f"{field} is {value:g}, not a whole number")
    return value


def _parsed(field: str, raw: object) -> tuple[float, bool]:
    """Return a number and whether it was written with a percent sign."""
    match raw:
        case bool():
            _refuse(ReadRefusal.WRONG_TYPE, f"{field} is no number")
        case int() | float():
            try:
                return float(raw), False
            except OverflowError:
                return math.inf, False
        case str():
            text = unicodedata.normalize("NFKC", raw).strip()
            found = _NUMBER.fullmatch(text)
            if found is not None:
                return float(found.group(1)), bool(found.group(2))
            if _NOT_FINITE.fullmatch(text):
                return math.nan, False
        case _:
            pass
    _refuse(ReadRefusal.WRONG_TYPE, f"{field} is no number")


def _scaled(value: float, rule: NumberRule, *, in_percent: bool) -> float:
    """Return `value` in the unit of the field, where the range leaves one reading only.

    A fraction between 0 and 1 cannot be a whole number of a hundred, and 65 cannot be a share of
    one. Rounding takes away what the multiplication added: 0.57 * 100 is 56.99999999999999.
    """
    if not rule.percent:
        return value
    of_hundred = rule.upper > 1
    if in_percent:
        return value if of_hundred else value / 100
    if of_hundred and rule.whole and 0 < value < 1:
        return round(value * 100, 9)
    if not of_hundred and 1 < value <= 100:  # noqa: PLR2004 (a hundred is what percent means)
        return value / 100
    return value
