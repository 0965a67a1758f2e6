from itertools import pairwise
from math import nan

import pytest
from interlock.feed.config import FeedConfig
from interlock.feed.replay import waves
from interlock.feed.state import FeedSetting
from interlock.venues.replay import open_replay
from interlock.venues.replay_rows import RawBar, ReplayData
from interlock.wire.codec import decode, encode
from interlock.wire.market import (
    Bar,
    ClockTicked,
    FeedCondition,
    FeedStatusChanged,
    Quote,
    ReplayFinished,
    ReplayStarted,
    VenueBar,
)

SECOND = 1_000_000_000
T0 = 1_577_975_400 * SECOND


def bar(step, symbol="SPY", seconds=60, **changes):
    starts = T0 + step * seconds * SECOND
    prices = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 5.0} | changes
    return RawBar(starts, starts + seconds * SECOND, symbol, **prices)


def quote(step, bid=99.0, ask=101.0, **sizes):
    row = bar(step, open=nan, high=nan, low=nan, close=nan, volume=nan)
    return RawBar(row.ts_start, row.ts_complete, "SPY", *[nan] * 5, bid, ask, **sizes)


def data(*rows, seconds=60):
    times = [row.ts_complete for row in rows]
    return ReplayData(
        dataset="made",
        origin="a test",
        instruments=tuple(sorted({row.symbol for row in rows})),
        bars=len(rows),
        bar_seconds=seconds,
        ts_first=min(times),
        ts_last=max(times),
        rows=lambda: iter(rows),
    )


def setting(of, **changes):
    plain = {
        "desk": "params",
        "dataset": of.dataset,
        "bar_seconds": of.bar_seconds,
        "cadence_seconds": 5,
        "instrument_ids": {},
    }
    return FeedSetting(**(plain | changes))


def replay(*rows, seconds=60, **changes):
    made = data(*rows, seconds=seconds)
    return list(waves(made, setting(made, **changes), FeedConfig()))


def conditions(messages):
    return [
        (message.condition, message.dropped)
        for message in messages
        if isinstance(message, FeedStatusChanged)
    ]


def ticks(messages):
    return [message for message in messages if isinstance(message, ClockTicked)]


def test_each_moment_is_venue_bar_then_bar_of_every_instrument_then_the_clock():
    messages = replay(bar(0, "A"), bar(0, "B"), bar(1, "A"))

    assert [type(message) for message in messages] == [
        ReplayStarted,
        *[VenueBar, Bar] * 2,
        ClockTicked,
        *[VenueBar, Bar],
        ClockTicked,
        ReplayFinished,
    ]
    assert messages[1].bar == messages[2]
    assert messages[1].decision_id == messages[2].decision_id


def test_a_bar_is_an_event_of_its_completion():
    _, _, first, *_ = replay(bar(0))

    assert first.ts_event == T0 + 60 * SECOND
    assert (first.source, first.bid, first.ask) == ("replay", None, None)


def test_the_same_data_makes_the_same_messages_with_ids_of_their_own():
    rows = [bar(0, "A"), bar(0, "B"), bar(0, "A"), bar(-1, "A"), bar(1, "A"), bar(0, "A")]
    messages = replay(*rows)
    ids = [message.message_id for message in messages]

    assert messages == replay(*rows)
    assert len(set(ids)) == len(ids)


def test_every_message_survives_the_wire():
    for message in replay(bar(0, bid=99.0, ask=101.0), quote(1), bar(1), bar(9)):
        assert decode(encode(message)) == message


def test_the_replay_says_what_will_come_and_what_came():
    started, *_, finished = replay(bar(0), bar(1), bar(1), quote(2))

    assert (started.bars, started.bar_seconds, started.dataset) == (4, 60, "made")
    assert (started.ts_first, started.ts_last) == (T0 + 60 * SECOND, T0 + 180 * SECOND)
    counts = finished.bars
    assert (counts.read, counts.published, counts.dropped) == (4, 3, 1)
    assert finished.ticks == 3


def test_a_row_in_which_nothing_traded_is_a_quote():
    messages = replay(quote(0, bid_size=300.0))
    (heard,) = [message for message in messages if isinstance(message, Quote)]

    assert (heard.bid, heard.ask, heard.bid_size, heard.ask_size) == (99.0, 101.0, 300.0, 0.0)
    assert not any(isinstance(message, Bar) for message in messages)


def test_a_crossed_quote_is_taken_off_its_bar():
    messages = replay(bar(0, bid=101.0, ask=99.0), bar(1, bid=99.0, ask=101.0))
    first, second = (message for message in messages if isinstance(message, Bar))

    assert (first.bid, first.ask) == (None, None)
    assert (second.bid, second.ask) == (99.0, 101.0)
    assert conditions(messages) == [(FeedCondition.CROSSED, False), (FeedCondition.OK, False)]


def test_a_condition_is_said_once_and_ended_once():
    rows = [bar(0), bar(1, close=nan), bar(2, close=nan), bar(3, close=0.0, low=0.0), bar(4)]
    messages = replay(*rows, bar(5))

    assert conditions(messages) == [
        (FeedCondition.NOT_A_NUMBER, True),
        (FeedCondition.ZERO, True),
        (FeedCondition.OK, False),
    ]
    assert messages[-1].bars.dropped == 3


def test_status_comes_before_the_row_it_is_about():
    messages = replay(bar(0), bar(9))
    kinds = [type(message) for message in messages]

    assert kinds[4:7] == [FeedStatusChanged, VenueBar, Bar]


def test_a_late_and_a_second_row_are_dropped_and_time_does_not_turn_back():
    messages = replay(bar(0), bar(2), bar(1), bar(2), bar(3))
    times = [tick.ts_event for tick in ticks(messages)]

    assert conditions(messages) == [
        (FeedCondition.OUT_OF_ORDER, True),
        (FeedCondition.DUPLICATE, True),
        (FeedCondition.OK, False),
    ]
    assert [(time - T0) // (60 * SECOND) for time in times] == [1, 3, 4]


def test_an_instrument_that_falls_silent_is_stale_while_others_go_on():
    rows = [bar(0, "A"), bar(0, "B"), *(bar(step, "A") for step in range(1, 8)), bar(8, "B")]
    messages = replay(*rows, bar(9, "B"))
    said = [
        (message.instrument_id, message.condition, (message.ts_event - T0) // (60 * SECOND))
        for message in messages
        if isinstance(message, FeedStatusChanged)
    ]

    assert said == [
        ("B", FeedCondition.STALE, 6),
        ("B", FeedCondition.GAP, 9),
        ("B", FeedCondition.OK, 10),
    ]


def test_an_instrument_whose_market_is_closed_is_not_stale():
    night = 5 * 60
    messages = replay(bar(0, "A"), bar(0, "B"), bar(night, "A"), bar(night, "B"))

    assert conditions(messages) == []


def test_a_symbol_of_the_source_becomes_the_instrument_of_the_desk():
    messages = replay(bar(0, "SPY.US"), instrument_ids={"SPY.US": "SPY"})

    assert messages[0].instruments == ["SPY"]
    assert messages[2].instrument_id == "SPY"


@pytest.mark.parametrize(
    ("seconds", "cadence", "scale"), [(86_400, 5, 17_280.0), (300, 5, 60.0), (300, 300, 1.0)]
)
def test_on_coarse_bars_one_cadence_is_one_bar(seconds, cadence, scale):
    rows = [bar(step, seconds=seconds) for step in (0, 1, 7)]
    heard = ticks(replay(*rows, seconds=seconds, cadence_seconds=cadence))

    assert [tick.ts_desk for tick in heard] == [
        cadence * SECOND,
        2 * cadence * SECOND,
        3 * cadence * SECOND,
    ]
    assert {tick.window_scale for tick in heard} == {scale}


@pytest.mark.parametrize("seconds", [5, 60])
def test_up_to_a_minute_times_are_real(seconds):
    heard = ticks(replay(*(bar(step, seconds=seconds) for step in (0, 1, 7)), seconds=seconds))

    assert [tick.ts_desk for tick in heard] == [tick.ts_event for tick in heard]
    assert [(tick.index, tick.window_scale) for tick in heard] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert {tick.clock_offset_ns for tick in heard} == {0}


def test_second_bars_tick_once_a_cadence():
    heard = ticks(replay(*(bar(step, seconds=1) for step in range(30)), seconds=1))
    steps = {(after.ts_event - before.ts_event) // SECOND for before, after in pairwise(heard[1:])}

    assert steps == {5}
    assert len(heard) == 7


@pytest.mark.shared_data
def test_a_real_halt_of_the_market_is_a_gap(shared_data):
    path = shared_data / "equity_intraday" / "xyz_es_like_1min_2020-01_2020-03-13.parquet"
    recorded = open_replay(str(path))
    gaps = [
        message
        for message in waves(recorded, setting(recorded), FeedConfig())
        if isinstance(message, FeedStatusChanged) and message.condition is FeedCondition.GAP
    ]

    # The two level-1 circuit breakers of March 2020: 13 minutes each, and nothing else.
    assert [gap.observed for gap in gaps] == [14 * 60, 14 * 60]


def test_the_crash_of_2008_is_passed_on_whole():
    recorded = open_replay("crash-2008")
    messages = list(waves(recorded, setting(recorded), FeedConfig()))
    finished = messages[-1]

    assert finished.bars.published == finished.bars.read == recorded.bars
    assert finished.ticks == recorded.bars // 4
