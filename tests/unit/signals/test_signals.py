from decimal import Decimal
from math import isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.desk import DeskConfig
from interlock.model.instrument import Instrument
from interlock.signals.app import build
from interlock.signals.config import SignalsConfig
from interlock.venues.replay import open_replay
from interlock.wire.base import caused_id, root_ids
from interlock.wire.codec import decode, encode
from interlock.wire.market import Bar, FeaturesComputed, Quote
from msgspec import structs

SECOND = 1_000_000_000
ALWAYS_THERE = {
    "message_id",
    "decision_id",
    "ts_event",
    "desk",
    "instrument_id",
    "bar_seconds",
    "close",
    "model_set",
    "missing_models",
}
SHORT = SignalsConfig(
    ema_fast=2,
    ema_slow=3,
    rsi_period=2,
    macd_fast=2,
    macd_slow=3,
    macd_signal=2,
    atr_period=2,
    momentum_bars=2,
    volatility_window=2,
    volatility_z_window=2,
    correlation_window=3,
    adv_days=2,
)


def desk(*names):
    return DeskConfig(
        name="params",
        account="paper",
        venue="paper",
        instruments=tuple(Instrument(instrument_id=name, venue="paper") for name in names),
        cadence_seconds=5,
        equity_usd=Decimal(30_000),
    )


def bar(minute, instrument_id="A", close=100.0, **changes):
    ts = 1_577_975_400 * SECOND + minute * 60 * SECOND
    message_id, decision_id = root_ids(Bar, instrument_id, ts)
    made = Bar(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=ts,
        instrument_id=instrument_id,
        source="replay",
        bar_seconds=60,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=1.0,
    )
    return structs.replace(made, **changes)


def features_of(messages, config=SHORT, traded=("A", "B", "C")):
    service = build(config, desk(*traded))
    state, said = service.state, []
    for message in messages:
        state = service.evolve(state, message)
        said += service.decide(state, message, 0)
    return said


def present(features):
    return {name for name in features.__struct_fields__ if getattr(features, name) is not None}


def test_each_bar_of_a_traded_instrument_makes_one_set_of_features():
    bars = [bar(0, "A"), bar(0, "X"), bar(1, "A")]
    said = features_of(bars)

    assert [features.message_id for features in said] == [
        caused_id(bars[0], FeaturesComputed),
        caused_id(bars[2], FeaturesComputed),
    ]
    assert {features.decision_id for features in said} == {
        bars[0].decision_id,
        bars[2].decision_id,
    }
    assert (said[0].desk, said[0].close) == ("params", 100.0)


def test_what_is_not_warm_is_absent():
    bars = [bar(index, close=100.0 + index % 3) for index in range(8)]
    counts = [len(present(features)) for features in features_of(bars)]

    assert present(features_of(bars)[0]) == ALWAYS_THERE
    assert present(features_of(bars)[1]) == {*ALWAYS_THERE, "ret_1", "ema_fast"}
    assert counts == sorted(counts)


def test_a_bar_heard_twice_counts_once():
    bars = [bar(index, close=100.0 + index % 3) for index in range(8)]
    twice = [message for message in bars for _ in range(2)]

    assert features_of(twice)[1::2] == features_of(bars)
    assert features_of([*bars, bars[3]]) == features_of(bars)


def test_bars_of_another_length_start_anew():
    long = bar(10, bar_seconds=300)
    *_, features = features_of([bar(index) for index in range(8)] + [long])

    assert present(features) == ALWAYS_THERE


def test_correlation_is_with_the_mean_of_the_others():
    returns = np.random.default_rng(3).normal(0, 1e-2, (3, 6))
    closes = 100 * np.cumprod(1 + returns, axis=1)
    bars = [
        bar(minute, name, close=float(closes[index, minute]))
        for minute in range(6)
        for index, name in enumerate("ABC")
    ]
    of_a = [features for features in features_of(bars) if features.instrument_id == "A"]
    others = returns[1:].mean(axis=0)

    # The last moment is not over: correlation is that of the three before.
    expected = np.corrcoef(returns[0, 2:5], others[2:5])[0, 1]
    assert of_a[-1].correlation == pytest.approx(expected)
    assert of_a[3].correlation is None


def test_correlation_does_not_depend_on_the_order_within_a_moment():
    closes = 100 * np.cumprod(1 + np.random.default_rng(4).normal(0, 1e-2, (3, 9)), axis=1)

    def last(order):
        bars = [
            bar(minute, "ABC"[index], close=float(closes[index, minute]))
            for minute in range(9)
            for index in order
        ]
        return {said.instrument_id: said.correlation for said in features_of(bars)[-3:]}

    assert last([0, 1, 2]) == pytest.approx(last([2, 0, 1]))


def test_correlation_with_a_benchmark_the_desk_does_not_trade():
    config = structs.replace(SHORT, benchmark="SPY")
    moves = [0.01, -0.02, 0.015, 0.005, -0.01, 0.02]
    closes = np.cumprod([1 + move for move in moves]) * 100
    bars = [
        bar(minute, name, close=float(close))
        for minute, close in enumerate(closes)
        for name in ("A", "SPY")
    ]
    *_, features = features_of(bars, config, traded=("A",))

    assert features.instrument_id == "A"
    assert features.correlation == pytest.approx(1.0)


def test_one_instrument_alone_has_no_correlation():
    bars = [bar(index, close=100.0 + index % 3) for index in range(20)]

    assert {features.correlation for features in features_of(bars)} == {None}


def test_the_spread_is_the_bars_own_or_that_of_the_latest_quote():
    first, later = bar(0), bar(2, bid=99.99, ask=100.01)
    message_id, decision_id = root_ids(Quote, "A")
    quote = Quote(
        message_id=message_id,
        decision_id=decision_id,
        ts_event=first.ts_event,
        instrument_id="A",
        source="replay",
        bid=99.0,
        ask=101.0,
        bid_size=1.0,
        ask_size=1.0,
    )
    spreads = [said.spread_bps for said in features_of([first, quote, bar(1), later])]

    assert spreads == [None, pytest.approx(200.0), pytest.approx(2.0)]


prices = st.floats(min_value=0.0, exclude_min=True, allow_infinity=False)
volumes = st.floats(min_value=0.0, allow_infinity=False)


@settings(max_examples=200)
@given(st.lists(st.tuples(prices, prices, prices, volumes, st.sampled_from("AB")), max_size=40))
def test_whatever_the_prices_no_feature_is_infinite_or_no_number(rows):
    bars = [
        bar(minute, name, close=close, high=max(high, close, low), low=min(high, close, low))
        for minute, (high, close, low, _, name) in enumerate(rows)
    ]
    bars = [structs.replace(made, volume=row[3]) for made, row in zip(bars, rows, strict=True)]
    for features in features_of(bars):
        numbers = [getattr(features, name) for name in features.__struct_fields__]
        assert all(isfinite(number) for number in numbers if isinstance(number, float))
        assert decode(encode(features)) == features
        assert features.rsi is None or 0.0 <= features.rsi <= 100.0
        assert features.volatility is None or features.volatility >= 0.0


def test_the_crash_shows_in_the_z_score():
    rows = open_replay("crash-2008", ["IBM"]).rows()
    bars = [
        structs.replace(
            bar(0, "IBM", close=row.close, high=row.high, low=row.low, volume=row.volume),
            ts_event=row.ts_complete,
            bar_seconds=86_400,
        )
        for row in rows
    ]
    scores = [
        (features.volatility_z, features.ts_event)
        for features in features_of(bars, SignalsConfig(), traded=("IBM",))
        if features.volatility_z is not None
    ]
    highest, when = max(scores)

    assert highest > 4
    # September or October 2008.
    assert 1_220_227_200 * SECOND < when < 1_225_497_600 * SECOND
