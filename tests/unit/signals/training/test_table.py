import numpy as np
import pytest
from interlock.signals.config import SignalsConfig
from interlock.signals.training.errors import TrainingError
from interlock.signals.training.table import bars_sha256, table_of
from msgspec import structs

from tests.unit.signals.market import bars_of, desk

DESK = desk("AAPL", "GOOG", "IBM", "MSFT")
BARS = bars_of("calm-2005", first=400)


def table(bars):
    return table_of(bars, SignalsConfig(), DESK)


def test_labels_are_what_came_and_are_known_when_it_had_come():
    whole = table(BARS)
    closes = {
        name: [bar.close for bar in BARS if bar.instrument_id == name]
        for name in ("AAPL", "GOOG", "IBM", "MSFT")
    }
    # Volatility is warm after 20 returns, so the first row is of the 21st bar.
    row = int(np.flatnonzero((whole.instrument == 2) & (whole.moment == 0))[0])
    close = closes["IBM"][20]

    assert whole.next_return[row] == pytest.approx(closes["IBM"][21] / close - 1)
    assert whole.higher["p_short"][row] == float(closes["IBM"][21] > close)
    assert whole.higher["p_mid"][row] == float(closes["IBM"][25] > close)
    assert (whole.ends[1][row], whole.ends[5][row]) == (1, 5)


def test_where_the_data_end_labels_are_not_known():
    whole = table(BARS)
    last = whole.moment == whole.moment.max()

    assert np.isnan(whole.next_return[last]).all()
    assert (whole.ends[1][last] == whole.moment.max() + 1).all()
    for model, ahead in (("p_short", 1), ("p_mid", 5)):
        unknown = np.isnan(whole.higher[model])
        assert (unknown == (whole.moment > whole.moment.max() - ahead)).all()


def test_no_row_depends_on_bars_after_it():
    cut, whole = table(BARS[:200]), table(BARS)
    rows = len(cut.moment)

    assert np.array_equal(cut.inputs, whole.inputs[:rows], equal_nan=True)
    assert rows < len(whole.moment)


def test_a_few_bars_make_no_table():
    with pytest.raises(TrainingError, match="give longer data"):
        table(BARS[:40])


def test_the_hash_tells_any_other_bar():
    assert bars_sha256(BARS) == bars_sha256(list(BARS))
    other = structs.replace(BARS[7], close=BARS[7].close * (1 + 1e-15))
    assert bars_sha256([*BARS[:7], other, *BARS[8:]]) != bars_sha256(BARS)
    assert bars_sha256(BARS[:-1]) != bars_sha256(BARS)
