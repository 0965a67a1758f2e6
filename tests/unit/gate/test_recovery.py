"""A gate that starts again takes its past in as it did the first time."""

from interlock.gate.recovery import in_heard_order
from interlock.runtime.bus.port import Remembered
from interlock.testkit.decisions import wanted
from interlock.testkit.desk_messages import SECOND, bar, denied, fill, ids
from interlock.wire.orders import GateHeard, QuoteSeen


def told(n, *messages, quotes=()):
    return GateHeard(
        **ids("told", n),
        ts_event=0,
        message_ids=[one.message_id for one in messages],
        quotes=list(quotes),
    )


def heard(message, *, acknowledged=True):
    return Remembered(message, own=False, acknowledged=acknowledged)


def own(message):
    return Remembered(message, own=True)


def order_of(*past):
    return [
        getattr(one.message, "instrument_id", "") + " " + one.message.message_id
        if one.message.message_id not in {past_one.message.message_id for past_one in past}
        else one.message
        for one in in_heard_order(past)
    ]


def test_i17_what_is_listed_comes_in_the_order_of_the_lists_and_the_rest_behind():
    early, late, new = bar(1, 1.0), fill(2), bar(3, 1.0)
    first, second = told(1, late), told(2, early)
    past = [heard(early), own(first), heard(late), own(second), heard(new)]
    assert order_of(*past) == [late, first, early, second, new]


def test_i17_what_was_listed_counts_although_it_comes_again():
    seen, unseen = bar(1, 1.0), bar(2, 1.0)
    listing = told(1, seen)
    past = [
        heard(seen, acknowledged=False),
        heard(unseen, acknowledged=False),
        own(listing),
    ]
    again = list(in_heard_order(past))
    assert [one.message for one in again] == [seen, listing]
    assert not again[0].acknowledged


def test_i17_a_verdict_stands_where_it_was_said_and_the_last_one_behind_its_list():
    intents, denials = [wanted(1), wanted(2)], [denied(1), denied(2)]
    first, second = told(1, intents[0]), told(2, denials[0], intents[1])
    past = [own(denials[1]), own(first), own(denials[0]), own(second),
            *(heard(one, acknowledged=False) for one in intents)]  # fmt: skip
    assert order_of(*past) == [intents[0], first, denials[0], intents[1], second, denials[1]]


def test_i17_quotes_come_back_in_their_place():
    one, other = bar(1, 1.0), bar(2, 1.0)
    quote = QuoteSeen(
        instrument_id="SPY", bid=1.0, ask=2.0, bid_size=1.0, ask_size=1.0, ts_event=SECOND, after=1
    )
    listing = told(1, one, other, quotes=[quote])
    kinds = [
        type(item.message).__name__
        for item in in_heard_order([heard(one), heard(other), own(listing)])
    ]
    assert kinds == ["Bar", "Quote", "Bar", "GateHeard"]


def test_what_its_stream_no_longer_keeps_is_passed_over():
    gone, kept = bar(1, 1.0), bar(2, 1.0)
    listing = told(1, gone, kept)
    assert order_of(heard(kept), own(listing)) == [kept, listing]
