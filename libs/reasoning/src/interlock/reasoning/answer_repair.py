"""Mends what is nearly JSON, and takes nothing that the mending may have made up.

Most of it is JSON in another hand: single or curly quotation marks, bare keys, comments, commas
before an end. Where the whole text is made of such pieces it is rewritten, each piece as what it
says, and that is exact. The rest goes to a repairer that guesses, and is watched: it reads "1. 2"
as 1, "~1.2" as 1.2 and "5%" as 5. So every number and truth it returns is looked up in the text
again: each key's literals, in their order, must be what came out. Words are looked up too, unless
they are long enough to be prose.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import cast

from interlock.reasoning.answer_schema import Json
from interlock.reasoning.refusal import ReadRefusal, refuse, told
from interlock.reasoning.strict_json import strict_json

_MAX_LITERAL_CHARS = 200
_MAX_KEYS = 200
_MAX_WORD_CHARS = 40
_QUOTES = "\"'\u201c\u201d\u2018\u2019"
_LITERAL = rf"[{_QUOTES}]?\s*[:=]\s*([^,;}}\]\n]*)"
_COMMENT = re.compile(r"\s*(?://[^\n]*|#[^\n]*|/\*.*?\*/)\s*$", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_JSON_WORDS = {"True": "true", "False": "false", "None": "null"}
# What ends a text in single quotes is followed by what follows texts: "it's" is no piece.
_PIECE = re.compile(
    r"""
      "[^"\\]*(?:\\.[^"\\]*)*"
    | '(?P<single>[^'"\\\n]*)'(?=\s{0,80}[:,}\]])
    | \u201c(?P<curly>[^"\u201c\u201d\\\n]*)\u201d(?=\s{0,80}[:,}\]])
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<word>True|False|None)\b
    | (?P<key>[A-Za-z_]\w{0,60})(?=\s{0,8}:)
    | (?:true|false|null)\b
    | -?(?:0|[1-9]\d{0,20})(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?(?=[\s,}\]])
    | (?P<end>[}\]])
    | [{\[,:]
    | (?P<space>\s+)
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_CUT = re.compile(r"[,;}\]\n]")
_WORDS = {"true": True, "false": False, "null": None, "none": None}


def repaired(segment: str) -> Json:
    """Return `segment` as JSON, or refuse it."""
    plain = _rewritten(segment)
    if plain is not None:
        document = strict_json(plain)
        if document is not None:
            return document
    # 0.06 s to import, and most answers need no repair.
    from json_repair import loads

    try:
        document = cast("Json", loads(segment, strict=True, skip_json_loads=True))
    except (ValueError, RecursionError) as error:
        refuse(ReadRefusal.BAD_JSON, told(error))
    if not isinstance(document, dict | list):
        refuse(ReadRefusal.BAD_JSON, "what looks like an object is none")
    values: defaultdict[str, list[Json]] = defaultdict(list)
    for key, value in _scalars(document, ""):
        values[key].append(value)
    if len(values) > _MAX_KEYS:
        refuse(ReadRefusal.BAD_JSON, "it is no JSON, and too large to be mended")
    if not all(_stands_quoted(value, segment) for value in values.pop("", [])):
        refuse(ReadRefusal.BAD_JSON, "a list cannot be read without guessing")
    for key, found in values.items():
        if all(isinstance(value, str) and len(value) > _MAX_WORD_CHARS for value in found):
            continue
        literals = re.findall(rf"(?<!\w){re.escape(key)}{_LITERAL}", segment)
        as_told = len(literals) == len(found) and all(
            _is_written(value, literal) for value, literal in zip(found, literals, strict=True)
        )
        if not as_told:
            refuse(ReadRefusal.BAD_JSON, f"{told(key)} cannot be read without guessing")
    return document


def _rewritten(segment: str) -> str | None:
    """Return `segment` in the standard's hand, none where a piece of it is of no known kind."""
    pieces: list[str] = []
    at = 0
    while at < len(segment):
        piece = _PIECE.match(segment, at)
        if piece is None:
            return None
        match piece.lastgroup:
            case "single" | "curly" | "key":
                pieces.append(json.dumps(piece.group(piece.lastgroup)))
            case "word":
                pieces.append(_JSON_WORDS[piece.group()])
            case "comment" | "space":
                pieces.append(" ")
            case "end":
                _drop_last_comma(pieces)
                pieces.append(piece.group())
            case _:
                pieces.append(piece.group())
        at = piece.end()
    return "".join(pieces)


def _drop_last_comma(pieces: list[str]) -> None:
    while pieces and pieces[-1] == " ":
        pieces.pop()
    if pieces and pieces[-1] == ",":
        pieces.pop()


def _scalars(node: Json, key: str) -> Iterator[tuple[str, Json]]:
    """Yield every number, truth and text, and the key it hangs on; what a list holds, on none."""
    match node:
        case dict():
            for below, value in node.items():
                yield from _scalars(value, below)
        case list():
            for item in node:
                yield from _scalars(item, "")
        case _:
            yield key, node


def _stands_quoted(value: Json, segment: str) -> bool:
    """Return whether a list's item is a text of `segment`. Lists of numbers answer nothing."""
    if not isinstance(value, str):
        return False
    return re.search(rf"[{_QUOTES}]{re.escape(value)}[{_QUOTES}]", segment) is not None


def _is_written(value: Json, literal: str) -> bool:
    if len(literal) > _MAX_LITERAL_CHARS:
        return isinstance(value, str) and len(value) > _MAX_WORD_CHARS
    bare = _COMMENT.sub("", literal).strip()
    written = bare.strip(_QUOTES)
    match value:
        case str():
            # The pattern for the literal ends at a comma; no word that decides anything has one.
            if _CUT.search(value) is not None:
                return bare[:1] in _QUOTES and bool(bare) and written in value
            return written == value
        case bool() | None:
            return bare.lower() in _WORDS and _WORDS[bare.lower()] is value
        case _:
            return _NUMBER.fullmatch(written) is not None and float(written) == value
