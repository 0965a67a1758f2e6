"""What a kind of answer consists of: its fields, what each may hold, and how far it bends.

A rule tells the reader what else a field may be called and which values it may take. It never
supplies a value: what an answer does not say, it does not say.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from msgspec import Struct

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None

_MAX_NAME_CHARS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberRule:
    """A number from `lower` to `upper`; `above`: `lower` itself is left out.

    `percent`: 0.8 and "80%" may stand for 80, or 80 for 0.8. Which of the two it is, the range
    decides; where it cannot, the number is refused.
    """

    lower: float
    upper: float
    above: bool = False
    whole: bool = False
    percent: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoiceRule:
    """One of `values`. `synonyms` are other words for one of them.

    `implied` are words that say more: ``open_long`` is to enter, and to be long.
    """

    values: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict[str, str])
    implied: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolRule:
    """An instrument. `allowed` are all those the caller deals in; none: any that looks like one."""

    allowed: frozenset[str] | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NamesRule:
    """A list of at most `most` names: instruments if `symbols`, words such as ``rsi`` if not."""

    most: int
    symbols: bool = False
    allowed: frozenset[str] | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRule:
    """A short name of letters, digits and underscores, for people to see."""

    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FlagRule:
    """True or false, and no other word for it."""

    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRule:
    """Free text, cut at `max_chars`: it explains, and decides nothing."""

    max_chars: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TextsRule:
    """A list of free texts, cut at `most` of them."""

    most: int
    max_chars: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRule:
    """An object inside the answer. All its fields are required."""

    fields: Mapping[str, "FieldRule"]
    aliases: tuple[str, ...] = ()


type FieldRule = (
    NumberRule
    | ChoiceRule
    | SymbolRule
    | NamesRule
    | LabelRule
    | FlagRule
    | TextRule
    | TextsRule
    | GroupRule
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """A list of at most `most` objects, no two of which may give `key` the same value."""

    field: str
    row: "AnswerSchema"
    most: int
    key: str = "symbol"
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerSchema:
    """One kind of answer: an object with `fields`, or a list of `rows`.

    An object without any of the `identifying` fields is no answer at all. `needs` names the
    fields that must be there, from the values that are; without it, all must. `contradiction`
    says what is wrong with an answer whose values are each right.
    """

    name: str
    kind: type[Struct]
    fields: Mapping[str, FieldRule] = field(default_factory=dict[str, FieldRule])
    identifying: tuple[str, ...] = ()
    rows: Rows | None = None
    needs: Callable[[Mapping[str, Any]], Iterable[str]] | None = None
    contradiction: Callable[[Any], str | None] | None = None
    names: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", names_of(self.fields))

    def narrowed(self, path: str, lower: float, upper: float) -> "AnswerSchema":
        """Return the same schema with another range for one number.

        `path` is a field, ``group.field``, or ``decisions.field`` for the rows of a list.
        """
        if self.rows is not None:
            row = self.rows.row.narrowed(path.removeprefix(f"{self.rows.field}."), lower, upper)
            return replace(self, rows=replace(self.rows, row=row))
        return replace(self, fields=_narrowed(self.fields, path, lower, upper))

    def among(self, symbols: Iterable[str]) -> "AnswerSchema":
        """Return the same schema for these instruments only."""
        allowed = frozenset(symbols)
        changed: dict[str, FieldRule] = {}
        for name, rule in self.fields.items():
            match rule:
                case SymbolRule():
                    changed[name] = replace(rule, allowed=allowed)
                case NamesRule(symbols=True):
                    changed[name] = replace(rule, allowed=allowed)
                case _:
                    changed[name] = rule
        rows = self.rows and replace(self.rows, row=self.rows.row.among(allowed))
        return replace(self, fields=changed, rows=rows)

    def naming(self, name: str, allowed: Iterable[str]) -> "AnswerSchema":
        """Return the same schema with the only names that the list `name` may hold."""
        rule = self.fields[name]
        assert isinstance(rule, NamesRule)
        changed = replace(rule, allowed=frozenset(allowed))
        return replace(self, fields={**self.fields, name: changed})


def names_of(fields: Mapping[str, FieldRule]) -> dict[str, str]:
    """Return every name a field may have, flat, and the field it stands for."""
    names = {flat(alias): name for name, rule in fields.items() for alias in rule.aliases}
    return names | {flat(name): name for name in fields}


def flat(name: str) -> str:
    """Return `name` without case, spaces and punctuation: ``targetPrice`` is ``target_price``."""
    return _flat(name) if len(name) <= _MAX_NAME_CHARS else ""


@lru_cache(maxsize=4_096)
def _flat(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).lower() if c.isalnum())


def _narrowed(
    fields: Mapping[str, FieldRule], path: str, lower: float, upper: float
) -> dict[str, FieldRule]:
    name, _, below = path.partition(".")
    rule = fields[name]
    if isinstance(rule, GroupRule):
        changed: FieldRule = replace(rule, fields=_narrowed(rule.fields, below, lower, upper))
    else:
        assert isinstance(rule, NumberRule)
        changed = replace(rule, lower=lower, upper=upper)
    return {**fields, name: changed}
