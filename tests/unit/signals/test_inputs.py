from math import isnan

import pytest
from interlock.signals.config import ContextConfig, SignalsConfig
from interlock.signals.inputs import INPUTS, inputs_of, switched_off_by
from msgspec import structs

from tests.unit.signals.market import bars_of, heard_by, service_of

CONFIG = SignalsConfig(context=ContextConfig())
NAMES = [one.name for one in INPUTS]


def rows_of(bars):
    return [inputs_of(features) for features in heard_by(service_of(CONFIG), bars)]


def test_in_a_long_history_every_input_is_known():
    features = heard_by(service_of(CONFIG), bars_of("crash-2008", first=800))
    of_ibm = [one for one in features if one.instrument_id == "IBM"]

    assert not any(map(isnan, inputs_of(of_ibm[-1])))
    assert all(map(isnan, inputs_of(of_ibm[0])))


def test_inputs_do_not_know_the_scale_of_prices_and_volumes():
    bars = bars_of("crash-2008", first=800)
    larger = [
        structs.replace(
            bar,
            open=bar.open * 8,
            high=bar.high * 8,
            low=bar.low * 8,
            close=bar.close * 8,
            volume=bar.volume * 3,
        )
        for bar in bars
    ]

    assert rows_of(larger) == [pytest.approx(row, nan_ok=True, abs=1e-9) for row in rows_of(bars)]


def test_no_input_knows_anything_of_later_bars():
    bars = bars_of("crash-2008", first=800)
    other = [
        structs.replace(bar, high=bar.high * 3, close=bar.close * 2, volume=bar.volume * 9)
        for bar in bars[600:]
    ]
    before, after = rows_of(bars), rows_of([*bars[:600], *other])

    assert repr(before[:600]) == repr(after[:600])
    assert repr(before[600:]) != repr(after[600:])


def test_what_is_switched_off_is_missing_and_nothing_else():
    features = heard_by(service_of(CONFIG), bars_of("crash-2008", first=800))[-1]
    row = inputs_of(features, {"rsi", "macd"})

    assert {name for name, value in zip(NAMES, row, strict=True) if isnan(value)} >= {"rsi", "macd"}
    assert [value for value in row if not isnan(value)] == [
        value
        for name, value in zip(NAMES, inputs_of(features), strict=True)
        if name not in ("rsi", "macd") and not isnan(value)
    ]


def test_policys_parameters_switch_inputs():
    said = switched_off_by({"feature.rsi": 0.0, "feature.macd": 1.0, "threshold_bps": 0.0})

    assert said == {"rsi"}
