import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.model.plain_text import plain_text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u202eevil\u2066", "evil"),
        ("\x1b[31mred\x00", "[31mred"),
        ("tag\U000e0041\U000e0042", "tag"),
        ("variation\ufe0f\U000e0100", "variation"),
        ("\ufb01ne \uff11\uff12", "fine 12"),
        ("lone \ud800 half", "lone  half"),
        ("blank\u3164\u2800", "blank"),
    ],
)
def test_what_is_left(text, seen):
    assert plain_text(text, 100) == seen


def test_one_character_may_become_eighteen_and_is_still_capped():
    assert len(plain_text("\ufdfa" * 50, 50)) == 50


@given(st.text(), st.integers(min_value=0, max_value=50))
def test_is_short_normal_and_stable(text, limit):
    plain = plain_text(text, limit)
    assert len(plain) <= limit
    assert plain_text(plain, limit) == plain
    assert all(unicodedata.category(c) != "Cf" for c in plain)
