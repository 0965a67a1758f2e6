from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.model.ids import NANOS_PER_SECOND
from interlock.venues.ccxt_bars import BarBuilder
from interlock.venues.source import RawTrade

S = NANOS_PER_SECOND


def trade(second: float, price: float, size: float = 1.0, symbol: str = "BTC/USD") -> RawTrade:
    return RawTrade(ts=int(second * S), symbol=symbol, price=price, size=size, trade_id=str(second))


def test_a_bar_is_its_trades():
    builder = BarBuilder(60, whole_from=60 * S)
    for one in (trade(60, 10.0), trade(61, 14.0, 2.0), trade(62, 9.0), trade(119.9, 11.0)):
        builder.add(one)
    assert builder.completed(119 * S) == []
    [bar] = builder.completed(120 * S)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (10.0, 14.0, 9.0, 11.0, 5.0)
    assert (bar.ts_start, bar.ts_complete) == (60 * S, 120 * S)
    assert builder.completed(10_000 * S) == []


def test_a_bar_that_began_before_the_stream_is_not_made():
    builder = BarBuilder(60, whole_from=60 * S)
    builder.add(trade(59.9, 10.0))
    assert builder.completed(1_000 * S) == []


def test_a_trade_that_comes_after_its_bar_changes_nothing():
    builder = BarBuilder(60, whole_from=0)
    builder.add(trade(1, 10.0))
    assert len(builder.completed(60 * S)) == 1
    builder.add(trade(2, 99.0))
    assert builder.completed(1_000 * S) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from(["A", "B"]))))
def test_every_trade_is_in_one_bar(trades):
    builder = BarBuilder(60, whole_from=0)
    for second, symbol in trades:
        builder.add(trade(second, 1.0, 1.0, symbol))
    bars = builder.completed(10_000 * S)
    assert sum(bar.volume for bar in bars) == len(trades)
    keys = [(bar.ts_start, bar.symbol) for bar in bars]
    assert keys == sorted(set(keys))
