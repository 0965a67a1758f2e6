"""Whatever a model writes, the reader returns a value within its limits, or a code."""

import json
import re
import unicodedata

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.reasoning.answer_schema import (
    AnswerSchema,
    ChoiceRule,
    FieldRule,
    GroupRule,
    NumberRule,
)
from interlock.reasoning.reader import read, report
from interlock.reasoning.refusal import ReadRefusal, Unreadable
from interlock.reasoning.schemas import SCHEMAS

from tests.unit.reasoning.full_answers import FULL

SCHEMA = st.sampled_from(sorted(SCHEMAS)).map(SCHEMAS.__getitem__)
ODD = st.sampled_from(
    [
        *(None, True, False, 0, 1, -1, 0.5, 1.0, 5, 55, 1e999, float("nan"), 10**400),
        *("", "nan", "1e999", "55%", "0.5", "\uff11", "10\u00b2", "\u00bd", "\u0663", "\ud800"),
        *("\u202ebuy", "buy", "hold", "long", "AAPL", "N/A", "ignore the limits"),
        *([], {}, [[]], [1, 2], ["AAPL", "AAPL"], {"value": 1}, {"AAPL": {}}),
    ]
)


def names_in(schema: AnswerSchema) -> list[str]:
    names = {alias for rule in schema.fields.values() for alias in rule.aliases}
    names |= {*schema.fields, "was", "decision", "value", "error", "answer"}
    for rule in schema.fields.values():
        if isinstance(rule, GroupRule):
            names |= set(rule.fields)
    if schema.rows is not None:
        names |= {schema.rows.field, *names_in(schema.rows.row)}
    return sorted(names)


def trees(schema: AnswerSchema) -> st.SearchStrategy:
    keys = st.sampled_from(names_in(schema))
    return st.recursive(
        ODD,
        lambda below: st.dictionaries(keys, below, max_size=6) | st.lists(below, max_size=4),
        max_leaves=12,
    )


@st.composite
def changed(draw: st.DrawFn, schema: AnswerSchema) -> str:
    """A good answer, of which something was replaced, put in, or cut away."""
    answer = json.loads(json.dumps(FULL[schema.name]))
    inside = answer
    while isinstance(inside, list | dict) and inside:
        steps = sorted(inside) if isinstance(inside, dict) else range(len(inside))
        step = draw(st.sampled_from(list(steps)))
        if not isinstance(inside[step], list | dict) or draw(st.booleans()):
            inside[step] = draw(trees(schema))
            break
        inside = inside[step]
    text = json.dumps(answer)
    at = draw(st.integers(min_value=0, max_value=len(text)))
    until = at + draw(st.integers(min_value=0, max_value=3))
    put = draw(
        st.sampled_from(["", "", "}", '"', "]", ",", "<think>", "NaN", "1e", "\\u0000", "\uff5b"])
    )
    return draw(st.sampled_from(["", "So: ", "```json\n"])) + text[:at] + put + text[until:]


def check(text: str, schema: AnswerSchema) -> None:
    reading = read(text, schema)
    json.dumps(report(reading), allow_nan=False).encode()
    if isinstance(reading, Unreadable):
        assert reading.code in ReadRefusal
        assert reading.reason
        assert harmless(reading.reason)
        return
    assert isinstance(reading, schema.kind)
    value = msgspec.to_builtins(reading)
    if schema.rows is None:
        within(value, schema.fields)
        return
    listed = value[schema.rows.field]
    assert len(listed) <= schema.rows.most
    for row in listed:
        within(row, schema.rows.row.fields)


def within(value: dict, fields: dict[str, FieldRule]) -> None:
    for name, rule in fields.items():
        match rule, value[name]:
            case _, None:
                continue
            case NumberRule(), number:
                assert rule.lower <= number <= rule.upper
            case ChoiceRule(), word:
                assert word in rule.values
            case GroupRule(), inner:
                within(inner, rule.fields)
            case _, bool():
                continue
            case _, texts:
                for text in [texts] if isinstance(texts, str) else texts:
                    assert len(text) <= 500
                    assert harmless(text)


def harmless(text: str) -> bool:
    hidden = {"Cc", "Cf", "Co", "Cs", "Cn"} & {
        unicodedata.category(c) for c in text if c not in "\n\t"
    }
    return not hidden and unicodedata.is_normalized("NFKC", text)


@pytest.mark.parametrize("name", SCHEMAS)
def test_full_answer_is_read(name):
    assert report(read(json.dumps(FULL[name]), SCHEMAS[name]))["ok"]


IN_OTHER_HANDS = {
    "Python's": str,
    "indented, with commas at the ends": lambda answer: re.sub(
        r"(?<=[^\[{,\s])\n", ",\n", json.dumps(answer, indent=1)
    ),
    "bare keys": lambda answer: re.sub(r'"(\w+)":', r"\1:", json.dumps(answer)),
    "curly": lambda answer: re.sub(r'"([^"]*)"', "\u201c\\1\u201d", json.dumps(answer)),
    "with comments": lambda answer: json.dumps(answer, indent=1).replace("\n", " // so\n") + "\n",
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("write", IN_OTHER_HANDS.values(), ids=IN_OTHER_HANDS)
def test_answer_in_another_hand_is_the_same_answer(name, write):
    text = write(FULL[name])
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    schema = SCHEMAS[name]
    assert read(f"So:\n{text}", schema) == read(json.dumps(FULL[name]), schema)


@settings(deadline=None)
@given(SCHEMA, st.data())
def test_any_tree_is_a_value_or_a_code(schema, data):
    check(json.dumps(data.draw(trees(schema))), schema)


@settings(deadline=None)
@given(SCHEMA, st.data())
def test_any_change_of_a_good_answer_is_a_value_or_a_code(schema, data):
    check(data.draw(changed(schema)), schema)


@settings(deadline=None)
@given(SCHEMA, st.text(alphabet=st.characters() | st.sampled_from("{}[]\":,'\\<>think ")))
def test_any_text_is_a_value_or_a_code(schema, text):
    check(text, schema)


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000,
        "[" * 200_000,
        '{"a":' * 50_000,
        '{"action":[' * 20_000,
        "{" * 200_000,
        "{ " * 100_000,
        '{"' * 100_000,
        "<think>" * 30_000,
        "[{" * 100_000,
        '{"action": ' + "9" * 100_000 + "}",
        '{"action": "' + "\\u202e" * 40_000 + '"}',
        "{'action': '" + "a" * 200_000 + "'}",
        "{'action': 1}" * 20_000,
        ":" * 260_000,
        ("{'action':" + " " * 100) * 2_000,
    ],
    ids=range(15),
)
def test_hostile_text_is_refused(name, text):
    assert isinstance(read(text, SCHEMAS[name]), Unreadable)
