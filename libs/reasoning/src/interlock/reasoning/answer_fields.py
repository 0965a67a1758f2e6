"""From JSON documents to gathered fields: what each answer says, under the names we know.

Theory of operation. An object's own fields, and those of the wrappers in it that only sort them
(``levels``, ``thesis``), supply values. Any other object inside may hold a case that is not the
answer (``was``, ``if_breakout``, ``alternatives``): it supplies nothing, but where it names one of
the fields and differs, the answer is in doubt, and refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from interlock.reasoning.answer_schema import (
    AnswerSchema,
    ChoiceRule,
    FieldRule,
    GroupRule,
    Json,
    NamesRule,
    Rows,
    SymbolRule,
    TextRule,
    TextsRule,
    flat,
)
from interlock.reasoning.answer_text import MAX_DEPTH, Document
from interlock.reasoning.answer_values import is_symbol
from interlock.reasoning.refusal import ReadRefusal, refuse, told
from interlock.reasoning.strict_json import strict_json

# What a value hangs on when the field's name is one level up, or beside it as `parameter`.
_INNER_NAMES = frozenset({"value", "proposed", "new", "text", "summary", "price", "level"})
_NAMING_KEYS = frozenset({"parameter", "param", "name"})
# Objects that sort the fields of the answer and say nothing of their own.
_WRAPPERS = frozenset(
    {
        "answer", "arguments", "assessment", "changes", "content", "data", "decision", "details",
        "evaluation", "execution", "final", "finalanswer", "finaldecision", "input", "json",
        "judgement", "judgment", "levels", "order", "output", "parameters", "params", "plan",
        "prices", "probabilities", "proposal", "recommendation", "response", "result", "risk",
        "riskmanagement", "setup", "sizing", "suggestion", "thesis", "trade", "tradeplan",
        "update", "values", "verdict",
    }
)  # fmt: skip
# Where a call of a tool, or what relays one, has its JSON in a text. No field's prose is opened.
_IN_TEXT = frozenset({"arguments", "content", "input", "json", "output"})
# What is told beside an answer, and is none, also where nothing else is told.
_CASES = frozenset(
    {
        "alternative", "alternatives", "current", "example", "examples", "format", "history", "old",
        "previous", "rejected", "schema", "was",
    }
)  # fmt: skip
# What an object holds that was put where no answer was.
_NO_ANSWER = frozenset({"error", "fallback", "isfallback", "refusal"})


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one object says: the values of its fields, and those that other objects in it name."""

    said: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    beside: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])


def answers(document: Json, schema: AnswerSchema) -> list[Gathered]:
    """Return every answer in `document`."""
    return list(_answers(document, schema, MAX_DEPTH))


def _answers(document: Json, schema: AnswerSchema, levels: int) -> Iterator[Gathered]:
    _require_depth(levels)
    if isinstance(document, list):
        for item in document:
            yield from _answers(item, schema, levels - 1)
        return
    if not isinstance(document, dict):
        return
    _require_meant(document)
    if not _identifies(document, schema):
        keyed = _keyed_by_symbol(document, schema)
        if keyed:
            for item in keyed:
                yield gathered(item, schema)
            return
        inner = [value for _, value in _wrapped(document)]
        if inner and not any(isinstance(value, dict) for value in inner):
            for value in inner:
                yield from _answers(value, schema, levels - 1)
            return
        if len(document) == 1 and inner:
            yield from _answers(inner[0], schema, levels - 1)
            return
    one = gathered(document, schema)
    if any(name in one.said for name in schema.identifying):
        yield one


def rows(found: list[Document], schema: Rows) -> list[list[Gathered]]:
    """Return the list of rows that each document gives; those that give none are left out."""
    lists: list[list[dict[str, Json]]] = []
    last: list[dict[str, Json]] | None = None
    for document in found:
        whole = len(found) == 1
        listed = _rows(document.value, schema, MAX_DEPTH, whole=whole)
        single = isinstance(document.value, dict) and _identifies(document.value, schema.row)
        if listed is not None and single and document.follows and last is not None:
            last.extend(listed)
            continue
        last = listed if single else None
        if listed is not None:
            lists.append(listed)
    for listed in lists:
        if len(listed) > schema.most:
            reason = f"{len(listed)} {schema.field}, at most {schema.most}"
            refuse(ReadRefusal.TOO_MANY, reason)
    return [[gathered(row, schema.row) for row in listed] for listed in lists]


def _rows(
    document: Json, schema: Rows, levels: int, *, whole: bool
) -> list[dict[str, Json]] | None:
    """Return the rows in `document`. An empty list says something only where it is `whole`."""
    _require_depth(levels)
    if isinstance(document, list):
        if not document:
            return [] if whole else None
        items = [item for item in document if isinstance(item, dict)]
        if not any(_identifies(item, schema.row) for item in items):
            return None
        if len(items) < len(document):
            refuse(ReadRefusal.WRONG_TYPE, f"{schema.field} holds what is no object")
        return items
    if not isinstance(document, dict):
        return None
    _require_meant(document)
    names = {flat(name) for name in (schema.field, *schema.aliases)}
    listed = [_listed(value, schema) for key, value in document.items() if flat(key) in names]
    told_lists = [each for each in listed if each is not None]
    if len(told_lists) > 1:
        refuse(ReadRefusal.CONFLICT, f"{schema.field} are given twice")
    if told_lists:
        if _identifies(document, schema.row):
            refuse(ReadRefusal.CONFLICT, f"{schema.field} are given, and one beside them")
        return told_lists[0]
    if _identifies(document, schema.row):
        return [document]
    keyed = _keyed_by_symbol(document, schema.row)
    if keyed:
        return keyed
    inner = [_rows(each, schema, levels - 1, whole=whole) for _, each in _wrapped(document)]
    told_inner = [each for each in inner if each is not None]
    if len(told_inner) > 1:
        refuse(ReadRefusal.CONFLICT, f"{schema.field} are given twice")
    return told_inner[0] if told_inner else None


def _listed(value: Json, schema: Rows) -> list[dict[str, Json]] | None:
    match value:
        case list():
            items = [item for item in value if isinstance(item, dict)]
            if len(items) < len(value):
                refuse(ReadRefusal.WRONG_TYPE, f"{schema.field} holds what is no object")
            return items
        case dict():
            return _keyed_by_symbol(value, schema.row) or [value]
        case _:
            return None


def gathered(node: dict[str, Json], schema: AnswerSchema) -> Gathered:
    """Return what one object says of the fields of `schema`."""
    into = Gathered()
    _gather(node, None, schema.fields, schema.names, into, supplies=True, levels=MAX_DEPTH)
    return into


def _gather(
    node: dict[str, Json],
    above: str | None,
    fields: Mapping[str, FieldRule],
    names: Mapping[str, str],
    into: Gathered,
    *,
    supplies: bool,
    levels: int,
) -> None:
    _require_depth(levels)

    def below(child: dict[str, Json], hung_on: str | None, *, still: bool) -> None:
        _gather(child, hung_on, fields, names, into, supplies=still, levels=levels - 1)

    target = into.said if supplies else into.beside
    for key, value in node.items():
        if flat(key) in _NAMING_KEYS and isinstance(value, str):
            above = names.get(flat(value)) or above
    wrapped = {key for key, _ in _wrapped(node)}
    # The field's own name is asked before its other names: the first text told is the one read.
    for key, value in sorted(node.items(), key=lambda item: item[0] not in fields):
        name = names.get(flat(key))
        if name is None and flat(key) in _INNER_NAMES:
            name = above
        rule = None if name is None else fields[name]
        if isinstance(rule, NamesRule | TextsRule | GroupRule):
            if name is not None and value is not None:
                target.setdefault(name, []).append(value)
            continue
        for item in value if isinstance(value, list) else [value]:
            opened = _opened(key, item) if key in wrapped else item
            if isinstance(opened, dict):
                below(opened, name, still=supplies and (rule is not None or key in wrapped))
            elif name is not None and item is not None:
                target.setdefault(name, []).append(item)


def contradicts(rule: FieldRule) -> bool:
    """Return whether two values of such a field cannot both stand."""
    return not isinstance(rule, TextRule | TextsRule)


def implied(word: str, rule: FieldRule) -> Mapping[str, str]:
    """Return what a word says of other fields."""
    return rule.implied.get(word, {}) if isinstance(rule, ChoiceRule) else {}


def _identifies(node: dict[str, Json], schema: AnswerSchema) -> bool:
    """Return whether `node` itself, not an object in it, says one of the identifying things."""
    for key, value in node.items():
        name = schema.names.get(flat(key))
        if name is None or name not in schema.identifying or value is None:
            continue
        if not isinstance(value, dict) or isinstance(schema.fields[name], GroupRule):
            return True
    return False


def _keyed_by_symbol(node: dict[str, Json], schema: AnswerSchema) -> list[dict[str, Json]]:
    """Return the answers of a map from instruments to answers; one unknown key spoils it all."""
    rule = schema.fields.get("symbol")
    if not isinstance(rule, SymbolRule):
        return []
    candidates = {
        key: value
        for key, value in node.items()
        if isinstance(value, dict) and _identifies(value, schema) and flat(key) not in _WRAPPERS
    }
    if not any(is_symbol(key, rule) for key in candidates):
        return []
    keyed: list[dict[str, Json]] = []
    for key, value in candidates.items():
        if not is_symbol(key, rule):
            refuse(ReadRefusal.UNKNOWN_SYMBOL, f"{told(key)} was not asked about")
        inside = [each for name, each in value.items() if schema.names.get(flat(name)) == "symbol"]
        rest = {n: each for n, each in value.items() if schema.names.get(flat(n)) != "symbol"}
        keyed.append({**rest, "symbol": [key, *inside]})
    return keyed


def _wrapped(node: dict[str, Json]) -> list[tuple[str, Json]]:
    """Return the objects and lists in `node` that only wrap: named so, or all there is."""
    only = len(node) == 1 and not any(flat(key) in _CASES for key in node)
    opened = [(key, _opened(key, value)) for key, value in node.items()]
    return [
        (key, value)
        for key, value in opened
        if isinstance(value, dict | list) and (only or flat(key) in _WRAPPERS)
    ]


def _opened(key: str, value: Json) -> Json:
    """Return a value that is JSON in a text as JSON."""
    if isinstance(value, str) and flat(key) in _IN_TEXT and value.lstrip().startswith(("{", "[")):
        inner = strict_json(value)
        return value if inner is None else inner
    return value


def _require_meant(node: dict[str, Json]) -> None:
    for key, value in node.items():
        if flat(key) in _NO_ANSWER and value:
            refuse(ReadRefusal.NO_ANSWER, f"{told(key)}: {told(value)}")


def _require_depth(levels: int) -> None:
    if levels == 0:
        refuse(ReadRefusal.TOO_DEEP, f"the answer is nested more than {MAX_DEPTH} deep")
