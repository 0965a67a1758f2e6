"""A restart: whatever was heard and said, folded in any order between the two, stands the same."""

from hypothesis import given, settings
from hypothesis import strategies as st
from interlock.wire.reasoning import EscalationTriggered

from tests.unit.escalation.escalation_cells import (
    account,
    cell,
    features,
    fired,
    market,
    parameters,
    put_call,
    say,
    score,
)

moments = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([0.0, -1.0, -2.0, -2.6, -6.0]),
        st.sampled_from([0.0, 5.0, 7.0, 8.5]),
        st.sampled_from([None, 0.9, 1.5, 1.9]),
        st.sampled_from([(0.1, 0.9), (1.8, 0.45), (3.0, 0.1)]),
        st.floats(0.0, 1.0),
    ),
    min_size=1,
    max_size=14,
)


def lived(drawn):
    """Let a room live through moments; return it, what it heard, and what it said."""
    room, heard, said, day = cell(), [], [], 1
    for n, (step, pnl, fall, ratio, (z, correlation), value) in enumerate(drawn, 1):
        day += step
        told = [parameters(), *market(z, correlation, n), score(n, value)]
        told.append(features(1_000 + n, close=100.0 + n % 3))
        told += [] if ratio is None else [put_call(ratio, day=day)]
        told.append(account(day, pnl, second=1_000 + n, drawdown=fall))
        for message in told:
            said += say(room, message)
            heard.append(message)
    return room, heard, said, day


def standing(room, day):
    state = room.state
    return (
        state.standing(day), state.granted, state.open, list(state.forecasts.hits),
        state.day_starts, state.parameters, state.account and state.account.message_id,
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(moments, st.randoms(use_true_random=False))
def test_a_restarted_room_stands_where_it_stood(drawn, random):
    room, heard, said, day = lived(drawn)
    again, ours, theirs = cell(), list(said), list(heard)
    while ours or theirs:
        own = bool(ours) and (not theirs or random.random() < 0.5)
        again.recover((ours if own else theirs).pop(0), own=own)
    assert standing(again, day) == standing(room, day)
    last = account(day, -6.0, second=50_000, drawdown=9.0)
    assert fired(say(again, last)) == fired(say(room, last))


@settings(max_examples=60, deadline=None)
@given(moments)
def test_no_day_ever_has_more_calls_than_it_may(drawn):
    _, _, said, _ = lived(drawn)
    days = {}
    for one in said:
        if isinstance(one, EscalationTriggered) and one.granted:
            days.setdefault(one.day, []).append(one.call)
    for calls in days.values():
        assert len(calls) <= 3
        assert len([call for call in calls if call != "sanity_judge"]) <= 2
        assert calls.count("sanity_judge") <= 1
