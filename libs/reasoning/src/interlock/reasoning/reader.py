"""Reads a model's answer tolerantly and judges it strictly.

Theory of operation. `answer_text` finds the JSON in the text, `answer_fields` gathers what it says
under names we know, `answer_values` bends each value into its field's shape as far as the field's
rule allows. All that one text says must agree: answers beside each other, an object within
another, a field under two names. What is left is decoded with the real type. Whatever is in doubt
is refused with a code: nothing is guessed, nothing is filled in.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from interlock.reasoning.answer_fields import Gathered, answers, contradicts, implied, rows
from interlock.reasoning.answer_schema import (
    AnswerSchema,
    ChoiceRule,
    FieldRule,
    GroupRule,
    Json,
    Rows,
    flat,
    names_of,
)
from interlock.reasoning.answer_text import MAX_ANSWER_CHARS, Document, documents
from interlock.reasoning.answer_values import choice, valued
from interlock.reasoning.refusal import ReadRefusal, RefusedError, Unreadable, refuse, told


def read(text: str, schema: AnswerSchema) -> Struct | Unreadable:
    """Return the answer in `text` as an instance of ``schema.kind``, or why there is none.

    It never raises. `text` must be complete: an answer that its provider cut off is not read.
    """
    try:
        return _read(text, schema)
    except RefusedError as refused:
        return refused.refusal
    except RecursionError:
        return Unreadable(code=ReadRefusal.TOO_DEEP, reason="the answer is nested too deeply")


def report(reading: Struct | Unreadable) -> dict[str, Any]:
    """Return a reading as ``interlock reason parse`` prints it."""
    if isinstance(reading, Unreadable):
        return {"ok": False, "code": reading.code.value, "reason": reading.reason}
    return {"ok": True, "value": msgspec.json.decode(msgspec.json.encode(reading))}


def _read(text: str, schema: AnswerSchema) -> Struct:
    if len(text) > MAX_ANSWER_CHARS:
        refuse(ReadRefusal.TOO_LONG, f"it is longer than {MAX_ANSWER_CHARS} characters")
    if not text.strip():
        refuse(ReadRefusal.EMPTY, "the answer is empty")
    found = documents(text, schema)
    if not found:
        refuse(ReadRefusal.NO_JSON, "there is no JSON in the answer")
    if schema.rows is not None:
        return _listed(found, schema, schema.rows)
    gathered = [each for document in found for each in answers(document.value, schema)]
    if not gathered:
        missing = ", ".join(schema.identifying)
        refuse(ReadRefusal.MISSING, f"no object in the answer has {missing}")
    _require_agreement(gathered, schema.fields)
    return _one([_judged(each, schema) for each in gathered])


def _listed(found: list[Document], schema: AnswerSchema, listed: Rows) -> Struct:
    told_lists = rows(found, listed)
    if not told_lists:
        refuse(ReadRefusal.MISSING, f"the answer has no {listed.field}")
    return _one([_table(each, schema, listed) for each in told_lists])


def _one(answered: list[Struct]) -> Struct:
    if any(each != answered[0] for each in answered):
        refuse(ReadRefusal.CONFLICT, f"{len(answered)} answers, which differ")
    return answered[0]


def _table(gathered: list[Gathered], schema: AnswerSchema, listed: Rows) -> Struct:
    """Return the answer that a list of rows makes; one bad row spoils them all."""
    judged: dict[Any, Struct] = {}
    for each in gathered:
        _require_agreement([each], listed.row.fields)
        row = _judged(each, listed.row)
        key = getattr(row, listed.key)
        if judged.setdefault(key, row) != row:
            refuse(ReadRefusal.CONFLICT, f"{told(key)} has two {listed.field}, which differ")
    return _converted({listed.field: list(judged.values())}, schema)


def _require_agreement(
    gathered: list[Gathered],
    fields: Mapping[str, FieldRule],
) -> None:
    """Refuse if any two objects, complete or not, say a thing that decides in two ways."""
    for name, rule in fields.items():
        if not contradicts(rule):
            continue
        raws = [raw for each in gathered for raw in (*each.said.get(name, []), *_also(each, name))]
        values = [_value(name, raw, rule) for raw in raws]
        if any(value != values[0] for value in values):
            told_values = ", ".join(dict.fromkeys(told(value) for value in values))
            refuse(ReadRefusal.CONFLICT, f"{name} is given as {told_values}")


def _also(each: Gathered, name: str) -> list[Json]:
    """Return what objects beside the answer name, where the answer names it too."""
    return each.beside.get(name, []) if name in each.said else []


def _judged(gathered: Gathered, schema: AnswerSchema) -> Struct:
    values: dict[str, Any] = {}
    for name, rule in schema.fields.items():
        raws = gathered.said.get(name)
        if not raws:
            continue
        values[name] = _value(name, raws[0], rule)
        if isinstance(rule, ChoiceRule):
            _add_implied(choice(name, raws[0], rule)[1], rule, gathered, schema)
    needed = schema.fields if schema.needs is None else schema.needs(values)
    _require(needed, values)
    answer = _converted(values, schema)
    wrong = schema.contradiction and schema.contradiction(answer)
    if wrong:
        refuse(ReadRefusal.CONTRADICTION, wrong)
    return answer


def _add_implied(word: str, rule: ChoiceRule, gathered: Gathered, schema: AnswerSchema) -> None:
    """Let a word say what it says of other fields; it must agree with what they say."""
    for other, value in implied(word, rule).items():
        others = gathered.said.setdefault(other, [])
        others.append(value)
        _require_agreement([gathered], {other: schema.fields[other]})


def _value(name: str, raw: Json, rule: FieldRule) -> Any:
    if isinstance(rule, GroupRule):
        return _group(name, raw, rule)
    return valued(name, raw, rule)


def _group(name: str, raw: Json, rule: GroupRule) -> dict[str, Any]:
    if not isinstance(raw, dict):
        refuse(ReadRefusal.WRONG_TYPE, f"{name} is no object")
    names = names_of(rule.fields)
    values: dict[str, Any] = {}
    for key, inner in raw.items():
        field = names.get(flat(key))
        if field is None or inner is None:
            continue
        value = _value(f"{name}.{field}", inner, rule.fields[field])
        if values.setdefault(field, value) != value:
            refuse(ReadRefusal.CONFLICT, f"{name}.{field} is given twice")
    _require(rule.fields, values, f"{name}.")
    return values


def _require(needed: Iterable[str], values: Mapping[str, Any], within: str = "") -> None:
    missing = [f"{within}{name}" for name in needed if values.get(name) is None]
    if missing:
        refuse(ReadRefusal.MISSING, f"the answer lacks {', '.join(missing)}")


def _converted(values: Mapping[str, Any], schema: AnswerSchema) -> Struct:
    try:
        return msgspec.convert(values, schema.kind)
    except msgspec.ValidationError as error:
        refuse(ReadRefusal.WRONG_TYPE, told(error))
