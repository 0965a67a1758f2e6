"""How the numbers of a snapshot come about, each against a hand calculation."""

from decimal import Decimal
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev

import pytest
from interlock.escalation.inputs import moment
from interlock.testkit.desk_messages import SECOND, ids
from interlock.wire.accounts import PositionLine
from interlock.wire.market import FeedCondition, FeedStatusChanged, NewsArrived
from interlock.wire.reasoning import SentimentJudged

from tests.unit.escalation.escalation_cells import (
    DAY_SECONDS,
    account,
    cell,
    config,
    features,
    named,
    position,
    put_call,
    score,
    tell,
)


def seen(room, at):
    tell(room, at)
    return room.state.snapshot(at)


def line(instrument_id, quantity, mark, unrealised):
    return PositionLine(
        instrument_id=instrument_id,
        quantity=Decimal(quantity),
        avg_px=Decimal(mark),
        mark=Decimal(mark),
        unrealised_pnl=Decimal(unrealised),
    )


def test_profits_are_in_percent_of_the_days_start():
    at = seen(cell(), account(1, -2.75, drawdown=3.5))
    assert (at.daily_pnl, at.max_drawdown_5d, at.net_liquidity) == (-2.75, 3.5, 97_250.0)
    assert at.timestamp == "1970-01-02T10:00:00Z"


def test_a_moment_is_written_in_utc():
    assert moment(1_223_668_800 * SECOND) == "2008-10-10T20:00:00Z"


def test_volatility_and_correlation_are_medians_over_the_instruments():
    room = cell()
    for name, z, correlation in [
        ("IBM", 1.0, 0.2), ("MSFT", 4.0, 0.4), ("TINY.V", None, None), ("SPY-C", 3.0, 0.9),
    ]:  # fmt: skip
        tell(room, features(1, name, volatility_z=z, correlation=correlation))
    at = seen(room, account(1))
    assert (at.volatility_zscore, at.correlation_breakdown) == (3.0, 0.4)


def test_an_instrument_without_data_does_not_count():
    room = cell()

    def status(condition):
        return FeedStatusChanged(
            **named("status", condition),
            ts_event=0,
            instrument_id="IBM",
            condition=condition,
            detail="",
            dropped=False,
        )

    tell(room, features(1, "IBM", volatility_z=9.0), features(1, "MSFT", volatility_z=1.0))
    tell(room, status(FeedCondition.STALE))
    assert seen(room, account(1)).volatility_zscore == 1.0
    tell(room, status(FeedCondition.OK))
    assert seen(room, account(1, second=40_000)).volatility_zscore == 5.0


def test_dispersion_is_the_deviation_within_each_sector():
    room = cell()
    tell(room, features(1, "IBM", ret_1=0.01), features(1, "MSFT", ret_1=0.03))
    tell(room, features(1, "TINY.V", ret_1=-0.2))
    assert seen(room, account(1)).sector_dispersion == {"technology": 1.0, "mining": 0.0}


def closes(room, prices, scores):
    """Tell a close and the score of it, bar by bar."""
    for n, (price, value) in enumerate(zip(prices, scores, strict=True), 1):
        tell(room, features(n, close=price), score(n, value))


def test_accuracy_is_the_share_of_scores_with_the_next_close_on_the_right_side():
    room = cell(config(accuracy_least=4))
    # Right, wrong, no move, no side, right, wrong; the last has no next close yet.
    closes(
        room,
        [100, 101, 102, 102, 103, 104, 103],
        [0.9, 0.2, 0.7, 0.5, 0.51, 0.8, 0.1],
    )
    assert seen(room, account(1)).ensemble_accuracy == 50.0


def test_too_few_scores_are_no_accuracy():
    room = cell(config(accuracy_least=5))
    closes(room, [100, 101, 102, 103, 104], [0.9] * 5)
    assert seen(room, account(1)).ensemble_accuracy is None


def test_only_the_last_scores_count():
    room = cell(config(accuracy_window=3, accuracy_least=3))
    closes(room, [100, 99, 98, 99, 100, 101], [0.9] * 6)
    assert seen(room, account(1)).ensemble_accuracy == 100.0


def test_a_score_that_comes_after_the_next_close_counts_all_the_same_and_once():
    room = cell(config(accuracy_least=1))
    tell(room, features(1, close=100), features(2, close=101), score(1, 0.9), score(1, 0.9))
    assert list(room.state.forecasts.hits) == [True]
    tell(room, features(2, close=101), features(3, close=102))
    assert list(room.state.forecasts.hits) == [True]


def test_a_bar_without_a_score_is_no_forecast():
    room = cell(config(accuracy_least=1))
    tell(room, features(1, close=100), score(1, None), features(2, close=101))
    assert not room.state.forecasts.hits


def test_a_score_judges_its_own_instrument_only():
    room = cell(config(accuracy_least=1))
    tell(room, features(1, "IBM", 100), score(1, 0.9, "IBM"), features(2, "MSFT", 50))
    tell(room, features(3, "MSFT", 49))
    assert not room.state.forecasts.hits


def test_features_are_judged_by_where_they_pointed():
    room = cell()
    for n, (price, rsi) in enumerate([(100, 60), (101, 60), (100, 40), (101, 50), (102, 55)], 1):
        tell(room, features(n, close=price, rsi=rsi, momentum_bps=1.0))
    # RSI: up right, up wrong, down wrong, 50 points nowhere. Momentum: right, wrong, right, right.
    assert seen(room, account(1)).feature_performance == {"momentum": 75.0, "rsi": 33.33}


def test_sharpe_is_that_of_whole_days_annualised():
    room = cell(config(sharpe_least_days=3))
    starts = [100_000, 101_000, 100_500, 102_000]
    for day, start in enumerate(starts, 1):
        at = account(day, start=Decimal(start))
        tell(room, at)
    returns = [after / before - 1 for before, after in pairwise(starts)]
    expected = fmean(returns) / stdev(returns) * sqrt(252)
    assert room.state.snapshot(at).sharpe_ratio == pytest.approx(expected)


def test_too_few_days_or_days_that_do_not_vary_have_no_sharpe():
    room = cell(config(sharpe_least_days=3))
    for day in range(1, 4):
        assert seen(room, account(day)).sharpe_ratio is None
    assert seen(room, account(9)).sharpe_ratio is None


@pytest.mark.parametrize(("days", "ratio"), [(7, 1.7), (8, None)])
def test_an_old_put_call_ratio_is_not_known(days, ratio):
    room = cell()
    tell(room, put_call(1.7, day=1))
    assert seen(room, account(1 + days, second=0)).put_call_ratio == ratio


def judged(instrument_id, sentiment, second):
    return SentimentJudged(
        **named("sentiment", instrument_id, second),
        ts_event=(DAY_SECONDS + second) * SECOND,
        instrument_id=instrument_id,
        sentiment=sentiment,
        confidence=80,
        news_ids=[],
        provider="rules",
        model="rules-v1",
        prompt_hash="",
        answer="",
        tokens_in=0,
        tokens_out=0,
        cost_usd=Decimal(0),
        latency_ns=0,
        ts_desk=0,
    )


def test_sentiment_is_the_mean_of_what_is_fresh():
    room = cell()
    tell(room, judged("IBM", -0.8, 0), judged("IBM", -0.6, 10), judged("MSFT", 0.2, 20))
    assert seen(room, account(1, second=30)).news_sentiment == pytest.approx(-0.2)
    assert seen(room, account(2, second=15)).news_sentiment == pytest.approx(0.2)
    assert seen(room, account(2, second=21)).news_sentiment is None


def news(n, headline, instrument_ids=()):
    fields = ids("news", n)
    del fields["desk"]
    return NewsArrived(
        **fields,
        ts_event=n,
        news_id=str(n),
        source="reuters",
        instrument_ids=list(instrument_ids),
        headline=headline,
        summary="",
        url="",
    )


def test_macro_events_are_the_last_headlines_that_name_no_instrument():
    room = cell(config(macro_events=2))
    tell(room, news(1, "old"), news(2, "IBM falls", ["IBM"]), news(3, "Rates\nfall\u200b\u202e"))
    tell(room, news(4, "x" * 500))
    events = seen(room, account(1)).macro_events
    assert events[0] == "reuters: Rates fall"
    assert len(events[1]) == 160


def test_profit_is_told_by_bucket_and_begins_anew_each_day():
    room = cell()
    tell(room, position(DAY_SECONDS + 1, "IBM", 10, realised=-1))
    lines = [line("IBM", 10, 110, 100), line("TINY.V", 100, 1, -20)]
    at = account(1, positions=lines)
    assert seen(room, at).pnl_decomposition == {"core": 99.0, "penny": -20.0}
    assert seen(room, at).bucket_usage == {"core": 1.1, "penny": 0.1}
    later = account(2, positions=[line("IBM", 10, 109, 90), line("TINY.V", 100, 1, -20)])
    assert seen(room, later).pnl_decomposition == {"core": -10.0, "penny": 0.0}


def test_turnover_counts_the_last_days_of_trading():
    room = cell()
    tell(room, account(1), position(DAY_SECONDS + 40_000, "IBM", 10))
    tell(room, account(2), position(2 * DAY_SECONDS + 40_000, "IBM", -10, closed=True))
    told = seen(room, account(2, second=50_000)).turnover_stats
    assert (told.daily_turnover, told.weekly_turnover, told.monthly_turnover) == (2.0, 3.0, 3.0)
    for day in range(3, 7):
        tell(room, account(day))
    told = seen(room, account(7)).turnover_stats
    assert (told.daily_turnover, told.weekly_turnover, told.monthly_turnover) == (0.0, 0.0, 3.0)


def test_recent_trades_are_the_last_ones_with_what_they_realised():
    room = cell(config(recent_trades=2))
    for n, quantity, realised in ((1, 10, 0), (2, 30, 0), (3, -10, 80)):
        tell(room, position(n, "IBM", quantity, realised=realised, closed=quantity < 0))
    trades = seen(room, account(1)).recent_trades
    assert [(one.symbol, one.action, one.size, one.pnl) for one in trades] == [
        ("IBM", "buy", 20.0, 0.0), ("IBM", "sell", 40.0, 80.0),
    ]  # fmt: skip
