"""Why an answer was not taken: a code for programs, a reason for people."""

from enum import StrEnum
from typing import NoReturn

from msgspec import Struct

from interlock.model.plain_text import plain_text

_MAX_TOLD_CHARS = 120


class ReadRefusal(StrEnum):
    """Public and stable; the wording beside it is not."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    NO_ANSWER = "no_answer"
    NO_JSON = "no_json"
    BAD_JSON = "bad_json"
    TRUNCATED = "truncated"
    MISSING = "missing_field"
    WRONG_TYPE = "wrong_type"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    AMBIGUOUS_UNIT = "ambiguous_unit"
    UNKNOWN_VALUE = "unknown_value"
    UNKNOWN_SYMBOL = "unknown_symbol"
    TOO_MANY = "too_many"
    CONFLICT = "conflict"
    CONTRADICTION = "contradiction"


MEANING: dict[ReadRefusal, str] = {
    ReadRefusal.EMPTY: "nothing was said, or only thoughts",
    ReadRefusal.TOO_LONG: "the text is longer than any answer; it was not looked at",
    ReadRefusal.TOO_DEEP: "objects or lists are nested too deeply",
    ReadRefusal.NO_ANSWER: "it says of itself that it is none: an error, a fallback, a refusal",
    ReadRefusal.NO_JSON: "no JSON object or list in the text",
    ReadRefusal.BAD_JSON: "JSON that cannot be mended without guessing",
    ReadRefusal.TRUNCATED: "an object or list begins and does not end",
    ReadRefusal.MISSING: "a required value is absent or null, or no object answers the question",
    ReadRefusal.WRONG_TYPE: "a value is of another type: a number that is none, a truth as number",
    ReadRefusal.NOT_FINITE: "NaN, infinity, or a number too large to be one",
    ReadRefusal.OUT_OF_RANGE: "a number outside its field's range",
    ReadRefusal.AMBIGUOUS_UNIT: "a number that may be a share of one or a percentage",
    ReadRefusal.UNKNOWN_VALUE: "a word that is none of the field's values",
    ReadRefusal.UNKNOWN_SYMBOL: "an instrument that was not asked about, or none at all",
    ReadRefusal.TOO_MANY: "more decisions or names than the question allows",
    ReadRefusal.CONFLICT: "one thing is said in two ways that differ",
    ReadRefusal.CONTRADICTION: "each value is right, but together they make no sense",
}
"""What each code says, for the documents."""


class Unreadable(Struct, frozen=True, kw_only=True):
    """A refused answer."""

    code: ReadRefusal
    reason: str


class RefusedError(Exception):
    """Carries a refusal out of the reader's depth; it never leaves `read`."""

    def __init__(self, code: ReadRefusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = Unreadable(code=code, reason=reason)


def refuse(code: ReadRefusal, reason: str) -> NoReturn:
    raise RefusedError(code, reason)


def told(text: object) -> str:
    """Return what an answer holds in a form that may stand in a reason."""
    return plain_text(str(text)[:_MAX_TOLD_CHARS], _MAX_TOLD_CHARS)
