"""Times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.cli.errors import CliError
from interlock.cli.moments import parse_length, parse_moment, show_moment

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("4h", 14_400), ("1d", 86_400), (" 1d ", 86_400)],
)
def test_a_length_is_a_number_and_a_unit(text, seconds):
    assert parse_length(text) == seconds * SECOND


@pytest.mark.parametrize(
    "text", ["", "1", "d", "0d", "-1d", "1.5h", "1w", "1d2h", "٣d", "9999999d"]
)
def test_any_other_length_is_refused(text):
    with pytest.raises(CliError, match="write 90s, 15m, 4h or 1d"):
        parse_length(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1223649000000000001", 1_223_649_000_000_000_001),
        ("2008-10-10T14:30:00Z", 1_223_649_000 * SECOND),
        ("2008-10-10T16:30:00+02:00", 1_223_649_000 * SECOND),
        ("1969-12-31T23:59:59Z", -SECOND),
    ],
)
def test_a_moment_is_nanoseconds_or_a_date_with_its_zone(text, moment):
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", ["", "now", "2008-10-10", "2008-10-10T14:30:00", "-1", "1e9"])
def test_any_other_moment_is_refused(text):
    with pytest.raises(CliError, match="is no moment"):
        parse_moment(text)


@given(st.integers(0, 4_000_000_000_000))
def test_what_is_shown_is_read_again(milliseconds):
    moment = milliseconds * 1_000_000
    shown = show_moment(moment)
    text = shown if " " in shown else f"{shown} 00:00:00"
    assert parse_moment(f"{text}+00:00") == moment
