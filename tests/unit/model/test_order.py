"""The order's table: what is listed happens, what is not raises."""

import itertools

import pytest
from interlock.model.order import (
    CLOSED,
    TRANSITIONS,
    IllegalTransitionError,
    OrderStatus,
    OrderTrigger,
    next_status,
)

PAIRS = list(itertools.product(OrderStatus, OrderTrigger))


@pytest.mark.parametrize(("status", "trigger"), [pair for pair in PAIRS if pair in TRANSITIONS])
def test_a_listed_transition_happens(status, trigger):
    assert next_status(status, trigger) is TRANSITIONS[status, trigger]


@pytest.mark.parametrize(("status", "trigger"), [pair for pair in PAIRS if pair not in TRANSITIONS])
def test_an_unlisted_transition_raises_and_names_both(status, trigger):
    with pytest.raises(IllegalTransitionError, match=f"{status} cannot {trigger}"):
        next_status(status, trigger)


def test_what_is_closed_stays_closed():
    assert {status for status, _ in TRANSITIONS}.isdisjoint(CLOSED)


def test_what_is_open_can_end_and_everything_can_be_reached():
    sources = {status for status, _ in TRANSITIONS}
    assert sources | CLOSED == set(OrderStatus)
    assert set(TRANSITIONS.values()) | {OrderStatus.INITIALIZED} == set(OrderStatus)
    for status in sources:
        assert {after for (before, _), after in TRANSITIONS.items() if before is status} & (
            CLOSED | {OrderStatus.SUBMITTED}
        )


def test_i12_unknown_is_left_by_venue_words_only():
    left = {trigger for status, trigger in TRANSITIONS if status is OrderStatus.UNKNOWN}
    assert left == {
        OrderTrigger.ACCEPT,
        OrderTrigger.REJECT,
        OrderTrigger.PARTIAL_FILL,
        OrderTrigger.FILL,
        OrderTrigger.CANCEL,
        OrderTrigger.EXPIRE,
    }


def test_nothing_trades_before_it_was_submitted():
    assert {trigger for status, trigger in TRANSITIONS if status is OrderStatus.INITIALIZED} == {
        OrderTrigger.DENY,
        OrderTrigger.SUBMIT,
    }
