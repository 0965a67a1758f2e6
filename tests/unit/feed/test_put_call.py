"""The put/call ratio: read from a file, judged, said on its day, and never before."""

import asyncio
import csv
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from interlock.feed.adapters import put_call_file
from interlock.feed.adapters.put_call_file import follow_put_calls, known_at, read_put_calls
from interlock.feed.app import open_waves
from interlock.feed.config import FeedConfig
from interlock.feed.live.core import decide as decide_live
from interlock.feed.live.state import LiveState
from interlock.feed.live.state import evolve as evolve_live
from interlock.feed.put_call import PUT_CALL
from interlock.feed.state import FeedState
from interlock.runtime.config import ConfigError
from interlock.testkit.decisions import desk
from interlock.venues.replay_rows import RawBar, ReplayData
from interlock.venues.replay_sessions import session
from interlock.wire.codec import decode, encode
from interlock.wire.market import (
    ClockTicked,
    FeedCondition,
    FeedStatusChanged,
    PutCallRatioObserved,
)

from tests.unit.feed.test_waves import data, setting

HEAD = "as_of,value\n"
DAYS = [date(2026, 7, day) for day in (20, 21, 22, 23, 24)]


def ratios(folder, text, name="ratios.csv"):
    path = folder / name
    path.write_text(text)
    return path


def daily(days=DAYS):
    rows = []
    for day in days:
        opens, closes = session(day)
        rows.append(RawBar(opens, closes, "SPY", 100.0, 101.0, 99.0, 100.0, 5.0))
    made = data(*rows, seconds=86_400)
    assert isinstance(made, ReplayData)
    return made


def replayed(path, days=DAYS):
    config = FeedConfig(put_call_file=str(path))
    return list(open_waves(config, desk(), daily(days)))


def told(messages):
    return [(one.as_of, one.ratio) for one in messages if isinstance(one, PutCallRatioObserved)]


def statuses(messages):
    return [
        (one.condition, one.detail)
        for one in messages
        if isinstance(one, FeedStatusChanged) and one.instrument_id == PUT_CALL
    ]


def test_a_ratio_is_said_on_its_day_before_the_cadence_and_not_sooner(tmp_path):
    messages = replayed(ratios(tmp_path, HEAD + "2026-07-21,1.7\n2026-07-23,0.9\n"))
    assert told(messages) == [("2026-07-21", 1.7), ("2026-07-23", 0.9)]
    (first, second) = [one for one in messages if isinstance(one, PutCallRatioObserved)]
    assert first.ts_event == session(date(2026, 7, 21))[1]
    assert first.source == "cboe"
    assert decode(encode(first)) == first
    ticks = [one for one in messages if isinstance(one, ClockTicked)]
    by_day = {datetime.fromtimestamp(one.ts_event / 1e9, UTC).date(): one for one in ticks}
    for ratio in (first, second):
        tick = by_day[date.fromisoformat(ratio.as_of)]
        assert tick.ts_event == ratio.ts_event
        assert messages.index(tick) == messages.index(ratio) + 1


def test_of_what_was_before_the_data_only_the_last_good_one_is_said(tmp_path):
    text = HEAD + "2020-01-02,0.5\n2020-01-03,0.6\nsoon,0.7\n2026-07-21,1.7\n"
    messages = replayed(ratios(tmp_path, text))
    assert told(messages) == [("2020-01-03", 0.6), ("2026-07-21", 1.7)]
    assert [one for one, _ in statuses(messages)] == [FeedCondition.INVALID, FeedCondition.OK]


def test_what_comes_after_the_data_is_not_said(tmp_path):
    assert told(replayed(ratios(tmp_path, HEAD + "2026-07-27,1.7\n"))) == []


def test_without_a_file_nothing_is_said():
    assert told(open_waves(FeedConfig(), desk(), daily())) == []


@pytest.mark.parametrize(
    ("bad", "condition", "words"),
    [
        ("2026-07-21,", FeedCondition.NOT_A_NUMBER, "is no number"),
        ("2026-07-21,much", FeedCondition.NOT_A_NUMBER, "line 3: 'much' is no number"),
        ("2026-07-21,nan", FeedCondition.NOT_A_NUMBER, "not finite"),
        ("2026-07-21,inf", FeedCondition.NOT_A_NUMBER, "not finite"),
        ("2026-07-21,0", FeedCondition.ZERO, "not above zero"),
        ("2026-07-21,-1", FeedCondition.ZERO, "not above zero"),
        ("2026-07-21,1e6", FeedCondition.INVALID, "no ratio is that large"),
        ("21 July,0.8", FeedCondition.INVALID, "'21 July' is no date"),
        (",0.8", FeedCondition.INVALID, "is no date"),
        ("2026-07-20,0.9", FeedCondition.DUPLICATE, "2026-07-20 was told before"),
        ("2026-07-17,0.9", FeedCondition.OUT_OF_ORDER, "2026-07-17 is before 2026-07-20"),
    ],
)
def test_a_bad_row_is_refused_with_a_status_until_a_good_one_comes(tmp_path, bad, condition, words):
    text = f"{HEAD}2026-07-20,0.8\n{bad}\n{bad}\n2026-07-23,0.9\n"
    messages = replayed(ratios(tmp_path, text))
    assert told(messages) == [("2026-07-20", 0.8), ("2026-07-23", 0.9)]
    (wrong, fine) = statuses(messages)
    assert wrong[0] is condition
    assert words in wrong[1]
    assert fine[0] is FeedCondition.OK
    assert all(one.dropped for one in messages if getattr(one, "condition", "") == condition)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("day,ratio\n2026-07-20,0.8\n", "has no column as_of"),
        ("", "has no column as_of"),
        (None, "cannot be read"),
        (b"as_of,value\n\xff\xfe,1\n", "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_a_wrong_configuration(tmp_path, text, wrong):
    path = tmp_path / "ratios.csv"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=wrong):
        replayed(path)


def test_a_file_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(put_call_file, "MOST_ROWS", 3)
    path = ratios(tmp_path, HEAD + "2026-07-20,0.8\n" * 4)
    with pytest.raises(ConfigError, match="more than 3 rows"):
        read_put_calls(path)


def live_state():
    made = daily()
    rows = FeedState(config=FeedConfig(), setting=setting(made))
    return LiveState(rows=rows, simulate_bars=True, cadence_ns=5_000_000_000)


def hear(state, report):
    evolve_live(state, report)
    said = decide_live(state, report, 0)
    for message in said:
        evolve_live(state, message)
    return said


def test_live_a_row_read_again_after_a_restart_is_no_fault(tmp_path):
    rows = read_put_calls(ratios(tmp_path, HEAD + "2026-07-20,0.8\n2026-07-21,0.9\n"))
    state = live_state()
    first = hear(state, rows[1])
    assert told(first) == [("2026-07-21", 0.9)]
    assert hear(state, rows[1]) == ()
    again = live_state()
    for message in first:
        evolve_live(again, message)
    assert hear(again, rows[1]) == ()


async def test_live_what_is_known_is_told_at_the_start_and_what_is_added_later(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(put_call_file, "LOOK_AGAIN_SECONDS", 0.001)
    path = ratios(tmp_path, HEAD + "2026-07-20,0.8\n2026-07-21,0.9\n2026-07-24,1.0\n")
    now = session(date(2026, 7, 22))[1]
    found = asyncio.Queue()
    following = asyncio.create_task(follow_put_calls(path, found.put_nowait, lambda: now))
    try:
        assert (await found.get()).as_of == "2026-07-21"
        path.unlink()
        await asyncio.sleep(0.01)
        ratios(tmp_path, HEAD + "2026-07-21,0.9\n2026-07-22,1.1\n2026-07-24,1.0\n")
        assert (await found.get()).as_of == "2026-07-22"
        await asyncio.sleep(0.01)
        assert found.empty()
        now = session(date(2026, 7, 24))[1]
        assert (await found.get()).as_of == "2026-07-24"
    finally:
        following.cancel()


def test_the_recorded_ratios_are_all_said_in_order(shared_data):
    path = shared_data / "reference" / "cboe_put_call_ratio_2026-07_08.csv"
    with path.open() as file:
        wanted = [(row["as_of"], float(row["value"])) for row in csv.DictReader(file)]
    days = [date.fromisoformat(as_of) for as_of, _ in wanted]
    messages = replayed(path, days)
    assert told(messages) == wanted
    assert statuses(messages) == []
    assert all(a < b for (a, _), (b, _) in pairwise(told(messages)))
    assert len(known_at(read_put_calls(path), session(days[4])[1])) == len(days) - 4
