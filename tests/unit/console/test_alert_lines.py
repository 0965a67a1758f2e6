"""What an address is told, in which order, how often, and that nothing is lost or hidden."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from interlock.console.alerts import lines
from interlock.console.alerts.lines import (
    MOST_QUIET,
    MOST_WAITING,
    RANK,
    RETRY_LAST_SECONDS,
    Line,
    Note,
    Rules,
)
from interlock.model.values import Severity

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
NOW = 1_800_000_000 * SECOND
INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
RULES = Rules(min_severity=WARNING, quiet=10 * MINUTE, at_most=4, within=10 * MINUTE)


def note(key: str, severity: Severity = WARNING, text: str = "what happened") -> Note:
    return Note(severity=severity, service="gate", code=key, text=text, key=key, ts_event=NOW)


def taken(*notes: Note, line: Line | None = None, now: int = NOW, rules: Rules = RULES) -> Line:
    line = line or Line()
    for one in notes:
        line = lines.take(line, rules, one, now)
    return line


def told(line: Line, now: int = NOW, rules: Rules = RULES):
    """Return the line after all that may leave has arrived, and what has left."""
    left = []
    while (step := lines.next_told(line, rules, now)) is not None:
        line, one = step
        left.append(one)
        line = lines.sent(line, now)
    return line, left


def codes(left) -> list[list[str]]:
    return [[one.code for one in message.notes] for message in left]


def test_what_is_below_the_routes_severity_is_not_told():
    assert taken(note("a", INFO)) == Line()


def test_repetitions_are_counted_and_told_once_when_the_quiet_time_is_over():
    line, left = told(taken(note("a")))
    assert codes(left) == [["a"]]
    line = taken(*(note("a", text=f"again {n}") for n in range(12)), line=line)
    assert told(line)[1] == []
    line = lines.end_quiet(line, RULES, NOW + 10 * MINUTE - 1)
    assert told(line, NOW + 10 * MINUTE - 1)[1] == []
    line = lines.end_quiet(line, RULES, NOW + 10 * MINUTE)
    line, left = told(line, NOW + 10 * MINUTE)
    assert [(m.notes[0].count, m.notes[0].repeats, m.notes[0].text) for m in left] == [
        (12, True, "again 11")
    ]
    # It stays quiet for as long again, so that a lasting trouble speaks once in that time.
    assert told(taken(note("a"), line=line, now=NOW + 11 * MINUTE), NOW + 11 * MINUTE)[1] == []


def test_key_that_was_silent_through_its_quiet_time_is_told_at_once_again():
    line, _ = told(taken(note("a")))
    line = lines.end_quiet(line, RULES, NOW + 10 * MINUTE)
    assert line.quiet == {}
    line = taken(note("a"), line=line, now=NOW + 10 * MINUTE)
    assert codes(told(line, NOW + 10 * MINUTE)[1]) == [["a"]]


def test_worse_alert_of_a_quiet_key_is_told_with_what_was_counted():
    line, _ = told(taken(note("a")))
    line = taken(note("a"), note("a"), note("a", CRITICAL), line=line)
    _, left = told(line)
    assert [(m.severity, m.count) for m in left] == [(CRITICAL, 3)]


def test_critical_goes_first_and_beyond_the_limit_of_the_others():
    line, left = told(taken(*(note(f"w{n}") for n in range(9))))
    assert codes(left) == [["w0"], ["w1"], ["w2"], [f"w{n}" for n in range(3, 9)]]
    line = taken(note("late"), note("bad", CRITICAL), line=line)
    line, left = told(line)
    assert codes(left) == [["bad"]]
    _, left = told(line, NOW + 10 * MINUTE)
    assert codes(left) == [["late"]]


def test_critical_overtakes_what_waits():
    _, left = told(taken(note("w"), note("bad", CRITICAL)))
    assert codes(left) == [["bad"], ["w"]]


def test_storm_of_critical_alerts_has_a_limit_of_its_own_and_ends_in_a_digest():
    _, left = told(taken(*(note(f"c{n}", CRITICAL) for n in range(50))))
    assert len(left) == 8
    assert [m.digest for m in left] == [False] * 7 + [True]
    assert sum(m.count for m in left) == 50


def test_too_many_for_the_line_are_counted_by_severity_in_the_next_message():
    storm = [note(f"w{n}") for n in range(MOST_WAITING)] + [
        note(f"c{n}", CRITICAL) for n in range(5)
    ]
    line = taken(*storm)
    assert len(line.waiting) == MOST_WAITING
    assert line.fallen == {WARNING: 5}
    _, left = told(line)
    assert len(left) == 1
    assert left[0].digest
    assert left[0].count == MOST_WAITING + 5
    assert left[0].severity is CRITICAL


def test_more_keys_than_can_be_kept_quiet_are_still_told():
    line = taken(*(note(f"w{n}") for n in range(MOST_QUIET + 10)))
    assert len(line.quiet) == MOST_QUIET
    assert lines.waits(line) == MOST_QUIET + 10


def test_receiver_that_is_down_is_tried_later_each_time_and_then_told():
    line = taken(note("a"))
    now, pauses = NOW, []
    for _ in range(12):
        step = lines.next_told(line, RULES, now)
        assert step is not None
        line = lines.failed(step[0], "refused", now)
        assert lines.next_told(line, RULES, line.retry_at - 1) is None
        pauses.append((line.retry_at - now) // SECOND)
        now = line.retry_at
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert line.problem == "refused"
    line, left = told(line, now)
    assert codes(left) == [["a"]]
    assert (line.failures, line.problem, line.retry_at) == (0, "", 0)


def test_critical_alert_does_not_wait_for_a_long_pause_and_does_not_hammer():
    line = taken(note("a"))
    now = NOW
    for _ in range(12):
        step = lines.next_told(line, RULES, now)
        assert step is not None
        line = lines.failed(step[0], "refused", now)
        now = line.retry_at
    failed_at = line.tried_at
    line = taken(note("bad", CRITICAL), line=line, now=failed_at + SECOND)
    assert lines.next_told(line, RULES, failed_at + 5 * SECOND - 1) is None
    step = lines.next_told(line, RULES, failed_at + 5 * SECOND)
    assert step is not None
    assert step[1].severity is CRITICAL


def test_nothing_leaves_while_a_message_is_under_way():
    step = lines.next_told(taken(note("a"), note("b")), RULES, NOW)
    assert step is not None
    assert lines.next_told(step[0], RULES, NOW) is None


def test_message_under_way_when_the_process_died_is_sent_again():
    step = lines.next_told(taken(note("a"), note("b")), RULES, NOW)
    assert step is not None
    read = msgspec.json.decode(msgspec.json.encode(step[0]), type=Line)
    assert codes(told(lines.put_back(read))[1]) == [["a"], ["b"]]


@pytest.mark.parametrize("back", [SECOND, 365 * 24 * 60 * MINUTE])
def test_clock_put_back_silences_nobody(back: int):
    line = taken(note("a"))
    for _ in range(4):
        step = lines.next_told(line, RULES, NOW + 20 * MINUTE)
        line = lines.failed(step[0] if step else line, "refused", NOW + 20 * MINUTE)
    now = NOW - back
    line = lines.end_quiet(line, RULES, now)
    line = taken(note("b", CRITICAL), line=line, now=now)
    later = now + RETRY_LAST_SECONDS * SECOND
    assert ["b"] in codes(told(line, later)[1])


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("take"),
            st.sampled_from("abcdefgh"),
            st.sampled_from(list(Severity)),
        ),
        st.tuples(st.just("storm"), st.integers(1, 250), st.sampled_from(list(Severity))),
        st.tuples(st.just("wait"), st.integers(0, 1_200), st.none()),
        st.tuples(st.just("send"), st.booleans(), st.none()),
        st.tuples(st.just("restart"), st.none(), st.none()),
    ),
    max_size=60,
)


@given(STEPS)
def test_every_alert_is_told_or_counted_and_no_limit_is_passed(steps):
    line, now, number = Line(), NOW, 0
    came = arrived = 0
    left: list[tuple[int, Severity]] = []
    for what, one, severity in steps:
        if what == "wait":
            now += one * SECOND
            line = lines.end_quiet(line, RULES, now)
        elif what == "restart":
            line = lines.put_back(msgspec.json.decode(msgspec.json.encode(line), type=Line))
        elif what == "send":
            step = lines.next_told(line, RULES, now)
            if step is None:
                continue
            line, message = step
            if one:
                line = lines.sent(line, now)
                arrived += message.count
                left.append((now, message.severity))
            else:
                line = lines.failed(line, "refused", now)
        else:
            keys = [one] if what == "take" else [f"{number}.{n}" for n in range(one)]
            number += 1
            line = taken(*(note(key, severity) for key in keys), line=line, now=now)
            came += len(keys) if RANK[severity] >= RANK[WARNING] else 0
        assert arrived + lines.waits(line) == came
        assert len(line.waiting) <= MOST_WAITING
        assert len(line.quiet) <= MOST_QUIET
    for end, _ in left:
        window = [severity for at, severity in left if end - RULES.within < at <= end]
        assert len(window) <= 2 * RULES.at_most
    for place, (end, severity) in enumerate(left):
        before = [1 for at, _ in left[: place + 1] if end - RULES.within < at <= end]
        assert severity is CRITICAL or len(before) <= RULES.at_most
