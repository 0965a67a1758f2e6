"""Silence and the desk's clock, by the machine's clock."""

from interlock.feed.config import BarsFrom
from interlock.feed.live.reports import ClockMeasured
from interlock.wire.market import Bar, ClockTicked, Quote
from interlock.wire.system import AlertRaised

from tests.unit.feed.live_desk import CADENCE, SECOND, LiveDesk, conditions, of


def spoken():
    desk = LiveDesk().up()
    desk.bar(0)
    desk.bar(0, "BRK.B")
    return desk


def test_a_silent_source_is_stale_after_two_cadences_and_not_before():
    desk = spoken()
    assert conditions(desk.beat(2 * CADENCE)) == []
    said = desk.beat(0.1)
    assert conditions(said) == conditions(said, "BRK") == ["stale"]
    assert conditions(desk.beat(60)) == []


def test_one_word_of_the_source_keeps_all_instruments_from_being_stale():
    desk = spoken()
    for _ in range(4):
        desk.beat(CADENCE)
        desk.quote("SPY")
    assert conditions(desk.beat(), "BRK") == []


def test_without_quotes_a_bar_may_be_two_cadences_late():
    desk = LiveDesk(quotes=False).up()
    desk.bar(0)
    assert conditions(desk.beat(60 + 2 * CADENCE)) == []
    assert conditions(desk.beat(0.1)) == ["stale"]


def test_an_instrument_whose_bars_stay_away_is_stale_though_others_go_on():
    desk = spoken()
    for step in range(1, 5):
        desk.bar(step)
        said = desk.beat()
        assert conditions(said, "BRK") == []
    desk.beat(5)
    desk.quote("BRK.B")
    assert conditions(desk.beat(5), "BRK") == []
    desk.quote("BRK.B")
    assert conditions(desk.beat(0.1), "BRK") == ["stale"]
    assert conditions(desk.quote("BRK.B"), "BRK") == []
    assert conditions(desk.bar(5, "BRK.B"), "BRK") == ["gap"]
    assert conditions(desk.bar(6, "BRK.B"), "BRK") == ["ok"]


def test_a_link_that_is_down_is_stale_and_alerted_at_once():
    desk = spoken()
    said = desk.down()
    assert conditions(said) == conditions(said, "BRK") == ["stale"]
    (alert,) = of(AlertRaised, said)
    assert (alert.code, "cut" in alert.text) == ("feed.source_down", True)


def test_no_quote_is_passed_on_while_the_link_is_down():
    desk = spoken()
    desk.quote("SPY")
    desk.down()
    desk.quote("SPY")
    assert of(Quote, desk.beat(0.1)) == []


def test_the_clock_ticks_once_a_cadence_whatever_the_beat():
    desk = LiveDesk()
    ticks = of(ClockTicked, [one for _ in range(200) for one in desk.beat(0.1)])
    assert len(ticks) == 1 + 20 / CADENCE
    numbers = [one.index for one in ticks]
    assert numbers == list(range(numbers[0], numbers[0] + len(ticks)))
    assert all(one.ts_desk == one.ts_event for one in ticks)
    assert {one.window_scale for one in ticks} == {1.0}


def test_the_clock_never_tells_a_number_twice_also_when_the_machines_goes_back():
    desk = LiveDesk()
    (before,) = of(ClockTicked, desk.beat(CADENCE))
    assert of(ClockTicked, desk.beat(-3600)) == []
    (after,) = of(ClockTicked, desk.beat(3600 + CADENCE))
    assert after.index > before.index


def test_a_restarted_feed_does_not_repeat_the_last_cadence():
    desk = LiveDesk()
    (tick,) = of(ClockTicked, desk.beat(1))
    restarted = LiveDesk()
    restarted.cell.recover(tick, own=True)
    restarted.now = desk.now
    assert of(ClockTicked, restarted.beat(0.1)) == []


def test_the_offset_of_the_clock_is_told_as_it_was_measured():
    desk = LiveDesk()
    (first,) = of(ClockTicked, desk.beat(CADENCE))
    desk.hear(ClockMeasured(offset_ns=3_000_000))
    (second,) = of(ClockTicked, desk.beat(CADENCE))
    desk.hear(ClockMeasured(offset_ns=None))
    (third,) = of(ClockTicked, desk.beat(CADENCE))
    assert [one.clock_offset_ns for one in (first, second, third)] == [None, 3_000_000, None]


def built(**config):
    desk = LiveDesk(bars_from=BarsFrom.TRADES, bar_seconds=10, **config)
    return desk.up(desk.now)


def test_trades_become_bars_that_are_closed_half_a_second_after_their_end():
    desk = built()
    begins = desk.now
    for second, price in ((1, 100.0), (3, 103.0), (4, 99.0), (9.9, 101.0)):
        desk.trade(price, 2.0, at=begins + round(second * SECOND))
    desk.now = begins + 10 * SECOND
    assert of(Bar, desk.beat(0.4)) == []
    (made,) = of(Bar, desk.beat(0.1))
    assert (made.open, made.high, made.low, made.close) == (100.0, 103.0, 99.0, 101.0)
    assert (made.volume, made.bar_seconds, made.ts_event) == (8.0, 10, begins + 10 * SECOND)


def test_a_trade_of_the_next_bar_closes_the_one_before():
    desk = built()
    begins = desk.now
    desk.trade(100.0, at=begins + SECOND)
    (made,) = of(Bar, desk.trade(105.0, at=begins + 11 * SECOND))
    assert made.close == 100.0


def test_a_trade_that_is_late_or_unsound_changes_no_bar():
    desk = built()
    begins = desk.now
    desk.trade(100.0, at=begins + 9 * SECOND)
    desk.beat(2)
    desk.trade(90.0, ago=4)
    desk.trade(-1.0)
    desk.trade(float("nan"))
    counts = desk.cell.state.counts
    assert (counts.trades, counts.trades_late, counts.trades_dropped) == (4, 1, 2)
    assert of(Bar, desk.beat(20)) == []


def test_a_bar_that_began_before_the_link_was_up_is_asked_for():
    desk = LiveDesk(bars_from=BarsFrom.TRADES, bar_seconds=10)
    desk.up(desk.now + 3 * SECOND)
    desk.effects.clear()
    begins = desk.now - 3 * SECOND
    desk.trade(100.0, at=begins + 4 * SECOND)
    assert of(Bar, desk.beat(7)) == []
    assert desk.effects[-1].since == {"SPY": begins}
