import pytest
from interlock.reasoning.answer_text import documents
from interlock.reasoning.refusal import ReadRefusal, RefusedError
from interlock.reasoning.schemas import PARAM_PROPOSAL

SAID = '{"threshold_bps": 1}'


def values(text):
    return [document.value for document in documents(text, PARAM_PROPOSAL)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SAID, [{"threshold_bps": 1}]),
        ("\ufeff" + SAID, [{"threshold_bps": 1}]),
        ("[1, 2]", [[1, 2]]),
        ('"[1]"', [[1]]),
        ("so [1, 2] and {a} and " + SAID, [{"threshold_bps": 1}]),
        (f"[{SAID}] then {SAID}", [[{"threshold_bps": 1}], {"threshold_bps": 1}]),
        (f"<think>{{</think>{SAID}", [{"threshold_bps": 1}]),
        (f"<reasoning>[1]</reasoning>\n<decision>{SAID}</decision>", [{"threshold_bps": 1}]),
        ('{"a": "} {"}', [{"a": "} {"}]),
        ("{'other': 1, 'things': ~2}", []),
        ("no JSON at all", []),
    ],
)
def test_finds(text, found):
    assert values(text) == found


def test_says_what_follows_directly():
    follows = [
        one.follows for one in documents(f"{SAID}, {SAID}\n{SAID} or {SAID}", PARAM_PROPOSAL)
    ]
    assert follows == [False, True, True, False]


def test_full_width_quotation_mark_does_not_end_a_text():
    text = '{"a": "x\uff02, \uff02threshold_bps\uff02: 2"}'
    assert values(text) == [{"a": "x\uff02, \uff02threshold_bps\uff02: 2"}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"see [{SAID}, and", ReadRefusal.TRUNCATED),
        ('{"a": "never ends', ReadRefusal.TRUNCATED),
        ("{ " * 17, ReadRefusal.BAD_JSON),
        ("{ x " * 20_000, ReadRefusal.BAD_JSON),
        ("{a: 1} " * 20_000, ReadRefusal.BAD_JSON),
        ("{ " * 20_000, ReadRefusal.TOO_DEEP),
        ('[{"a": ' * 17, ReadRefusal.TOO_DEEP),
        ("{'threshold_bps': 1, 'x': '" + "y" * 5_000 + "'}", ReadRefusal.BAD_JSON),
        ('so {"a": NaN}', ReadRefusal.NOT_FINITE),
        ('so {"a": 1, "a": true}', ReadRefusal.CONFLICT),
        ("<thinking>all of it", ReadRefusal.EMPTY),
    ],
)
def test_refuses(text, code):
    with pytest.raises(RefusedError) as refused:
        values(text)
    assert refused.value.refusal.code is code
