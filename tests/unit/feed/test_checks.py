from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.feed.checks import clock_is_off, clock_offset, faults_of
from interlock.feed.config import FeedConfig
from interlock.venues.replay_rows import RawBar
from interlock.wire.market import FeedCondition
from msgspec import structs

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 86_400
LAST = 1_000_000 * MINUTE
CONFIG = FeedConfig()
GOOD = RawBar(LAST, LAST + MINUTE, "SPY", 100.0, 101.0, 99.0, 100.5, 10.0, 100.4, 100.6)
QUOTE_ONLY = structs.replace(GOOD, open=nan, high=nan, low=nan, close=nan, volume=nan)


def row(of=GOOD, **changes):
    return structs.replace(of, **changes)


def faults(given_row, bar_seconds=60, last_ts=LAST, last_close=100.0):
    return faults_of(given_row, last_ts, last_close, bar_seconds, CONFIG)


@pytest.mark.parametrize(
    ("given_row", "condition"),
    [
        (row(ts_complete=LAST), FeedCondition.DUPLICATE),
        (row(ts_complete=LAST - SECOND), FeedCondition.OUT_OF_ORDER),
        (row(close=nan), FeedCondition.NOT_A_NUMBER),
        (row(high=inf), FeedCondition.NOT_A_NUMBER),
        (row(volume=nan), FeedCondition.NOT_A_NUMBER),
        (row(QUOTE_ONLY, ask=nan), FeedCondition.NOT_A_NUMBER),
        (row(low=0.0), FeedCondition.ZERO),
        (row(QUOTE_ONLY, bid=0.0), FeedCondition.ZERO),
        (row(low=-1.0), FeedCondition.INVALID),
        (row(volume=-1.0), FeedCondition.INVALID),
        (row(high=98.0), FeedCondition.INVALID),
        (row(close=102.0), FeedCondition.INVALID),
        (row(open=98.0), FeedCondition.INVALID),
        (row(QUOTE_ONLY, bid=100.7), FeedCondition.CROSSED),
    ],
)
def test_drops_what_cannot_be_used(given_row, condition):
    (fault,) = faults(given_row)

    assert (fault.condition, fault.drops) == (condition, True)


@pytest.mark.parametrize(
    ("given_row", "condition", "spoils_quote"),
    [
        (row(ts_complete=LAST + 5 * MINUTE), FeedCondition.GAP, False),
        (row(open=121.0, high=121.0, close=121.0), FeedCondition.JUMP, False),
        (row(bid=100.7), FeedCondition.CROSSED, True),
        (row(bid=-0.1), FeedCondition.ZERO, True),
    ],
)
def test_passes_on_what_is_only_odd(given_row, condition, spoils_quote):
    (fault,) = faults(given_row)

    assert (fault.condition, fault.drops) == (condition, False)
    assert fault.spoils_quote == spoils_quote


@pytest.mark.parametrize(
    "given_row",
    [
        GOOD,
        QUOTE_ONLY,
        row(bid=nan),
        row(volume=0.0),
        row(bid=100.6),
        row(ts_complete=LAST + 4 * MINUTE),
        row(open=120.0, high=120.0, close=120.0),
    ],
)
def test_finds_nothing_wrong_with_what_is_usual(given_row):
    assert faults(given_row) == []


def test_a_row_can_be_odd_in_several_ways():
    odd = row(ts_complete=LAST + 9 * MINUTE, low=70.0, close=70.0, bid=71.0, ask=70.0)

    assert [fault.condition for fault in faults(odd)] == [
        FeedCondition.GAP,
        FeedCondition.JUMP,
        FeedCondition.CROSSED,
    ]


def test_the_first_row_is_neither_a_gap_nor_a_jump():
    assert faults(GOOD, last_ts=0, last_close=0.0) == []


@pytest.mark.parametrize(
    ("bar_seconds", "step_seconds", "is_gap"),
    [
        (1, 60, False),
        (1, 61, True),
        (60, 240, False),
        (60, 241, True),
        (60, 4 * 3600 - 1, True),
        (60, 4 * 3600, False),
        (3600, 17 * 3600, False),
        (DAY, 5 * DAY, False),
        (DAY, 5 * DAY + 3600, False),
        (DAY, 6 * DAY, True),
        (DAY, 60 * DAY, True),
    ],
)
def test_a_gap_is_a_hole_inside_a_session(bar_seconds, step_seconds, is_gap):
    found = faults(row(ts_complete=LAST + step_seconds * SECOND), bar_seconds)

    assert [fault.condition for fault in found] == [FeedCondition.GAP] * is_gap


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.integers(1, 2 * LAST),
    st.tuples(*[numbers] * 5),
    st.tuples(numbers, numbers),
)
def test_what_is_passed_on_can_be_traded(ts, traded, quote):
    judged = RawBar(0, ts, "X", *traded, *quote)
    found = faults(judged)

    if not any(fault.drops for fault in found):
        prices = (judged.open, judged.high, judged.low, judged.close)
        if all(price == price for price in prices):  # noqa: PLR0124 - NaN is not itself
            assert 0 < judged.low <= min(prices) <= max(prices) <= judged.high < inf
            assert 0 <= judged.volume < inf
        assert ts > LAST


def test_the_clock_offset_is_taken_in_the_middle_of_the_round_trip():
    assert clock_offset(1_000, 900, 1_200) == (200, 100)


@pytest.mark.parametrize(
    ("offset", "off"),
    [(0, False), (250_000_000, False), (-250_000_001, True), (None, True)],
)
def test_a_clock_that_was_not_measured_is_off(offset, off):
    assert clock_is_off(offset, CONFIG) == off


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="gap_after_bars must be above zero"):
        FeedConfig(gap_after_bars=0)
