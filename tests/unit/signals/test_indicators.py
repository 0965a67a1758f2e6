"""Indicators against TA-Lib, on the crash of 2008 and on a made series of minutes.

Where definitions agree the numbers agree to nine digits. They do not agree on: RSI of a price
that never moved (50 here, 0 there); MACD's line before its signal is warm (known here, not
there). TA-Lib knows neither the z-score, nor turnover by day, nor returns from another
instrument.
"""

from math import sqrt

import numpy as np
import pytest
import talib
from interlock.signals.config import SignalsConfig
from interlock.signals.indicators import Ema, Indicators, Macd, Rsi, Turnover, spread_in_bps
from interlock.venues.replay import open_replay

CONFIG = SignalsConfig()
HOUR = 3_600 * 1_000_000_000
DAY = 24 * HOUR
CLOSE_TO = {"rtol": 1e-9, "atol": 1e-12}


def crash(symbol):
    rows = list(open_replay("crash-2008", [symbol]).rows())
    return np.array([(row.high, row.low, row.close, row.volume) for row in rows]).T


def minutes():
    random = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(random.normal(0, 4e-4, 3_000)))
    reach = close * np.abs(random.normal(0, 2e-4, (2, close.size)))
    return np.array([close + reach[0], close - reach[1], close, random.integers(0, 9_999, 3_000)])


SERIES = {"AAPL": crash("AAPL"), "GOOG": crash("GOOG"), "minutes": minutes()}


@pytest.fixture(scope="module", params=sorted(SERIES))
def series(request):
    return SERIES[request.param].astype(float)


@pytest.fixture(scope="module")
def ours(series):
    """Return every indicator after every bar, NaN where it is absent."""
    known = Indicators(CONFIG, 86_400)
    found = []
    for index, (high, low, close, volume) in enumerate(series.T.tolist()):
        known.update((index + 1) * DAY, high, low, close, volume)
        macd, volatility = known.macd, known.volatility
        found.append(
            {
                "ret_1": known.ret_1,
                "momentum_bps": known.momentum_bps,
                "ema_fast": known.ema_fast.value,
                "ema_slow": known.ema_slow.value,
                "rsi": known.rsi.value,
                "macd": macd.line,
                "macd_signal": macd.signal,
                "macd_hist": macd.histogram,
                "atr": known.atr.value,
                "volatility": volatility.value,
                "volatility_z": volatility.z_score,
                "adv": known.adv.value,
            }
        )
    return {name: np.array([row[name] for row in found], dtype=float) for name in found[0]}


def expected(series):
    high, low, close, volume = series
    macd, signal, hist = talib.MACD(close, 12, 26, 9)
    log_returns = np.diff(np.log(close))
    deviation = np.concatenate([[np.nan], talib.STDDEV(log_returns, 20)])
    return {
        "ret_1": talib.ROCP(close, 1),
        "momentum_bps": talib.ROCP(close, 5) * 10_000,
        "ema_fast": talib.EMA(close, 12),
        "ema_slow": talib.EMA(close, 26),
        "rsi": talib.RSI(close, 14),
        "macd": macd,
        "macd_signal": signal,
        "macd_hist": hist,
        "atr": talib.ATR(high, low, close, 14),
        "volatility": deviation * sqrt(252),
        "adv": talib.SMA(close * volume, 20),
    }


@pytest.mark.parametrize(
    "name", ["ret_1", "momentum_bps", "ema_fast", "ema_slow", "rsi", "atr", "macd_signal"]
)
def test_equals_ta_lib_and_is_absent_as_long(series, ours, name):
    theirs = expected(series)[name]

    assert np.array_equal(np.isnan(ours[name]), np.isnan(theirs))
    np.testing.assert_allclose(ours[name], theirs, **CLOSE_TO)


@pytest.mark.parametrize("name", ["macd", "macd_hist", "adv"])
def test_equals_ta_lib_from_where_ta_lib_begins(series, ours, name):
    theirs = expected(series)[name]
    begun = ~np.isnan(theirs)

    np.testing.assert_allclose(ours[name][begun], theirs[begun], **CLOSE_TO)


def test_volatility_equals_the_standard_deviation(series, ours):
    # TA-Lib's STDDEV takes the difference of two sums of squares, which costs it some digits.
    np.testing.assert_allclose(ours["volatility"], expected(series)["volatility"], rtol=1e-7)
    log_returns = np.diff(np.log(series[2]))
    windows = np.lib.stride_tricks.sliding_window_view(log_returns, 20)
    exact = windows.std(axis=1) * sqrt(252)
    np.testing.assert_allclose(ours["volatility"][20:], exact, rtol=1e-9)


def test_the_z_score_compares_volatility_with_its_own_past(ours):
    windows = np.lib.stride_tricks.sliding_window_view(ours["volatility"][20:], 120)
    exact = (windows[:, -1] - windows.mean(axis=1)) / windows.std(axis=1)
    begins = 20 + 119

    assert np.isnan(ours["volatility_z"][:begins]).all()
    np.testing.assert_allclose(ours["volatility_z"][begins:], exact, rtol=1e-9, atol=1e-9)


def test_macd_is_known_when_its_slow_mean_is():
    macd = Macd(12, 26, 9)
    known = []
    for close in SERIES["AAPL"][2].tolist()[:40]:
        macd.update(close)
        known.append((macd.line is not None, macd.signal is not None, macd.histogram is not None))

    assert known.index((True, False, False)) == 25
    assert known.index((True, True, True)) == 33


def test_a_mean_of_one_value_is_that_value():
    assert Ema(1).update(3.0) == 3.0


def test_strength_of_a_price_that_never_moved_is_neither_strong_nor_weak():
    rsi = Rsi(2)
    for _ in range(2):
        rsi.update(0.0)

    assert rsi.value == 50.0


def test_volatility_is_annualised_by_the_bars_in_a_year_of_trading():
    assert CONFIG.bars_per_year(86_400) == 252
    assert CONFIG.bars_per_year(60) == 252 * 390
    crypto = SignalsConfig(sessions_per_year=365, session_seconds=86_400)
    assert crypto.bars_per_year(3_600) == 365 * 24


def test_turnover_counts_whole_days_only():
    turnover = Turnover(2, 5)
    known = []
    for hour in (14, 28, 29, 30, 40, 54, 78):
        turnover.update(hour * HOUR, 3_600, float(hour))
        known.append(turnover.value)

    # 28 and 29 o'clock still belong to the first day, which ends at 5 in the morning.
    assert known == [None, None, None, 71.0, 71.0, (71 + 70) / 2, (70 + 54) / 2]


@pytest.mark.parametrize(
    ("bid", "ask", "spread"),
    [(99.0, 101.0, 200.0), (5.0, 5.0, 0.0), (101.0, 99.0, None), (0.0, 1.0, None)],
)
def test_the_spread_is_that_of_a_market(bid, ask, spread):
    assert spread_in_bps(bid, ask) == (spread if spread is None else pytest.approx(spread))


def test_a_quote_serves_until_it_is_old():
    known = Indicators(CONFIG, 60)
    known.quote(HOUR, 99.0, 101.0)
    spreads = []
    for seconds in (60, 300, 301):
        known.update(HOUR + seconds * 1_000_000_000, 1.0, 1.0, 1.0, 1.0)
        known.take_spread(None, None)
        spreads.append(known.spread_bps)

    assert spreads == [pytest.approx(200.0), pytest.approx(200.0), None]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"rsi_period": 0}, "rsi_period must be at least 1"),
        ({"volatility_window": 1}, "volatility_window must be 2 to 5000"),
        ({"ema_fast": 26}, "the fast period must be shorter"),
        ({"day_starts_utc_hour": 24}, "day_starts_utc_hour is 0 to 23"),
    ],
)
def test_a_period_that_means_nothing_is_refused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        SignalsConfig(**wrong)
