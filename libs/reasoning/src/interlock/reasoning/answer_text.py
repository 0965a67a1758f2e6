"""From a model's text to the JSON in it.

Theory of operation. The text is first taken as JSON, whole. Where it is none, thoughts are cut
away, and at every place where an object or a list of objects begins, JSON is read from there.
What is no JSON but ends is mended, if it speaks of a field that was asked for; what begins and
does not end makes the whole answer a cut one, whatever else it holds. The text is never
normalised before it is parsed: a full-width quotation mark inside a value must not end it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from interlock.reasoning.answer_repair import repaired
from interlock.reasoning.answer_schema import AnswerSchema, FieldRule, GroupRule, Json, flat
from interlock.reasoning.refusal import ReadRefusal, refuse
from interlock.reasoning.strict_json import (
    DECODER,
    NotFiniteError,
    RepeatedKeyError,
    is_json,
    strict_json,
)

MAX_ANSWER_CHARS = 262_144
MAX_DEPTH = 32
_MAX_LOOSE_BRACES = 16
_MAX_TOKENS = 2_000
_MAX_OBJECTS = 150
# The repairer takes up to 1.3 us a character; a real answer that needs it is shorter.
_MAX_REPAIRED_CHARS = 4_000

_THOUGHT_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning|reflection)>", re.IGNORECASE)
# A brace around words of prose begins nothing: an object has a colon or a quotation mark.
_BEGIN = re.compile(r"\{(?![^{}\[\]:\"]*\})|\[(?=\s{0,80}\{)")
# Nothing is said so deep inside; the parser would go down there before it says no.
_DEEP = re.compile(rf'(?:[{{\[]\s{{0,8}}(?:"[^"]{{0,80}}"\s{{0,8}}:\s{{0,8}})?){{{MAX_DEPTH + 1}}}')
_STRICT_BEGIN = re.compile(r"\{\s{0,80}\"|\[")
_OBJECT_BEGIN = re.compile(r"\{\s*[\"'\u201c]|\[")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)|[{}\[\]]', re.DOTALL)
_KEY_ENDS = re.compile(r"[\"'\u201c\u201d\u2018\u2019,;{}\[\]\n]")
_MAX_KEY_CHARS = 50
_BETWEEN_ROWS = re.compile(r"[\s,]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One JSON value. `follows`: nothing but a comma or a line's end parts it from the last."""

    value: Json
    follows: bool = False


def documents(text: str, schema: AnswerSchema) -> list[Document]:
    """Return the objects and lists in `text`, in its order."""
    rest = _without_thoughts(text)
    for whole in dict.fromkeys((text, rest)):
        _require_shallow(whole.lstrip(), 0)
        document = strict_json(whole.strip().removeprefix("\ufeff"))
        if isinstance(document, str) and document.lstrip().startswith(("{", "[")):
            document = strict_json(document)
        if isinstance(document, dict | list):
            return [Document(value=document)]
    if not rest.strip():
        refuse(ReadRefusal.EMPTY, "the answer holds thoughts and nothing else")
    return list(_found(rest, schema))


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


def _found(text: str, schema: AnswerSchema) -> Iterator[Document]:
    """Yield what is JSON, or can be made so, at every place where an object begins."""
    known = frozenset(_all_names(schema))
    last_end: int | None = None
    begin = _BEGIN.search(text)
    objects = loose = 0
    repairable = _MAX_REPAIRED_CHARS
    tokens = _Tokens()
    while begin is not None:
        start = begin.start()
        objects += 1
        if objects > _MAX_OBJECTS:
            refuse(ReadRefusal.BAD_JSON, "too many objects")
        value, end = _strict_at(text, start, tokens)
        if end is None:
            end = tokens.closing(text, start)
            if end is None:
                if _OBJECT_BEGIN.match(text, start):
                    refuse(ReadRefusal.TRUNCATED, "an object or a list begins and does not end")
                loose += 1
                if loose > _MAX_LOOSE_BRACES:
                    refuse(ReadRefusal.BAD_JSON, "too many braces that do not close")
                begin = _BEGIN.search(text, start + 1)
                continue
            segment = text[start:end]
            if _mentions(segment, known):
                repairable -= len(segment)
                if repairable < 0:
                    refuse(ReadRefusal.BAD_JSON, "it is no JSON, and too long to be mended")
                value = repaired(segment)
        if isinstance(value, dict | list):
            follows = last_end is not None and bool(_BETWEEN_ROWS.fullmatch(text, last_end, start))
            yield Document(value=value, follows=follows)
            last_end = end
        begin = _BEGIN.search(text, end)


def _strict_at(text: str, start: int, tokens: "_Tokens") -> tuple[Json, int | None]:
    """Return the JSON value that begins at `start`, and where it ends; none where none does."""
    if not _STRICT_BEGIN.match(text, start):
        return None, None
    _require_shallow(text, start)
    try:
        value, end = DECODER.raw_decode(text, start)
    except RepeatedKeyError as error:
        refuse(ReadRefusal.CONFLICT, str(error))
    except NotFiniteError as error:
        closing = tokens.closing(text, start)
        if closing is not None and is_json(text[start:closing]):
            refuse(ReadRefusal.NOT_FINITE, str(error))
        return None, None
    except ValueError:
        return None, None
    return value, end


def _require_shallow(text: str, start: int) -> None:
    if _DEEP.match(text, start):
        refuse(ReadRefusal.TOO_DEEP, f"the answer is nested more than {MAX_DEPTH} deep")


class _Tokens:
    """Finds closing brackets, strings left aside; in all it looks at so many and no more."""

    def __init__(self) -> None:
        self._left = _MAX_TOKENS

    def closing(self, text: str, start: int) -> int | None:
        """Return where the bracket at `start` is closed."""
        depth = 0
        for found in _TOKEN.finditer(text, start):
            self._left -= 1
            if self._left < 0:
                refuse(ReadRefusal.BAD_JSON, "too many brackets")
            match found.group():
                case "{" | "[":
                    depth += 1
                case "}" | "]":
                    depth -= 1
                    if depth == 0:
                        return found.end()
                case _:
                    pass
        return None


def _mentions(segment: str, known: frozenset[str]) -> bool:
    for colon in re.finditer(":", segment):
        before = segment[max(0, colon.start() - _MAX_KEY_CHARS) : colon.start()]
        key = _KEY_ENDS.split(before.rstrip(" \"'\u201d\u2019"))[-1]
        if flat(key) in known:
            return True
    return False


def _all_names(schema: AnswerSchema) -> Iterator[str]:
    if schema.rows is not None:
        yield from (flat(name) for name in (schema.rows.field, *schema.rows.aliases))
        yield from _all_names(schema.rows.row)
    yield from _names(dict(schema.fields), schema.identifying)


def _names(fields: dict[str, FieldRule], wanted: tuple[str, ...]) -> Iterator[str]:
    for name in wanted:
        rule = fields[name]
        yield from (flat(each) for each in (name, *rule.aliases))
        if isinstance(rule, GroupRule):
            yield from (flat(each) for each in rule.fields)
