import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from interlock.venues.replay import open_replay
from interlock.venues.replay_named import DEFAULT_SET, NAMED_SETS
from interlock.venues.replay_rows import ReplayError

STRETCHES = sorted(NAMED_SETS.keys() - {"stocks"})


@pytest.mark.parametrize("name", STRETCHES)
def test_a_named_set_holds_the_years_it_names(name):
    data = open_replay(name)
    rows = list(data.rows())
    days = {datetime.fromtimestamp(row.ts_complete / 1e9, UTC).date() for row in rows}

    assert data.instruments == ("AAPL", "GOOG", "IBM", "MSFT")
    assert data.bar_seconds == 86_400
    assert len(rows) == data.bars == len(days) * 4
    assert min(days) == NAMED_SETS[name].first
    assert max(days) == NAMED_SETS[name].last
    assert "public domain" in data.origin


def test_a_stretch_of_a_named_set_can_be_chosen():
    first, last = date(2008, 9, 13), date(2008, 9, 19)
    data = open_replay("crash-2008", ["IBM"], first=first, last=last)
    days = [datetime.fromtimestamp(row.ts_complete / 1e9, UTC).day for row in data.rows()]

    assert days == [15, 16, 17, 18, 19]
    assert "2008-09-13 to 2008-09-19" in data.origin


def test_a_named_set_has_no_days_but_its_own():
    whole = open_replay("calm-2005", ["IBM"])
    wide = open_replay("calm-2005", ["IBM"], first=date(2000, 1, 1), last=date(2012, 1, 1))

    assert (wide.bars, wide.ts_first, wide.ts_last) == (whole.bars, whole.ts_first, whole.ts_last)
    with pytest.raises(ReplayError, match="it has 2005-01-03 to 2005-12-30"):
        open_replay("calm-2005", first=date(2006, 1, 1))


def test_one_set_holds_everything():
    data = open_replay("stocks")
    rows = list(data.rows())
    days = [datetime.fromtimestamp(row.ts_complete / 1e9, UTC).date() for row in rows]

    assert data.instruments == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert (min(days), max(days)) == (NAMED_SETS["stocks"].first, NAMED_SETS["stocks"].last)
    assert len(rows) == data.bars > sum(open_replay(name).bars for name in STRETCHES)


def test_the_default_set_exists():
    assert DEFAULT_SET in NAMED_SETS


def test_rows_come_in_time_then_symbol_order_every_time_they_are_asked_for():
    data = open_replay("crash-2008")
    keys = [(row.ts_complete, row.symbol) for row in data.rows()]

    assert keys == sorted(keys)
    assert keys == [(row.ts_complete, row.symbol) for row in data.rows()]
    assert (data.ts_first, data.ts_last) == (keys[0][0], keys[-1][0])


def test_prices_are_adjusted_so_that_no_split_looks_like_a_crash():
    # Apple split 2:1 on 2005-02-28; the price of the day halves, the adjusted one does not.
    closes = [row.close for row in open_replay("calm-2005", ["AAPL"]).rows()]
    moves = [after / before - 1 for before, after in pairwise(closes)]

    assert min(moves) > -0.15


@pytest.mark.parametrize("name", sorted(NAMED_SETS))
def test_adjusting_keeps_every_price_between_low_and_high(name):
    for row in open_replay(name).rows():
        assert row.low <= min(row.open, row.close)
        assert max(row.open, row.close) <= row.high


def test_adjusting_keeps_the_turnover():
    row = next(open_replay("crash-2008", ["AAPL"]).rows())

    # 2007-01-03: 44,225,700 shares at 83.80 dollars, as printed that day.
    assert row.close * row.volume == pytest.approx(83.80 * 44_225_700, rel=1e-3)


def test_a_session_closes_at_four_in_new_york_in_winter_and_in_summer():
    hours = {
        datetime.fromtimestamp(row.ts_complete / 1e9, UTC).hour
        for row in open_replay("calm-2005", ["IBM"]).rows()
    }

    assert hours == {20, 21}


def test_a_symbol_the_set_does_not_have_is_named_with_those_it_has():
    with pytest.raises(ReplayError, match="has no FB: it has AAPL, GOOG, IBM, MSFT"):
        open_replay("crash-2008", ["FB", "AAPL"])


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ReplayError, match="calm-2005, crash-2008, flash-crash-2010"):
        open_replay("crash-1929")


def test_a_named_set_needs_neither_pandas_nor_pyarrow():
    code = (
        "import sys; from interlock.venues.replay import open_replay; "
        "list(open_replay('crash-2008').rows()); "
        "sys.exit('pandas' in sys.modules or 'pyarrow' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
