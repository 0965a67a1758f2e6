from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.signals.config import ContextConfig, SignalsConfig
from interlock.signals.context import Context, regime_after
from interlock.wire.market import VolatilityRegime

from tests.unit.signals.market import bars_of, heard_by, service_of

CALM, NORMAL, STRESSED = VolatilityRegime.CALM, VolatilityRegime.NORMAL, VolatilityRegime.STRESSED
CONFIG = ContextConfig()


def test_liquidity_is_the_turnover_of_the_last_bars_against_that_of_the_window():
    context = Context(ContextConfig(turnover_window=4, liquidity_bars=2))
    for turnover in (100.0, 100.0, 40.0):
        context.update(turnover, None)
    assert (context.turnover_ratio, context.liquidity) == (None, None)
    context.update(20.0, None)

    assert context.turnover_ratio == pytest.approx(20 / 65)
    assert context.liquidity == pytest.approx(30 / 65)


def test_liquidity_is_one_at_most_and_unknown_where_nothing_trades():
    context = Context(ContextConfig(turnover_window=3, liquidity_bars=1))
    for turnover in (1.0, 1.0, 10.0):
        context.update(turnover, None)
    assert (context.liquidity, context.turnover_ratio) == (1.0, 2.5)
    for _ in range(3):
        context.update(0.0, None)

    assert context.liquidity is None


@pytest.mark.parametrize(
    ("before", "z_score", "after"),
    [
        (None, 0.0, NORMAL), (None, 2.0, STRESSED), (None, -1.0, CALM),
        (NORMAL, 1.99, NORMAL), (NORMAL, 2.0, STRESSED), (NORMAL, -0.99, NORMAL),
        (STRESSED, 1.0, STRESSED), (STRESSED, 0.99, NORMAL), (STRESSED, -1.0, CALM),
        (CALM, -0.5, CALM), (CALM, -0.49, NORMAL), (CALM, 2.0, STRESSED),
    ],
)  # fmt: skip
def test_the_regime_changes_late(before, z_score, after):
    assert regime_after(before, z_score, CONFIG) is after


@given(st.lists(st.floats(min_value=1.0, max_value=1.99), min_size=2))
def test_between_the_two_borders_nothing_changes(scores):
    for start in (NORMAL, STRESSED):
        regime = start
        for score in scores:
            regime = regime_after(regime, score, CONFIG)
        assert regime is start


def test_the_crash_is_stress_and_the_regime_does_not_flicker():
    said = heard_by(
        service_of(SignalsConfig(context=CONFIG), names=("IBM",)), bars_of("crash-2008", "IBM")
    )
    known = [features for features in said if features.volatility_regime is not None]
    changes = sum(a.volatility_regime is not b.volatility_regime for a, b in pairwise(known))
    plain = [regime_after(None, features.volatility_z, CONFIG) for features in known]

    assert max(known, key=lambda f: f.volatility_z).volatility_regime is STRESSED
    assert {f.volatility_regime for f in known} == {CALM, NORMAL, STRESSED}
    assert changes < sum(a is not b for a, b in pairwise(plain))


def test_dispersion_is_that_of_the_sector_at_the_moment_before():
    said = heard_by(service_of(SignalsConfig(context=CONFIG)), bars_of("calm-2005", first=12))
    by_name = {
        name: [features for features in said if features.instrument_id == name]
        for name in ("AAPL", "GOOG", "IBM", "MSFT")
    }
    returns = [by_name[name][1].ret_1 for name in ("AAPL", "IBM", "MSFT")]
    mean = sum(returns) / 3
    expected = (sum((value - mean) ** 2 for value in returns) / 3) ** 0.5

    assert by_name["IBM"][2].sector_dispersion == pytest.approx(expected)
    assert by_name["MSFT"][2].sector_dispersion == pytest.approx(expected)
    assert by_name["IBM"][1].sector_dispersion is None
    assert {features.sector_dispersion for features in by_name["GOOG"]} == {None}


def test_a_desk_that_does_not_ask_for_it_is_told_nothing_new():
    for features in heard_by(service_of(SignalsConfig()), bars_of("crash-2008", first=1_000)):
        assert features.turnover_ratio is None
        assert features.liquidity is None
        assert features.sector_dispersion is None
        assert features.volatility_regime is None
        assert (features.model_set, features.missing_models) == ("", ())


@pytest.mark.parametrize(
    "wrong",
    [{"liquidity_bars": 60}, {"stressed_until": 2.5}, {"calm_at": 0.0}, {"calm_until": 1.5}],
)
def test_a_context_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="does not hold"):
        ContextConfig(**wrong)
