"""A message is plain, short, and no receiver takes it for more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.console.alerts import wording
from interlock.console.alerts.lines import Note, Told
from interlock.model.values import Severity

MOMENT = 1_795_297_487_000_000_000
SECOND = 1_000_000_000
NOTE = Note(
    severity=Severity.CRITICAL,
    service="exec",
    code="kill_switch.pressed",
    text="the kill switch is pressed by ada (command): 3 > 2",
    key="k",
    ts_event=MOMENT,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("kill_switch.pressed at -2.5 % of 10,000.00 USD", None),
        ("AAPL: 2 orders, 100 $ + 3 #4", None),
        ("<script>alert(1)</script>", "(script)alert(1)(/script)"),
        ("[win](https://evil.example/x)", "(win)((link) evil.example/x)"),
        ("<!channel> <@U123> @everyone", "(!channel) ((at)U123) (at)everyone"),
        ("`code` *bold* ~no~ |spoiler| \\n", "'code' ·bold· -no- /spoiler/ /n"),
        ("javascript:alert(1) mailto:a@b.example", "(link) alert(1) (link) a(at)b.example"),
        ("no data: AAPL", None),
        ("# Heading", "Heading"),
        ("one\r\nSubject: two\x00\x1b[31m", "one Subject: two (31m"),
        ("a\u202eb\u200bc\ufeff", "a b c"),
        ("\uff1cscript\uff1e", "(script)"),
    ],
)
def test_text_of_any_origin_is_plain(text: str, shown: str | None):
    assert wording.plain(text).strip() == (text if shown is None else shown)


@given(st.text())
def test_plain_text_has_no_markup_and_a_limit(text: str):
    shown = wording.plain(text, 80)
    assert len(shown) <= 80
    assert not set("<>[]`*~|\\@&\n\r\t\x1b\u202e\u200b") & set(shown)
    assert "//" not in shown


def test_huge_text_is_cut():
    assert len(wording.plain("<b>" + "x" * 1_000_000)) == wording.TEXT_CHARS


def test_one_alert_is_told_whole():
    told = Told(notes=(NOTE,))
    assert wording.title(told, "hybrid") == "CRITICAL hybrid: kill_switch.pressed"
    assert wording.body(told, MOMENT + 2 * SECOND, on_data=False).splitlines() == [
        "the kill switch is pressed by ada (command): 3 ) 2",
        "2026-11-21 21:44:47 UTC, by exec",
    ]


def test_late_alert_says_so_but_not_on_recorded_data():
    told = Told(notes=(NOTE,))
    assert "told 3 h late" in wording.body(told, MOMENT + 3 * 3_600 * SECOND, on_data=False)
    assert "late" not in wording.body(told, MOMENT + 10**18, on_data=True)


def test_repetitions_are_counted():
    again = Note(**{**_fields(NOTE), "count": 12, "repeats": True})
    body = wording.body(Told(notes=(again,)), MOMENT, on_data=False)
    assert body.startswith("again, and 12 more since: the kill switch")


def test_digest_says_how_many_were_held_back_and_the_worst_first():
    notes = tuple(
        Note(**{**_fields(NOTE), "severity": Severity.WARNING, "code": f"w{n}"}) for n in range(20)
    )
    told = Told(notes=(*notes, NOTE), fallen={Severity.INFO: 3})
    assert wording.title(told, "hybrid") == "CRITICAL hybrid: 24 alerts held back"
    lines = wording.body(told, MOMENT, on_data=False).splitlines()
    assert lines[0] == "1 critical, 20 warning, 3 info"
    assert lines[1].startswith("CRITICAL 2026-11-21 21:44:47 UTC kill_switch.pressed")
    assert lines[-2] == "and 16 more"
    assert len(lines) == wording.LINES_SHOWN + 3


@pytest.mark.parametrize("moment", [-(2**63), -1, 2**63 - 1])
def test_moment_of_any_size_is_shown(moment: int):
    odd = Note(**{**_fields(NOTE), "ts_event": moment})
    assert wording.body(Told(notes=(odd,)), MOMENT, on_data=False)


def _fields(note: Note) -> dict[str, object]:
    return {name: getattr(note, name) for name in note.__struct_fields__}
