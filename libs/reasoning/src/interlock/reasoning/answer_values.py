"""From what a model wrote for a field to the field's value, or a refusal.

Nothing is bent but what a rule allows, and only where one reading is left.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, assert_never

from interlock.model.plain_text import plain_text
from interlock.reasoning.answer_schema import (
    ChoiceRule,
    FlagRule,
    Json,
    LabelRule,
    NamesRule,
    NumberRule,
    SymbolRule,
    TextRule,
    TextsRule,
)
from interlock.reasoning.refusal import ReadRefusal, refuse, told

type ValueRule = (
    NumberRule | ChoiceRule | SymbolRule | NamesRule | LabelRule | FlagRule | TextRule | TextsRule
)

HUNDRED = 100
_MAX_WORD_CHARS = 60
_MAX_LABEL_CHARS = 40
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(%?)", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
_SYMBOL = re.compile(r"[A-Z0-9](?:[A-Z0-9./:\-]{0,18}[A-Z0-9])?", re.ASCII)
_LABEL = re.compile(r"[a-z0-9][a-z0-9_]*", re.ASCII)
_SEPARATORS = re.compile(r"[./:\-_ ]")
# What models write where there is no instrument. ALL and CASH are tickers.
_NO_SYMBOLS = frozenset({"NONE", "NULL", "NAN", "N/A", "NA", "UNKNOWN", "SYMBOL", "TICKER"})


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it was written."""

    value: float
    in_percent: bool = False
    whole: bool = False


def valued(field: str, raw: Json, rule: ValueRule) -> Any:
    """Return the value of `field`."""
    match rule:
        case NumberRule():
            value = number(field, raw, rule)
            return int(value) if rule.whole else value
        case ChoiceRule():
            return choice(field, raw, rule)[0]
        case SymbolRule():
            return _symbol(field, raw, rule.allowed)
        case NamesRule():
            return _names(field, raw, rule)
        case LabelRule():
            return _label(field, raw)
        case FlagRule():
            return _flag(field, raw)
        case TextRule():
            return _text(field, raw, rule.max_chars)
        case TextsRule():
            return _texts(field, raw, rule)
        case _:
            assert_never(rule)


def number(field: str, raw: Json, rule: NumberRule) -> float:
    """Return a number in the unit of its field and within its range."""
    written = _written(field, raw)
    if not math.isfinite(written.value):
        refuse(ReadRefusal.NOT_FINITE, f"{field} is not finite")
    if written.in_percent and not rule.percent:
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no percentage")
    value = _scaled(field, written, rule) if rule.percent else written.value
    if not _within(value, rule):
        told_range = f"{rule.lower:g} to {rule.upper:g}"
        refuse(ReadRefusal.OUT_OF_RANGE, f"{field} is {value:g}, not within {told_range}")
    if rule.whole and not value.is_integer():
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is {value:g}, not a whole number")
    return value + 0.0  # which makes -0.0 into 0.0


def choice(field: str, raw: Json, rule: ChoiceRule) -> tuple[str, str]:
    """Return the value, and the word that stood for it."""
    if not isinstance(raw, str):
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no word")
    word = _word(raw)
    value = word if word in rule.values else rule.synonyms.get(word)
    if value is None:
        known = ", ".join(rule.values)
        refuse(ReadRefusal.UNKNOWN_VALUE, f"{field} is {told(raw)}, not one of {known}")
    return value, word


def is_symbol(text: str, rule: SymbolRule) -> bool:
    """Return whether `text`, a key, can only be an instrument."""
    if rule.allowed is None:
        return text not in _NO_SYMBOLS and _SYMBOL.fullmatch(text) is not None
    return _among(text, rule.allowed) is not None


def _word(raw: str) -> str:
    text = plain_text(raw[: 2 * _MAX_WORD_CHARS], _MAX_WORD_CHARS).strip().casefold()
    return re.sub(r"[\s\-]+", "_", text)


def _within(value: float, rule: NumberRule) -> bool:
    if rule.above and value <= rule.lower:
        return False
    return rule.lower <= value <= rule.upper


def _written(field: str, raw: Json) -> Written:
    written = _read_number(raw)
    if written is None:
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no number")
    return written


def _read_number(raw: Json) -> Written | None:
    match raw:
        case bool():
            return None
        case int():
            try:
                return Written(float(raw), whole=True)
            except OverflowError:
                return Written(math.inf)
        case float():
            return Written(raw)
        case str():
            # Not normalised: NFKC makes 10 to the second power into 102.
            text = raw.strip(" \t\r\n")
            found = _NUMBER.fullmatch(text)
            if found is not None:
                digits = found.group(1)
                return Written(float(digits), bool(found.group(2)), digits.isdigit())
            if _NOT_FINITE.fullmatch(text):
                return Written(math.nan)
            return None
        case _:
            return None


def _scaled(field: str, written: Written, rule: NumberRule) -> float:
    """Return the number in the unit of the field, where the range leaves one reading only.

    Up to one, a number may be a share; above, it counts to a hundred. A whole number of a hundred
    cannot be 0.7, and 65 cannot be a share. But 0.5 percent of a weight is as good as a half, and
    1.2 as a share may be a slip as well as 1.2 percent: those are refused. Nor does one weight
    vouch for the next: real answers have 0.2 and 50.8 side by side. Rounding takes away what the
    multiplication added: 0.57 * 100 is 56.99999999999999.
    """
    value = written.value
    ambiguous = f"{field} is {value:g}: of one, or of a hundred?"
    if rule.upper <= 1:
        if written.in_percent:
            return round(value / HUNDRED, 12)
        if value <= 1:
            return value
        if value < 2:  # noqa: PLR2004 (less than twice the whole may be meant as a share)
            refuse(ReadRefusal.AMBIGUOUS_UNIT, ambiguous)
        return round(value / HUNDRED, 12)
    if written.in_percent or not 0 < value <= 1:
        return value
    as_share = round(value * HUNDRED, 9)
    if rule.whole:
        if value == 1 and not written.whole:
            refuse(ReadRefusal.AMBIGUOUS_UNIT, ambiguous)
        return value if value == 1 else as_share
    if _within(as_share, rule) and _within(value, rule):
        refuse(ReadRefusal.AMBIGUOUS_UNIT, ambiguous)
    return as_share if _within(as_share, rule) else value


def _symbol(field: str, raw: Json, allowed: frozenset[str] | None) -> str:
    if not isinstance(raw, str):
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no instrument")
    text = plain_text(raw[: 2 * _MAX_WORD_CHARS], _MAX_WORD_CHARS).strip().upper()
    text = text.removeprefix("$")
    if allowed is not None:
        symbol = _among(text, allowed)
    else:
        symbol = text if text not in _NO_SYMBOLS and _SYMBOL.fullmatch(text) else None
    if symbol is None:
        refuse(ReadRefusal.UNKNOWN_SYMBOL, f"{field} is {told(raw)}, which was not asked about")
    return symbol


def _among(text: str, allowed: frozenset[str]) -> str | None:
    """Return the instrument, also where it is written ``BTC-USD`` for ``BTC/USD``."""
    if text in allowed:
        return text
    bare = _SEPARATORS.sub("", text).upper()
    alike = [symbol for symbol in allowed if _SEPARATORS.sub("", symbol).upper() == bare]
    return alike[0] if len(alike) == 1 else None


def _names(field: str, raw: Json, rule: NamesRule) -> list[str]:
    if not isinstance(raw, list):
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no list")
    if len(raw) > rule.most:
        refuse(ReadRefusal.TOO_MANY, f"{field} has {len(raw)} names, at most {rule.most}")
    if rule.symbols:
        names = [_symbol(field, item, rule.allowed) for item in raw]
    else:
        names = [_label(field, item) for item in raw]
        for name in names:
            if rule.allowed is not None and name not in rule.allowed:
                refuse(ReadRefusal.UNKNOWN_VALUE, f"{field} has {name}, which does not exist")
    return list(dict.fromkeys(names))


def _label(field: str, raw: Json) -> str:
    if not isinstance(raw, str):
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no word")
    word = _word(raw)
    if len(word) > _MAX_LABEL_CHARS or _LABEL.fullmatch(word) is None:
        refuse(ReadRefusal.UNKNOWN_VALUE, f"{field} is {told(raw)}, which is no name")
    return word


def _flag(field: str, raw: Json) -> bool:
    words = {"true": True, "false": False}
    flag = words.get(raw.strip().lower()) if isinstance(raw, str) else raw
    if not isinstance(flag, bool):
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is neither true nor false")
    return flag


def _text(field: str, raw: Json, max_chars: int) -> str:
    if not isinstance(raw, str):
        refuse(ReadRefusal.WRONG_TYPE, f"{field} is no text")
    return plain_text(raw, max_chars).strip()


def _texts(field: str, raw: Json, rule: TextsRule) -> list[str]:
    items = raw if isinstance(raw, list) else [raw]
    return [_text(field, _inner(item), rule.max_chars) for item in items[: rule.most]]


def _inner(item: Json) -> Json:
    """Return the text of a list's item that is an object: its first text."""
    if isinstance(item, dict):
        return next((value for value in item.values() if isinstance(value, str)), item)
    return item
