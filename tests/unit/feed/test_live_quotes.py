"""Live quotes and news: judged one by one, told a few times a second, cleaned."""

from math import inf, nan

import pytest
from interlock.wire.codec import decode, encode
from interlock.wire.market import NewsArrived, Quote

from tests.unit.feed.live_desk import SECOND, LiveDesk, conditions, of


def spoken():
    desk = LiveDesk().up()
    desk.bar(0)
    return desk


def test_of_many_quotes_between_two_beats_the_latest_is_told_and_the_rest_are_counted():
    desk = spoken()
    for cents in range(50):
        desk.now += 1_000_000
        desk.quote("SPY", 99 + cents / 100, 101)
        desk.quote("BRK.B", 50 + cents / 100, 52)
    told = of(Quote, desk.beat())
    assert [(one.instrument_id, one.bid) for one in told] == [("SPY", 99.49), ("BRK", 50.49)]
    assert of(Quote, desk.beat(0.1)) == []
    counts = desk.cell.state.counts
    assert (counts.quotes, counts.quotes_published, counts.quotes_conflated) == (100, 2, 98)


@pytest.mark.parametrize(
    ("bid", "ask", "condition"),
    [
        (101.5, 101.0, "crossed"),
        (0.0, 101.0, "zero"),
        (99.0, -1.0, "zero"),
        (nan, 101.0, "nan"),
        (99.0, inf, "nan"),
    ],
)
def test_a_bad_quote_is_told_once_and_dropped_and_a_good_one_ends_it(bid, ask, condition):
    desk = spoken()
    assert conditions(desk.quote("SPY", bid, ask)) == [condition]
    assert conditions(desk.quote("SPY", bid, ask)) == []
    assert of(Quote, desk.beat(0.1)) == []
    assert conditions(desk.quote("SPY")) == ["ok"]
    assert len(of(Quote, desk.beat(0.1))) == 1
    counts = desk.cell.state.counts
    assert counts.quotes == 3 == counts.quotes_published + counts.quotes_dropped


def test_a_locked_market_is_a_market():
    desk = spoken()
    assert conditions(desk.quote("SPY", 100.0, 100.0)) == []
    assert len(of(Quote, desk.beat(0.1))) == 1


def test_a_quote_of_the_future_is_no_quote():
    desk = spoken()
    assert conditions(desk.quote("SPY", ago=-2)) == ["invalid"]
    assert conditions(desk.quote("SPY", ago=-1)) == []


def test_an_older_quote_never_follows_a_newer_one():
    desk = spoken()
    desk.quote("SPY", 99.0, 101.0)
    assert conditions(desk.quote("SPY", 98.0, 101.0, ago=0.5)) == []
    assert conditions(desk.quote("SPY", 97.0, 101.0, ago=2)) == ["out_of_order"]
    assert [one.bid for one in of(Quote, desk.beat(0.1))] == [99.0]


def test_a_quote_far_from_the_last_close_is_told_with_a_warning():
    desk = spoken()
    assert conditions(desk.quote("SPY", 129, 131)) == ["jump"]
    assert len(of(Quote, desk.beat(0.1))) == 1
    assert conditions(desk.quote("SPY")) == []
    assert conditions(desk.bar(1)) == ["ok"]


def test_a_quote_does_not_end_what_a_bar_has_shown():
    desk = spoken()
    desk.bar(9)
    assert conditions(desk.said)[-1] == "gap"
    assert conditions(desk.quote("SPY")) == []


def test_without_quotes_none_is_told():
    desk = LiveDesk(quotes=False).up()
    desk.quote("SPY")
    assert of(Quote, desk.beat(0.1)) == []


def test_news_are_cleaned_cut_and_told_once():
    desk = spoken()
    (told,) = desk.news(
        headline="Buy\u202e \ufb01ne\u200b\x00 SPY\nnow" + "x" * 400,
        summary="s" * 5_000,
        symbols=("SPY", "BRK.B", "XYZ"),
        url="https://news.test/1",
    )
    assert isinstance(told, NewsArrived)
    assert told.headline.startswith("Buy fine SPY now")
    assert len(told.headline) <= 300
    assert len(told.summary) == 2_000
    assert told.instrument_ids == ["BRK", "SPY"]
    assert told.url == "https://news.test/1"
    assert decode(encode(told)) == told
    assert desk.news() == []
    assert desk.news(news_id="n2") != []


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//x", "https://a b", "https://[", "file:/x"]
)
def test_only_a_plain_web_address_is_kept(url):
    (told,) = spoken().news(url=url)
    assert told.url == ""


def test_news_of_the_future_are_of_now():
    desk = spoken()
    (told,) = desk.news(ts=desk.now + 3600 * SECOND)
    assert told.ts_event == desk.now
