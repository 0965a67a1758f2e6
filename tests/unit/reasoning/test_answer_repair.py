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
    ],
)
def test_mends(text, mended):
    assert repaired(text) == mended


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1. 2}",
        "{'a': ~1.2}",
        "{'a': 5%}",
        "{'a': 1, 'a': 2}",
        "{'a': {'value': 1. 2}}",
        "{'a': 1,5}",
        "{'names': [x, 1. 2]}",
        "{" + ", ".join(f"'k{n}': {n}" for n in range(300)) + ",}",
    ],
)
def test_takes_nothing_that_was_not_written(text):
    with pytest.raises(RefusedError) as refused:
        repaired(text)
    assert refused.value.refusal.code is ReadRefusal.BAD_JSON


def test_bare_words_stay_the_words_they_are():
    assert repaired("{'a': 1, 'b': maybe true}") == {"a": 1, "b": "maybe true"}
