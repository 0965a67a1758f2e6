import pytest
from interlock.reasoning.answer_repair import repaired
from interlock.reasoning.refusal import ReadRefusal, RefusedError


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("{'a': 1, b: -.5,}", {"a": 1, "b": -0.5}),
        ('{"a": 1 // one\n, "b": True}', {"a": 1, "b": True}),
        ("[{'s': 'X', 'n': 1}, {'s': 'Y', 'n': 2}]", [{"s": "X", "n": 1}, {"s": "Y", "n": 2}]),
        (
            "{\u201ca\u201d: \u201cbuy\u201d, 'names': ['x', 'y']}",
            {"a": "buy", "names": ["x", "y"]},
        ),
        ("{'why': 'calm, and quiet'}", {"why": "calm, and quiet"}),
        ("{/* so */ 'a': None, 'b': [1, 2,], // and\n}", {"a": None, "b": [1, 2]}),
        ("{'why': 'it's calm', 'a': 1}", {"why": "it's calm", "a": 1}),
        ('{"why": "the "big" move", "a": 1}', {"why": 'the "big" move', "a": 1}),
    ],
)
def test_mends(text, mended):
    assert repaired(text) == mended


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1. 2}",
        "{'a': ~1.2}",
        "{'a': 1 'b': 2}",
        "{'a': 5%}",
        "{'a': {'value': 1. 2}}",
        "{'a': 1,5}",
        "{'names': [x, 1. 2]}",
        "{" + ", ".join(f"'k{n}': {n}" for n in range(300)) + ", a: ~1}",
    ],
)
def test_takes_nothing_that_was_not_written(text):
    with pytest.raises(RefusedError) as refused:
        repaired(text)
    assert refused.value.refusal.code is ReadRefusal.BAD_JSON


def test_a_key_with_two_values_is_a_conflict():
    with pytest.raises(RefusedError) as refused:
        repaired("{'a': 1, 'a': 2}")
    assert refused.value.refusal.code is ReadRefusal.CONFLICT


def test_bare_words_stay_the_words_they_are():
    assert repaired("{'a': 1, 'b': maybe true}") == {"a": 1, "b": "maybe true"}
