"""Live bars: judged as in a replay, told once, none missing after a cut."""

from math import nan

import pytest
from interlock.feed.live.reports import FillHole, HoleFilled, LinkMoved
from interlock.feed.state import RowRead
from interlock.wire.market import Bar, VenueBar
from interlock.wire.system import AlertRaised

from tests.unit.feed.live_desk import SECOND, T0, LiveDesk, bar, conditions, of

MINUTE = 60 * SECOND


def closes(messages):
    return [one.close for one in of(Bar, messages)]


def test_before_the_link_is_up_every_instrument_is_stale():
    desk = LiveDesk()
    assert conditions(desk.said, "SPY") == conditions(desk.said, "BRK") == ["stale"]
    assert "not up" in desk.said[0].detail


def test_a_live_bar_ends_what_was_wrong_with_its_instrument_and_only_with_that():
    desk = LiveDesk().up()
    said = desk.bar(0, close=100.5)
    assert conditions(said) == ["ok"]
    assert conditions(said, "BRK") == []
    assert closes(said) == [100.5]
    assert of(Bar, said)[0].source == "stub"


def test_a_venues_own_symbol_becomes_the_desks_instrument():
    desk = LiveDesk().up()
    assert [one.instrument_id for one in of(Bar, desk.bar(0, "BRK.B"))] == ["BRK"]
    assert desk.bar(0, "XYZ") == []
    assert desk.cell.state.counts.strangers == 1


@pytest.mark.parametrize(
    ("second", "condition", "passed"),
    [
        (bar(5), "gap", True),
        (bar(1, close=130.0, high=131.0), "jump", True),
        (bar(1, close=nan), "nan", False),
        (bar(1, open=0.0, low=0.0), "zero", False),
        (bar(1, close=200.0), "invalid", False),
        (bar(0), "duplicate", False),
        (bar(-1), "out_of_order", False),
        (bar(1, seconds=30), "invalid", False),
        (bar(60), "invalid", False),
    ],
    ids=["gap", "jump", "nan", "zero", "range", "twice", "late", "length", "ahead"],
)
def test_what_is_wrong_with_a_live_bar_is_said_once(second, condition, passed):
    desk = LiveDesk().up()
    desk.bar(0)
    desk.now = max(desk.now, T0 + 6 * MINUTE) if condition == "gap" else desk.now + MINUTE
    said = desk.hear(RowRead(row=second, at=desk.now))
    assert conditions(said) == [condition]
    assert len(of(Bar, said)) == passed
    again = desk.hear(RowRead(row=second, at=desk.now))
    assert condition not in conditions(again)


def test_after_a_cut_the_hole_is_asked_for_from_the_last_bar_of_each_symbol():
    desk = LiveDesk().up()
    desk.bar(0)
    desk.bar(1)
    desk.bar(0, "BRK.B")
    desk.down()
    desk.now += 5 * MINUTE
    desk.hear(LinkMoved(up=True, reason="", at=desk.now))
    (*_, asked) = desk.effects
    assert isinstance(asked, FillHole)
    assert asked.since == {"SPY": T0 + 2 * MINUTE, "BRK.B": T0 + MINUTE}
    assert asked.until == desk.now


def test_what_history_and_the_stream_both_tell_is_passed_on_once():
    desk = LiveDesk().up()
    desk.bar(0, close=100.0)
    desk.down()
    desk.now = T0 + 4 * MINUTE
    desk.hear(LinkMoved(up=True, reason="", at=desk.now))
    told = [bar(step, close=100.0 + step / 10) for step in range(4)]
    filled = desk.filled(*told)
    assert closes(filled) == [100.1, 100.2, 100.3]
    assert conditions(filled) == []
    live = [*desk.bar(2, close=100.2), *desk.bar(3, close=100.3)]
    assert live == []
    assert closes(desk.bar(4, close=100.4)) == [100.4]
    assert conditions(desk.said) == ["stale", "ok", "stale", "ok"]


def test_a_bar_that_the_source_corrects_is_told_once_and_no_fault():
    desk = LiveDesk().up()
    desk.bar(0, close=100.0, volume=5.0)
    assert desk.bar(0, close=100.2, volume=7.0) == []
    assert desk.cell.state.counts.rows_known == 1
    assert conditions(desk.bar(0, close=100.0, volume=5.0)) == ["duplicate"]


def test_history_ends_nothing_that_is_wrong_and_fills_no_paper_order():
    desk = LiveDesk(quotes=False)
    desk.hear(LinkMoved(up=True, reason="", at=desk.now))
    desk.now += MINUTE
    filled = desk.hear(RowRead(row=bar(0), at=desk.now, from_history=True))
    assert of(Bar, filled)
    assert not of(VenueBar, filled)
    assert conditions(filled) == []
    desk.hear(HoleFilled(reason="", at=desk.now))
    live = desk.bar(1)
    assert [type(one) for one in live[1:]] == [VenueBar, Bar]
    assert conditions(live) == ["ok"]


def test_quotes_fill_paper_orders_where_there_are_quotes():
    assert not of(VenueBar, LiveDesk().up().bar(0))
    assert not of(VenueBar, LiveDesk(venue="alpaca", quotes=False).up().bar(0))


def test_a_first_start_asks_for_some_bars_to_warm_up():
    desk = LiveDesk(warm_up_bars=3)
    desk.now = T0 + 10 * MINUTE + 5 * SECOND
    desk.hear(LinkMoved(up=True, reason="", at=desk.now))
    (asked,) = desk.effects
    assert asked.since == {"SPY": T0 + 7 * MINUTE, "BRK.B": T0 + 7 * MINUTE}


def test_a_restarted_feed_asks_from_the_last_bar_it_published():
    desk = LiveDesk().up()
    desk.bar(3)
    restarted = LiveDesk()
    for message in desk.said:
        restarted.cell.recover(message, own=True)
    restarted.now = T0 + 9 * MINUTE
    restarted.hear(LinkMoved(up=True, reason="", at=restarted.now))
    (asked,) = restarted.effects
    assert asked.since["SPY"] == T0 + 4 * MINUTE


def test_no_hole_is_asked_for_further_back_than_allowed():
    desk = LiveDesk(longest_hole_hours=1).up()
    desk.bar(0)
    desk.now += 100 * 60 * MINUTE
    desk.hear(LinkMoved(up=True, reason="", at=desk.now))
    assert desk.effects[-1].since["SPY"] == desk.now - 60 * MINUTE


def test_a_history_that_cannot_be_had_is_told_and_the_gap_is_found():
    desk = LiveDesk().up()
    desk.bar(0)
    desk.down()
    desk.now += 10 * MINUTE
    desk.hear(LinkMoved(up=True, reason="", at=desk.now))
    said = desk.hear(HoleFilled(reason="HTTP 503", at=desk.now))
    assert [one.code for one in of(AlertRaised, said)] == ["feed.hole"]
    assert conditions(desk.bar(11)) == ["gap"]
